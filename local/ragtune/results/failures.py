"""Why an answer failed: right or wrong in each arm, what flipped it, and where retrieval stood.

A question may show several flips, for retrieval and tuning are each looked at twice: with the
other and without it. One that only ``tuned+rag`` answers counts as that alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ragtune.results.metrics.answers import exact_match, token_f1
from ragtune.retrieval.passages import Passage, gold_rank
from ragtune.sources.records import Record

RIGHT_FROM = 0.5
"""The token F1 from which an answer counts as right; a refusal must be the refusal itself."""

STEPS = {
    "retrieval": (("base", "rag"), ("tuned", "tuned+rag")),
    "tuning": (("base", "tuned"), ("rag", "tuned+rag")),
}
"""What is added, and the arms before and after it."""

FLIPS = {
    "retrieval_fixed": "retrieval fixed it",
    "retrieval_broke": "retrieval broke it",
    "tuning_fixed": "tuning fixed it",
    "tuning_forgot": "tuning forgot it",
    "only_both": "only both knew it",
}

CAUSES = {
    "not_found": "the gold passage was not found",
    "refused": "the gold passage was found, but scored below rag.refuse_below",
    "left_out": "the gold passage was found, but had no room in the prompt",
    "misread": "the gold passage stood in the prompt",
    "not_refused": "the documents hold no answer, and it gave one",
    "no_gold": "no gold document is named, so retrieval cannot be judged",
}
"""Why an arm with passages was wrong."""


def is_unanswerable(question: Record, refusal: str) -> bool:
    """Whether the reference answer is that there is none."""
    return exact_match(question.response, refusal) == 1.0


def is_right(question: Record, text: str, refusal: str) -> bool:
    """Whether an answer counts as right: see `RIGHT_FROM`."""
    if is_unanswerable(question, refusal):
        return exact_match(text, refusal) == 1.0
    return token_f1(text, question.response) >= RIGHT_FROM


def analyse(
    questions: Sequence[Record],
    answers: Mapping[str, Sequence[Mapping[str, Any]]],
    found: Sequence[Sequence[Passage]],
    refusal: str,
) -> dict[str, Any]:
    """Each question's verdicts, flips and causes, and how often each occurs.

    ``answers`` are the lines of ``answers/<arm>.jsonl`` by arm; ``found`` the passages of the
    retrieval stage, empty where there is none.
    """
    rows = []
    for n, question in enumerate(questions):
        given = {arm: lines[n] for arm, lines in answers.items()}
        passages = found[n] if found else ()
        rows.append(_question(question, given, passages, refusal))
    flips = Counter(flip for row in rows for flip in row["flips"])
    return {
        "right_from": RIGHT_FROM,
        "right": {arm: sum(row["right"][arm] for row in rows) for arm in answers},
        "flips": {flip: flips[flip] for flip in FLIPS},
        "steps": _steps(rows, answers),
        "causes": {
            arm: dict(Counter(row["causes"][arm] for row in rows if arm in row["causes"]))
            for arm in answers
            if "rag" in arm
        },
        "questions": rows,
    }


def _question(
    question: Record,
    given: Mapping[str, Mapping[str, Any]],
    passages: Sequence[Passage],
    refusal: str,
) -> dict[str, Any]:
    right = {arm: is_right(question, answer["text"], refusal) for arm, answer in given.items()}
    rank = gold_rank(question, passages) if question.document else None
    causes = {
        arm: _cause(question, answer, rank, refusal)
        for arm, answer in given.items()
        if "rag" in arm and not right[arm]
    }
    return {
        "question": question.id,
        "gold_rank": rank,
        "right": right,
        "flips": flips_of(right),
        "causes": causes,
    }


def flips_of(right: Mapping[str, bool]) -> list[str]:
    """The keys of `FLIPS` that hold of a question, from which of its arms are right."""
    both = right.get("tuned+rag", False)
    if both and len(right) == 4 and sum(right.values()) == 1:
        return ["only_both"]
    names = {"retrieval": "retrieval_broke", "tuning": "tuning_forgot"}
    seen = set()
    for what, pairs in STEPS.items():
        for before, after in pairs:
            if before in right and after in right and right[before] != right[after]:
                seen.add(f"{what}_fixed" if right[after] else names[what])
    return [flip for flip in FLIPS if flip in seen]


def _cause(question: Record, answer: Mapping[str, Any], rank: int | None, refusal: str) -> str:
    if is_unanswerable(question, refusal):
        return "not_refused"
    if not question.document:
        return "no_gold"
    if rank is None:
        return "not_found"
    if answer["refused"]:
        return "refused"
    return "misread" if rank <= len(answer["sources"]) else "left_out"


def _steps(rows: Sequence[Mapping[str, Any]], arms: Mapping[str, Any]) -> list[dict[str, Any]]:
    """For each pair of arms that differ in one thing: how many it made right, and wrong."""
    return [
        {
            "adds": what,
            "before": before,
            "after": after,
            "fixed": sum(r["right"][after] > r["right"][before] for r in rows),
            "broke": sum(r["right"][after] < r["right"][before] for r in rows),
        }
        for what, pairs in STEPS.items()
        for before, after in pairs
        if before in arms and after in arms
    ]
