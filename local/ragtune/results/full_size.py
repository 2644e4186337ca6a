"""A study of models that a target serves, beside the run that it repeats, as values."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ragtune.recipe.arms import Adapter, Arm, is_tuned
from ragtune.recipe.schema import Recipe
from ragtune.results.faults import OtherAdapter
from ragtune.results.parts import Mean, Part
from ragtune.results.rates import Rates

Model = Literal["base", "tuned"]
"""Of the models that are served: the one before tuning, or the one after it."""


class Hosting(Part):
    """What serves a model, and its price an hour, None where that is not known.

    ``kept``: it is paid for as long as it is there, asked or not, as an endpoint is; else only
    while it answers, as an imported model is.
    """

    machine: str
    price_per_hour: float | None
    kept: bool


class ArmHere(Part):
    """An arm of the run that was made here: the share of right answers, and milliseconds."""

    right: Mean
    p50_ms: float
    p95_ms: float


class FullSize(Part):
    """Where the models were served, and the run that was made here.

    ``model`` is the target's name of the model before tuning. ``in_dollars``: prices are the
    target's list prices; else the recipe's needs give one, in a currency of theirs. ``adapter`` is
    the one whose recipe was tuned there, None where none was. ``here`` has the run's arms,
    ``here_model`` its model and ``verdict_here`` the arm that it names.
    """

    target: str
    model: str
    hosting: dict[Model, Hosting]
    hours_per_month: float
    in_dollars: bool
    adapter: Adapter | None
    failed: dict[Arm, int]
    here: dict[Arm, ArmHere]
    here_model: str
    verdict_here: Arm | None


@dataclass(frozen=True)
class Served:
    """What is known of a study's models where a target served them, beside their answers."""

    full_size: FullSize
    rates: Mapping[Arm, Rates]


def other_adapters(recipe: Recipe, trained: Adapter | None) -> Iterator[OtherAdapter]:
    """The tuned arms that were asked of a model that was tuned for another one's prompts."""
    arms = tuple(
        arm for arm in recipe.arms if is_tuned(arm) and trained not in (None, recipe.adapter(arm))
    )
    if trained is not None and arms:
        yield OtherAdapter(severity="forbids", arms=arms, adapter=trained)
