"""Values as answers hold them, and whether one says what another one does.

Each kind keeps every reading that its notation allows: 03/05/2021 is in March or in May, "half
past seven" in the morning or in the evening. Two values agree where one reading of both does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from ragtune.core.text.number_words import plain
from ragtune.core.text.units import Unit, ratio


@dataclass(frozen=True, slots=True)
class Number:
    """An amount, with its unit if it has one.

    ``amounts`` are its readings; ``digits`` how it is written, without its sign, which is how
    versions are compared; ``bound`` is "<" or ">" for at most and at least.
    """

    amounts: tuple[Fraction, ...]
    digits: str
    unit: Unit | None = None
    bound: str = ""
    ordinal: bool = False
    version: bool = False

    @property
    def key(self) -> str:
        """One text for all notations."""
        return f"v{self.digits}" if self.version else plain(self.amounts[0])


@dataclass(frozen=True, slots=True)
class Date:
    """A day, a month of a year, or a day of a month, as (year, month, day); 0 is not said."""

    readings: tuple[tuple[int, int, int], ...]

    @property
    def key(self) -> str:
        """ISO's notation, of the first reading."""
        return "-".join(f"{part:02}" for part in self.readings[0])


@dataclass(frozen=True, slots=True)
class Time:
    """A time of the day in seconds; spoken ones have two readings."""

    readings: tuple[int, ...]

    @property
    def key(self) -> str:
        """On the clock of 24 hours, of the first reading."""
        hours, rest = divmod(self.readings[0], 3600)
        return f"{hours:02}:{rest // 60:02}" + (f":{rest % 60:02}" if rest % 60 else "")


@dataclass(frozen=True, slots=True)
class Ratio:
    """Numbers in a fixed order, such as a mixture or a score."""

    parts: tuple[Fraction, ...]

    @property
    def key(self) -> str:
        """With colons."""
        return ":".join(plain(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Code:
    """Digits that are a name and no amount: telephone numbers, book numbers, 007."""

    digits: str

    @property
    def key(self) -> str:
        """Its digits."""
        return self.digits


Value = Number | Date | Time | Ratio | Code


def agrees(said: Value, wanted: Value) -> bool:
    """Whether ``said`` holds what ``wanted`` asks for; it may say more (a year to a month)."""
    rule = _RULES.get((type(said), type(wanted)))
    return rule is not None and rule(said, wanted)


def as_ratio(time: Time) -> Ratio | None:
    """A time that is written in figures as a ratio; 1:10 may be either."""
    if len(time.readings) > 1:
        return None
    minutes = time.readings[0] // 60
    return Ratio((Fraction(minutes // 60), Fraction(minutes % 60)))


def same_unit(one: Number, other: Number) -> bool:
    """Whether two numbers measure the same, so that they can contradict each other."""
    if one.unit is None or other.unit is None:
        return one.unit is other.unit
    return ratio(one.unit, other.unit) is not None


def opposed(one: Number, other: Number) -> bool:
    """Whether one is a lower bound and the other an upper one."""
    return bool(one.bound and other.bound and one.bound != other.bound)


def _numbers(said: Number, wanted: Number) -> bool:
    if said.version or wanted.version:
        return _parts(said.digits) == _parts(wanted.digits)
    if opposed(said, wanted):
        return False
    if (said.unit is None) != (wanted.unit is None) and "/" in said.digits + wanted.digits:
        return _share(said) == _share(wanted)
    factor: Fraction | None = Fraction(1)
    if said.unit and wanted.unit:
        factor = ratio(said.unit, wanted.unit)
    return factor is not None and any(a * factor in wanted.amounts for a in said.amounts)


def _share(number: Number) -> Fraction:
    """A percentage as a fraction of one."""
    percent = number.unit is not None and number.unit.measures == "percent"
    return number.amounts[0] / 100 if percent else number.amounts[0]


def _parts(digits: str) -> list[int]:
    return [int(part) for part in digits.split(".") if part.isdigit()]


def _covers(said: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    return all(w in (0, s) for s, w in zip(said, wanted, strict=True))


def _on_the_hour(time: Time, number: Number) -> bool:
    return (
        not number.unit
        and not number.version
        and any(
            t % 3600 == 0 and number.amounts[0] in (t // 3600, (t // 3600 - 1) % 12 + 1)
            for t in time.readings
        )
    )


def _with_a_dot(time: Time, number: Number) -> bool:
    """7.30 for 7:30."""
    hours, dot, minutes = number.digits.partition(".")
    return (
        bool(dot)
        and len(minutes) == 2
        and minutes.isdigit()
        and not number.unit
        and int(hours or 0) * 3600 + int(minutes) * 60 in time.readings
    )


def _dates(said: Date, wanted: Date) -> bool:
    return any(_covers(s, w) for s in said.readings for w in wanted.readings)


def _part_of(said: Date, wanted: Number) -> bool:
    """The 25th, or 2021, in a date."""
    return not wanted.unit and any(
        amount in (year, day) for amount in wanted.amounts[:1] for year, _, day in said.readings
    )


def _hour_said(said: Number, wanted: Time) -> bool:
    """Eleven for eleven o'clock; 11 for 11:00 but not for 23:00."""
    if said.unit or said.version:
        return False
    if len(wanted.readings) > 1:
        return _on_the_hour(wanted, said)
    return _with_a_dot(wanted, said) or said.amounts[0] * 3600 in wanted.readings


_RULES: dict[tuple[type, type], Callable[[Any, Any], bool]] = {
    (Number, Number): _numbers,
    (Date, Date): _dates,
    (Time, Time): lambda said, wanted: bool(set(said.readings) & set(wanted.readings)),
    (Ratio, Ratio): lambda said, wanted: said == wanted,
    (Ratio, Time): lambda said, wanted: said == as_ratio(wanted),
    (Time, Ratio): lambda said, wanted: as_ratio(said) == wanted,
    (Code, Code): lambda said, wanted: said == wanted,
    (Code, Number): lambda said, wanted: said.digits == wanted.digits,
    (Number, Code): lambda said, wanted: said.digits == wanted.digits,
    (Date, Number): _part_of,
    (Time, Number): lambda said, wanted: _on_the_hour(said, wanted) or _with_a_dot(said, wanted),
    (Number, Time): _hour_said,
}
"""By the kinds of what is said and what is wanted; other kinds never agree."""
