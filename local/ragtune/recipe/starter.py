"""A first project: the handbook demo, copied to where it can be changed."""

import shutil
from pathlib import Path

from ragtune.core.bundled import data_folder
from ragtune.core.errors import RecipeError

DEMO = "demo/handbook"


def write_starter(folder: Path) -> Path:
    """Copy the demo's recipe, records, questions and documents into ``folder``.

    Returns the recipe's path. Raises RecipeError where one of them is already there.
    """
    source = data_folder() / DEMO
    names = ["recipe.yaml", "records.jsonl", "questions.jsonl", "docs"]
    if taken := [name for name in names if (folder / name).exists()]:
        raise RecipeError(f"{folder / taken[0]} exists already; name an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, folder / name)
        else:
            shutil.copyfile(source / name, folder / name)
    return folder / "recipe.yaml"
