"""The HTML report: one self-contained file that asks for nothing from anywhere.

It reads without its script, which only filters the questions.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from ragtune.core.files import read_jsonl
from ragtune.recipe.schema import Needs
from ragtune.results.failures import CAUSES, FLIPS
from ragtune.results.latency import PARTS
from ragtune.results.page import plots
from ragtune.results.table import break_even_line, notes
from ragtune.retrieval.passages import Passage, gold_rank
from ragtune.sources.records import Record

MOST = 1_900_000
"""Bytes that a page may have."""
CUTS: tuple[tuple[int | None, int | None], ...] = (
    (None, None),
    (None, 1000),
    (500, 600),
    (500, 200),
    (200, 200),
    (50, 100),
)
"""How many questions are shown, and characters of a text; the first pair that is small enough."""
SHOWN_PASSAGES = 10
"""Of a question, where the page had to be cut."""


def render(folder: Path, figures: dict[str, Any]) -> str:
    """The report of a run folder as HTML, under `MOST` bytes: long studies are shown in part.

    Raises RunError where the answers are missing.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.jinja")
    questions = _questions(folder, figures)
    everything = {
        "figures": figures,
        "arms": figures["arms"],
        "classes": plots.CLASSES,
        "notes": notes(figures),
        "break_even": break_even_line(figures["break_even"]),
        "plots": _plots(folder, figures),
        "flips": FLIPS,
        "causes": CAUSES,
    }
    html = ""
    for count, length in CUTS:
        shown = [_shortened(q, length) for q in questions[:count]]
        if (count, length) != CUTS[-1] and _length(shown) > MOST:
            continue
        html = template.render(**everything, questions=shown, cut=length)
        if len(html.encode()) <= MOST:
            break
    return html


def _questions(folder: Path, figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All that the page shows of each question."""
    arms = figures["arms"]
    answers = {arm: read_jsonl(folder / "answers" / f"{arm}.jsonl") for arm in arms}
    found = folder / "retrieval.jsonl"
    passages = [row["passages"] for row in read_jsonl(found)] if found.exists() else []
    with_input = figures["recipe"]["filled"]["records"]["context"] == "input"
    rows = zip(
        read_jsonl(folder / "data" / "test.jsonl"), figures["failures"]["questions"], strict=True
    )
    return [
        {
            "number": n + 1,
            "text": row["instruction"],
            "input": row["context"] if with_input else "",
            "reference": row["response"],
            "document": row["document"],
            "judged": judged,
            "marks": " ".join(_marks(judged)),
            "answers": {
                arm: {
                    "text": lines[n]["text"],
                    "shown": len(lines[n]["sources"]),
                    "refused": lines[n].get("refused", False),
                }
                for arm, lines in answers.items()
            },
            "passages": _passages(Record(**row), passages[n]) if passages else [],
        }
        for n, (row, judged) in enumerate(rows)
    ]


def _passages(question: Record, found: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The passages found, each with whether it is a gold one."""
    return [
        {**p, "gold": bool(question.document and gold_rank(question, [Passage(**p)]))}
        for p in found
    ]


def _marks(judged: Mapping[str, Any]) -> list[str]:
    """What the filter looks for."""
    verdicts = [
        f"{'right' if right else 'wrong'}-{plots.CLASSES[arm]}"
        for arm, right in judged["right"].items()
    ]
    return [*judged["flips"], *verdicts, *dict.fromkeys(judged["causes"].values())]


def _shortened(question: dict[str, Any], length: int | None) -> dict[str, Any]:
    """The question with every text cut to ``length`` characters, and fewer passages."""
    if length is None:
        return question
    return {
        **question,
        **{name: _cut(question[name], length) for name in ("text", "input", "reference")},
        "answers": {
            arm: {**answer, "text": _cut(answer["text"], length)}
            for arm, answer in question["answers"].items()
        },
        "passages": [
            {**p, "text": _cut(p["text"], length)} for p in question["passages"][:SHOWN_PASSAGES]
        ],
    }


def _length(questions: Sequence[Mapping[str, Any]]) -> int:
    """Characters of what was answered and found: the page has at least as many bytes."""
    return sum(
        sum(len(answer["text"]) for answer in question["answers"].values())
        + sum(len(passage["text"]) for passage in question["passages"])
        for question in questions
    )


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + " […]"


def _plots(folder: Path, figures: Mapping[str, Any]) -> list[tuple[str, Markup]]:
    """Each plot with its caption."""
    arms = figures["arms"]
    seconds = {
        arm: [
            sum(t[part] for part in PARTS) for t in read_jsonl(folder / "latency" / f"{arm}.jsonl")
        ]
        for arm in arms
    }
    needs = Needs.model_validate(figures["recipe"]["filled"]["needs"])
    count = next(iter(arms.values()))["latency_ms"]["questions"]
    drawn = [
        ("Token F1, with its 95 % interval", plots.quality(arms)),
        (
            f"Latency in ms of {count} questions asked alone; lines at the median and the 95th "
            "percentile",
            plots.latency(seconds, arms),
        ),
        (
            f"Machine hours a month against queries a month; documents change: "
            f"{needs.documents_change}",
            plots.cost(arms, needs),
        ),
    ]
    if figures["tune"] and figures["tune"]["epochs"]:
        drawn.append(
            ("Loss a token while tuning, in nats", plots.losses(figures["tune"]["epochs"]))
        )
    if curve := figures["learning_curve"]:
        drawn.append(
            ("Token F1 against training records, with 95 % intervals", plots.learning(curve))
        )
    return drawn
