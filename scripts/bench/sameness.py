"""Whether two run folders hold the same answers, question by question, and the same figures.

It reads run folders of any version: what a change of the code must leave alone can be looked at
across that change. Times are left out.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TIMES = ("seconds", "latency_ms", "throughput", "cost", "freshness_seconds")
"""Fields of answers and arms that a machine decides."""
Difference = tuple[str, Any, Any]


def rows(path: Path) -> list[Any]:
    """The lines of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def without_times(row: dict[str, Any]) -> dict[str, Any]:
    """A row less the fields in `TIMES`, its numbers to six places.

    Scores of two builds of one index differ in the eighth.
    """
    return {name: _rounded(value) for name, value in row.items() if name not in TIMES}


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return round(value, 6) if isinstance(value, float) else value


def answers(one: Path, other: Path, arm: str) -> tuple[int, list[Difference]]:
    """How many questions an arm was asked in both, and each answer that differs."""
    before, after = (
        {row["question"]: without_times(row) for row in rows(run / "answers" / f"{arm}.jsonl")}
        for run in (one, other)
    )
    both = [question for question in before if question in after]
    return len(both), [
        (question, before[question]["text"], after[question]["text"])
        for question in both
        if before[question] != after[question]
    ]


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a JSON tree by its dotted name."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in parts:
        if isinstance(part, dict | list) and part:
            yield from leaves(part, f"{name}{key}.")
        else:
            yield f"{name}{key}", part


def figures(one: Path, other: Path) -> tuple[int, list[Difference]]:
    """How many values both ``results.json`` have but for times, and those that differ."""
    before, after = (dict(leaves(_judged(run))) for run in (one, other))
    both = [name for name in before if name in after]
    return len(both), [(n, before[n], after[n]) for n in both if before[n] != after[n]]


def _judged(run: Path) -> dict[str, Any]:
    content = json.loads((run / "results.json").read_text(encoding="utf-8"))
    kept = ("questions", "unanswerable", "differences", "failures", "retrieval", "data")
    return {
        **{name: content[name] for name in kept},
        "losses": [content["heldout_loss"], content["forgetting"]],
        "arms": {arm: without_times(found) for arm, found in content["arms"].items()},
        "recommended": [content["recommendation"]["arm"]],
    }


def main() -> int:
    """Print what is the same and what differs; the exit code is 1 where something does."""
    parser = argparse.ArgumentParser(prog="scripts/bench/same", description=__doc__)
    parser.add_argument("one", type=Path, help="a finished run folder")
    parser.add_argument("other", type=Path, help="another of the same questions")
    options = parser.parse_args()
    arms = sorted(path.stem for path in (options.one / "answers").glob("*.jsonl"))
    found = {f"answers {arm}": answers(options.one, options.other, arm) for arm in arms}
    found["figures"] = figures(options.one, options.other)
    for name, (count, differing) in found.items():
        print(f"{name}: {count - len(differing)} of {count} the same")
        for what, before, after in differing[:20]:
            print(f"  {what}: {before!r} → {after!r}")
    return int(any(differing for _, differing in found.values()))


if __name__ == "__main__":
    sys.exit(main())
