"""A plan carried out: the index built in its home, and asked the held-out questions."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ragtune.core.files import read_json, read_jsonl, write_json
from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.retrieval.retriever import Retriever
from ragtune.runs.materials import Materials
from ragtune.sources.records import Record
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.index import measure
from ragtune_cloud.index.base import Home
from ragtune_cloud.index.stock import Stock
from ragtune_cloud.ledger import Ledger


@contextmanager
def opened(recipe: Recipe, run: RunFolder) -> Iterator[tuple[Stock, Materials]]:
    """The run's own index, and the models that search it, while the context lasts.

    Raises RunError where there is no index, or it is in use, unfinished or made otherwise.
    """
    materials = Materials(recipe)
    local = Retriever(
        run.index,
        recipe.rag,
        materials.embedder,
        materials.embedder_fingerprint,
        materials.reranker,
    )
    try:
        yield Stock(local, lambda: materials.corpus), materials
    finally:
        local.close()


def is_whole(home: Home, ledger: Ledger, run: RunFolder) -> bool:
    """Whether the index was built there once and nothing of it was deleted since."""
    kinds = set(home.deleters())
    held = {entry.kind for entry in ledger.open()}
    return CloudFolder(run).index_home(home.name).exists() and kinds <= held


def build(
    home: Home, stock: Stock, ledger: Ledger, run: RunFolder, watcher: Watcher
) -> dict[str, Any]:
    """Make the home hold the index; what it said, which is kept in ``cloud/index`` too."""
    note = CloudFolder(run).index_home(home.name)
    done = home.build(stock, ledger, watcher)
    kept = {"home": home.name, "content": stock.content, **done}
    write_json(note, kept)
    return kept


def ask(
    home: Home,
    stock: Stock,
    materials: Materials,
    *,
    recipe: Recipe,
    run: RunFolder,
    watcher: Watcher,
) -> dict[str, Any]:
    """Ask the local index and that of the home every held-out question; all figures of the run.

    What is kept of the answers is figures; nothing of the account is in them.
    """
    records = [Record.from_json(row) for row in read_jsonl(run.questions)]
    with_context = recipe.records.context == "input"
    found = {}
    for name, searcher in (
        (measure.LOCAL, stock.local),
        (home.name, home.searcher(materials)),
    ):
        with watcher.progress(f"ask {name}") as advance:
            found[name] = measure.ask(searcher, records, with_context=with_context, advance=advance)
    here = found[measure.LOCAL]
    own = {measure.LOCAL: True, home.name: home.own_chunks}
    places = {
        name: measure.place(
            records, there, here, top_k=recipe.rag.top_k, seed=recipe.seed, own=own[name]
        )
        for name, there in found.items()
    }
    return measure.keep(CloudFolder(run), places, len(records), recipe.rag.top_k)


def noted(run: RunFolder, home: str) -> dict[str, Any] | None:
    """What a home said when the index was built there; None where it was not."""
    path = CloudFolder(run).index_home(home)
    return dict(read_json(path)) if path.exists() else None
