"""Documents to retrieve from: a folder of files, or the records' own contexts."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from local.errors import DocumentsError
from local.records import Record

SUFFIXES = (".md", ".txt", ".html", ".htm", ".pdf", ".docx")
CONTEXTS = "contexts"


@dataclass(frozen=True)
class Document:
    """A piece of text with its place: ``name`` is the file's path in the folder.

    A PDF gives one document a page; ``locator`` then says which (``p. 3``), else it is empty.
    """

    name: str
    text: str
    title: str = ""
    locator: str = ""


@dataclass(frozen=True)
class Corpus:
    """Documents in order of name, and the files that gave none, with the reason."""

    documents: list[Document]
    skipped: dict[str, str]

    @property
    def hash(self) -> str:
        """SHA-256 over all documents, in hexadecimal."""
        content = json.dumps([asdict(d) for d in self.documents])
        return hashlib.sha256(content.encode()).hexdigest()


def context_name(context: str) -> str:
    """The document name of a record's context: equal contexts are one document."""
    return f"context-{hashlib.sha256(context.encode()).hexdigest()[:12]}"


def with_context_names(records: Iterable[Record]) -> list[Record]:
    """The same records, each with its own context as its gold document."""
    return [replace(r, document=context_name(r.context)) if r.context else r for r in records]


def from_contexts(records: Iterable[Record]) -> Corpus:
    """Each distinct context of the records as a document.

    Raises DocumentsError when no record has one.
    """
    contexts = {context_name(r.context): r.context for r in records if r.context.strip()}
    if not contexts:
        raise DocumentsError("documents.source: contexts: no record has a context")
    return Corpus([Document(name, text) for name, text in sorted(contexts.items())], {})


def from_folder(folder: Path) -> Corpus:
    """Read every supported file of a folder and the folders in it, hidden ones left out.

    A file that cannot be read or holds no text is skipped, with its reason.

    Raises DocumentsError for a folder that is missing or gives no document at all.
    """
    if not folder.is_dir():
        raise DocumentsError(f"documents.source: {folder}: no such folder")
    paths = sorted(
        p
        for p in folder.rglob("*")
        if p.is_file() and not any(part.startswith(".") for part in p.relative_to(folder).parts)
    )
    documents: list[Document] = []
    skipped: dict[str, str] = {}
    for path in paths:
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() not in SUFFIXES:
            skipped[name] = f"not one of {' '.join(SUFFIXES)}"
            continue
        try:
            read = [d for d in _read(path, name) if d.text.strip()]
        except Exception as error:  # readers raise whatever their parsers do
            skipped[name] = f"cannot be read: {(str(error).splitlines() or [repr(error)])[0]}"
            continue
        documents += read
        if not read:
            skipped[name] = "holds no text"
    if not documents:
        why = "; ".join(f"{n}: {r}" for n, r in list(skipped.items())[:3]) or "it is empty"
        raise DocumentsError(f"documents.source: {folder}: gives no document: {why}")
    return Corpus(documents, skipped)


def _read(path: Path, name: str) -> Sequence[Document]:
    suffix = path.suffix.lower()
    if suffix in (".md", ".txt"):
        text = path.read_text(encoding="utf-8")
        return [Document(name, text, _title(text, path))]
    from llama_index.readers.file import DocxReader, HTMLTagReader, PDFReader

    reader = {
        ".pdf": PDFReader,
        ".docx": DocxReader,
        ".html": HTMLTagReader,
        ".htm": HTMLTagReader,
    }[suffix]()
    if isinstance(reader, HTMLTagReader):
        reader = HTMLTagReader(tag="body", ignore_no_id=False)
    pages = reader.load_data(path)
    paged = suffix == ".pdf"
    return [
        Document(name, p.text, path.stem, f"p. {p.metadata.get('page_label', n)}" if paged else "")
        for n, p in enumerate(pages, 1)
    ]


def _title(text: str, path: Path) -> str:
    """The first Markdown heading, else the file's name without its ending."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return first.lstrip("#").strip() if first.startswith("#") else path.stem.replace("-", " ")
