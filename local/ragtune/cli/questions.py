"""The verb that drafts questions: questions."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ragtune.cli.options import AsJson, Offline, Overrides, load_recipe
from ragtune.cli.output import print_result

if TYPE_CHECKING:
    from ragtune.questions.plan import By
    from ragtune.recipe.rag import Rag
    from ragtune.sources.documents import Corpus


CHUNK = 64
"""Tokens a chunk where there is no recipe: what the reader that ships is asked with."""


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(questions)


def questions(
    target: Annotated[
        Path, typer.Argument(help="A recipe, or a folder of documents.", show_default=False)
    ],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", help="Folder to write to.", show_default="questions, beside"),
    ] = None,
    test: Annotated[
        int | None, typer.Option("--test", min=1, help="Test questions. [default: 4 a document]")
    ] = None,
    train: Annotated[
        int | None,
        typer.Option("--train", min=0, help="Training rows. [default: 3 for 8 of these]"),
    ] = None,
    split: Annotated[
        str,
        typer.Option(
            "--split",
            help="What training rows and test questions do not share: facts, documents, or "
            "wordings alone.",
        ),
    ] = "facts",
    engine: Annotated[
        str | None,
        typer.Option("--engine", help="A server's URL, or a model's folder, that drafts instead."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Which of the server's models.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Another seed, other questions.")] = 0,
    again: Annotated[
        bool, typer.Option("--again", help="Begin again, whatever was drafted.")
    ] = False,
    overrides: Overrides = None,
    offline: Offline = False,
    as_json: AsJson = False,
) -> None:
    """Draft questions with answers from your documents: for the test, and rows to train on."""
    from ragtune.cli.terminal import Terminal
    from ragtune.core import offline as guard
    from ragtune.core.errors import RecipeError
    from ragtune.models.hardware import probe
    from ragtune.questions import make, models
    from ragtune.questions.plan import WAYS, planned
    from ragtune.retrieval import sentences
    from ragtune.retrieval.chunks import Chunker

    way: By | None = next((one for one in WAYS if one == split), None)
    if way is None:
        raise RecipeError(f"--split: {split!r} is none of {', '.join(WAYS)}")
    corpus, rag, embedder, folder = _sources(target, overrides, offline)
    folder = output or folder
    make.refuse_reviewed(folder)
    if engine and engine.startswith("http") and not offline:
        guard.permit(engine)
    with Terminal() as terminal:
        documents, left_out = corpus.read_all()
        for name, reason in left_out.items():
            terminal.say(f"documents: left out {name}: {reason}")
        nodes = Chunker(rag, embedder).split(documents)
        hardware = probe()
        drafter = models.named(engine, model, hardware) if engine else models.shipped(hardware)
        made = make.make(
            nodes,
            sentences.sentences(),
            lambda count: planned(count, test, train, way, seed),
            folder,
            drafter=drafter,
            reader=models.reader(hardware),
            watcher=terminal,
            documents=corpus.hash,
            again=again,
        )
    summary = made.summary(_following(target, overrides, folder))
    print_result(made.to_json(), summary, as_json)


def _following(target: Path, overrides: list[str] | None, folder: Path) -> str:
    """The command after the review; empty where the files have to be named in a recipe first."""
    from ragtune.questions.make import TEST, TRAIN
    from ragtune.recipe import file

    if target.is_dir():
        if folder != Path("questions") or Path("recipe.yaml").exists():
            return ""
        docs = shlex.join(["ragtune", "init", "--docs", str(target)])
        return f"`{docs}` writes a recipe that names them"
    recipe = file.load(target, tuple(overrides or ()))
    named = (recipe.study.questions, recipe.records.source)
    written = [(folder / name).resolve() for name in (TEST, TRAIN)]
    if [recipe.path(str(one)).resolve() for one in named if one] != written:
        return ""
    return f"`{shlex.join(['ragtune', 'run', str(target)])}`"


def _sources(
    target: Path, overrides: list[str] | None, offline: bool
) -> "tuple[Corpus, Rag, Any, Path]":
    """The documents, how they are split, the embedder, and where questions are written."""
    from ragtune.core import offline as guard
    from ragtune.core.errors import RecipeError

    if target.is_dir():
        from ragtune.core.bundled import builtin_embedder
        from ragtune.models.hardware import probe
        from ragtune.recipe.rag import Rag
        from ragtune.retrieval.embedder import Embedder
        from ragtune.sources.documents import from_folder

        if overrides:
            raise RecipeError("--set goes with a recipe; a folder of documents has none")
        guard.go_offline()
        corpus = from_folder(target)
        embedder = Embedder(builtin_embedder(), probe())
        return corpus, Rag(chunk_tokens=CHUNK), embedder, Path("questions")
    from ragtune.runs.materials import Materials

    recipe = load_recipe(target, overrides, offline)
    materials = Materials(recipe)
    return materials.corpus, recipe.rag, materials.embedder, recipe.path("questions")
