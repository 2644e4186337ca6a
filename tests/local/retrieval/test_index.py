import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ragtune.core import bundled as builtin
from ragtune.core import files
from ragtune.core.errors import RecipeError, RunError
from ragtune.models.find import check_chunks
from ragtune.models.hardware import probe
from ragtune.recipe.rag import Rag
from ragtune.retrieval import copies
from ragtune.retrieval.chunks import Chunker
from ragtune.retrieval.embedder import Embedder
from ragtune.retrieval.index import Retriever, copy, update
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


RAG = Rag(chunk_tokens=32, top_k=3)


@pytest.fixture(scope="module")
def built(embedder: Embedder, corpus: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index, to be copied."""
    folder = tmp_path_factory.mktemp("built") / "index"
    update(corpus, RAG, embedder, fingerprint="f", folder=folder)
    return folder


@pytest.fixture
def retriever(built: Path, embedder: Embedder, tmp_path: Path) -> Iterator[Retriever]:
    files.copy_tree(built, tmp_path / "index")
    opened = Retriever(tmp_path / "index", RAG, embedder, "f")
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
    retriever: Retriever, corpus: Corpus, rag: Rag, fingerprint: str, differing: str
) -> None:
    folder, embedder = retriever.folder, retriever.embedder
    assert embedder is not None
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
    with pytest.raises(RunError, match=r"missing or of another size; .* --rebuild"):
        Retriever(folder, retriever.rag, embedder, "f")
    manifest = Manifest.load(folder)
    assert manifest is not None
    manifest.files = {}
    manifest.save(folder)
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
    command = (
        f"more: missing or of another size; `ragtune index {tmp_path} --rebuild` makes it again"
    )
    with pytest.raises(RunError, match=command):
        Retriever(folder, rag, embedder, "f")
    with pytest.raises(RunError, match=command):
        update(corpus, rag, embedder, fingerprint="f", folder=folder)
    update(corpus, rag, embedder, fingerprint="f", folder=folder, rebuild=True)
    Retriever(folder, rag, embedder, "f").close()


def test_every_file_of_the_store_is_missed(
    embedder: Embedder, corpus: Corpus, tmp_path: Path
) -> None:
    rag = Rag(chunk_tokens=32)
    update(corpus, rag, embedder, fingerprint="f", folder=tmp_path / "whole" / "index")
    whole = tmp_path / "whole" / "index"
    store = [path.relative_to(whole) for path in (whole / "store").rglob("*") if path.is_file()]
    assert len(store) > 20
    folder = tmp_path / "copy" / "index"
    copy(whole, folder)
    for file in store:
        (folder / file).rename(tmp_path / "away")
        with pytest.raises(RunError, match=f"{file}: missing or of another size; .*--rebuild"):
            Retriever(folder, rag, embedder, "f")
        (tmp_path / "away").rename(folder / file)
    Retriever(folder, rag, embedder, "f").close()


def test_what_the_engine_finds_broken_is_a_line(
    retriever: Retriever, embedder: Embedder, tmp_path: Path
) -> None:
    folder = tmp_path / "index"
    retriever.close()
    manifest = Manifest.load(folder)
    assert manifest is not None
    manifest.files = {}
    manifest.save(folder)
    (bad,) = folder.glob("store/segments/*/segment.json")
    bad.write_text("{")
    with pytest.raises(RunError, match=r"no usable index: .* --rebuild` makes it again") as caught:
        Retriever(folder, retriever.rag, embedder, "f")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("change", [{"more": 1}, {"settings": 3}, {"settings": {"format": 2}}])
def test_an_index_of_another_version_is_named(
    retriever: Retriever, embedder: Embedder, tmp_path: Path, change: dict[str, Any]
) -> None:
    folder = tmp_path / "index"
    retriever.close()
    content = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**content, **change}))
    with pytest.raises(RunError, match=r"of another version of ragtune; .* --rebuild"):
        Retriever(folder, retriever.rag, embedder, "f")


def test_words_are_found_without_an_embedder_and_without_llama_index(
    retriever: Retriever, tmp_path: Path
) -> None:
    retriever.close()
    code = """
import sys
from pathlib import Path
from types import SimpleNamespace
from ragtune.core.errors import RunError
from ragtune.retrieval.index import Retriever

rag = SimpleNamespace(chunk_tokens=32, chunk_overlap=0.2, qdrant="embedded", top_k=1)
rag.search, rag.language = "hybrid", "en"
retriever = Retriever(Path(sys.argv[1]), rag, None, "f")
((found,),) = retriever.search(["What does soup cost?"], mode="keyword")
print(found.document)
try:
    retriever.search(["What does soup cost?"])
except RunError as error:
    print(error)
print(sorted({"llama_index", "torch", "transformers", "numpy"} & sys.modules.keys()))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "index")],
        capture_output=True,
        text=True,
        check=True,
    )
    document, refused, heavy = done.stdout.splitlines()
    assert document == "canteen.md"
    assert refused.endswith("hybrid search needs the embedder; allowed: keyword")
    assert heavy == "[]"


def test_a_copy_of_an_index_is_one_and_small(
    retriever: Retriever, embedder: Embedder, tmp_path: Path
) -> None:
    folder, rag = tmp_path / "index", retriever.rag
    with pytest.raises(RunError, match=f"in use by process {os.getpid()}"):
        copy(folder, tmp_path / "refused")
    retriever.copy(tmp_path / "open")
    retriever.close()
    copy(folder, tmp_path / "closed")
    for name in ("open", "closed"):
        copied = [path for path in (tmp_path / name).rglob("*") if path.is_file()]
        assert not [path for path in copied if path.name.startswith(".owner")]
        assert sum(path.stat().st_blocks * 512 for path in copied) < 10_000_000
        opened = Retriever(tmp_path / name, rag, embedder, "f")
        assert opened.search(["What does soup cost?"])[0][0].document == "canteen.md"
        opened.close()
    with pytest.raises(RunError, match="no index there"):
        copy(tmp_path / "nowhere", tmp_path / "x")


def test_an_index_that_changes_while_it_is_copied_is_not_taken(
    retriever: Retriever, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "index"
    retriever.close()
    real = files.copy_tree

    def meanwhile(source: Path, target: Path, **options: Any) -> None:
        real(source, target, **options)
        (source / "manifest.json").write_text("{}")

    monkeypatch.setattr(copies, "copy_tree", meanwhile)
    with pytest.raises(RunError, match="changed while it was copied; copy it again"):
        copy(folder, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_it_is_an_ordinary_llama_index_store_with_filters(retriever: Retriever) -> None:
    from llama_index.core.vector_stores import (
        FilterCondition,
        FilterOperator,
        MetadataFilter,
        MetadataFilters,
    )

    index = retriever.as_llama_index()
    only = MetadataFilters(filters=[MetadataFilter(key="document", value="fog.md")])
    (hit,) = index.as_retriever(similarity_top_k=3, filters=only).retrieve("What does soup cost?")
    assert hit.metadata["document"] == "fog.md"
    (first, *_) = index.as_retriever(similarity_top_k=3).retrieve("What does soup cost?")
    assert first.metadata["document"] == "canteen.md"
    either = MetadataFilters(
        filters=[
            MetadataFilter(key="document", value="fog.md"),
            MetadataFilter(key="document", value=["keys.md"], operator=FilterOperator.IN),
        ],
        condition=FilterCondition.OR,
    )
    hits = index.as_retriever(similarity_top_k=3, filters=either).retrieve("What does soup cost?")
    assert {hit.metadata["document"] for hit in hits} == {"fog.md", "keys.md"}
    index.vector_store.delete("fog.md")
    assert len(retriever.store) == len(FACTS) - 1


def test_the_embedder_gives_unit_vectors_close_to_plain_fp32(embedder: Embedder) -> None:
    import numpy as np

    texts = [sentence for _, _, sentence, _, _ in FACTS]
    ours = np.array(embedder.embed(texts))
    plain = np.array(embedder.llama_index.get_text_embedding_batch(texts))
    ours_in_fp32 = embedder.model.encode(texts, batch_size=64, normalize_embeddings=True)
    assert (ours_in_fp32 == np.array(plain, np.float32)).all()
    assert np.allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-3)
    assert ((ours * plain).sum(axis=1) > 0.999).all()


def test_the_built_in_embedder_is_checked_by_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ragtune.core.errors import ModelError

    monkeypatch.setattr(builtin, "EMBEDDER_SHA256", "0" * 64)
    with pytest.raises(ModelError, match="not the published all-MiniLM-L6-v2"):
        builtin.builtin_embedder()
