"""The stages of a recipe's run, in the order in which they are made."""

from collections.abc import Sequence

from ragtune.recipe.schema import Recipe
from ragtune.retrieval.stores.base import EMBEDDED
from ragtune.runs.stage import Stage
from ragtune.runs.stages.answers import Answers
from ragtune.runs.stages.coverage import Coverage
from ragtune.runs.stages.curve import Curve
from ragtune.runs.stages.data import Data
from ragtune.runs.stages.forgetting import Forgetting
from ragtune.runs.stages.freshness import Freshness
from ragtune.runs.stages.gold import Gold
from ragtune.runs.stages.heldout import Heldout
from ragtune.runs.stages.index import Index
from ragtune.runs.stages.leaks import Leaks
from ragtune.runs.stages.questions import Questions
from ragtune.runs.stages.retrieval import Retrieval
from ragtune.runs.stages.threshold import Threshold
from ragtune.runs.stages.tune import Tune


def tunes(recipe: Recipe) -> bool:
    """Whether an arm needs the adapter."""
    return any("tuned" in arm for arm in recipe.arms)


def passages_in_training(recipe: Recipe) -> bool:
    """Whether training rows are given once more with passages."""
    return tunes(recipe) and recipe.records.with_passages > 0


def retrieves(recipe: Recipe) -> bool:
    """Whether an arm or a training row needs passages."""
    return recipe.retrieves


def plan(recipe: Recipe) -> list[Stage]:
    """Every stage but the figures."""
    return [*tuning(recipe), *_asking(recipe), *_measuring(recipe)]


def tuning(recipe: Recipe, processes: int = 1) -> list[Stage]:
    """What leads to the adapter, or to the data where nothing is tuned."""
    passages = passages_in_training(recipe)
    return [
        *([Index(recipe)] if retrieves(recipe) else []),
        Questions(),
        Data(passages=passages),
        *([Tune(processes=processes)] if tunes(recipe) else []),
    ]


def _asking(recipe: Recipe) -> list[Stage]:
    return [
        *([Retrieval(), Gold()] if retrieves(recipe) else []),
        *([Threshold()] if retrieves(recipe) and _calibrates(recipe) else []),
        *(Answers(arm, recipe) for arm in recipe.arms),
    ]


def _measuring(recipe: Recipe) -> list[Stage]:
    found: list[Stage] = []
    if tunes(recipe):
        found.append(Coverage())
    tuned = [arm for arm in recipe.arms if "tuned" in arm]
    if tuned:
        passages = passages_in_training(recipe)
        shares = [share for share in recipe.study.learning_curve if share != 1]
        found += [Leaks(embeds=retrieves(recipe)), Heldout(), Forgetting()]
        found += [Curve(share, tuned, recipe, passages=passages) for share in shares]
    asked = next((arm for arm in recipe.arms if "rag" in arm), None)
    if asked is not None and recipe.rag.qdrant == EMBEDDED:  # a server's collection is not copied
        found.append(Freshness(asked, recipe))
    return found


def _calibrates(recipe: Recipe) -> bool:
    return recipe.rag.refuse_below == "calibrated"


def named(stages: Sequence[Stage]) -> list[str]:
    """The names of stages."""
    return [stage.name for stage in stages]
