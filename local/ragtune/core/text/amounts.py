"""Numbers that belong together: ranges, whose unit is written once, and sums of units."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ragtune.core.text.token import Token
from ragtune.core.text.values import Number

_JOINS = frozenset(("to", "and", "or", "bis", "und", "oder", "à", "a", "y", "et", "ou", "至", "到",
                    "或", "和", "と"))  # fmt: skip
_ADDS = frozenset(("and", "und", "et", "y", ","))
_SUMMED = frozenset(("time", "month", "inch", "mass", "length"))


def with_range_units(found: Sequence[Token]) -> Iterator[Token]:
    """5 to 10 kg means 5 kg to 10 kg: the first number takes the second one's unit."""
    for n, token in enumerate(found):
        value, later = token.value, _joined_to(found, n)
        if isinstance(value, Number) and not value.unit and not value.version and later:
            yield replace(token, value=replace(value, unit=later.unit))
        else:
            yield token


def _joined_to(found: Sequence[Token], n: int) -> Number | None:
    """The number with a unit that a dash or a word joins to the one at ``n``."""
    after = found[n + 1 : n + 3]
    if after and after[0].text in _JOINS:
        after = after[1:]
    value = after[0].value if after else None
    return value if isinstance(value, Number) and value.unit and not value.ordinal else None


def summed(found: Iterable[Token]) -> list[Token]:
    """1 hour 30 minutes as one amount, 6 ft 2 in as well: larger units first."""
    held: list[Token] = []
    for token in found:
        held.append(token)
        if token.kind == "unit":
            held = _sum(held, 4) or _sum(held, 5) or held
    return held


def _sum(held: list[Token], size: int) -> list[Token] | None:
    """The last two amounts with their units as one, where they are parts of one."""
    part = held[-size:]
    if len(part) < size or part[1].kind != "unit" or (size == 5 and part[2].text not in _ADDS):
        return None
    one, other = part[0].value, part[-2].value
    if not (isinstance(one, Number) and isinstance(other, Number) and one.unit and other.unit):
        return None
    if one.unit.measures != other.unit.measures or one.unit.size <= other.unit.size:
        return None
    if one.unit.measures not in _SUMMED:
        return None
    whole = replace(
        one, amounts=(one.amounts[0] + other.amounts[0] * other.unit.size / one.unit.size,)
    )
    first = replace(part[0], text=whole.key, value=whole, end=part[-2].end)
    return [*held[:-size], first, replace(part[-1], text=one.unit.name)]
