"""The retrieval half of a promotion: a run's index in another home, and how it searches there."""

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.cli.options import AsJson, Expected, Profile, RunPath, run_recipe, say
from ragtune_cloud.cli.teardown import torn_down

if TYPE_CHECKING:
    from ragtune.recipe.schema import Recipe
    from ragtune_cloud.index.base import Home
    from ragtune_cloud.target import Choices

PARTS = ("model", "index")
Part = Annotated[
    str, typer.Option("--part", help="What is promoted: `model`, or `index`, the retrieval half.")
]
HomeOption = Annotated[
    str | None,
    typer.Option("--home", help="Of the index: qdrant, s3-vectors or knowledge-base."),
]
Url = Annotated[str | None, typer.Option("--url", help="Of the Qdrant server.")]
EmbedderOption = Annotated[
    str | None, typer.Option("--embedder", help="Of the knowledge base; Titan's by default.")
]
ChunksOption = Annotated[
    str,
    typer.Option(
        "--chunks", help="Of the knowledge base: cut by the `service`, or the run's `own`."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb to ``ragtune cloud``."""
    app.command()(index)


@dataclass(frozen=True)
class Where:
    """What the person said of the home, and of the account."""

    home: str | None
    url: str | None
    embedder: str | None
    chunks: str
    profile: str | None
    account: str | None

    def of(self, recipe: "Recipe", run: RunFolder) -> "Home":
        """The home of a run's index; the account is opened when it is needed.

        Raises RecipeError for one that there is not, and for options that it does not have.
        """
        from ragtune_cloud.index import homes
        from ragtune_cloud.sagemaker.target import SageMaker

        target = SageMaker(self.profile, self.account)
        return homes.home(
            self.home,
            recipe,
            run,
            lambda: target.account(recipe.cloud.region),
            url=self.url,
            embedder=self.embedder,
            chunks=self.chunks,
        )


def is_index(part: str, home: str | None) -> bool:
    """Whether it is the index that is promoted.

    Raises RecipeError for another part than there is, or a home that nothing is moved to.
    """
    from ragtune.core.errors import RecipeError

    if part not in PARTS:
        raise RecipeError(f"--part {part}: allowed: {', '.join(PARTS)}")
    if part == "model" and home is not None:
        raise RecipeError(f"--home {home}: it is the index that has a home; add --part index")
    return part == "index"


def promote_index(
    recipe: "Recipe",
    run: RunFolder,
    choices: "Choices",
    where: Where,
    *,
    submit: bool,
    online: bool,
    as_json: bool,
) -> None:
    """Plan the move of a run's index, for nothing; with ``submit`` build it there and ask it."""
    from ragtune.cli.output import print_result
    from ragtune.cli.terminal import Terminal
    from ragtune.core import offline
    from ragtune.retrieval.stores.base import EMBEDDED
    from ragtune_cloud.index import measure, move, plan
    from ragtune_cloud.ledger import Ledger

    home = where.of(recipe, run)
    if not (submit or online) and recipe.rag.qdrant == EMBEDDED:
        offline.refuse_connections()
    found = plan.run_finding(run, choices)  # before the index is taken
    with move.opened(recipe, run) as (stock, materials):
        planned = plan.plan(
            home,
            stock,
            found,
            recipe=recipe,
            run=run,
            choices=choices,
            online=submit or online,
        )
        if not submit:
            print_result(planned.to_json(), plan.show(planned), as_json)
            return
        say(plan.show(planned, submitted=True))
        planned.refuse_failures()
        ledger = Ledger(run)
        with Terminal() as terminal:
            # An index that was whole there is of use still, whatever this breaks off.
            with (
                nullcontext()
                if move.is_whole(home, ledger, run)
                else torn_down(ledger, home.deleters(), terminal, keep=True)
            ):
                move.build(home, stock, ledger, run, terminal)
            results = move.ask(home, stock, materials, recipe=recipe, run=run, watcher=terminal)
    print_result(results, measure.table(results), as_json)
    say(f"it costs money until: ragtune cloud delete {run}")


def index(
    run_folder: RunPath,
    *,
    home: HomeOption = None,
    url: Url = None,
    embedder: EmbedderOption = None,
    chunks: ChunksOption = "service",
    profile: Profile = None,
    account: Expected = None,
    as_json: AsJson = False,
) -> None:
    """Show how the index searches in its homes, beside the local one; with --home ask it again."""
    from ragtune.cli.output import print_result
    from ragtune.cli.terminal import Terminal
    from ragtune.core.errors import CloudError
    from ragtune.core.files import read_json
    from ragtune_cloud.folder import CloudFolder
    from ragtune_cloud.index import measure, move

    run = RunFolder(run_folder)
    recipe, path = run_recipe(run), CloudFolder(run).index_results
    if home is not None:
        place = Where(home, url, embedder, chunks, profile, account).of(recipe, run)
        with move.opened(recipe, run) as (stock, materials), Terminal() as terminal:
            move.ask(place, stock, materials, recipe=recipe, run=run, watcher=terminal)
    elif not path.exists():
        raise CloudError(
            f"{path}: missing; `ragtune promote {run} --part index --home HOME --submit` moves the "
            "index and measures it"
        )
    results = read_json(path)
    print_result(results, measure.table(results), as_json)
