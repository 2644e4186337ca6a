"""The stages of a recipe's run, in the order in which they are made."""

from collections.abc import Sequence
from pathlib import Path

from ragtune.core.errors import RunError
from ragtune.recipe.arms import reads_documents
from ragtune.recipe.model import TORCH
from ragtune.recipe.schema import Recipe
from ragtune.retrieval.stores.base import EMBEDDED
from ragtune.runs.lock import Lock
from ragtune.runs.stage import Stage, outdated
from ragtune.runs.stages.answers import Answers
from ragtune.runs.stages.coverage import Coverage
from ragtune.runs.stages.curve import Curve
from ragtune.runs.stages.data import Data, Template
from ragtune.runs.stages.engine import EngineStage
from ragtune.runs.stages.figures import Figures
from ragtune.runs.stages.forgetting import Forgetting
from ragtune.runs.stages.freshness import Freshness
from ragtune.runs.stages.gold import Gold
from ragtune.runs.stages.heldout import Heldout
from ragtune.runs.stages.index import Index
from ragtune.runs.stages.languages import Languages
from ragtune.runs.stages.leaks import Leaks
from ragtune.runs.stages.questions import Questions
from ragtune.runs.stages.recall import Recall
from ragtune.runs.stages.records import Examples, IndexRecords, RetrievalRecords
from ragtune.runs.stages.retrieval import Retrieval
from ragtune.runs.stages.search import Search
from ragtune.runs.stages.seeds import Seed
from ragtune.runs.stages.threshold import Threshold
from ragtune.runs.stages.tune import Tune


def tunes(recipe: Recipe) -> bool:
    """Whether an arm needs an adapter."""
    return bool(recipe.adapters)


def plan(recipe: Recipe) -> list[Stage]:
    """Every stage but the figures."""
    return [*tuning(recipe), *_looking_up(recipe), *_asking(recipe), *_measuring(recipe)]


def tuning(recipe: Recipe, processes: int = 1) -> list[Stage]:
    """What leads to the adapters, or to the data where nothing is tuned."""
    searched = recipe.tune.search is not None
    return [
        *([Index(recipe)] if recipe.retrieves else []),
        Questions(),
        *(Data(adapter, recipe) for adapter in recipe.adapters or ["tuned"]),
        Template(),
        *(Search(adapter, recipe) for adapter in recipe.adapters if searched),
        *(Tune(name, processes=processes, searched=searched) for name in recipe.adapters),
    ]


def _looking_up(recipe: Recipe) -> list[Stage]:
    return [
        *([Retrieval(), Gold()] if recipe.retrieves else []),
        *([Threshold()] if recipe.retrieves and _calibrates(recipe) else []),
        *([IndexRecords()] if recipe.searches_records else []),
        *([RetrievalRecords()] if "rag-records" in recipe.arms else []),
        *([Examples()] if "fewshot" in recipe.arms else []),
    ]


def _asking(recipe: Recipe) -> list[Stage]:
    numbers = range(2, recipe.study.seeds + 1)
    return [
        *(Answers(arm, recipe) for arm in recipe.arms),
        *([EngineStage(recipe)] if recipe.model.engine != TORCH else []),
        *(Seed(number, name, recipe) for name in recipe.adapters for number in numbers),
        *(Recall(adapter) for adapter in recipe.adapters),
    ]


def _measuring(recipe: Recipe) -> list[Stage]:
    found: list[Stage] = [Languages(recipe)]
    if recipe.adapters or recipe.searches_records:
        found += [Coverage(), Leaks(embeds=recipe.retrieves or recipe.searches_records)]
    if recipe.adapters:
        shares = [share for share in recipe.study.learning_curve if share != 1]
        found += [Heldout(recipe), Forgetting(recipe.adapters)]
        found += [Curve(share, recipe) for share in shares]
    asked = next((arm for arm in recipe.arms if reads_documents(arm)), None)
    if asked is not None and recipe.rag.qdrant == EMBEDDED:  # a server's collection is not copied
        found.append(Freshness(asked, recipe))
    return found


def _calibrates(recipe: Recipe) -> bool:
    return recipe.rag.refuse_below == "calibrated"


def named(stages: Sequence[Stage]) -> list[str]:
    """The names of stages."""
    return [stage.name for stage in stages]


def refuse_outdated(stages: Sequence[Stage], recipe: Recipe, lock: Lock, folder: Path) -> None:
    """Raise RunError where one of the stages is not made, or older than what it was made from."""
    made = [stage for stage in stages if stage.name in lock.stages]
    missing = [name for name in named(stages) if name not in lock.stages]
    older = named([stage for stage in made if outdated(stage, recipe, lock)])
    older = [name for name in older if name != Figures.name] or older
    said = [
        f"{', '.join(names)} {what}"
        for names, what in (
            (missing, "not made yet"),
            (older, "older than what they were made from"),
        )
        if names
    ]
    if said:
        raise RunError(f"{folder}: {'; '.join(said)}; go on with `ragtune run`")
