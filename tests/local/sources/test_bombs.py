"""Small files that unpack to much or repeat themselves: each ends within its bounds."""

import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ragtune.core.errors import DocumentsError
from ragtune.sources import reading
from ragtune.sources.bounds import MB, Bounds, bounds_of
from ragtune.sources.reader_process import ReaderProcess
from ragtune.sources.readers import html, pdf

TEXT = b"BT /F1 12 Tf 72 720 Td (It opens at six.) Tj ET"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
ONE = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"


def document(objects: list[bytes]) -> bytes:
    body, places = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + end


def stream(data: bytes, more: bytes = b"") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(data), more, data)


def packed(unit: bytes, megabytes: int) -> bytes:
    made = zlib.compressobj(9)
    whole = unit * (MB // len(unit))
    return b"".join([*(made.compress(whole) for _ in range(megabytes)), made.flush()])


def paged(content: bytes, drawn: bytes = b"", pages: bytes = ONE, *more: bytes) -> bytes:
    page = (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> %s >> >>" % drawn
    )
    return document([b"<< /Type /Catalog /Pages 2 0 R >>", pages, page, content, FONT, *more])


def forms(levels: int, in_each: int) -> bytes:
    start = b"/Type /XObject /Subtype /Form /BBox [0 0 600 700] "
    own = b"/Resources << /Font << /F1 5 0 R >> /XObject << /X %d 0 R >> >>"
    made = [stream(b"/X Do " * in_each + TEXT, start + own % (n + 7)) for n in range(levels)]
    return paged(stream(b"/X Do"), b"/XObject << /X 6 0 R >>", ONE, *made, stream(TEXT, start))


def tree(levels: int) -> bytes:
    made = [
        b"<< /Type /Pages /Kids [%d 0 R] /Count 1 /Parent %d 0 R >>" % (n + 3, n + 1)
        for n in range(levels)
    ]
    page = b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 612 792] >>" % (levels + 1)
    return document([b"<< /Type /Catalog /Pages 2 0 R >>", *made, page])


ZIPPED = b"/Filter /FlateDecode"
BOMBS: dict[str, Callable[[], bytes]] = {
    "spaces": lambda: paged(stream(packed(b" ", 600), ZIPPED)),
    "packed twice": lambda: paged(
        stream(zlib.compress(packed(b" ", 600), 9), b"/Filter [/FlateDecode /FlateDecode]")
    ),
    "text": lambda: paged(stream(packed(TEXT + b"\n", 100), ZIPPED)),
    "forms in forms": lambda: forms(40, 10),
    "one page 100,000 times": lambda: paged(
        stream(TEXT * 9),
        b"",
        b"<< /Type /Pages /Kids [%s] /Count 100000 >>" % (b"3 0 R " * 100_000),
    ),
}
LITTLE = Bounds(1.0, 300_000_000, 50_000_000, 15.0)


@pytest.fixture(scope="module")
def process() -> Iterator[ReaderProcess]:
    made = ReaderProcess()
    yield made
    made.stop()


@pytest.mark.parametrize("kind", BOMBS)
def test_a_pdf_that_unpacks_to_more_than_it_may_is_left_out_within_its_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process: ReaderProcess, kind: str
) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(BOMBS[kind]())
    assert path.stat().st_size < MB
    monkeypatch.setattr(reading, "bounds_of", lambda path: LITTLE)
    monkeypatch.setattr(reading, "PROCESS", process)
    began = time.monotonic()
    with pytest.raises(DocumentsError, match=r"more than|its reader crashed") as error:
        reading.read(path, path.name)
    assert "\n" not in str(error.value)
    assert time.monotonic() - began < 3 * LITTLE.clock
    good = tmp_path / "good.pdf"
    good.write_bytes(paged(stream(TEXT)))
    assert reading.read(good, good.name)[0].text == "It opens at six."  # the next one is read


def test_page_trees_without_end_cost_their_pages_and_no_others(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(tree(20_000))
    with pytest.raises(DocumentsError, match="cannot be read: its one page cannot"):
        pdf.read(path, path.name)
    path.write_bytes(paged(stream(TEXT), b"", b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>"))
    (page,) = pdf.read(path, path.name)
    assert page.text == "It opens at six."
    assert page.left_out == ("1 of 2 pages (page 2) cannot be read: broken",)


def test_empty_pages_by_the_thousand_hold_no_text(tmp_path: Path) -> None:
    count = 2_000
    kids = b"".join(b"%d 0 R " % (n + 3) for n in range(count))
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>"
    pages = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, count)
    path = tmp_path / "a.pdf"
    path.write_bytes(document([b"<< /Type /Catalog /Pages 2 0 R >>", pages, *[page] * count]))
    with pytest.raises(DocumentsError, match="holds no text in 2000 pages"):
        reading.read(path, path.name)


def test_no_file_under_ten_megabytes_may_take_a_minute_or_two_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    for size in (0, MB, 9 * MB + 999_999):
        with path.open("wb") as file:
            file.truncate(size)
        bounds = bounds_of(path)
        assert bounds.seconds <= bounds.clock < 60
        assert bounds.memory < 2_000_000_000
        assert bounds_of(path, scans=True).memory < 2_000_000_000


@pytest.mark.parametrize("tag", ["div", "nav", "ul", "section class=nav", "font"])
def test_tags_in_tags_end_at_a_depth_and_not_by_the_clock(tmp_path: Path, tag: str) -> None:
    path = tmp_path / "a.html"
    path.write_text(f"<{tag}>" * 20_000 + "It opens at six.")
    began = time.process_time()
    with pytest.raises(DocumentsError, match="nested more than 500 levels deep"):
        html.read(path, path.name)
    assert time.process_time() - began < 10  # 60 s from a tenth of it before
    path.write_text(f"<{tag}>" * 200 + "It opens at six.")
    assert "It opens at six." in html.read(path, path.name)[0].text
