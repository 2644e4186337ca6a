"""The generator's grammar: the symbols of `words/phrases.txt` written out at random.

`expand("room", rng)` may give "the blue boathouse" or "room B12". Symbols in capitals are made by
names.py and quantities.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from . import names, quantities
from .wordlists import phrases

SYMBOL = re.compile(r"<(\w+)>")

MAKERS: dict[str, Callable[[Random], str]] = {
    "AGE": quantities.age,
    "AMOUNT": quantities.amount,
    "CLOCK": quantities.clock,
    "CODE": names.code,
    "COUNT": quantities.count,
    "DATE": quantities.date,
    "DAYS": quantities.days,
    "DISTANCE": quantities.distance,
    "DURATION": quantities.duration,
    "EMAIL": names.email,
    "EXTENSION": quantities.extension,
    "FLOOR": quantities.floor,
    "FORMCODE": names.form_code,
    "GIVEN": names.given_name,
    "INTERVAL": quantities.interval,
    "LANGUAGE": names.language,
    "LARGEAMOUNT": quantities.large_amount,
    "LENGTH": quantities.length,
    "MASCOT": names.stem,
    "MONTH": quantities.month,
    "NAMED_HALL": names.named_hall,
    "NUMBER_STREET": names.address,
    "PERCENT": quantities.percentage,
    "PERSON": names.person,
    "PHONE": quantities.phone,
    "PLACE": names.stem,
    "PRODUCT": names.product,
    "REGION": names.region,
    "ROOM": names.room,
    "SMALLCOUNT": quantities.small_count,
    "SPEED": quantities.speed,
    "STREET": names.street,
    "SURNAME": names.surname,
    "TEMPERATURE": quantities.temperature,
    "TOWN": names.town,
    "WEEKDAY": quantities.weekday,
    "WEIGHT": quantities.weight,
    "YEAR": quantities.year,
}


def expand(symbol: str, rng: Random) -> str:
    """One random text of a symbol, its inner symbols written out too."""
    if symbol in MAKERS:
        return MAKERS[symbol](rng)
    way = rng.choice(phrases()[symbol])
    return SYMBOL.sub(lambda found: expand(found.group(1), rng), way)


def another(symbol: str, rng: Random, taken: set[str]) -> str:
    """A text of the symbol that is not among `taken` (after 20 vain tries: whatever came)."""
    text = expand(symbol, rng)
    for _ in range(20):
        if text not in taken:
            break
        text = expand(symbol, rng)
    return text


def capital(text: str) -> str:
    """The text with its first letter as a capital."""
    return text[:1].upper() + text[1:]
