"""An answer as JSON, and as it is shown on a terminal."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ragtune.arms.answer import Answer
from ragtune.core.text import refuses
from ragtune.runs.fresh import State

BY_SCORE = "what was found scores below rag.refuse_below; the model was not asked"
BY_MODEL = "the model says that it has no answer"


class Asked(dict[str, Any]):
    """An answer as JSON; a notebook shows it as HTML."""

    def _repr_html_(self) -> str:
        from ragtune.runs.notebook import answer

        return answer(self)


def summary(
    arm: str,
    question: str,
    answer: Answer,
    refusals: Sequence[str] = (),
    state: State | None = None,
) -> Asked:
    """The answer with the arm that gave it and the question that it was asked.

    ``refused`` is whether it is a refusal, ``reason`` why: by score, or by the model's own words,
    of which ``refusals`` are the study's. ``state`` is the index's, where it was searched.
    """
    reason = BY_SCORE if answer.refused else ""
    if not reason and refuses(answer.text, refusals):
        reason = BY_MODEL
    return Asked(
        {
            "arm": arm,
            **asdict(answer),
            "question": question,
            "refused": bool(reason),
            "reason": reason,
            "index": state.to_json() if state else None,
        }
    )


def show(answer: dict[str, Any], *, with_text: bool = True) -> str:
    """The answer, its sources by number, what had no room, and what no source supports."""
    sources = [
        f"[{n}] {s['document']} {s['locator']}".rstrip() for n, s in enumerate(answer["sources"], 1)
    ]
    notes = []
    if answer["refused"]:
        notes.append(f"refused: {answer['reason']}")
    else:
        notes += [f"in no source: {s['sentence']}" for s in answer["support"] if not s["supported"]]
    if answer["reason"] != BY_SCORE and (left_out := answer["retrieved"] - len(answer["sources"])):
        notes.append(f"left out: {left_out} of {answer['retrieved']} passages had no room")
    if answer["cut_tokens"]:
        notes.append(f"cut: {answer['cut_tokens']} tokens of the prompt had no room")
    return "\n".join([*([answer["text"]] if with_text else []), *sources, *notes])
