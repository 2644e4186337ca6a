"""Whether a run has shown enough to be paid for: finished, unchanged, better than its base."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ragtune.core.files import file_hash, read_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.results.verdict.rule import between

_RUN = RunFolder(Path())
UPLOADED = tuple(_RUN.relative(path) for path in (_RUN.train_rows, _RUN.template))
"""What becomes the training channel, as paths in the run folder; every jsonl is trained on."""
EVIDENCE = tuple(_RUN.relative(path) for path in (_RUN.results, _RUN.lock))
"""What is uploaded beside it."""


def data_hashes(run: RunFolder) -> dict[str, str]:
    """SHA-256 of each file that would be uploaded as data, in hexadecimal, by its own name.

    Raises RunError where one is missing.
    """
    return {Path(name).name: file_hash(run.path / name) for name in UPLOADED}


def reasons_against(recipe: Recipe, run: RunFolder) -> list[str]:
    """Why a run must not be submitted; empty where nothing is against it.

    Raises RunError where the run has not got as far as its data.
    """
    return [*_unfinished(recipe, run), *changed(run), *_unproven(recipe, run)]


def _unfinished(recipe: Recipe, run: RunFolder) -> list[str]:
    missing = [name for name in EVIDENCE if not (run.path / name).exists()]
    if missing:
        return [f"{', '.join(missing)} missing; finish the run with `ragtune run`"]
    stages = read_json(run.lock).get("stages", {})
    wanted = ["data", *(f"answers/{arm}" for arm in recipe.arms)]
    if any("tuned" in arm for arm in recipe.arms):
        wanted.append("tune")
    missing = [name for name in wanted if name not in stages]
    return [
        f"stage {', '.join(names)} {what}; go on with `ragtune run`"
        for names, what in (
            (missing, "not made"),
            (outdated(recipe, run), "older than the run's data or adapter"),
        )
        if names
    ]


def outdated(recipe: Recipe, run: RunFolder) -> list[str]:
    """The stages that were made before what they were made from was made again."""
    from ragtune.runs import inputs

    return inputs.outdated(read_json(run.lock).get("stages", {}), recipe.arms)


def noted_hashes(run: RunFolder) -> Mapping[str, str] | None:
    """SHA-256 of the files of ``data/`` when the run made them, by name; None where not noted."""
    noted = run.data / "sha256.json"
    return dict(read_json(noted)) if noted.exists() else None


def changed(run: RunFolder) -> list[str]:
    """Which of the data is not what the run was made with.

    Raises RunError where the run has not got as far as its data.
    """
    noted = noted_hashes(run)
    if noted is None:
        return [
            "the run has no hashes of its data, it is of an older ragtune; remove data/ and run "
            "the recipe again"
        ]
    return [
        f"data/{name} changed since the run: its hash is {now[:16]}, it was "
        f"{noted.get(name, 'none')[:16]}; remove data/ and run the recipe again"
        for name, now in data_hashes(run).items()
        if now != noted.get(name)
    ]


def _unproven(recipe: Recipe, run: RunFolder) -> list[str]:
    if not run.results.exists():
        return []
    figures = read_json(run.results)
    found = []
    if figures["recipe"]["identity"] != recipe.identity:
        found.append("results.json is of another recipe; go on with `ragtune run`")
    if recipe.promote.tuned_beats_base and (reason := not_better(figures, "tuned", "base")):
        found.append(f"{reason}; more records or epochs, or promote.tuned_beats_base: false")
    leaked = figures["data"].get("questions_also_in_training", 0)
    if recipe.promote.no_leaks and leaked:
        found.append(
            f"{leaked} held-out questions are among the training rows, so the tuned arm is "
            "flattered; remove them, or promote.no_leaks: false"
        )
    return found


def not_better(figures: Mapping[str, Any], arm: str, other: str) -> str | None:
    """Why ``arm`` is not shown to beat ``other`` by the verdict's comparison; None where it is."""
    pair = between(figures, arm, other)
    if pair is None:
        return f"the run compares no {arm} arm with a {other} arm"
    if pair["different"] and pair["mean"] > 0:
        return None
    low, high = pair["ci95"]
    return f"{arm} does not beat {other}: token F1 differs by {low:.3f} to {high:.3f} (95 %)"
