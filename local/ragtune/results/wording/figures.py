"""The sentences about what was counted: right answers, causes, recall, seeds, a person's marks."""

from collections.abc import Mapping

from ragtune.recipe.arms import Adapter
from ragtune.results.data import DataCounts
from ragtune.results.parts import Agreement
from ragtune.results.schema import ArmFigures, Failures, Recall, Results
from ragtune.results.wording.terms import CAUSES_IN_SHORT, FLIPS


def reviewed(data: DataCounts) -> str:
    """How many of the questions a person reviewed; empty where the questions say nothing of it."""
    if data.reviewed is None:
        return ""
    if not data.reviewed:
        return f"reviewed: no person has reviewed any of the {data.test} questions"
    which = f"all {data.test}" if data.reviewed == data.test else f"{data.reviewed} of {data.test}"
    return f"reviewed: a person has reviewed {which} questions"


def marked(agreed: Agreement) -> str:
    """What a person marked, and what the figures of agreement mean."""
    skipped = f", {agreed.skipped} skipped" if agreed.skipped else ""
    return (
        f"A person marked {agreed.marked} answers without seeing the arm: {agreed.right} right"
        f"{skipped}. They were drawn evenly from what the report calls right and wrong. Kappa: "
        "1 where both always agree, 0 where they agree as often as by chance."
    )


def failures(found: Failures) -> list[str]:
    """Right answers and flips in one line, and where arms with passages went wrong in another."""
    right = ", ".join(f"{arm} {count}" for arm, count in found.right.items())
    lines = [f"right: {right}"]
    if found.steps:
        flips = [f"{FLIPS[name]} {count}" for name, count in found.flips.items()]
        lines.append(f"flips: {', '.join(flips)}")
    for arm, causes in found.causes.items():
        told = [f"{w} {causes[name]}" for name, w in CAUSES_IN_SHORT.items() if name in causes]
        if told:
            lines.append(f"{arm} wrong: {', '.join(told)}")
    return lines


def recall(found: Mapping[Adapter, Recall]) -> str:
    """What the adapters answer of their own training questions; empty where none was asked."""
    if not found:
        return ""
    (name, first), *rest = found.items()
    others = "".join(f", {other} {of.right} of {of.questions}" for other, of in rest)
    return (
        f"{name} answers {first.right} of {first.questions} of its own training questions{others}"
    )


def right(arm: ArmFigures, questions: int) -> int:
    """Right answers of all questions: of an arm with seeds their mean, to a whole number."""
    return round(arm.right.mean * questions)


def seeds(arm: ArmFigures) -> str:
    """The fewest and the most right answers over the seeds; empty where there is one."""
    counts = arm.right_by_seed
    return f"{min(counts)}-{max(counts)} over {len(counts)} seeds" if len(counts) > 1 else ""


def spread(results: Results) -> str:
    """How far the seeds of each tuned arm are apart, and what is shown of them; empty without."""
    told = [
        f"{name} {right(arm, results.questions)} ({seeds(arm)})"
        for name, arm in results.arms.items()
        if seeds(arm)
    ]
    if not told:
        return ""
    return (
        f"tuned with several seeds: {', '.join(told)} of {results.questions} right; figures are "
        "means over them, and answers, flips and causes those of the first"
    )
