"""Each arm of a study at full size beside the same arm of the run that was made here."""

from dataclasses import dataclass

from ragtune.recipe.arms import Arm
from ragtune.results.cost import monthly_price
from ragtune.results.schema import Results
from ragtune.results.wording import brief, right

DASH = "-"


@dataclass(frozen=True)
class Beside:
    """An arm here and there: right answers, seconds of an answer (median), and what is there only.

    ``failed`` counts questions that ended in an error. ``month`` is the price of a month with the
    recipe's queries, with none where it names no number.
    """

    arm: Arm
    right_here: str
    right_there: str
    seconds_here: str
    seconds_there: str
    failed: str
    month: str

    @property
    def cells(self) -> tuple[str, ...]:
        """All but the arm, as they are shown."""
        return (
            *(self.right_here, self.right_there, self.seconds_here, self.seconds_there),
            *(self.failed, self.month),
        )


def beside(results: Results) -> list[Beside]:
    """A row an arm; none of a run that was made here."""
    full_size, needs = results.full_size, results.recipe.filled.needs
    if full_size is None:
        return []
    rows = []
    for arm, there in results.arms.items():
        here = full_size.here.get(arm)
        month = monthly_price(arm, there.cost, needs, needs.queries_per_month or 0)
        rows.append(
            Beside(
                arm=arm,
                right_here=f"{round(here.right.mean * results.questions)}" if here else DASH,
                right_there=f"{right(there, results.questions)}",
                seconds_here=brief(here.p50_ms / 1000) if here else DASH,
                seconds_there=brief(there.latency_ms.p50 / 1000),
                failed=f"{full_size.failed.get(arm, 0)}",
                month=DASH if month is None else f"{month:,.0f}",
            )
        )
    return rows


def month_title(results: Results) -> str:
    """What the price of a month is of."""
    queries = results.recipe.filled.needs.queries_per_month
    sign = "$ " if results.full_size and results.full_size.in_dollars else ""
    return f"{sign}a month, {queries:,} queries" if queries else f"{sign}a month, no queries"
