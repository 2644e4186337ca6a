"""A Qdrant server as a home: the run's own store, elsewhere."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.retrieval.searcher import Searcher
from ragtune.retrieval.stores import server
from ragtune.retrieval.stores.server import ServerPlace
from ragtune.runs.materials import Materials
from ragtune_cloud.index import terms
from ragtune_cloud.index.base import HomeName, foreign, stem
from ragtune_cloud.index.prices import IndexCost
from ragtune_cloud.index.stock import Measures, Stock
from ragtune_cloud.ledger import Delete, Entry, Ledger
from ragtune_cloud.sagemaker.names import IDENTITY_TAG
from ragtune_cloud.target import OK, Finding, Term

KIND = "qdrant-collection"
BATCH = 256
"""Chunks that are sent together."""


class Qdrant:
    """A collection of a server that the user named; its price is the server's own."""

    name: HomeName = "qdrant"
    own_chunks = True

    def __init__(self, recipe: Recipe, run: RunFolder, url: str) -> None:
        self.recipe, self.url = recipe, url
        self.place = ServerPlace(url, f"{stem(recipe)}-index", run.path)

    def terms(self) -> Sequence[Term]:
        """All of it is the same."""
        return terms.of_qdrant(self.recipe)

    def offline(self, measures: Measures) -> Mapping[str, Finding]:
        """Nothing limits a server from here."""
        return {"limits": Finding(OK, f"{measures.chunks} chunks of {measures.dimension} numbers")}

    def online(self) -> Mapping[str, Finding]:
        """Whether the collection's name is free, or ours."""
        there = self._is_there()
        return {"names": Finding(OK, "is there already, ours" if there else "free")}

    def cost(self, measures: Measures) -> IndexCost:
        """Not known here: it is that of the server."""
        return IndexCost(usd_likely=None, usd_ceiling=None)

    def request(self, measures: Measures) -> dict[str, Any]:
        """The collection, and how many points."""
        return {"collection": self.place.collection, "url": self.url, "points": measures.chunks}

    def build(self, stock: Stock, ledger: Ledger, watcher: Watcher) -> dict[str, Any]:
        """Send every chunk, and delete what is there besides."""
        there, settings = self._is_there(), self._settings(stock)
        ledger.add(KIND, self.place.collection, self.url)
        if (
            there
            and server.settings_of(server.connect(self.url), self.place.collection) != settings
        ):
            self.place.drop()  # of another embedder or other chunks: nothing in it is of use
            there = False
        measures = stock.measures()
        store = (
            self.place.open(settings) if there else self.place.create(measures.dimension, settings)
        )
        try:
            kept: set[str] = set()
            with watcher.progress("send chunks") as advance:
                nodes = stock.nodes()
                while batch := list(islice(nodes, BATCH)):
                    kept |= set(store.add(batch))
                    advance(len(kept), measures.chunks)
            stale = [node.node_id for node in store.nodes() if node.node_id not in kept]
            if stale:
                store.delete_nodes(node_ids=stale)
            return {"points": len(store), "deleted": len(stale)}
        finally:
            store.close()

    def searcher(self, materials: Materials) -> Searcher:
        """The collection, asked with the local embedder's vectors."""
        from ragtune.retrieval.bm25 import Words

        client = server.connect(self.url)
        settings = server.settings_of(client, self.place.collection)
        store = server.ServerStore(client, self.place.collection, Words.of(settings))
        rag = self.recipe.rag
        return Searcher(store, rag, materials.embedder, materials.reranker, place=self.place)

    def deleters(self) -> Mapping[str, Delete]:
        """The collection."""
        return {KIND: delete}

    def _settings(self, stock: Stock) -> dict[str, Any]:
        return {**stock.settings, "qdrant": self.url, IDENTITY_TAG: self.recipe.identity}

    def _is_there(self) -> bool:
        client, name = server.connect(self.url), self.place.collection
        if not server.exists(client, name):
            return False
        if server.settings_of(client, name).get(IDENTITY_TAG) != self.recipe.identity:
            raise foreign(str(self.place))
        return True


def delete(entry: Entry) -> None:
    """Delete the collection of an entry, whose region is the server's URL; gone is no error.

    Raises CloudError where it is not ragtune's, RunError where the server cannot be reached.
    """
    client = server.connect(entry.region)
    if not server.exists(client, entry.name):
        return
    if IDENTITY_TAG not in server.settings_of(client, entry.name):
        raise foreign(f"{entry.region}: collection {entry.name}")
    server.drop(client, entry.name)
