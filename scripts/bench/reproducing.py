"""Looks for what published studies found, and writes docs/reproduction.md.

Each study is a recipe of its own, run as `ragtune run` does, below ``--work``: a command that was
stopped goes on. Signs, their sources and what counts as seen are in `scripts.bench.signs`.
"""

import argparse
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ragtune.cli.terminal import Terminal
from ragtune.core import offline
from ragtune.core.files import read_jsonl, write_text
from ragtune.core.run_folder import RunFolder
from ragtune.results.schema import Results
from ragtune.results.statistics import gap_intervals
from ragtune.runs import defaults
from ragtune.runs.pipeline import Pipeline
from ragtune.sources.records import Record
from scripts.bench import studies
from scripts.bench.signs import SIGNS, Asked, Comparison, Sign
from scripts.bench.signs import studies as needed

SEED = 10
OUTCOMES = ("came out", "contradicted", "undecided", "not run")


@dataclass(frozen=True)
class Finished:
    """A study that was run."""

    results: Results
    questions: Sequence[Record]

    @classmethod
    def of(cls, folder: Path) -> "Finished":
        """The figures and questions of a run folder."""
        run = RunFolder(folder)
        questions = [Record.from_json(row) for row in read_jsonl(run.questions)]
        return cls(Results.load(run.results), questions)

    def right(self, arm: str, asked: Asked, category: str | None) -> list[tuple[str, bool]]:
        """Each question of a kind, and whether the arm was right."""
        judged = self.results.failures.questions
        return [
            (question.instruction, verdict.right[arm])  # type: ignore[index]
            for question, verdict in zip(self.questions, judged, strict=True)
            if (question.response == studies.REFUSAL) == (asked == "unanswerable")
            and category in (None, question.category)
        ]


@dataclass(frozen=True)
class Found:
    """A comparison's questions, the shares right on either side, their difference, its interval."""

    questions: int
    left: float
    right: float
    difference: float
    low: float
    high: float

    def outcome(self, expected: str) -> str:
        """Whether the sign came out."""
        sides = (self.low, self.high) if expected == "above" else (-self.high, -self.low)
        if sides[0] > 0:
            return "came out"
        return "contradicted" if sides[1] < 0 else "undecided"


def compare(comparison: Comparison, finished: Mapping[str, Finished]) -> Found | None:
    """The paired difference of a comparison; None where one of its studies was not run."""
    sides = []
    for study, arm in (comparison.left, comparison.right):
        if study not in finished:
            return None
        sides.append(finished[study].right(arm, comparison.asked, comparison.category))
    left, right = sides
    if [question for question, _ in left] != [question for question, _ in right]:
        raise ValueError(f"{comparison.title}: the sides were asked different questions")
    gaps = np.array([a - b for (_, a), (_, b) in zip(left, right, strict=True)], dtype=float)
    low, high = gap_intervals(gaps[:, None], SEED)
    shares = [sum(hit for _, hit in side) / len(side) for side in sides]
    return Found(len(gaps), shares[0], shares[1], float(gaps.mean()), float(low[0]), float(high[0]))


def run(study: str, data: Path, work: Path, *, make: bool) -> Finished | None:
    """A study's figures, made where they are not; without ``make`` None where they are not."""
    recipe = defaults.load(studies.write(study, data, work / "studies" / study))
    folder = work / "runs" / recipe.run_name
    if make:
        with Terminal() as terminal:
            terminal.say(f"study {study}")
            Pipeline(recipe, folder, terminal).execute()
    return Finished.of(folder) if RunFolder(folder).results.exists() else None


def page(finished: Mapping[str, Finished]) -> str:
    """All of docs/reproduction.md."""
    signs = [(sign, [(c, compare(c, finished)) for c in sign.comparisons]) for sign in SIGNS]
    lines = [HEAD, *_summary(signs), *_studies(finished), "## Sign by sign", ""]
    for sign, compared in signs:
        lines += [f"### {sign.name}", "", f"{sign.claim} *Source:* {sign.source}", ""]
        lines += [
            f"Came out where left is {sign.expected} right.",
            "",
            "| | left | right | questions | left | right | difference | 95 % | |",
            "|---|---|---|--:|--:|--:|--:|---|---|",
            *(_row(sign, comparison, found) for comparison, found in compared),
            "",
        ]
    return "\n".join(lines)


def _row(sign: Sign, comparison: Comparison, found: Found | None) -> str:
    cells = [comparison.title, *(f"{arm}, {study}" for study, arm in _sides(comparison))]
    if found is None:
        return "| " + " | ".join([*cells, *["-"] * 5, "not run"]) + " |"
    cells += [str(found.questions), f"{found.left:.2f}", f"{found.right:.2f}"]
    cells += [f"{found.difference:+.2f}", f"{found.low:+.2f} to {found.high:+.2f}"]
    return "| " + " | ".join([*cells, found.outcome(sign.expected)]) + " |"


def _sides(comparison: Comparison) -> list[tuple[str, str]]:
    return [(study.split("/")[0], arm) for study, arm in (comparison.left, comparison.right)]


def _summary(signs: Sequence[tuple[Sign, list[tuple[Comparison, Found | None]]]]) -> list[str]:
    lines = ["| sign | " + " | ".join(OUTCOMES) + " |", "|---" * (1 + len(OUTCOMES)) + "|"]
    for sign, compared in signs:
        seen = [found.outcome(sign.expected) if found else "not run" for _, found in compared]
        counts = [str(seen.count(outcome) or "-") for outcome in OUTCOMES]
        lines.append(f"| {sign.name}: {sign.claim} | " + " | ".join(counts) + " |")
    return [*lines, ""]


def _studies(finished: Mapping[str, Finished]) -> list[str]:
    if not finished:
        return []
    lines = [
        "## The studies",
        "",
        "*Recall* is how many of at most 50 of its own training rows an adapter answers rightly: "
        "whether it was trained.",
        "",
        "| study | questions | arms, right | recall | seconds |",
        "|---|--:|---|---|--:|",
    ]
    for study, one in finished.items():
        right = one.results.failures.right
        arms = ", ".join(f"{arm} {count}" for arm, count in right.items())
        recalled = one.results.recall.items()
        recall = ", ".join(f"{name} {r.right} of {r.questions}" for name, r in recalled)
        seconds = f"{sum(one.results.seconds.values()):.0f}"
        cells = [study, str(len(one.questions)), arms, recall or "-", seconds]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, "", *_untrained(finished), _machine(finished), ""]


def _untrained(finished: Mapping[str, Finished]) -> list[str]:
    """A line for the adapters that do not answer half of their own training rows."""
    named = [
        f"{name} of *{study}*"
        for study, one in finished.items()
        for name, recall in one.results.recall.items()
        if 2 * recall.right < recall.questions
    ]
    if not named:
        return []
    return [
        f"Under half of its own rows: {', '.join(named)}. It was not trained enough, so "
        "comparisons with it say nothing of tuning, whatever came out.",
        "",
    ]


def _machine(finished: Mapping[str, Finished]) -> str:
    spent = sum(sum(one.results.seconds.values()) for one in finished.values())
    last = max(one.results.finished for one in finished.values())
    told = next(iter(finished.values())).results.environment
    versions = told["versions"]
    assert isinstance(versions, dict)
    day = datetime.date.fromisoformat(last[:10])
    return (
        f"Run on {day:%d %B %Y}, {told['system']}, {told['cores']} cores, "
        f"PyTorch {versions['torch']}: {spent / 60:.0f} minutes in all."
    )


HEAD = """# What published studies found, and what comes out here

Printed by `scripts/bench/reproduce DATA`, where DATA holds Dolly's rows
(`dolly/databricks-dolly-15k.jsonl`) and the SQuAD sample (`qa/squad2_500`). The command goes on
where it was stopped, and `--only SIGN` makes what one sign needs. Signs, sources and what counts as
seen were written down before the first run.

A sign **came out** where the 95 % interval of the paired difference lies on its side of 0; it is
**contradicted** where the interval lies on the other side, and **undecided** where it holds 0.
Intervals are bootstrapped over questions and not corrected for the number of comparisons. An answer
is right as `right` says (see README); with no answer in the documents, where it says so.

The models have 135 million parameters (`smollm2`, and `smollm2-reader`, which was trained here to
read passages and to refuse) and 9 million (`builtin`); those of the studies have a billion and
more, so a sign that is missing here does not contradict them.

- **plain**: 100 of Dolly's closed_qa and information_extraction rows, trained on without passages;
  asked are 32 other Dolly rows about documents that were trained on, and 48 SQuAD questions, half
  of them without an answer in the documents. `tuned+rag` has the same adapter as `tuned`.
- **passages**: the same, `tuned+rag` trained on rows with passages, a fifth without the right one.
- **distractors**: the same questions, the paragraphs that answer them removed from the documents.
- **shown**: the answerable questions, each with its own paragraph; documents as in *distractors*.
- **facts-1**, **facts-4**: 60 made-up facts, trained on in one wording, four times over, or in
  four, and asked in another (`scripts/bench/facts.py`).
- **mailroom**: the second demo with half of its records, asked of `smollm2`.

Settings of tuning are those that ragtune fills in; *passages* makes two passes. Where passages
are searched, a whole paragraph is one, and the best is shown. No text of Dolly or SQuAD is in this
repository.
"""


def main() -> None:
    """Run what is not made and write the page."""
    root = Path(__file__).parents[2]
    parser = argparse.ArgumentParser(prog="scripts/bench/reproduce", description=__doc__)
    parser.add_argument("data", type=Path, help="a folder with dolly/ and qa/squad2_500/")
    names = [sign.name for sign in SIGNS]
    parser.add_argument("--only", choices=names, action="append", help="what this sign needs")
    parser.add_argument("--work", type=Path, default=root / "runs/reproduction", help="run folders")
    parser.add_argument("--page", type=Path, default=root / "docs/reproduction.md")
    options = parser.parse_args()
    offline.go_offline()
    chosen = [sign for sign in SIGNS if options.only is None or sign.name in options.only]
    made = needed(chosen)
    finished = {
        study: run(study, options.data, options.work, make=study in made) for study in needed(SIGNS)
    }
    write_text(options.page, page({study: one for study, one in finished.items() if one}))


if __name__ == "__main__":
    main()
