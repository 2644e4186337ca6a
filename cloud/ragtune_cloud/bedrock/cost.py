"""What an import costs: nothing while nobody asks, and windows of five minutes while somebody does.

Importing itself is free. A copy of the model is billed from its first answer on, by its units, in
whole windows; storage is billed by the month until the model is deleted.
"""

from dataclasses import asdict, dataclass
from typing import Any

from ragtune.recipe.schema import Recipe
from ragtune_cloud.bedrock import catalog
from ragtune_cloud.target import Price


@dataclass(frozen=True, kw_only=True)
class ImportCost(Price):
    """US dollars for one copy of a model.

    ``usd_per_window`` and ``usd_per_month`` are for the most units that it may take;
    ``windows`` is how many of them ``usd_ceiling`` pays for: then no more is asked.
    """

    units_low: int | None
    units_high: int | None
    usd_per_window: float | None
    usd_per_month: float | None
    usd_idle_per_hour: float
    windows: int

    def to_json(self) -> dict[str, Any]:
        """The fields, and the date of the prices."""
        return {**asdict(self), "prices_dated": catalog.load()["dated"]}

    def lines(self) -> list[str]:
        """As text for the terminal."""
        if self.usd_per_window is None or self.usd_per_month is None:
            return ["cost: no price or size is known for this model in this region"]
        units = (
            f"{self.units_high}"
            if self.units_low == self.units_high
            else f"{self.units_low} to {self.units_high}"
        )
        return [
            f"cost: the import is free; {units} custom model units a copy (as of "
            f"{catalog.load()['dated']}; only the import tells)",
            f"  idle $0.00 an hour, stored ${self.usd_per_month:.2f} a month until it is deleted",
            f"  asked ${self.usd_per_window:.2f} for each started {catalog.window_minutes()} "
            f"minutes of a copy; no more is asked at ${self.usd_ceiling:.2f} "
            f"({self.windows} windows)",
        ]


def estimate(recipe: Recipe, units: catalog.Units | None) -> ImportCost:
    """The cost of importing a model of so many units and asking it, within the recipe's limit."""
    region, limit = recipe.cloud.region, recipe.cloud.max_cost_usd
    window = None if units is None else catalog.usd_per_window(region, units.high)
    count = 0 if window is None else int(limit / window)
    return ImportCost(
        usd_likely=None if window is None else round(window, 4),
        usd_ceiling=None if window is None else round(count * window, 4),
        units_low=units and units.low,
        units_high=units and units.high,
        usd_per_window=None if window is None else round(window, 4),
        usd_per_month=units and catalog.usd_per_month(units.high),
        usd_idle_per_hour=0.0,
        windows=count,
    )
