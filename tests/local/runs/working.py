"""What a stage is made with, in a test."""

from pathlib import Path

from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.runs.materials import Materials
from ragtune.runs.stage import Work


def working(recipe: Recipe, folder: Path) -> Work:
    """A recipe's materials and a run folder, with nothing hidden."""
    run = RunFolder(folder)
    return Work(recipe, Materials(recipe), run, run, Silent())
