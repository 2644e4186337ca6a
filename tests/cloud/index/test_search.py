"""What is found in each home, beside the local index: the same chunks, vectors and ranks."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from qdrant_client import QdrantClient

from ragtune.core.errors import RecipeError
from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune.models.engines.base import unwatched
from ragtune.retrieval.filters import Condition, Filter
from ragtune.retrieval.stores import server
from ragtune_cloud.index import measure
from ragtune_cloud.index.base import Home, Refused
from ragtune_cloud.index.knowledge_base.home import KnowledgeBase
from ragtune_cloud.index.qdrant import Qdrant
from ragtune_cloud.index.s3vectors.home import S3Vectors
from ragtune_cloud.index.stock import Stock
from ragtune_cloud.ledger import Ledger
from tests.cloud.fake.knowledge import FakeKnowledge
from tests.cloud.fake.vectors import FakeVectors
from tests.cloud.index.conftest import moved, records, texts

COUNT = 45
"""Documents: more than one page of the fake's lists."""
URL = "http://127.0.0.1:6333"
pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
MATERIALS: Any = SimpleNamespace(reranker=None)


def built(home: Home, stock: Stock, run: Path) -> dict[str, Any]:
    return home.build(stock, Ledger(RunFolder(run)), Silent())


def compared(home: Home, stock: Stock, top_k: int = 3) -> dict[str, Any]:
    """The figures of a home, as `ragtune cloud index` measures them."""
    MATERIALS.embedder = stock.local.embedder
    asked = records(COUNT)
    here, there = (
        measure.ask(searcher, asked, with_context=False, advance=unwatched)
        for searcher in (stock.local, home.searcher(MATERIALS))
    )
    return measure.place(asked, there, here, top_k=top_k, seed=0, own=home.own_chunks)


@pytest.mark.parametrize("search", ["dense", "keyword", "hybrid"])
def test_s3_vectors_finds_what_the_local_index_finds(
    search: str, stocked: Callable[..., Stock], account: Any, tmp_path: Path
) -> None:
    recipe = moved(search=search)
    stock = stocked(recipe, texts(COUNT))
    home = S3Vectors(recipe, account)
    assert built(home, stock, tmp_path)["vectors"] == stock.measures().chunks
    figures = compared(home, stock)
    assert figures["retrieval"]["questions"] == COUNT
    assert abs(figures["recall_minus_local"]) <= 0.02
    assert figures["ms"]["questions"] == COUNT + 1
    if search == "dense":
        assert (figures["same_order"], figures["same_passages"]) == (1, 1)
    else:
        assert figures["retrieval"]["recall_at_k"]["mean"] > 0.7


@pytest.mark.parametrize("chunks", ["own", "service"])
def test_a_knowledge_base_that_embeds_as_we_do_finds_the_same(
    chunks: Any, stocked: Callable[..., Stock], account: Any, tmp_path: Path
) -> None:
    recipe = moved(search="dense")
    stock = stocked(recipe, texts(COUNT))
    home = KnowledgeBase(recipe, account, chunks=chunks)
    said = built(home, stock, tmp_path)
    scanned = stock.measures().chunks if chunks == "own" else COUNT
    assert (said["ingestion"]["scanned"], said["ingestion"]["failed"]) == (scanned, 0)
    figures = compared(home, stock)
    assert abs(figures["recall_minus_local"]) <= 0.02
    assert figures["same_order"] == (1 if chunks == "own" else None)


def test_a_qdrant_server_finds_the_very_same(
    stocked: Callable[..., Stock], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lasting(QdrantClient):
        def close(self, *arguments: Any, **options: Any) -> None:
            """Keep the content, as a server does."""

    client = Lasting(":memory:")
    monkeypatch.setattr(server, "connect", lambda url: client)
    recipe = moved(search="hybrid")
    stock = stocked(recipe, texts(COUNT))
    home, ledger = Qdrant(recipe, RunFolder(tmp_path), URL), Ledger(RunFolder(tmp_path))
    assert home.build(stock, ledger, Silent())["points"] == stock.measures().chunks
    figures = compared(home, stock)
    assert (figures["same_order"], figures["recall_minus_local"]) == (1, 0)
    # Fewer documents later: what is not held any more is not found any more.
    fewer = stocked(recipe, texts(COUNT - 1))
    assert home.build(fewer, ledger, Silent()) == {
        "points": fewer.measures().chunks,
        "deleted": stock.measures().chunks - fewer.measures().chunks,
    }
    (entry,) = ledger.open()
    home.deleters()[entry.kind](entry)
    assert not client.get_collections().collections
    home.deleters()[entry.kind](entry)  # gone already is no error
    client.create_collection(home.place.collection, vectors_config={})
    with pytest.raises(Exception, match="was not made by this run"):
        home.deleters()[entry.kind](entry)


def test_the_index_follows_the_documents(
    stocked: Callable[..., Stock],
    account: Any,
    tmp_path: Path,
    vectors: FakeVectors,
    knowledge: FakeKnowledge,
) -> None:
    recipe, documents = moved(), texts(8)
    first, second = S3Vectors(recipe, account), KnowledgeBase(recipe, account)
    homes: list[Home] = [first, second]
    for home in homes:
        built(home, stocked(recipe, documents), tmp_path)
    _, *rest = documents
    changed = {name: documents[name] for name in rest} | {rest[0]: "The tower is closed."}
    stock = stocked(recipe, changed)
    said = [built(home, stock, tmp_path) for home in homes]
    held = vectors.index(first.bucket, "chunks")["vectors"]
    assert {v["metadata"]["document"] for v in held.values()} == set(changed)
    assert said[1]["ingestion"] | {"seconds": 0} == {
        **{"scanned": 7, "new": 0, "modified": 1, "deleted": 1, "failed": 0, "skipped": 0},
        **{"seconds": 0, "reasons": []},
    }
    (found,) = second.searcher(MATERIALS).search(["The tower is closed."], 1)
    assert (found[0].document, found[0].text) == (rest[0], "The tower is closed.")


def test_what_cannot_be_ingested_is_told(
    stocked: Callable[..., Stock], account: Any, tmp_path: Path, knowledge: FakeKnowledge
) -> None:
    recipe = moved()
    name = f"{'far/' * 300}away.md"  # with the rest more than a chunk's metadata may have
    stock = stocked(recipe, {**texts(2), name: "The far away opens late."})
    said = built(KnowledgeBase(recipe, account), stock, tmp_path)["ingestion"]
    assert (said["scanned"], said["new"], said["failed"]) == (3, 2, 1)
    assert "Custom metadata exceeds 1 KB" in said["reasons"][0]
    knowledge.ends_in = "FAILED"
    with pytest.raises(Exception, match=r"FAILED: role of account <account> may not") as told:
        built(KnowledgeBase(recipe, account), stock, tmp_path)
    assert "123456789012" not in str(told.value)


def test_a_question_that_is_refused_is_a_question_without_passages(
    stocked: Callable[..., Stock], account: Any, tmp_path: Path
) -> None:
    recipe = moved()
    stock = stocked(recipe, texts(3))
    home = KnowledgeBase(recipe, account)
    built(home, stock, tmp_path)
    searcher = home.searcher(MATERIALS)
    with pytest.raises(Refused, match="empty"):
        searcher.search([" "])
    asked = records(3)
    asked[1].__dict__["instruction"] = " "
    found = measure.ask(searcher, asked, with_context=False, advance=unwatched)
    assert list(found.refused) == [asked[1].id]
    assert [bool(passages) for passages in found.passages] == [True, False, True, True]
    assert len(found.seconds) == 3


FILTERS = {
    "one": (Filter((Condition("document", "==", "notes/01.md"),)), {1}),
    "not one": (Filter((Condition("document", "!=", "notes/01.md"),)), {0, 2, 3}),
    "any": (
        Filter(tuple(Condition("document", "==", f"notes/0{n}.md") for n in (1, 2)), "any"),
        {1, 2},
    ),
    "none of several": (
        Filter(tuple(Condition("document", "==", f"notes/0{n}.md") for n in (1, 2)), "none"),
        {0, 3},
    ),
    "none of none": (
        Filter((Filter((Condition("document", "in", ["notes/00.md", "x"]),), "none"),), "none"),
        {0},
    ),
    "kind and not": (
        Filter(
            (
                Condition("kind", "==", "md"),
                Filter((Condition("document", "not in", ["notes/03.md"]),), "none"),
            )
        ),
        {3},
    ),
}


@pytest.mark.parametrize("home", [S3Vectors, KnowledgeBase])
def test_filters_hold_as_here(
    home: Any, stocked: Callable[..., Stock], account: Any, tmp_path: Path
) -> None:
    recipe = moved(search="dense")
    stock = stocked(recipe, texts(4))
    options = {"chunks": "own"} if home is KnowledgeBase else {}
    place = home(recipe, account, **options)
    built(place, stock, tmp_path)
    MATERIALS.embedder = stock.local.embedder
    there = place.searcher(MATERIALS)
    for name, (filters, documents) in FILTERS.items():
        for searcher in (stock.local, there):
            (found,) = searcher.search(["When?"], 9, filters)
            assert {int(p.document[6:8]) for p in found} == documents, name
    with pytest.raises(RecipeError, match="title: cannot be filtered by there"):
        there.search(["When?"], 9, Filter((Condition("title", "==", "x"),)))
