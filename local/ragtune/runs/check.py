"""Checking a recipe: what it would be run on, without running anything."""

from pathlib import Path
from typing import Any

from ragtune.recipe import file as recipe_file
from ragtune.recipe.schema import Recipe
from ragtune.runs.workbench import Workbench


def check(recipe: Recipe, *, probe: bool = False) -> tuple[dict[str, Any], str]:
    """What the recipe points at, counted; with ``probe`` what tuning will take, also in words.

    Raises RagtuneError for what is missing, broken, or does not fit together.
    """
    bench = Workbench(recipe, Path())
    bench.check()
    found, skipped = bench.corpus.read_all() if bench.retrieves else ([], {})
    prediction = bench.predict() if probe else None
    summary = {
        "recipe": recipe.name,
        "identity": recipe.identity,
        "train": len(bench.split.train),
        "questions": len(bench.split.test),
        "bad_lines": [str(b) for b in bench.split.bad],
        "documents": len({document.name for document in found}),
        "skipped": skipped,
        "arms": recipe.arms,
        **({} if prediction is None else {"tuning": prediction.to_json()}),
    }
    return summary, "" if prediction is None else str(prediction)


def show(file: Path, found: dict[str, Any], prediction: str) -> str:
    """The counts for a terminal, what was left out, and the prediction."""
    lines = [
        f"{file}: good; {found['train']} training records, {found['questions']} "
        f"questions, {found['documents']} documents, arms {', '.join(found['arms'])}",
        *(f"left out {bad}" for bad in found["bad_lines"]),
        *([prediction] if prediction else []),
        *(f"left out {name}: {reason}" for name, reason in found["skipped"].items()),
    ]
    return "\n".join(lines)


def show_filled(recipe: Recipe, prediction: str) -> str:
    """The recipe with every field; the prediction below it as a comment."""
    lines = prediction.splitlines()
    return recipe_file.dump(recipe) + "".join(f"# {line}\n" for line in lines)
