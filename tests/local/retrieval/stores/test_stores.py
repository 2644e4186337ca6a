"""What holds of every store: the embedded one, a server's collection, and a server of yours.

The server's client is tried on qdrant-client's local mode; a real server where QDRANT_URL is set.
"""

import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores import FilterOperator, MetadataFilter, MetadataFilters
from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode
from qdrant_client import QdrantClient

from ragtune.core.errors import OfflineError, RunError
from ragtune.recipe.rag import Rag
from ragtune.retrieval import index
from ragtune.retrieval.chunks import Chunker
from ragtune.retrieval.filters import Condition, Filter
from ragtune.retrieval.manifest import Changes
from ragtune.retrieval.stores import places, server
from ragtune.retrieval.stores.base import Place, Query
from ragtune.retrieval.stores.server import ServerPlace
from ragtune.sources.readers import Document
from tests.local.retrieval.killing import Words, corpus

TEXTS = {
    "harbour.md": "The harbour opens at six.",
    "ferry.md": "The ferry is called Petrel.",
    "canteen.md": "Soup costs three crowns in the canteen.",
    "fog.md": "In fog the bell of the ferry rings twice.",
}
URL = os.environ.get("QDRANT_URL", "")
SETTINGS = {"embedder": "f"}
pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")


class Lasting(QdrantClient):
    """A client whose content outlives its closing, as a server's does."""

    def close(self, *arguments: Any, **options: Any) -> None:
        """Keep the content."""


@pytest.fixture(params=["embedded", "local mode", "server"])
def rag(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Rag:
    if request.param == "embedded":
        return Rag(chunk_tokens=16)
    if request.param == "local mode":
        client = Lasting(":memory:")
        monkeypatch.setattr(server, "connect", lambda url: client)
        return Rag(chunk_tokens=16, qdrant="http://127.0.0.1:6333")
    if not URL:
        pytest.skip("QDRANT_URL names no server")
    return Rag(chunk_tokens=16, qdrant=URL)


@pytest.fixture
def place(rag: Rag, tmp_path: Path) -> Iterator[Place]:
    place = places.of(rag, tmp_path / "index")
    place.drop()
    yield place
    place.drop()


@pytest.fixture
def store(rag: Rag, place: Place) -> Iterator[Any]:
    words: Any = Words()
    store = place.create(Words.dimension, SETTINGS)
    nodes = Chunker(rag, words).split([Document(name, text) for name, text in TEXTS.items()])
    for node in nodes:
        (node.embedding,) = words.embed([node.get_content(metadata_mode="embed")])
    store.add(nodes)
    yield store
    store.close()


def test_a_store_gives_back_what_was_added(store: Any) -> None:
    held = {node.metadata["document"]: node for node in store.nodes()}
    assert {name: node.text for name, node in held.items()} == TEXTS
    for node in held.values():
        (vector,) = Words().embed([node.get_content(metadata_mode="embed")])
        unit = np.asarray(vector) / np.linalg.norm(vector)  # a store of cosines keeps directions
        kept = np.asarray(node.get_embedding())
        assert np.allclose(kept / np.linalg.norm(kept), unit, atol=1e-6)


def ask(store: Any, text: str, mode: str = "hybrid", top_k: int = 3, **more: Any) -> list[Any]:
    (vector,) = Words().embed([text])
    query = VectorStoreQuery(
        query_embedding=vector,
        query_str=text,
        similarity_top_k=top_k,
        mode=VectorStoreQueryMode(mode),
        **more,
    )
    found = store.as_llama_index().query(query)
    assert found.similarities == sorted(found.similarities, reverse=True)
    return [node.metadata["document"] for node in found.nodes]


def test_dense_keyword_and_hybrid_find_what_they_should(store: Any) -> None:
    assert ask(store, TEXTS["fog.md"], "default")[0] == "fog.md"
    assert ask(store, "soup crowns", "sparse") == ["canteen.md"]
    assert set(ask(store, "ferry", "sparse")) == {"ferry.md", "fog.md"}
    assert ask(store, TEXTS["harbour.md"], "hybrid")[0] == "harbour.md"
    assert len(ask(store, TEXTS["harbour.md"], "hybrid", 2)) == 2


@pytest.mark.parametrize("mode", ["default", "sparse", "hybrid"])
def test_ties_come_in_one_order_however_the_store_was_filled(place: Place, mode: str) -> None:
    words: Any = Words()
    rag = Rag(chunk_tokens=16)
    documents = [Document(f"{n}.md", "The bell of the ferry rings.") for n in range(8)]
    orders = []
    for filled in (documents, documents[::-1]):
        place.drop()
        store = place.create(Words.dimension, SETTINGS)
        nodes = Chunker(rag, words).split(filled)
        for node in nodes:
            (node.embedding,) = words.embed(["the same"])
        store.add(nodes)
        orders.append(ask(store, "the ferry", mode, 5))
        store.close()
    assert orders[0] == orders[1]


def test_filters_hold_in_every_mode(store: Any) -> None:
    def only(operator: FilterOperator, value: Any) -> MetadataFilters:
        one = MetadataFilter(key="document", value=value, operator=operator)
        return MetadataFilters(filters=[one])

    equal, other = only(FilterOperator.EQ, "fog.md"), only(FilterOperator.NE, "fog.md")
    among = only(FilterOperator.IN, ["fog.md", "ferry.md"])
    for mode in ("default", "sparse", "hybrid"):
        assert ask(store, "the ferry", mode, filters=equal) == ["fog.md"]
        assert "fog.md" not in ask(store, "the ferry", mode, filters=other)
        assert set(ask(store, "the ferry", mode, filters=among)) == {"fog.md", "ferry.md"}


def test_own_filters_hold_in_every_store(store: Any) -> None:
    def found(*parts: Condition | Filter, holds: Any = "all") -> set[str]:
        query = Query("the ferry", vector, 9, "hybrid", Filter(parts, holds))
        return {passage.document for passage in store.search(query)}

    (vector,) = Words().embed(["the ferry"])
    fog, ferry = (Condition("document", "==", f"{name}.md") for name in ("fog", "ferry"))
    rest = {"harbour.md", "canteen.md"}
    assert found(fog) == {"fog.md"}
    assert found(fog, ferry) == set()
    assert found(fog, ferry, holds="any") == {"fog.md", "ferry.md"}
    assert found(fog, ferry, holds="none") == rest
    assert found(Condition("document", "!=", "fog.md")) == rest | {"ferry.md"}
    assert found(Condition("document", "in", ["fog.md"])) == {"fog.md"}
    assert found(Condition("document", "not in", ["fog.md", "ferry.md"])) == rest
    assert found(Filter((fog, ferry), "any"), Condition("kind", "==", "md")) == {
        "fog.md",
        "ferry.md",
    }


def test_adding_twice_replaces_and_deleting_removes_the_whole_document(store: Any) -> None:
    assert len(store) == 4
    node = TextNode(id_="00000000-0000-0000-0000-000000000001", text="x", embedding=[1.0] * 8)
    store.add([node])
    store.add([node])
    assert len(store) == 5
    store.delete_documents(["fog.md", "never.md"])
    store.as_llama_index().delete("ferry.md")
    assert len(store) == 3
    assert ask(store, "ferry", "sparse") == []


def test_the_vectors_of_documents_are_those_that_were_added(store: Any) -> None:
    names = ["fog.md", "ferry.md", "none.md"]
    found = store.vectors(names)
    assert set(found) == {TEXTS["fog.md"], TEXTS["ferry.md"]}
    for text, vector in found.items():
        (made,) = Words().embed([text])
        length = sum(number * number for number in made) ** 0.5
        assert vector == pytest.approx([number / length for number in made], abs=1e-6)


def test_what_was_written_is_there_when_opened_again(store: Any, place: Place) -> None:
    store.flush()
    store.close()
    again = place.open(SETTINGS)
    assert len(again) == 4
    assert ask(again, "soup crowns", "sparse") == ["canteen.md"]
    again.close()


def test_updates_of_an_index_are_exact_on_every_store(
    rag: Rag, place: Place, tmp_path: Path
) -> None:
    words: Any = Words()
    folder = tmp_path / "index"

    def update(texts: dict[str, str]) -> Changes:
        return index.update(corpus(texts), rag, words, fingerprint="f", folder=folder)

    assert len(update(TEXTS).added) == 4
    changed = {**TEXTS, "fog.md": "In fog the horn sounds.", "new.md": "A new page."}
    del changed["ferry.md"]
    assert str(update(changed)) == "1 added, 1 changed, 1 removed, 2 unchanged"
    retriever = index.Retriever(folder, rag, words, "f")
    found = {p.document: p.text for (p, *_) in retriever.search(list(changed.values()), 1)}
    retriever.close()
    assert found == changed


def test_a_collection_of_other_settings_is_refused_whatever_the_manifest_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Lasting(":memory:")
    monkeypatch.setattr(server, "connect", lambda url: client)
    place = ServerPlace("http://127.0.0.1", "c", Path("run"))
    with pytest.raises(RunError, match="it is gone; `ragtune index run --rebuild` makes it again"):
        place.open({"embedder": "f"})
    place.create(8, {"embedder": "f"})
    assert place.exists()
    with pytest.raises(RunError, match="made with other settings; `ragtune index run --rebuild`"):
        place.open({"embedder": "g"})


@pytest.fixture
def refusing() -> Iterator[str]:
    """A server on loopback that refuses every key."""

    class Refusal(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(401)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as http_server:
        threading.Thread(target=http_server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http_server.server_port}"
        http_server.shutdown()


def test_a_wrong_key_a_dead_server_and_a_closed_network_are_a_line_each(refusing: str) -> None:
    with pytest.raises(RunError, match="refused the key in QDRANT_API_KEY"):
        ServerPlace(refusing, "c", Path("run")).exists()
    with pytest.raises(RunError, match="cannot be reached"):
        ServerPlace("http://127.0.0.1:9", "c", Path("run")).exists()
    with pytest.raises(OfflineError, match=r"refused to connect to 192\.0\.2\.1"):
        ServerPlace("http://192.0.2.1:6333", "c", Path("run")).exists()


def test_an_embedded_store_is_written_to_the_disk_when_it_was_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ragtune.retrieval.stores.embedded import EmbeddedPlace, EmbeddedStore

    flushed: list[bool] = []
    real = EmbeddedStore.flush

    def noted(store: EmbeddedStore) -> None:
        flushed.append(True)
        real(store)

    monkeypatch.setattr(EmbeddedStore, "flush", noted)
    place = EmbeddedPlace(tmp_path / "store")
    made = place.create(2, SETTINGS)
    about = {"document_id": "a", "document": "a", "locator": ""}
    made.add([TextNode(text="fog", embedding=[1.0, 0.0], metadata=about)])
    made.close()
    assert len(flushed) == 1
    opened = place.open(SETTINGS)
    assert len(opened.search(Query("fog", [1.0, 0.0], 1))) == 1
    opened.close()
    assert len(flushed) == 1
    changed = place.open(SETTINGS)
    changed.delete_documents(["a"])
    changed.close()
    assert len(flushed) == 2
