"""PDF, by pdfium: a document a page."""

import contextlib
import ctypes
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragtune.core.errors import DocumentsError
from ragtune.sources.bounds import bounds_of, widen
from ragtune.sources.readers import layout, ocr
from ragtune.sources.readers.base import Document
from ragtune.sources.readers.layout import Piece

if TYPE_CHECKING:
    import pypdfium2

_HYPHENS = str.maketrans({"\ufffe": "-\n", "\x02": "-"})
"""pdfium's marks for a hyphen at the end of a line: in a whole text, where the line's end goes with
it, and in a piece."""


def read(path: Path, name: str) -> list[Document]:
    """The pages that have text, each with its number and the label that the file gives it.

    What was filled into a form is where its field is. Pages without text are recognised where the
    extra `ocr` is installed, and named where it is not.

    Raises DocumentsError for a file that needs a password, cannot be decrypted, is cut off or
    broken, or holds no text at all.
    """
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise DocumentsError(_refusal(error, path)) from None
    with contextlib.closing(pdf):
        if pdf.get_formtype():
            pdf.init_forms()
        count = len(pdf)
        documents: list[Document] = []
        blank: list[int] = []
        broken: list[int] = []
        for number in range(1, count + 1):
            try:
                page = pdf[number - 1]
                document = _page(pdf, page, name, path, number)
            except pypdfium2.PdfiumError:
                broken.append(number)
                continue
            if not document.text.strip() and _is_drawn(page):
                if ocr.is_installed():
                    if not blank:
                        widen(bounds_of(path, scans=True))
                    document = _recognised(page, document)
                blank.append(number)
            if document.text.strip():
                documents.append(document)
    if not documents:
        raise DocumentsError(_without_text(count, broken))
    left_out = [f"{_some(broken, count)} cannot be read: broken"] if broken else []
    if blank and not ocr.is_installed():
        left_out.append(f"{_some(blank, count, 'without text')}: {ocr.ADVICE}")
    if left_out:
        documents[0] = replace(documents[0], left_out=tuple(left_out))
    return documents


def _without_text(count: int, broken: list[int]) -> str:
    if len(broken) == count:
        its = "its one page cannot" if count == 1 else f"none of its {count} pages can"
        return f"cannot be read: {its}"
    advice = "nothing recognised in them" if ocr.is_installed() else ocr.ADVICE
    return f"holds no text in {count} {'page' if count == 1 else 'pages'}: {advice}"


def _some(numbers: list[int], count: int, what: str = "") -> str:
    """So many of the pages, with the first numbers."""
    pages = ", ".join(map(str, numbers[:5])) + (" ..." if len(numbers) > 5 else "")
    return f"{len(numbers)} of {count} pages{f' {what}' if what else ''} (page {pages})"


def _page(pdf: Any, page: Any, name: str, path: Path, number: int) -> Document:
    place = f"p. {pdf.get_page_label(number - 1) or number}"
    words = page.get_textpage()
    values = list(_values(pdf, page)) if pdf.formenv else []
    pieces = _placed(list(_pieces(words)), values)
    if (arranged := layout.arrange(pieces)) is not None:
        return arranged.document(name, path, place, number)
    text = words.get_text_range(errors="replace").replace("\r\n", "\n").translate(_HYPHENS)
    return Document(name, text, path.stem, place, number)


def _recognised(page: Any, document: Document) -> Document:
    """The page with the text that is recognised in its picture."""
    found = ocr.pieces(page)
    if (arranged := layout.arrange(found)) is not None:
        read = arranged.document(document.name, document.title, document.locator, document.page)
        return replace(read, title=document.title)
    return replace(document, text="\n".join(piece.text for piece in found))


def _pieces(words: Any) -> Iterator[Piece]:
    """The runs of text on a page, in the order of drawing."""
    from pypdfium2 import raw

    left, top, right, bottom = (ctypes.c_double() for _ in range(4))
    for n in range(words.count_rects()):
        if not raw.FPDFText_GetRect(words, n, left, top, right, bottom):
            continue
        box = left.value, bottom.value, right.value, top.value
        text = words.get_text_bounded(*box, errors="replace").replace("\r\n", " ")
        if text.strip():
            yield Piece(*box, text.translate(_HYPHENS), n)


def _values(pdf: Any, page: Any) -> Iterator[tuple[str, Piece]]:
    """What was filled into the form fields of a page, each with its field's name."""
    from pypdfium2 import raw

    for n in range(raw.FPDFPage_GetAnnotCount(page)):
        field = raw.FPDFPage_GetAnnot(page, n)
        try:
            if raw.FPDFAnnot_GetSubtype(field) != raw.FPDF_ANNOT_WIDGET:
                continue
            kind = raw.FPDFAnnot_GetFormFieldType(pdf.formenv, field)
            if kind in (raw.FPDF_FORMFIELD_PUSHBUTTON, raw.FPDF_FORMFIELD_SIGNATURE):
                continue
            value = _said(raw.FPDFAnnot_GetFormFieldValue, pdf, field)
            if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
                said = _said(raw.FPDFAnnot_GetFormFieldExportValue, pdf, field) or "yes"
                value = said if raw.FPDFAnnot_IsChecked(pdf.formenv, field) else ""
            name = _said(raw.FPDFAnnot_GetFormFieldAlternateName, pdf, field)
            name = name or _said(raw.FPDFAnnot_GetFormFieldName, pdf, field)
            box = raw.FS_RECTF()
            if value.strip() and raw.FPDFAnnot_GetRect(field, box):
                yield name, Piece(box.left, box.bottom, box.right, box.top, value, 0, value=True)
        finally:
            raw.FPDFPage_CloseAnnot(field)


def _said(get: Callable[..., int], pdf: Any, field: Any) -> str:
    """A text of a form field, UTF-16 with a zero at its end."""
    from pypdfium2 import raw

    length = get(pdf.formenv, field, None, 0)
    buffer = ctypes.create_string_buffer(max(length, 2))
    get(pdf.formenv, field, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), length)
    return buffer.raw[:length].decode("utf-16-le", errors="replace").rstrip("\0")


def _placed(pieces: list[Piece], values: list[tuple[str, Piece]]) -> list[Piece]:
    """The pieces, and what was filled in behind the words that are before it in its line.

    Where none are, the field's name is put before it, and it comes last.
    """
    for name, value in values:
        if any(value.text.strip() in p.text and _covers(value, p) for p in pieces):
            continue  # drawn as text as well
        middle = (value.top + value.bottom) / 2
        before = [p for p in pieces if p.bottom - 4 < middle < p.top + 4 and p.left < value.left]
        if before:
            label = max(before, key=lambda p: p.right)
            value.bottom, value.top = label.bottom, label.top
            at = pieces.index(label) + 1
        else:
            value.text = f"{name}: {value.text}"
            at = len(pieces)
        pieces.insert(at, value)
    for order, piece in enumerate(pieces):
        piece.order = order
    return pieces


def _covers(box: Piece, piece: Piece) -> bool:
    return box.left - 4 < piece.left < box.right and box.bottom - 4 < piece.bottom < box.top


def _is_drawn(page: Any) -> bool:
    """Whether something is on a page."""
    from pypdfium2 import raw

    return bool(raw.FPDFPage_CountObjects(page) > 0)


def _refusal(error: "pypdfium2.PdfiumError", path: Path) -> str:
    import pypdfium2.raw

    if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
        return "needs a password; save it without one"
    if error.err_code == pypdfium2.raw.FPDF_ERR_SECURITY:
        return "cannot be decrypted: a kind of encryption that is not known; save it without"
    if error.err_code != pypdfium2.raw.FPDF_ERR_FORMAT:
        return f"cannot be read: {error}"
    data = path.read_bytes()
    if b"%PDF-" not in data[:1024]:
        kind = "a web page, perhaps an error" if data.lstrip()[:1] == b"<" else "something else"
        return f"cannot be read: no PDF but {kind}"
    if b"%%EOF" not in data[-2048:]:
        return "cannot be read: cut off before its end; get it again"
    return "cannot be read: a broken PDF"
