"""What a server says of its run: arms with their figures, the verdict, example questions."""

from collections.abc import Sequence
from typing import Any

from ragtune.arms.ask_all import spread
from ragtune.core.errors import RagtuneError
from ragtune.recipe.arms import MAKEUP, Arm
from ragtune.results import rows
from ragtune.results.schema import Results
from ragtune.results.summary import summarise
from ragtune.results.wording.terms import ARMS
from ragtune.runs.open import OpenRun

EXAMPLES = 12
"""Questions of the study that are offered."""


def about(opened: OpenRun, arms: Sequence[Arm], recommended: Arm | None) -> dict[str, Any]:
    """The run as the page shows it; without figures where nothing was compared yet."""
    results, model = _results(opened), opened.recipe.model
    told = summarise(results) if results else None
    return {
        "run": opened.folder.path.resolve().name,
        "name": opened.recipe.name,
        "model": model.engine if model.remote else model.local,
        "tokens": opened.recipe.study.max_new_tokens,
        "refusal": opened.recipe.study.refusal,
        "recommended": recommended,
        "verdict": told.lines if told else [],
        "state": told.state if told else "undecided",
        "questions": results.questions if results else 0,
        "arms": [
            {
                "name": arm,
                "title": ARMS[arm],
                "tuned": MAKEUP[arm].tuned,
                "reads": MAKEUP[arm].passages,
                "right": results.failures.right.get(arm) if results else None,
            }
            for arm in arms
        ],
        "examples": _examples(opened, results) if results else [],
    }


def _results(opened: OpenRun) -> Results | None:
    try:
        return Results.load(opened.folder.results)
    except RagtuneError:
        return None


def _examples(opened: OpenRun, results: Results) -> list[dict[str, Any]]:
    """Questions of the study, evenly over it, with their references and who was right."""
    try:
        asked = rows.questions(opened.folder)
    except RagtuneError:
        return []
    with_input = opened.recipe.records.context == "input"
    both = [
        (question, judged)
        for question, judged in zip(asked, results.failures.questions, strict=False)
        if not (with_input and question.context)
    ]
    return [
        {
            "question": question.instruction,
            "references": list(question.references),
            "document": question.document,
            "right": dict(judged.right),
        }
        for question, judged in (spread(both, EXAMPLES) if both else [])
    ]
