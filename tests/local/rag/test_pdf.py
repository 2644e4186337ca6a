from pathlib import Path

import pytest

from local import builtin, models
from local.rag.documents import from_folder
from local.rag.embed import Embedder
from local.rag.index import Retriever, update
from local.recipe import Rag

FIRST, LAST = 54, 64
"""Pages of the filing that are kept, from 1; the whole of it takes a minute to embed."""


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
    rag = Rag(top_k=5)
    embedder = Embedder(builtin.builtin_embedder(), models.probe())
    corpus = from_folder(filing)
    update(corpus, rag, embedder, fingerprint="f", folder=tmp_path / "index")
    assert {d.locator for d in corpus.read("10-k.pdf")} == {
        f"p. {number}" for number in range(FIRST, LAST + 1)
    }
    retriever = Retriever(tmp_path / "index", rag, embedder, "f")
    question = "What was the revenue per active rider in the quarter ended December 31, 2021?"
    for mode in ("keyword", "hybrid"):
        retriever.rag = rag.model_copy(update={"search": mode})
        (found,) = retriever.search([question])
        assert "p. 58" in [passage.locator for passage in found], mode
    retriever.close()
