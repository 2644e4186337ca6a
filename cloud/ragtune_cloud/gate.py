"""Whether a run has shown enough to be paid for: finished, unchanged, better than its base."""

from pathlib import Path
from typing import Any

from ragtune.core.files import file_hash, read_json
from ragtune.recipe.schema import Recipe
from ragtune.runs.inputs import outdated
from ragtune.runs.pipeline import SUMS

UPLOADED = ("train.jsonl", "template.json")
"""Files of ``data/`` that become the training channel; every jsonl there is trained on."""
EVIDENCE = ("results.json", "lock.json")
METRIC = "token_f1"


def data_hashes(run_folder: Path) -> dict[str, str]:
    """SHA-256 of each file that would be uploaded as data, in hexadecimal.

    Raises RunError where one is missing.
    """
    return {name: file_hash(run_folder / "data" / name) for name in UPLOADED}


def reasons_against(recipe: Recipe, run_folder: Path) -> list[str]:
    """Why a run must not be submitted; empty where nothing speaks against it.

    Raises RunError where the run has not got as far as its data.
    """
    return [
        *_unfinished(recipe, run_folder),
        *_changed(run_folder),
        *_unproven(recipe, run_folder),
    ]


def _unfinished(recipe: Recipe, run_folder: Path) -> list[str]:
    missing = [name for name in EVIDENCE if not (run_folder / name).exists()]
    if missing:
        return [f"{', '.join(missing)} missing; finish the run with `ragtune run`"]
    stages = read_json(run_folder / "lock.json").get("stages", {})
    wanted = ["data", *(f"answers/{arm}" for arm in recipe.arms)]
    if any("tuned" in arm for arm in recipe.arms):
        wanted.append("tune")
    missing = [name for name in wanted if name not in stages]
    older = outdated(stages, recipe.arms)
    return [
        f"stage {', '.join(names)} {what}; go on with `ragtune run`"
        for names, what in ((missing, "not made"), (older, "older than the run's data or adapter"))
        if names
    ]


def _changed(run_folder: Path) -> list[str]:
    sums = run_folder / "data" / SUMS
    if not sums.exists():
        return [f"data/{SUMS} missing, of an older ragtune; remove data/ and run the recipe again"]
    noted = read_json(sums)
    now = data_hashes(run_folder)
    return [
        f"data/{name} changed since the run: its hash is {now[name][:16]}, it was "
        f"{noted.get(name, 'none')[:16]}; remove data/ and run the recipe again"
        for name in UPLOADED
        if now[name] != noted.get(name)
    ]


def _unproven(recipe: Recipe, run_folder: Path) -> list[str]:
    path = run_folder / "results.json"
    if not path.exists():
        return []
    figures = read_json(path)
    found = []
    if figures["recipe"]["identity"] != recipe.identity:
        found.append("results.json is of another recipe; go on with `ragtune run`")
    if recipe.promote.tuned_beats_base and (reason := _tuned_against_base(figures)):
        found.append(f"{reason}; more records or epochs, or promote.tuned_beats_base: false")
    leaked = figures["data"].get("questions_also_in_training", 0)
    if recipe.promote.no_leaks and leaked:
        found.append(
            f"{leaked} held-out questions stand among the training rows, so the tuned arm is "
            "flattered; remove them, or promote.no_leaks: false"
        )
    return found


def _tuned_against_base(figures: dict[str, Any]) -> str | None:
    """Why tuned is not shown to beat base; None where it is, on token F1 at 95 %."""
    for pair in figures["differences"]:
        if pair["metric"] == METRIC and {pair["left"], pair["right"]} == {"base", "tuned"}:
            sign = 1 if pair["left"] == "tuned" else -1
            low, high = sorted(sign * bound for bound in pair["ci95"])
            if low > 0:
                return None
            return f"tuned does not beat base: token F1 differs by {low:.3f} to {high:.3f} (95 %)"
    return "the run compares no tuned arm with a base arm"
