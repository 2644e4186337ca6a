"""A first recipe: around the handbook demo's data, or around documents and records that exist."""

import re
import shutil
from pathlib import Path

import yaml

from ragtune.core import hub
from ragtune.core.bundled import BUILTIN, data_folder
from ragtune.core.errors import RecipeError
from ragtune.core.files import write_text
from ragtune.core.moves import relative
from ragtune.recipe import file as recipe_file

DEMO = "demo/handbook"
MODELS = ("smollm2-reader", "smollm2", BUILTIN)
"""What ``model.local`` can name beside a folder and a hub id; a first recipe takes the first."""
CONTEXTS = "contexts"
DRAFTED, DRAFTED_ROWS = "questions/questions.jsonl", "questions/records.jsonl"
"""What `ragtune questions` writes beside a recipe: questions to ask, and records to learn from."""
HEAD = """\
# Only what is yours to say. What is left out is filled with what is known to suit the model and
# the records: `ragtune check` says with what, `ragtune check --filled` prints every field.
"""
NEEDS = """
# needs:                        # what the recommendation weighs the measurements with
#   p95_latency_ms: 500         # a question alone, at the 95th percentile
#   min_quality: 0.6            # of the deciding metric, 0 to 1
#   cite_sources: true          # only what retrieves will do
#   documents_change: weekly    # never, monthly, weekly, daily
"""


def write_starter(folder: Path, model: str | None = None) -> Path:
    """Write a recipe into ``folder`` beside copies of the demo's records, questions and documents.

    Returns the recipe's path. Raises RecipeError where one of them is already there, and for a
    model that does not exist.
    """
    source = data_folder() / DEMO
    names = ["records.jsonl", "questions.jsonl", "docs"]
    if taken := [name for name in ("recipe.yaml", *names) if (folder / name).exists()]:
        raise RecipeError(f"{folder / taken[0]} exists already; name an empty folder")
    text = _recipe(
        folder,
        _model(model, folder),
        "records.jsonl",
        "docs",
        "questions.jsonl",
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (source / name).is_dir():
            shutil.copytree(source / name, folder / name)
        else:
            shutil.copyfile(source / name, folder / name)
    return _write(folder, text)


def wrap(folder: Path, records: Path, docs: Path | None = None, model: str | None = None) -> Path:
    """Write a recipe into ``folder`` for records and documents that exist; they are not copied.

    ``docs`` is a folder, or ``contexts`` for the records' own; without it nothing is retrieved.

    Returns the recipe's path. Raises RecipeError where a recipe is already there, and for what
    does not exist.
    """
    if (folder / "recipe.yaml").exists():
        raise RecipeError(f"{folder / 'recipe.yaml'} exists already; name another folder")
    if not records.exists():
        raise RecipeError(f"--records {records}: no such file or folder")
    found = None
    if docs is not None:
        if not docs.is_dir() and str(docs) != CONTEXTS:
            raise RecipeError(f"--docs {docs}: no such folder; name one, or `{CONTEXTS}`")
        found = _from(folder, docs) if docs.is_dir() else CONTEXTS
    text = _recipe(folder, _model(model, folder), _from(folder, records), found)
    folder.mkdir(parents=True, exist_ok=True)
    return _write(folder, text)


def around(folder: Path, docs: Path, model: str | None = None) -> Path:
    """Write a recipe into ``folder`` for documents alone, whose questions are still to be drafted.

    Returns the recipe's path. Raises RecipeError where a recipe is already there, and for what
    does not exist.
    """
    if (folder / "recipe.yaml").exists():
        raise RecipeError(f"{folder / 'recipe.yaml'} exists already; name another folder")
    if str(docs) == CONTEXTS:
        raise RecipeError(f"--docs {CONTEXTS}: give --records too, whose contexts they are")
    if not docs.is_dir():
        raise RecipeError(f"--docs {docs}: no such folder; name one")
    text = _recipe(folder, _model(model, folder), DRAFTED_ROWS, _from(folder, docs), DRAFTED)
    drafted = "records:\n  source: {}\n  origin: {}  # what drafts them from the documents\n"
    lines = drafted.format(DRAFTED_ROWS, "ragtune questions recipe.yaml")
    text = re.sub(r"(?m)^records:\n.*\n", lines, text)
    folder.mkdir(parents=True, exist_ok=True)
    return _write(folder, text)


def _write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    write_text(path, text)
    recipe_file.load(path)
    return path


def _model(name: str | None, folder: Path) -> str:
    """A model as the recipe names it: a folder from the recipe's own."""
    if name is None or name in MODELS:
        return name or MODELS[0]
    if Path(name).is_dir():
        return _from(folder, Path(name))
    if hub.is_id(name):
        return name
    known = ", ".join(MODELS)
    raise RecipeError(f"--model {name}: no such folder; allowed: {known}, a folder, a hub id")


def _from(folder: Path, path: Path) -> str:
    return relative(path, folder)


def _recipe(
    folder: Path, model: str, records: str, docs: str | None, questions: str | None = None
) -> str:
    """The text of a recipe."""
    sections = [
        f"name: {_name(folder)}\n",
        _section("model", "local", model, "or smollm2, builtin, a folder, or a hub id"),
        _section("records", "source", records, "each with its question, response, and document"),
    ]
    if docs is not None:
        sections.append(_section("documents", "source", docs, "text, html, pdf, office files"))
    if questions is not None:
        sections.append(
            _section("study", "questions", questions, "leave it out to hold back some records")
        )
    return HEAD + "\n".join(sections) + NEEDS


def _section(name: str, field: str, value: str, comment: str) -> str:
    line = f"  {field}: {_scalar(value)}"
    return f"{name}:\n{line:<31} # {comment}\n"


def _scalar(text: str) -> str:
    """A text as YAML: as it is where that reads back the same."""
    try:
        if yaml.safe_load(f"field: {text} # comment") == {"field": text}:
            return text
    except yaml.YAMLError:
        pass
    return "'" + text.replace("'", "''") + "'"


def _name(folder: Path) -> str:
    """A recipe's name, from that of its folder."""
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-")
    return name[:40].rstrip("-") or "study"
