"""Whether a run has shown enough to be paid for: whole, unchanged, a case for tuning."""

from pathlib import Path

from ragtune.core.errors import RunError
from ragtune.core.files import file_hash, read_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Adapter, is_tuned
from ragtune.recipe.schema import Promote, Recipe
from ragtune.recipe.tune import Tune
from ragtune.results.metrics.registry import title
from ragtune.results.schema import Results
from ragtune.results.verdict.promotion import (
    NoArm,
    NotCompared,
    NotHelped,
    NotTuned,
    Objection,
    objection,
)
from ragtune.results.wording import because

_RUN = RunFolder(Path())
EVIDENCE = tuple(_RUN.relative(path) for path in (_RUN.results, _RUN.lock))
"""What is uploaded beside it."""


def promoted(recipe: Recipe, run: RunFolder) -> Adapter:
    """The adapter that is promoted: the recommended arm's; where it has none, the first."""
    if run.results.exists():
        arm = Results.load(run.results).recommendation.arm
        if arm is not None and is_tuned(arm):
            return recipe.adapter(arm)
    return next(iter(recipe.adapters), "tuned")


def as_tuned(recipe: Recipe, run: RunFolder) -> Recipe:
    """The recipe with the values that the promoted adapter was tuned with, which a search chose.

    Its identity stays that of the run. Where the run noted no values they are the recipe's own.
    """
    training = run.training(promoted(recipe, run))
    settings = read_json(training).get("settings", {}) if training.exists() else {}
    return recipe.tuned_with(
        Tune.model_validate({**recipe.tune.model_dump(), **settings, "with_passages": {}})
    )


def uploaded(recipe: Recipe, run: RunFolder) -> tuple[str, ...]:
    """What becomes the training channel, as paths in the run folder; every jsonl is trained on."""
    files = (run.train_rows(promoted(recipe, run)), run.template)
    return tuple(run.relative(path) for path in files)


def data_hashes(recipe: Recipe, run: RunFolder) -> dict[str, str]:
    """SHA-256 of each file that would be uploaded as data, in hexadecimal, by its own name.

    Raises RunError where one is missing.
    """
    return {Path(name).name: file_hash(run.path / name) for name in uploaded(recipe, run)}


def reasons_against(recipe: Recipe, run: RunFolder) -> list[str]:
    """Why a run must not be submitted with a recipe; empty where nothing is against it.

    The run's folder is held while it is looked at, and free again afterwards.
    """
    from ragtune.runs.open import open_run

    try:
        with open_run(run.path) as opened:
            figures = opened.figures
    except RunError as error:
        return [str(error)]
    return [*_another(recipe, figures), *_elsewhere(figures), *unproven(recipe.promote, figures)]


def _elsewhere(figures: Results) -> list[str]:
    if figures.engine is None or not figures.engine.elsewhere:
        return []
    return [
        f"{figures.engine.url} answered this run, which tuned nothing here, so it says nothing of "
        "the tuning that would be paid for; run it with model.engine: torch"
    ]


def _another(recipe: Recipe, figures: Results) -> list[str]:
    if figures.recipe.identity == recipe.identity:
        return []
    return ["the run is of another recipe than the one to promote; promote the run's own"]


def unproven(conditions: Promote, figures: Results) -> list[str]:
    """Which of the recipe's conditions of promotion a run's figures do not meet."""
    found = []
    if conditions.tuned_beats_base and (against := objection(figures)):
        found.append(f"{_said(against)}; promote.tuned_beats_base: false tunes nevertheless")
    leaked = figures.data.questions_also_in_training
    if conditions.no_leaks and leaked:
        found.append(
            f"{leaked} held-out questions are among the training rows, so the tuned arm is "
            "flattered; remove them, or promote.no_leaks: false"
        )
    return found


def _said(against: Objection) -> str:
    """Why a run is no case for tuning, in one line."""
    match against:
        case NoArm():
            return f"the run names no arm: {because(against.because)}"
        case NotTuned():
            return (
                f"the run recommends {against.arm}, which has no tuning in it: nothing to train; "
                f"`ragtune cloud study RUN --arms {against.arm}` asks the untuned model of it"
            )
        case NotCompared():
            return (
                f"the run recommends {against.arm} and has no {against.other} arm to compare it "
                "with; add it to study.arms"
            )
        case NotHelped():
            low, high = against.ci95
            return (
                f"tuning does not help {against.arm}: {title(against.metric)} differs from "
                f"{against.other} by {low:.3f} to {high:.3f} (95 %)"
            )
