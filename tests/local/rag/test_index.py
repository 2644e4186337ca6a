from collections.abc import Iterator
from pathlib import Path

import pytest

from local import builtin, models
from local.errors import RecipeError, RunError
from local.rag.documents import Corpus, Document
from local.rag.embed import Embedder
from local.rag.index import Retriever, build, chunk
from local.recipe import Rag
from tests.conftest import FACTS


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(builtin.builtin_embedder(), models.probe())


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus([Document(name, text, title) for name, title, text, _, _ in FACTS], {})


@pytest.fixture
def retriever(embedder: Embedder, corpus: Corpus, tmp_path: Path) -> Iterator[Retriever]:
    rag = Rag(chunk_tokens=32, top_k=3)
    build(corpus, rag, embedder, fingerprint="f", folder=tmp_path)
    opened = Retriever(tmp_path, rag, embedder, "f")
    yield opened
    opened.close()


def test_the_index_holds_every_chunk_and_its_manifest_says_so(
    retriever: Retriever, tmp_path: Path
) -> None:
    assert len(retriever.store) == len(FACTS)


@pytest.mark.parametrize("search", ["dense", "keyword", "hybrid"])
def test_every_search_mode_finds_the_document_with_falling_scores(
    retriever: Retriever, search: str
) -> None:
    retriever.rag = Rag.model_validate({"search": search, "top_k": 3})
    found = retriever.search([question for _, _, _, question, _ in FACTS])
    assert [passages[0].document for passages in found] == [name for name, *_ in FACTS]
    for passages in found:
        scores = [p.score for p in passages]
        assert scores == sorted(scores, reverse=True)
        assert passages[0].text in [sentence for _, _, sentence, _, _ in FACTS]


def test_chunks_keep_to_the_embedders_tokens(embedder: Embedder) -> None:
    text = "# Long\n\n" + " ".join(f"Sentence number {n} is here." for n in range(200))
    rag = Rag(chunk_tokens=48)
    nodes = chunk([Document("long.md", text, "A title of its own")], rag, embedder)
    lengths = [len(embedder.tokens(n.get_content(metadata_mode="embed"))) + 2 for n in nodes]
    assert len(nodes) > 10
    assert max(lengths) <= 48
    joined = " ".join(n.get_content(metadata_mode="none") for n in nodes)
    assert all(f"number {n} is" in joined for n in range(200))


def test_chunks_longer_than_the_embedder_reads_are_refused() -> None:
    folder = builtin.builtin_embedder()
    models.check_chunks(folder, 256)
    with pytest.raises(RecipeError, match=r"chunk_tokens: 257.*allowed: 16 to 256"):
        models.check_chunks(folder, 257)


def test_building_twice_gives_the_same_ids(embedder: Embedder, corpus: Corpus) -> None:
    rag = Rag(chunk_tokens=32)
    first, second = (chunk(corpus.documents, rag, embedder) for _ in range(2))
    assert [n.node_id for n in first] == [n.node_id for n in second]
    assert len({n.node_id for n in first}) == len(first)


def test_an_index_of_another_embedder_is_refused(
    retriever: Retriever, embedder: Embedder, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="made with another embedder"):
        Retriever(tmp_path, retriever.rag, embedder, "other")


def test_an_index_has_one_owner_at_a_time(
    retriever: Retriever, embedder: Embedder, tmp_path: Path
) -> None:
    with pytest.raises(RunError, match="open in another process"):
        Retriever(tmp_path, retriever.rag, embedder, "f")


def test_it_is_an_ordinary_llama_index_store_with_filters(retriever: Retriever) -> None:
    from llama_index.core import VectorStoreIndex
    from llama_index.core.vector_stores import MetadataFilter, MetadataFilters

    index = VectorStoreIndex.from_vector_store(
        retriever.store, embed_model=retriever.embedder.llama_index
    )
    only = MetadataFilters(filters=[MetadataFilter(key="document", value="fog.md")])
    (hit,) = index.as_retriever(similarity_top_k=3, filters=only).retrieve("What does soup cost?")
    assert hit.metadata["document"] == "fog.md"
    (first, *_) = index.as_retriever(similarity_top_k=3).retrieve("What does soup cost?")
    assert first.metadata["document"] == "canteen.md"
    retriever.store.delete("fog.md\0")
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
    from local.errors import ModelError

    monkeypatch.setattr(builtin, "EMBEDDER_SHA256", "0" * 64)
    with pytest.raises(ModelError, match="not the published all-MiniLM-L6-v2"):
        builtin.builtin_embedder()
