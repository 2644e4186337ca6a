import base64
import zlib
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from ragtune.core.errors import DocumentsError
from ragtune.recipe.rag import Rag
from ragtune.retrieval.index import Retriever, update
from ragtune.sources.documents import from_folder
from ragtune.sources.readers import ocr
from tests.local.retrieval.killing import Words

FIRST, LAST = 56, 60
"""Pages of the filing that are kept, from 1; reading the whole of it takes seconds."""
ENCRYPTED = (
    "c-pN}O^?$s5WV|X%%w-xA2W7hDe8gUt%Lw=)m^xtJvja-MOCs&Q)!n!$$@_We}qYaC88X0WGQ;{-kayK7wfCl3w?oN@$L"
    "JUuR?=@zWpScM#%Nhr(?_mG=X%{ZER~?ise$|E=?RW<K8_zWRUBy%?BYb`(rnP7V`Bj9pD2H6E|=_lj525GK^v0Z^cg!n7"
    "lVL0sXU=kehtyk3(bySC}r}=Clhh`$ul8F4Spz{_ZE^A#<$1o$bu|{S<lwM#wk0+m0WB6zhPDC+{lbxv<*pM;?j19YdGGk"
    "c7N}CfiUa<LatSKB-uWC)ZXXT3f7EwNA09q_wk_BDE#9D%ecqit{;89XR(pXgp!8sIGFYeN?tZDp7}+u{Oa`sM}=GaS}{9"
    "QdGrP#%A={+E`NZ?fh;Yhg^gLC)D!-ZjTlUJY$;AeyVhTFze4St?P5lRcDy7Gi)5fZl8zKSZ{ZqGe?n|z8?Wk^Ovu>(u4l"
    ">f5o@eAfa)Fw{_%<BXsCdqjee;8bq`>q26gX@d(NBc^G%R5Y6&`SnxZ!?&9$DFoOO4P!3}l#?wHl(qgf=zFCPMm@3R!"
)
"""A blank page under the password `secret`, compressed."""


def pdf(*pages: str, objects: str = "", font: str = "", catalog: str = "") -> bytes:
    """Pages with a line of text each, as a file that leaves its table to be made by the reader."""
    kids = " ".join(f"{10 + 2 * n} 0 R" for n in range(len(pages)))
    parts = [
        "%PDF-1.4",
        f"1 0 obj<</Type/Catalog/Pages 2 0 R{catalog}>>endobj",
        f"2 0 obj<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>endobj",
        f"4 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica{font}>>endobj",
        objects,
    ]
    for n, text in enumerate(pages):
        drawn = f"BT /F 12 Tf 9 99 Td ({text}) Tj ET"
        parts.append(
            f"{10 + 2 * n} 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 400 200]/Contents "
            f"{11 + 2 * n} 0 R/Resources<</Font<</F 4 0 R>>>>>>endobj"
        )
        parts.append(f"{11 + 2 * n} 0 obj<</Length {len(drawn)}>>stream\n{drawn}\nendstream endobj")
    return "\n".join([*parts, "trailer<</Root 1 0 R>>", "%%EOF", ""]).encode()


@pytest.fixture
def filing(shared: Path, tmp_path: Path) -> Path:
    """A folder with some pages of a real 10-K, the pages before them left blank."""
    (tmp_path / "docs").mkdir()
    made = pypdfium2.PdfDocument.new()
    for _ in range(1, FIRST):
        made.new_page(612, 792)
    whole = pypdfium2.PdfDocument(shared / "docs" / "lyft_2021.pdf")
    made.import_pages(whole, list(range(FIRST - 1, LAST)))
    made.save(tmp_path / "docs" / "10-k.pdf")
    whole.close()
    made.close()
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


def test_pages_have_their_number_and_the_label_that_the_file_gives_them(tmp_path: Path) -> None:
    labels = "/PageLabels<</Nums[0<</S/r>>2<</S/D>>]>>"
    (tmp_path / "a.pdf").write_bytes(pdf("Contents.", "", "One.", catalog=labels))
    (tmp_path / "b.pdf").write_bytes(pdf("", "Second."))
    found, _ = from_folder(tmp_path).read_all()
    assert [(d.text, d.locator, d.page) for d in found] == [
        ("Contents.", "p. i", 1),
        ("One.", "p. 1", 3),
        ("Second.", "p. 2", 2),
    ]


def test_a_compound_keeps_its_hyphen_at_the_end_of_a_line_and_lines_end_plainly(
    tmp_path: Path,
) -> None:
    drawn = "(forward-) Tj 0 -20 Td (looking words) Tj 0 -20 Td (end.) Tj ("
    content = pdf(f") Tj {drawn}")
    (tmp_path / "a.pdf").write_bytes(content)
    (document,) = from_folder(tmp_path).read("a.pdf")
    assert document.text == "forward-looking words\nend."


def test_half_characters_of_a_broken_font_are_replaced(tmp_path: Path) -> None:
    table = "1 beginbfchar\n<41> <D83D>\nendbfchar\n"
    objects = f"5 0 obj<</Length {len(table)}>>stream\n{table}\nendstream endobj"
    content = pdf("bell A rings", objects=objects, font="/ToUnicode 5 0 R")
    (tmp_path / "a.pdf").write_bytes(content)
    (document,) = from_folder(tmp_path).read("a.pdf")
    assert document.text == "bell \ufffd rings"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (zlib.decompress(base64.b85decode(ENCRYPTED)), "needs a password; save it without one"),
        (b"not a pdf", "cannot be read: no PDF but something else"),
        (b" <html>404", "cannot be read: no PDF but a web page, perhaps an error"),
        (pdf("Text.")[:99], "cannot be read: cut off before its end; get it again"),
        (b"%PDF-1.4 %%EOF", "cannot be read: a broken PDF"),
        (b"", "holds no text: the file is empty (0 bytes)"),
        (pdf("", ""), f"holds no text in 2 pages: {ocr.ADVICE}"),
    ],
)
def test_what_gives_no_text_is_left_out_with_the_reason(
    tmp_path: Path, without_ocr: None, content: bytes, reason: str
) -> None:
    (tmp_path / "a.pdf").write_bytes(content)
    with pytest.raises(DocumentsError) as caught:
        from_folder(tmp_path).read("a.pdf")
    assert str(caught.value) == reason


def drawn(*pieces: tuple[int, int, str]) -> bytes:
    """A page with each text at its place, in this order."""
    inner = "".join(f") Tj 1 0 0 1 {x} {y} Tm ({text}" for x, y, text in pieces)
    return pdf(inner)


LEFT = ["The ferry to the", "island leaves at", "seven and takes for-", "ty minutes each."]
RIGHT = ["The museum opens", "at ten and closes", "at five; children", "under six are free."]


@pytest.mark.parametrize("by_column", [True, False])
def test_columns_are_read_one_after_the_other(tmp_path: Path, by_column: bool) -> None:
    left = [(9, 180 - 14 * n, text) for n, text in enumerate(LEFT)]
    right = [(200, 180 - 14 * n, text) for n, text in enumerate(RIGHT)]
    lines = [piece for pair in zip(left, right, strict=True) for piece in pair]
    content = drawn(*(left + right if by_column else lines))
    (tmp_path / "a.pdf").write_bytes(content)
    (document,) = from_folder(tmp_path).read("a.pdf")
    text = " ".join(document.text.split())
    assert text == (
        "The ferry to the island leaves at seven and takes forty minutes each. "
        "The museum opens at ten and closes at five; children under six are free."
    )


def test_pieces_in_columns_are_a_table_with_its_header(tmp_path: Path) -> None:
    rows = [("", "beds", "price"), ("Heron", "2", "90"), ("Plover", "4", "140"), ("Tern", "", "70")]
    places = (9, 150, 250)
    cells = [
        (x, 150 - 14 * n, text)
        for n, row in enumerate(rows)
        for x, text in zip(places, row, strict=True)
        if text
    ]
    content = drawn((9, 180, "Prices of rooms"), *cells, (9, 60, "Valid from May."))
    (tmp_path / "a.pdf").write_bytes(content)
    (document,) = from_folder(tmp_path).read("a.pdf")
    assert document.text == (
        "Prices of rooms\nHeron | beds: 2 | price: 90\nPlover | beds: 4 | price: 140\n"
        "Tern | price: 70\nValid from May."
    )
    (table,) = document.tables
    assert document.text[table.start : table.end].count("\n") == 2


def scanned(path: Path, *pages: bytes) -> None:
    """A PDF with a page of text, pages that are pictures of others, and a blank one."""
    made = pypdfium2.PdfDocument(pdf("One."))
    for content in pages:
        picture = pypdfium2.PdfDocument(content)[0].render(scale=2)
        page = made.new_page(400, 200)
        image = pypdfium2.PdfImage.new(made)
        image.set_bitmap(picture)
        image.set_matrix(pypdfium2.PdfMatrix().scale(400, 200))
        page.insert_obj(image)
        page.gen_content()
    made.new_page(400, 200)
    made.save(path)
    made.close()


def test_pages_without_text_among_others_are_named(tmp_path: Path, without_ocr: None) -> None:
    scanned(tmp_path / "a.pdf", pdf("Fog."))
    (document,) = from_folder(tmp_path).read("a.pdf")
    assert document.left_out == (f"1 of 3 pages without text (page 2): {ocr.ADVICE}",)


def test_scans_are_read_where_the_extra_is_installed(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    rows = [("room", "beds"), ("Heron", "2"), ("Plover", "14")]
    cells = [
        (x, 150 - 14 * n, t) for n, r in enumerate(rows) for x, t in zip((9, 200), r, strict=True)
    ]
    scanned(tmp_path / "a.pdf", drawn((9, 180, "The keeper is Ida Brandt."), *cells))
    _, document = from_folder(tmp_path).read("a.pdf")
    assert (document.page, document.locator, document.left_out) == (2, "p. 2", ())
    assert (
        document.text == "The keeper is Ida Brandt.\nroom: Heron | beds: 2\nroom: Plover | beds: 14"
    )
