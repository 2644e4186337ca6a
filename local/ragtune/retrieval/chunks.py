"""Documents → chunks: llama-index nodes with an id, a place, and the text that is embedded."""

import contextlib
import io
import math
import unicodedata
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ragtune.core.errors import DocumentsError
from ragtune.retrieval import packages
from ragtune.retrieval import sentences as rules
from ragtune.retrieval.embedder import Embedder
from ragtune.retrieval.section import Chunking
from ragtune.sources.readers import Document, Table
from ragtune.sources.readers.table import BAR

NAMESPACE = uuid.UUID("6f1c5a52-3d0e-5b63-9a55-9d0c6f0c2f11")
"""Of the point ids: uuid5 of the document's name and the chunk's number in it."""
SPECIAL = 2
"""Tokens that the embedder puts around a text."""
BYTES = 8
"""UTF-8 bytes a token that a chunk may have; prose has at most 6.

A tokenizer may make one token of any text (WordPiece of each word over 100 letters), so tokens
alone do not bound a chunk.
"""

Sentences = Callable[[str], list[str]]
"""A text → its sentences, which together are the text."""


@dataclass(frozen=True)
class _Part:
    """A chunk's text, and where it is in the document's; ``whole``: a table that fits."""

    text: str
    start: int
    end: int
    whole: bool = False


class Chunker:
    """Splits documents into llama-index nodes of at most ``chunk_tokens`` of the embedder's tokens.

    Sentences stay whole where they fit, and so do the rows of tables, whose caption goes with each
    chunk; no chunk spans two pages. The title is embedded with each chunk, and counted; a long one
    is cut to half a chunk. No chunk has more than `BYTES` bytes a token.
    """

    def __init__(
        self, rag: Chunking, embedder: Embedder, sentences: Sentences | None = None
    ) -> None:
        """``sentences`` finds sentences, `retrieval.sentences` by default."""
        splitters = packages.module("llama_index.core.node_parser.text.sentence")
        self._tokens, self._title = embedder.tokens, rag.chunk_tokens // 2
        self._room = rag.chunk_tokens - SPECIAL
        self._sentences = sentences or rules.sentences()
        self._splitter = splitters.SentenceSplitter(
            chunk_size=self._room,
            chunk_overlap=int(rag.chunk_overlap * rag.chunk_tokens),
            tokenizer=lambda text: range(self._size(text)),
            chunking_tokenizer_fn=self._units,
            include_prev_next_rel=False,
            callback_manager=_no_callbacks(),
        )

    def split(self, documents: Sequence[Document]) -> list[Any]:
        """The chunks of documents in order; all documents of one name have to be given together.

        Raises DocumentsError for a document that cannot be split.
        """
        # A trace of our own: the one that llama-index begins by itself never ends, and holds two
        # events of each document for as long as the process lives.
        with self._splitter.callback_manager.as_trace("split"):
            return self._numbered(documents)

    def _numbered(self, documents: Sequence[Document]) -> list[Any]:
        numbers: dict[str, int] = {}
        nodes: list[Any] = []
        for document in documents:
            for node in self._nodes(document):
                number = numbers.get(document.name, 0)
                numbers[document.name] = number + 1
                node.id_ = str(uuid.uuid5(NAMESPACE, f"{document.name}\0{number}"))
                start = node.start_char_idx or 0
                end = node.end_char_idx or len(document.text)
                node.metadata["locator"] = document.locator_at(start, end)
                nodes.append(node)
        return nodes

    def _nodes(self, document: Document) -> list[Any]:
        builder = packages.module("llama_index.core.node_parser.node_utils")
        title = self._shortened(document.title)
        source = _source(replace(document, title=title))
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # it prints advice on short chunks
                if not document.tables:
                    return list(self._splitter.get_nodes_from_documents([source]))
                parts = list(self._parts(document, title))
        except ValueError as error:  # a letter of more tokens than a chunk has
            raise DocumentsError(f"cannot be split: {error}; raise rag.chunk_tokens") from None
        nodes: list[Any] = builder.build_nodes_from_splits([part.text for part in parts], source)
        for node, part in zip(nodes, parts, strict=True):
            node.start_char_idx, node.end_char_idx = part.start, part.end
            node.metadata = dict(source.metadata)
        return nodes

    def _parts(self, document: Document, title: str) -> Iterator[_Part]:
        """The chunks of a document with tables, those joined that fit into one together."""
        room = self._room - self._size(title)
        last: _Part | None = None
        for part in self._pieces(document, title, room):
            if last and (last.whole or part.whole):
                text = document.text[last.start : part.end].strip()
                if self._size(text) <= room:
                    last = _Part(text, last.start, part.end, whole=True)
                    continue
            if last:
                yield last
            last = part
        if last:
            yield last

    def _pieces(self, document: Document, title: str, room: int) -> Iterator[_Part]:
        place = 0
        for table in document.tables:
            yield from self._prose(document.text, place, table.start, title)
            yield from self._rows(document.text, table, room)
            place = table.end
        yield from self._prose(document.text, place, len(document.text), title)

    def _prose(self, text: str, start: int, end: int, title: str) -> Iterator[_Part]:
        place = start
        for chunk in self._splitter.split_text_metadata_aware(text[start:end], title):
            if chunk.strip():
                at = text.find(chunk, place, end)
                place = at + 1 if at >= 0 else place
                at = at if at >= 0 else start
                yield _Part(chunk, at, min(at + len(chunk), end))

    def _rows(self, text: str, table: Table, room: int) -> Iterator[_Part]:
        """A table whole, or as many rows a chunk as fit below its caption."""
        whole = text[table.start : table.end]
        if self._size(whole) <= room and not table.caption:
            yield _Part(whole, table.start, table.end, whole=True)
            return
        caption = self._cut(table.caption, room // 3)
        head = f"{caption}\n" if caption else ""
        left = room - self._size(head)
        if self._size(whole) <= left:
            # Without the caption, which is before it, where both are in one chunk.
            yield _Part(head + whole, table.start, table.end, whole=True)
            return
        held: list[str] = []
        size = 0
        start = place = table.start
        for line in whole.splitlines():
            needed = self._size(line) + 1
            if held and size + needed > left:
                yield _Part(head + "\n".join(held), start, place)
                held, size, start = [], 0, place
            if needed > left:
                for piece in self._long_row(line, left):
                    yield _Part(head + piece, place, place + len(line))
                start = place + len(line) + 1
            else:
                held.append(line)
                size += needed
            place += len(line) + 1
        if held:
            yield _Part(head + "\n".join(held), start, table.end)

    def _long_row(self, line: str, room: int) -> Iterator[str]:
        """A row that does not fit, cell by cell; each piece begins with the first cell."""
        first, *cells = line.split(BAR)
        label = self._cut(first, room // 3)
        held, left = label, room - 1
        for cell in cells if label == first else [first, *cells]:
            joined = f"{held}{BAR}{cell}"
            if self._size(joined) <= left:
                held = joined
                continue
            if held != label:
                yield held
            if self._size(f"{label}{BAR}{cell}") <= left:
                held = f"{label}{BAR}{cell}"
                continue
            name = cell.partition(": ")[0] if ": " in cell[:80] else ""
            before = f"{label}{BAR}{name}: " if name else f"{label}{BAR}"
            value = cell.removeprefix(f"{name}: ") if name else cell
            for piece in self._splitter._split_text(
                value, chunk_size=max(1, left - self._size(before))
            ):
                yield before + piece
            held = label
        if held != label:
            yield held

    def _size(self, text: str) -> int:
        """The embedder's tokens, or more where a token of more than a word has too many bytes."""
        letters = len(text) if text.isascii() else len(text.encode("utf-8", errors="replace"))
        least = math.ceil(letters / BYTES) if letters >= 4 * BYTES else 0
        return max(len(self._tokens(text)), least)

    def _units(self, text: str) -> list[str]:
        """Sentences, and the pieces of words that are longer than a quarter of a chunk."""
        most = max(4 * BYTES, self._room * BYTES // 4)
        return [unit for one in self._sentences(text) for unit in _unbroken(one, most)]

    def _shortened(self, title: str) -> str:
        return self._cut(title, self._title)

    def _cut(self, text: str, most: int) -> str:
        """The text up to so many tokens."""
        while len(text) > most and (count := self._size(text)) > most:
            text = text[: len(text) * most // count].rstrip()
        return text


def _no_callbacks() -> Any:
    """A manager of no callbacks; llama-index imports all of itself to make one."""
    base = packages.module("llama_index.core.callbacks.base")
    manager = object.__new__(base.CallbackManager)
    base.BaseCallbackHandler.__init__(manager, [], [])
    manager.handlers, manager._trace_map = [], defaultdict(list)
    return manager


def _unbroken(text: str, most: int) -> list[str]:
    """The text in pieces, cut inside of words that have more than ``most`` bytes.

    No letter is parted from the marks on it, and no emoji from what changes it.
    """
    if len(text) * (1 if text.isascii() else 4) <= most:
        return [text]
    pieces, start, size = [], 0, 0
    for place, letter in enumerate(text):
        if letter.isspace():
            size = 0
            continue
        width = len(letter.encode("utf-8", errors="replace"))
        if size + width > most and not _is_joined(text, place):
            pieces.append(text[start:place])
            start, size = place, 0
        size += width
    return [*pieces, text[start:]]


def _is_joined(text: str, place: int) -> bool:
    """Whether a character belongs to the one before it."""
    letter = text[place]
    return (
        unicodedata.category(letter).startswith("M")
        or letter == "\u200d"
        or text[place - 1] == "\u200d"
        or "\U0001f3fb" <= letter <= "\U0001f3ff"
    )


def _source(document: Document) -> Any:
    """The document as llama-index's; all of a file's have the file's name as their id."""
    schema = packages.module("llama_index.core.schema")
    shown = {"title"} if document.title else set()
    metadata = {
        "document": document.name,
        "locator": document.locator,
        "title": document.title,
        "kind": document.name.rpartition(".")[2].lower() if "." in document.name else "",
        **({} if document.page is None else {"page": document.page}),
    }
    return schema.Document(
        text=document.text,
        id_=document.name,
        metadata=metadata,
        excluded_embed_metadata_keys=[key for key in metadata if key not in shown],
        excluded_llm_metadata_keys=list(metadata),
        metadata_template="{value}",
    )
