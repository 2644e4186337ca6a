"""One piece of a text as it is compared."""

from dataclasses import dataclass
from typing import Literal

from ragtune.core.text.values import Value

Kind = Literal["word", "value", "unit", "symbol", "mark"]


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a text: ``text`` is what metrics compare, ``value`` what a number says.

    ``start`` and ``end`` are its place in the cleaned text; ``capital`` that it begins with a
    capital letter, ``upper`` that it has no other.
    """

    text: str
    kind: Kind
    start: int
    end: int
    value: Value | None = None
    capital: bool = False
    upper: bool = False
