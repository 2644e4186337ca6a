"""Asking a finished run a question of one's own."""

from dataclasses import asdict
from typing import Any

from ragtune.arms.answer import Answer, AnswerStream
from ragtune.core.errors import RecipeError
from ragtune.core.files import read_json
from ragtune.recipe.schema import ARMS
from ragtune.runs.workbench import Workbench
from ragtune.sources.records import Record


def ask(bench: Workbench, question: str, arm: str = "") -> tuple[str, AnswerStream]:
    """The arm that answers, or the one that the run recommends, and its answer as it is written.

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
    return name, bench.arm(name).stream(Record(question, response=""))


def summary(arm: str, question: str, answer: Answer) -> dict[str, Any]:
    """The answer as JSON: arm, question, text, sources, tokens."""
    return {"arm": arm, **asdict(answer), "question": question}


def show(answer: dict[str, Any], *, with_text: bool = True) -> str:
    """The answer, its sources by number, what had no room, and what no source supports."""
    sources = [
        f"[{n}] {s['document']} {s['locator']}".rstrip() for n, s in enumerate(answer["sources"], 1)
    ]
    notes = [f"in no source: {s['sentence']}" for s in answer["support"] if not s["supported"]]
    if answer["refused"]:
        notes.append(
            "refused without asking the model: what was found scores below rag.refuse_below"
        )
    elif left_out := answer["retrieved"] - len(answer["sources"]):
        notes.append(f"left out: {left_out} of {answer['retrieved']} passages had no room")
    if answer["cut_tokens"]:
        notes.append(f"cut: {answer['cut_tokens']} tokens of the prompt had no room")
    return "\n".join([*([answer["text"]] if with_text else []), *sources, *notes])
