"""What ships of Bedrock as dated data: regions, prices, limits, models."""

import functools
import json
import math
from pathlib import Path
from typing import Any, NamedTuple


class Units(NamedTuple):
    """Between how many custom model units a copy of a model takes, from models that are known."""

    low: int
    high: int


@functools.cache
def load() -> dict[str, Any]:
    """The content of ``catalog.json``; it says when and where each part is from."""
    found: dict[str, Any] = json.loads(
        (Path(__file__).parent / "catalog.json").read_text(encoding="utf-8")
    )
    return found


def importing() -> dict[str, Any]:
    """What is known of Custom Model Import."""
    found: dict[str, Any] = load()["import"]
    return found


def regions() -> tuple[str, ...]:
    """Where models can be imported."""
    return tuple(importing()["usd_per_unit_minute"])


def usd_per_unit_minute(region: str) -> float | None:
    """The price of a custom model unit for a minute; None where it is not known."""
    price = importing()["usd_per_unit_minute"].get(region)
    return None if price is None else float(price)


def usd_per_window(region: str, units: int) -> float | None:
    """The price of the least time that is billed: of one copy, once it answers."""
    price = usd_per_unit_minute(region)
    return None if price is None else price * units * window_minutes()


def usd_per_month(units: int) -> float:
    """The price of keeping an imported model for a month."""
    return float(importing()["usd_per_unit_month"]) * units


def window_minutes() -> int:
    """Minutes that are billed at once."""
    return int(importing()["window_minutes"])


def units_of(parameters: int) -> Units | None:
    """The units of a model of that size; None where it is larger than all that are known.

    The low bound is that of the next smaller known model, the high bound of the next larger one.
    Only an import tells the number.
    """
    rows = importing()["units"]
    above = [int(row["units"]) for row in rows if parameters <= row["parameters"]]
    below = [int(row["units"]) for row in rows if parameters >= row["parameters"]]
    return Units(max(below, default=1), min(above)) if above else None


def windows(seconds: float) -> int:
    """The windows that asking for so long is billed as; one at least."""
    return max(1, math.ceil(seconds / (60 * window_minutes())))
