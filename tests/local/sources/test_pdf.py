from pathlib import Path
from typing import Any

import pytest

from ragtune.recipe.schema import Rag
from ragtune.retrieval.index import Retriever, update
from ragtune.sources.documents import from_folder
from tests.local.retrieval.killing import Words

FIRST, LAST = 56, 60
"""Pages of the filing that are kept, from 1; reading the whole of it takes seconds."""


@pytest.fixture
def filing(shared: Path, tmp_path: Path) -> Path:
    """A folder with some pages of a real 10-K, the pages before them left blank."""
    from pypdf import PdfReader, PdfWriter

    pages, writer = PdfReader(shared / "docs" / "lyft_2021.pdf").pages, PdfWriter()
    for number in range(1, LAST + 1):
        if number < FIRST:
            writer.add_blank_page(612, 792)
        else:
            writer.add_page(pages[number - 1])
    (tmp_path / "docs").mkdir()
    with (tmp_path / "docs" / "10-k.pdf").open("wb") as file:
        writer.write(file)
    return tmp_path / "docs"


def test_a_figure_of_a_real_filing_is_found_with_its_page(filing: Path, tmp_path: Path) -> None:
    rag = Rag(top_k=5, search="keyword")
    words: Any = Words()
    corpus = from_folder(filing)
    update(corpus, rag, words, fingerprint="f", folder=tmp_path / "index")
    retriever = Retriever(tmp_path / "index", rag, words, "f")
    question = "What was the revenue per active rider in the quarter ended December 31, 2021?"
    (found,) = retriever.search([question])
    places = [passage.locator for passage in found]
    retriever.close()
    assert "p. 58" in places
    assert set(places) <= {f"p. {number}" for number in range(FIRST, LAST + 1)}


def test_half_characters_of_a_broken_font_are_replaced(tmp_path: Path) -> None:
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    def named(**entries: Any) -> DictionaryObject:
        return DictionaryObject({NameObject(f"/{key}"): of for key, of in entries.items()})

    def stream(data: bytes) -> Any:
        made = DecodedStreamObject()
        made.set_data(data)
        return writer._add_object(made)

    writer = PdfWriter()
    page = writer.add_blank_page(200, 200)
    font = named(
        Type=NameObject("/Font"),
        Subtype=NameObject("/Type1"),
        BaseFont=NameObject("/Helvetica"),
        ToUnicode=stream(b"1 beginbfchar\n<41> <D83D>\nendbfchar\n"),
    )
    page[NameObject("/Resources")] = named(Font=named(F=font))
    page[NameObject("/Contents")] = stream(b"BT /F 12 Tf (bell A rings) Tj ET")
    writer.write(tmp_path / "a.pdf")
    (document,) = from_folder(tmp_path).read("a.pdf")
    assert document.text == "bell \ufffd rings"
