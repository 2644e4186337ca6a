from pathlib import Path

import pytest

from local.errors import DocumentsError
from local.rag import documents
from local.records import Record


def test_a_folder_gives_its_documents_by_name_with_their_titles(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.md").write_text("# The title\n\nText.")
    (tmp_path / "sub" / "a-b.txt").write_text("Plain.")
    corpus = documents.from_folder(tmp_path)
    assert [(d.name, d.title) for d in corpus.documents] == [
        ("b.md", "The title"),
        ("sub/a-b.txt", "a b"),
    ]
    assert corpus.skipped == {}


def test_html_gives_its_text_without_tags(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<html><body><h1>Hi</h1><p>There &amp; then</p></body></html>")
    (document,) = documents.from_folder(tmp_path).documents
    assert "There & then" in document.text
    assert "<" not in document.text


def test_what_cannot_be_used_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text("Text.")
    (tmp_path / "empty.md").write_text(" \n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    (tmp_path / "broken.pdf").write_bytes(b"not a pdf")
    (tmp_path / "image.png").write_bytes(b"\x89PNG")
    (tmp_path / ".hidden.md").write_text("secret")
    corpus = documents.from_folder(tmp_path)
    assert [d.name for d in corpus.documents] == ["good.md"]
    assert set(corpus.skipped) == {"empty.md", "latin.txt", "broken.pdf", "image.png"}
    assert corpus.skipped["empty.md"] == "holds no text"
    assert corpus.skipped["latin.txt"].startswith("cannot be read")


def test_an_empty_or_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DocumentsError, match="gives no document: it is empty"):
        documents.from_folder(tmp_path)
    with pytest.raises(DocumentsError, match="no such folder"):
        documents.from_folder(tmp_path / "none")


def test_the_hash_follows_names_and_texts(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("One.")
    first = documents.from_folder(tmp_path).hash
    assert documents.from_folder(tmp_path).hash == first
    (tmp_path / "a.md").write_text("Two.")
    assert documents.from_folder(tmp_path).hash != first


def test_equal_contexts_are_one_document_and_the_gold_of_their_records() -> None:
    records = [Record("q1", "a", context="same"), Record("q2", "b", context="same")]
    corpus = documents.from_contexts(records)
    named = documents.with_context_names(records)
    assert [d.name for d in corpus.documents] == [named[0].document]
    assert named[0].document == named[1].document
    with pytest.raises(DocumentsError, match="no record has a context"):
        documents.from_contexts([Record("q", "a")])


def test_a_real_pdf_is_read_by_page(shared: Path) -> None:
    import shutil
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(shared / "docs" / "lyft_2021.pdf", folder)
        corpus = documents.from_folder(Path(folder))
    assert len(corpus.documents) > 100
    assert corpus.documents[2].locator == "p. 3"
