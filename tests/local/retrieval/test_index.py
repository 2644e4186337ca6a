import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ragtune.core import bundled as builtin
from ragtune.core.errors import RecipeError, RunError
from ragtune.models.find import check_chunks
from ragtune.models.hardware import probe
from ragtune.recipe.schema import Rag
from ragtune.retrieval.chunks import Chunker
from ragtune.retrieval.embedder import Embedder
from ragtune.retrieval.index import Retriever, update
from ragtune.retrieval.manifest import Manifest
from ragtune.retrieval.section import Mode
from ragtune.retrieval.stores.embedded import EmbeddedStore
from ragtune.sources.documents import Corpus, Document, from_documents
from tests.conftest import FACTS


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(builtin.builtin_embedder(), probe())


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return from_documents(Document(name, text, title) for name, title, text, _, _ in FACTS)


@pytest.fixture
def retriever(embedder: Embedder, corpus: Corpus, tmp_path: Path) -> Iterator[Retriever]:
    rag = Rag(chunk_tokens=32, top_k=3)
    update(corpus, rag, embedder, fingerprint="f", folder=tmp_path / "index")
    opened = Retriever(tmp_path / "index", rag, embedder, "f")
    yield opened
    opened.close()


def test_the_index_holds_every_chunk_and_its_manifest_says_so(
    retriever: Retriever, tmp_path: Path
) -> None:
    manifest = Manifest.load(tmp_path / "index")
    assert manifest is not None
    assert len(retriever.store) == manifest.points == len(FACTS)
    assert manifest.documents == {name: 1 for name, *_ in FACTS}


@pytest.mark.parametrize("search", ["dense", "keyword", "hybrid"])
def test_every_search_mode_finds_the_document_with_falling_scores(
    retriever: Retriever, search: Mode
) -> None:
    found = retriever.search([question for _, _, _, question, _ in FACTS], mode=search)
    assert [passages[0].document for passages in found] == [name for name, *_ in FACTS]
    for passages in found:
        scores = [p.score for p in passages]
        assert scores == sorted(scores, reverse=True)
        assert passages[0].text in [sentence for _, _, sentence, _, _ in FACTS]


def test_chunks_keep_to_the_embedders_tokens(embedder: Embedder) -> None:
    text = "# Long\n\n" + " ".join(f"Sentence number {n} is here." for n in range(200))
    rag = Rag(chunk_tokens=48)
    nodes = Chunker(rag, embedder).split([Document("long.md", text, "A title of its own")])
    lengths = [len(embedder.tokens(n.get_content(metadata_mode="embed"))) + 2 for n in nodes]
    assert len(nodes) > 10
    assert max(lengths) <= 48
    joined = " ".join(n.get_content(metadata_mode="none") for n in nodes)
    assert all(f"number {n} is" in joined for n in range(200))


@pytest.mark.parametrize("title", ["The harbour and the ferry " * 20, "港と渡し船" * 40])
def test_a_title_longer_than_a_chunk_is_shortened_and_does_not_stop_indexing(
    embedder: Embedder, tmp_path: Path, title: str
) -> None:
    rag = Rag(chunk_tokens=32)
    documents = [Document("a.md", "Soup is sold. " * 20, title), Document("b.md", "Fog.")]
    nodes = Chunker(rag, embedder).split(documents[:1])
    (shown,) = {node.metadata["title"] for node in nodes}
    assert title.startswith(shown)
    assert 8 < len(embedder.tokens(shown)) <= 32 // 2
    assert max(len(embedder.tokens(n.get_content(metadata_mode="embed"))) for n in nodes) <= 30
    folder = tmp_path / "index"
    changes = update(from_documents(documents), rag, embedder, fingerprint="f", folder=folder)
    assert changes.added == ["a.md", "b.md"]


def test_chunks_longer_than_the_embedder_reads_are_refused() -> None:
    folder = builtin.builtin_embedder()
    check_chunks(folder, 256)
    with pytest.raises(RecipeError, match=r"chunk_tokens: 257.*allowed: 16 to 256"):
        check_chunks(folder, 257)


def test_splitting_twice_gives_the_same_ids_each_once(embedder: Embedder) -> None:
    rag = Rag(chunk_tokens=32)
    pages = [Document("a.pdf", f"Page {n} says this. " * 9, locator="p. 1") for n in range(3)]
    first, second = (Chunker(rag, embedder).split(pages) for _ in range(2))
    assert [n.node_id for n in first] == [n.node_id for n in second]
    assert len({n.node_id for n in first}) == len(first) > 3


def test_a_chunk_says_under_which_heading_or_on_which_page_it_stands(embedder: Embedder) -> None:
    text = "# First\n\n" + "The harbour opens. " * 20 + "\n\n# Second\n\n" + "Soup is sold. " * 20
    headings = ((0, "First"), (text.index("# Second"), "Second"))
    documents = [
        Document("a.md", text, headings=headings),
        Document("b.pdf", "On a page.", locator="p. iv", page=4),
    ]
    *sections, page = Chunker(Rag(chunk_tokens=32), embedder).split(documents)
    assert sections[0].metadata["locator"] == "First"
    assert sections[-1].metadata["locator"] == "Second"
    assert page.metadata["locator"] == "p. iv"
    assert (page.metadata["page"], page.metadata["kind"]) == (4, "pdf")


@pytest.mark.parametrize(
    ("rag", "fingerprint", "differing"),
    [
        (Rag(chunk_tokens=32), "other", "embedder f → other"),
        (Rag(chunk_tokens=48), "f", "chunk_tokens 32 → 48"),
    ],
)
def test_an_index_of_other_settings_is_refused_with_the_command_that_rebuilds(
    retriever: Retriever,
    embedder: Embedder,
    corpus: Corpus,
    rag: Rag,
    fingerprint: str,
    differing: str,
) -> None:
    folder = retriever.folder
    tmp_path = folder.parent
    command = f"`ragtune index {tmp_path} --rebuild`"
    for refused in (
        lambda: Retriever(folder, rag, embedder, fingerprint),
        lambda: update(corpus, rag, embedder, fingerprint=fingerprint, folder=folder),
    ):
        retriever.close()
        with pytest.raises(RunError, match=differing) as caught:
            refused()
        assert command in str(caught.value)
    update(corpus, rag, embedder, fingerprint=fingerprint, folder=folder, rebuild=True)
    again = Retriever(folder, rag, embedder, fingerprint)
    assert len(again.store) == len(FACTS)
    again.close()


def test_an_index_has_one_owner_at_a_time_and_the_message_names_it(
    retriever: Retriever, embedder: Embedder, corpus: Corpus, tmp_path: Path
) -> None:
    folder = tmp_path / "index"
    with pytest.raises(RunError, match=f"in use by process {os.getpid()}"):
        Retriever(folder, retriever.rag, embedder, "f")
    with pytest.raises(RunError, match=f"in use by process {os.getpid()}"):
        update(corpus, retriever.rag, embedder, fingerprint="f", folder=folder)
    with pytest.raises(RunError, match="open in another process"):
        EmbeddedStore.open(folder / "store")


def test_an_index_that_lost_chunks_or_its_manifest_is_not_used(
    retriever: Retriever, embedder: Embedder, corpus: Corpus, tmp_path: Path
) -> None:
    folder = tmp_path / "index"
    retriever.store.delete_documents(["fog.md"])
    retriever.close()
    with pytest.raises(RunError, match="holds 5 chunks, its manifest says 6"):
        Retriever(folder, retriever.rag, embedder, "f")
    with pytest.raises(RunError, match="holds 5 chunks, its manifest says 6"):
        update(corpus, retriever.rag, embedder, fingerprint="f", folder=folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(RunError, match="no index there"):
        Retriever(folder, retriever.rag, embedder, "f")
    with pytest.raises(RunError, match="holds chunks of unknown origin"):
        update(corpus, retriever.rag, embedder, fingerprint="f", folder=folder)


def test_a_store_that_is_gone_is_named_with_the_command_that_rebuilds(
    retriever: Retriever, embedder: Embedder, corpus: Corpus, tmp_path: Path
) -> None:
    folder, rag = tmp_path / "index", retriever.rag
    retriever.close()
    shutil.rmtree(folder / "store")
    command = f"no usable index: .*; `ragtune index {tmp_path} --rebuild` makes it again"
    with pytest.raises(RunError, match=command):
        Retriever(folder, rag, embedder, "f")
    with pytest.raises(RunError, match=command):
        update(corpus, rag, embedder, fingerprint="f", folder=folder)
    update(corpus, rag, embedder, fingerprint="f", folder=folder, rebuild=True)
    Retriever(folder, rag, embedder, "f").close()


def test_it_is_an_ordinary_llama_index_store_with_filters(retriever: Retriever) -> None:
    from llama_index.core.vector_stores import MetadataFilter, MetadataFilters

    index = retriever.as_llama_index()
    only = MetadataFilters(filters=[MetadataFilter(key="document", value="fog.md")])
    (hit,) = index.as_retriever(similarity_top_k=3, filters=only).retrieve("What does soup cost?")
    assert hit.metadata["document"] == "fog.md"
    (first, *_) = index.as_retriever(similarity_top_k=3).retrieve("What does soup cost?")
    assert first.metadata["document"] == "canteen.md"
    index.vector_store.delete("fog.md")
    assert len(retriever.store) == len(FACTS) - 1


def test_the_embedder_gives_unit_vectors_close_to_plain_fp32(embedder: Embedder) -> None:
    import numpy as np

    texts = [sentence for _, _, sentence, _, _ in FACTS]
    ours = np.array(embedder.embed(texts))
    plain = np.array(embedder.llama_index.get_text_embedding_batch(texts))
    assert np.allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-3)
    assert ((ours * plain).sum(axis=1) > 0.999).all()


def test_the_built_in_embedder_is_checked_by_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ragtune.core.errors import ModelError

    monkeypatch.setattr(builtin, "EMBEDDER_SHA256", "0" * 64)
    with pytest.raises(ModelError, match="not the published all-MiniLM-L6-v2"):
        builtin.builtin_embedder()
