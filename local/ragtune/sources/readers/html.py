"""HTML: what a page says, without what is around it on every page of its site."""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ragtune.core.errors import DocumentsError
from ragtune.core.text import charset
from ragtune.core.text.shortening import shortened
from ragtune.sources.readers.base import Document, one_line
from ragtune.sources.readers.blocks import Blocks
from ragtune.sources.readers.table import Grid, guessed, marked
from ragtune.sources.readers.text import decode

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BREAKS = frozenset(
    (
        *("p", "div", "section", "article", "main", "header", "footer", "aside", "nav", "address"),
        *("ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "tr", "td", "th", "br", "hr"),
        *("pre", "blockquote", "figure", "figcaption", "details", "summary"),
        *("form", "fieldset", "legend", "option"),
    )
)
_UNSEEN = ["script", "style", "noscript", "template", "svg", "iframe", "object", "canvas", "head"]
_AROUND = ["nav", "menu", "dialog"]
_ROLES = frozenset(
    ("navigation", "search", "dialog", "alertdialog", "menu", "menubar", "toolbar", "tablist")
)
_NAMES = re.compile(
    r"(?:^|[-_ ])(?:cookies?(?:[-_ ]?(?:banner|bar|notice|consent|popup|message))?|consent|gdpr|"
    r"ccpa|onetrust|cookiebot|breadcrumbs?|nav(?:bar|igation)?|site-?nav|menu|skip-?(?:link|nav|to)|"
    r"pagination|share|sharing|social(?:-links|-share)?|newsletter(?:-signup)?|popup|modal)"
    r"(?:$|[-_ ])",
    re.I,
)
"""Classes and ids of what is around a page's text."""
DEEPEST = 500
"""Levels of a page; browsers stop at 512."""
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.I)


def read(path: Path, name: str) -> list[Document]:
    """The text of the body, a line a block, tables as rows of ``column: value``.

    Left out: scripts and what is hidden, navigation, cookie banners, lists of links outside of the
    page's main part.
    """
    return [document(decoded(path.read_bytes()), name, path.stem)]


def document(source: str, name: str, title: str, locator: str = "") -> Document:
    """The document that HTML makes; ``title`` where it has none of its own."""
    blocks = Blocks(gap="\n")
    own = add(blocks, source)
    return blocks.document(name, own or title, locator)


def add(blocks: Blocks, source: str) -> str:
    """Add what HTML says to blocks; return its title."""
    soup = _soup(source)
    title = one_line(soup.title.get_text()) if soup.title else ""
    _refuse_depth(soup)
    for tag in soup(_UNSEEN):
        if not _is_gone(tag):
            tag.decompose()
    body = soup.body or soup
    _clear(body)
    _Walk(blocks).of(body)
    return title


def _soup(source: str) -> Any:
    """The page as browsers read it: as XML where it says that it is, else as HTML."""
    from bs4 import BeautifulSoup, XMLParsedAsHTMLWarning

    if source.lstrip().startswith("<?xml"):
        soup = BeautifulSoup(source.lstrip().encode(), "xml", from_encoding="utf-8")
        if soup.find("body") is not None:
            return soup
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
        return BeautifulSoup(source, "lxml")


def _refuse_depth(soup: Any) -> None:
    """Raise DocumentsError for more levels than `DEEPEST`, before they are walked through."""
    depth = 0
    for tag in soup.descendants:
        if tag.parent is not tag.previous_element:
            depth = sum(1 for _ in tag.parents)
        else:
            depth += 1
        if depth > DEEPEST:
            raise DocumentsError(f"cannot be read: nested more than {DEEPEST} levels deep")


def _is_gone(tag: Any) -> bool:
    """Whether it was taken away; Beautiful Soup's own property looks through all that is inside."""
    return bool(vars(tag).get("_decomposed"))


def _clear(body: Any) -> None:
    """Take away what is around the page's text, unless it is most of the page."""
    whole = len(body.get_text(" ", strip=True))
    for tag in body.find_all(True):
        if _is_gone(tag) or tag.attrs is None:
            continue
        if tag.has_attr("hidden") or _HIDDEN.search(str(tag.get("style") or "")):
            if not tag.find_parent("details"):
                tag.decompose()
        elif (
            _is_around(tag)
            and not tag.find(["main", "article", "h1", "table"])
            and 2 * len(tag.get_text(" ", strip=True)) < whole
        ):
            tag.decompose()


def _is_around(tag: Any) -> bool:
    if tag.name in _AROUND or str(tag.get("role") or "").lower() in _ROLES:
        return True
    if tag.name in ("body", "main", "article", "table", "tr", "td", "th", "a", *_HEADINGS):
        return False
    classes = tag.get("class") or []
    named = [*(classes.split() if isinstance(classes, str) else classes), str(tag.get("id") or "")]
    if any(_NAMES.search(name) for name in named) and tag.name in ("div", "section", "ul", "aside"):
        return True
    return tag.name in ("ul", "ol") and _is_link_list(tag)


def _is_link_list(tag: Any) -> bool:
    """A list of three links or more and hardly anything else, at a page's edge."""
    links = tag.find_all("a")
    if len(links) < 3 or tag.find_parent(["main", "article"]):
        return False
    edge = tag.find_parent(["header", "footer", "aside"])
    said = len(tag.get_text("", strip=True))
    linked = sum(len(link.get_text("", strip=True)) for link in links)
    return edge is not None and linked >= 0.9 * said


class _Walk:
    """One way through a page, block by block."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks, self.said = blocks, [""]

    def of(self, body: Any) -> None:
        self._inside(body)
        self._flush()

    def _flush(self) -> None:
        for line in "".join(self.said).split("\n"):
            self.blocks.text(one_line(line))
        self.said = []

    def _inside(self, tag: Any) -> None:
        for child in tag.children:
            name = getattr(child, "name", None)
            if name is None:
                if type(child).__name__ in ("NavigableString", "CData"):
                    self.said.append(
                        re.sub(r"\s+", " ", str(child)) if tag.name != "pre" else child
                    )
            elif name in _HEADINGS:
                self._flush()
                self.blocks.heading(child.get_text(" "))
            elif name == "table" and _is_data(child):
                self._flush()
                caption = child.find("caption")
                said = one_line(caption.get_text(" ")) if caption else ""
                self.blocks.table(grid(child), said)
            else:
                block = name in _BREAKS
                self.said += ["\n"] * block
                self._inside(child)
                self.said += ["\n"] * block


def _is_data(table: Any) -> bool:
    """Whether a table is one, and not there for the layout: no table, heading or list in it."""
    if str(table.get("role") or "") in ("presentation", "none"):
        return False
    rows = list(_rows(table))
    if not any(len(row) > 1 for row, _ in rows):
        return False
    return table.find(["table", *_HEADINGS, "form", "article"]) is None


def grid(table: Any) -> Grid:
    """The rows of a table; cells over several columns or rows are in each of them."""
    rows: list[list[str]] = []
    heads: list[bool] = []
    labels: list[bool] = []
    below: dict[int, tuple[int, str]] = {}
    for cells, in_head in _rows(table):
        row: list[str] = []
        headers = all(cell.name == "th" for cell in cells)
        for cell in cells:
            while len(row) in below:
                row.append(_carried(below, len(row)))
            said = one_line(cell.get_text(" "))
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            for n in range(wide):
                text = said if not n or headers or in_head else ""
                if high > 1:
                    below[len(row)] = (high - 1, text)
                row.append(text)
        while len(row) in below:
            row.append(_carried(below, len(row)))
        rows.append(row)
        heads.append(in_head or headers)
        labels.append(not headers and bool(cells) and cells[0].name == "th")
    count = next((n for n, head in enumerate(heads) if not head), len(heads))
    if 0 < count < len(rows):
        return marked(rows[:count], rows[count:])
    if all(labels):  # the first column names the rows
        return Grid(rows)
    return guessed(rows)


def _rows(table: Any) -> Iterator[tuple[list[Any], bool]]:
    for row in table.find_all("tr"):
        if row.find_parent("table") is table:
            cells = row.find_all(["td", "th"], recursive=False)
            if cells:
                yield cells, row.find_parent("thead") is not None


def _carried(below: dict[int, tuple[int, str]], column: int) -> str:
    left, text = below.pop(column)
    if left > 1:
        below[column] = (left - 1, text)
    return text


def _span(cell: Any, name: str) -> int:
    value = str(cell.get(name) or "1").strip()
    return min(max(int(value), 1), 100) if value.isdecimal() else 1


def decoded(data: bytes) -> str:
    """By the file's mark or its own declaration, else UTF-8; nothing is guessed.

    What says Latin-1 is read as Windows-1252, and what says UTF-16 without a mark as UTF-8, as
    browsers do (the Encoding Standard and HTML, "determining the character encoding").
    """
    from bs4.dammit import EncodingDetector

    declared = EncodingDetector.find_declared_encoding(data, is_html=True)
    if not declared or data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        return decode(data)
    try:
        encoding = charset.codec(declared)
        if encoding.startswith(("utf-16", "utf-32")):
            return decode(data)
        return data.decode("cp1252" if encoding in ("iso8859-1", "ascii") else encoding)
    except (LookupError, UnicodeError):
        raise DocumentsError(
            f"cannot be read: not {shortened(declared, 40)}, as it says; save it as UTF-8"
        ) from None
