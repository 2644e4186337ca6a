"""The sentences about a study at full size, beside the run that was made here."""

from collections.abc import Collection, Iterator

from ragtune.recipe.arms import Arm
from ragtune.results.full_size import FullSize, Hosting
from ragtune.results.schema import Results
from ragtune.results.wording.terms import named


def turned(full_size: FullSize, there: Arm | None, asked: Collection[Arm]) -> str:
    """Whether the verdict there, of the arms that were ``asked``, is that of the run made here."""
    here = full_size.verdict_here
    if here == there:
        same = f"the verdict is the same: {_named(here)}"
        return (
            f"here, on {full_size.here_model}, {same}"
            if here
            else "there is no verdict here either"
        )
    made = f"here, on {full_size.here_model}, it is {_named(here)}"
    if here is not None and here not in asked:
        return (
            f"not compared with the verdict here: {made}, which was not asked at full size; of "
            f"what was asked there it is {_named(there)}"
        )
    return f"the verdict turns: {made}; at full size {_named(there)}"


def _named(arm: Arm | None) -> str:
    return f"to use {named(arm)}" if arm else "none"


def served(full_size: FullSize) -> list[str]:
    """What serves each model, and what it costs when nobody asks."""
    return [_served(side, place, full_size) for side, place in full_size.hosting.items()]


def _served(side: str, place: Hosting, full_size: FullSize) -> str:
    where = f"{side} on {place.machine}"
    if place.price_per_hour is None:
        return f"{where}: no price is known, so costs a month are not compared"
    sign = "$" if full_size.in_dollars else ""
    hourly = f"{where}: {sign}{place.price_per_hour:,.2f} an hour"
    if not place.kept:
        return f"{hourly}, only while it answers: nothing at no queries"
    month = place.price_per_hour * full_size.hours_per_month
    hours = f"a month of {full_size.hours_per_month:g} hours"
    return f"{hourly}, asked or not: {sign}{month:,.0f} {hours}, at no queries too"


def lines(results: Results) -> Iterator[str]:
    """The verdict here and at full size, and what serving costs."""
    if results.full_size is not None:
        yield turned(results.full_size, results.recommendation.arm, results.arms)
        yield from served(results.full_size)
