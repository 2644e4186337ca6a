"""An answer as JSON, and as it is shown on a terminal."""

from dataclasses import asdict
from typing import Any

from ragtune.arms.answer import Answer


def summary(arm: str, question: str, answer: Answer) -> dict[str, Any]:
    """The answer with the arm that gave it and the question that it was asked."""
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
