"""Asking a finished run a question of one's own."""

from dataclasses import asdict
from typing import Any

from local.errors import RecipeError
from local.recipe import ARMS
from local.records import Record
from local.runs import read_json
from local.workbench import Workbench


def ask(bench: Workbench, question: str, arm: str = "") -> dict[str, Any]:
    """The answer of ``arm``, or of the arm that the run recommends: text, arm, sources, tokens.

    Raises RecipeError for an arm that the run does not have or an empty question.
    """
    if not question.strip():
        raise RecipeError("the question is empty")
    has = bench.recipe.arms
    if not arm:
        recommended = read_json(bench.folder / "results.json")["recommendation"]["arm"]
        arm = recommended or has[-1]
    name = next((a for a in ARMS if a == arm), None)
    if name is None or name not in has:
        raise RecipeError(f"--arm {arm}: this run has {', '.join(has)}")
    answer = bench.arm(name).ask(Record(question, response=""))
    return {"arm": name, **asdict(answer), "question": question}
