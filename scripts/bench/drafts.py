"""Drafted questions beside those that people wrote: what they ask for, and what they decide.

    ragtune questions data/demo/handbook/docs --output build/drafts
    python -m scripts.bench.drafts build/drafts data/demo/handbook/questions.jsonl \
        data/demo/handbook/records.jsonl
    python -m scripts.bench.drafts --studies runs/handbook runs/handbook-drafted

Says how many facts have a question and why others have none, how many a document, and how many of
the facts that people asked for are drafted: the same evidence, and an answer that is right by the
judge. With ``--studies`` it compares two runs: the arm that each names, and the F1 of all.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from ragtune.core.files import read_jsonl
from ragtune.questions.journal import FILE
from ragtune.questions.make import TEST, TRAIN
from ragtune.results.metrics.right import right
from ragtune.results.schema import Results

Rows = list[dict[str, Any]]


def kept(folder: Path) -> list[str]:
    """How many facts have a question, and the usual reasons of the others."""
    lines = read_jsonl(folder / FILE)[1:]
    facts = sum(line["facts"] for line in lines)
    groups = {row["group"] for line in lines for row in line["rows"]}
    reasons = sum((Counter(line["dropped"]) for line in lines), Counter[str]())
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    return [f"{len(groups)} of {facts} facts have a question; dropped: {told}"]


def spread(rows: Rows) -> list[str]:
    """How many questions a document, and of which kinds."""
    each = Counter(row["document"] for row in rows if row["document"])
    kinds = Counter(row["kind"] for row in rows)
    return [
        f"{len(rows)} rows about {len(each)} documents, {min(each.values())} to "
        f"{max(each.values())} each",
        ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()),
    ]


def overlap(drafted: Rows, written: Rows) -> list[str]:
    """How many facts of people are drafted too, and how many drafts are of such facts."""
    drafts = [row for row in drafted if row["evidence"]]
    people = [row for row in written if row.get("evidence")]
    same = [
        (one["group"], other.get("group") or other["instruction"])
        for one in drafts
        for other in people
        if other["evidence"] in one["evidence"] or one["evidence"] in other["evidence"]
        if right(one["response"], other["response"]) or right(other["response"], one["response"])
    ]
    facts = {row.get("group") or row["instruction"] for row in people}
    groups = {row["group"] for row in drafts}
    return [
        f"{len({group for _, group in same})} of {len(facts)} facts that people asked for are "
        f"drafted; {len({group for group, _ in same})} of {len(groups)} drafted facts are theirs"
    ]


def study(folder: Path) -> str:
    """The arm that a run recommends, and the token F1 of each."""
    results = Results.load(folder / "results.json")
    arms = ", ".join(
        f"{arm} {one.quality['token_f1'].mean:.2f}" for arm, one in results.arms.items()
    )
    refusals = {arm: one.refusal.unanswerable_refused for arm, one in results.arms.items()}
    refused = ", ".join(f"{arm} {one.mean:.2f}" for arm, one in refusals.items() if one)
    named = results.recommendation.arm or "none"
    return f"{folder}: {named}, of {results.questions} questions; token F1: {arms}" + (
        f"; refused of those without an answer: {refused}" if refused else ""
    )


def main() -> None:
    """Print the lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("drafts", nargs="?", type=Path, help="folder of `ragtune questions`")
    parser.add_argument("written", nargs="*", type=Path, help="questions that people wrote")
    parser.add_argument("--studies", nargs=2, type=Path, help="run folders to compare")
    given = parser.parse_args()
    lines: list[str] = []
    if given.drafts:
        rows = [*read_jsonl(given.drafts / TEST), *read_jsonl(given.drafts / TRAIN)]
        lines += [*kept(given.drafts), *spread(rows)]
        written = [row for path in given.written for row in read_jsonl(path)]
        lines += overlap(rows, written) if written else []
    lines += [study(folder) for folder in given.studies or []]
    print("\n".join(lines))


if __name__ == "__main__":
    main()
