"""PDF, by pdfium: a document a page."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from ragtune.core.errors import DocumentsError
from ragtune.sources.readers.base import Document

if TYPE_CHECKING:
    import pypdfium2

_HYPHEN = "\ufffe"
"""pdfium's mark for a hyphen at the end of a line, which it takes away with the line's end."""


def read(path: Path, name: str) -> list[Document]:
    """The pages that have text, each with its number and the label that the file gives it.

    Raises DocumentsError for a file that needs a password, is broken, or holds no text at all.
    """
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise DocumentsError(_refusal(error)) from None
    with contextlib.closing(pdf):
        count = len(pdf)
        documents = [
            Document(name, text, path.stem, f"p. {pdf.get_page_label(n - 1) or n}", n)
            for n in range(1, count + 1)
            if (text := _text(pdf[n - 1].get_textpage().get_text_range(errors="replace"))).strip()
        ]
    if not documents:
        raise DocumentsError(f"holds no text in {count} pages: a scan? recognise its text")
    return documents


def _refusal(error: "pypdfium2.PdfiumError") -> str:
    import pypdfium2.raw

    if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
        return "needs a password; save it without one"
    if error.err_code == pypdfium2.raw.FPDF_ERR_FORMAT:
        return "cannot be read: no PDF, or a broken one"
    return f"cannot be read: {error}"


def _text(found: str) -> str:
    """The text with plain line ends, and each hyphen at one as the page shows it.

    It is not joined: in a company's report all of thirty such words kept their hyphen.
    """
    return found.replace("\r\n", "\n").replace(_HYPHEN, "-\n")
