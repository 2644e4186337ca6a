"""Documents to retrieve from: a folder of files, or the records' own contexts.

A corpus is listed first, by content, and read file by file: whoever knows the contents already
reads only what has changed.
"""

import hashlib
import io
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ragtune.core.errors import DocumentsError
from ragtune.sources import readers, reading
from ragtune.sources.readers import SUFFIXES, Document
from ragtune.sources.records import Record

CONTEXTS = "contexts"

__all__ = [
    "CONTEXTS",
    "Corpus",
    "Document",
    "from_contexts",
    "from_documents",
    "from_folder",
    "from_records",
    "named",
]


@dataclass(frozen=True)
class Corpus:
    """What there is to read: SHA-256 of content by name, and what is left out, with the reason.

    ``read`` gives a name's documents, or raises DocumentsError with the reason why it cannot.
    ``copies`` are those left out for having the same bytes as another, each with its name.
    """

    hashes: dict[str, str]
    skipped: dict[str, str]
    read: Callable[[str], list[Document]]
    copies: dict[str, str] = field(default_factory=dict)

    @property
    def hash(self) -> str:
        """SHA-256 over all names and contents, in hexadecimal."""
        return hashlib.sha256(json.dumps(sorted(self.hashes.items())).encode()).hexdigest()

    def read_all(self) -> tuple[list[Document], dict[str, str]]:
        """All documents by name, and everything left out, with the reason.

        Raises DocumentsError when nothing can be read.
        """
        documents: list[Document] = []
        skipped = dict(self.skipped)
        for name in self.hashes:
            try:
                documents += self.read(name)
            except DocumentsError as error:
                skipped[name] = str(error)
        if not documents:
            raise nothing_in("documents.source", skipped)
        return documents, skipped


def left_out(documents: Iterable[Document]) -> dict[str, str]:
    """What is left out of documents that are held, by name."""
    found: dict[str, dict[str, None]] = {}
    for document in documents:
        if document.left_out:
            found.setdefault(document.name, {}).update(dict.fromkeys(document.left_out))
    return {name: "; ".join(said) for name, said in found.items()}


def nothing_in(where: str, skipped: dict[str, str]) -> DocumentsError:
    """The error for a corpus without a document, with the first reasons."""
    why = "; ".join(f"{n}: {r}" for n, r in list(skipped.items())[:3]) or "it is empty"
    return DocumentsError(f"{where}: gives no document: {why}")


def context_name(context: str) -> str:
    """The document name of a record's context: equal contexts are one document."""
    return f"context-{hashlib.sha256(context.encode()).hexdigest()[:12]}"


def with_context_names(records: Iterable[Record]) -> list[Record]:
    """The same records, each with its own context as its gold document."""
    return [
        replace(r, document=context_name(r.context), other_documents=()) if r.context else r
        for r in records
    ]


def without_copies(records: Iterable[Record], copies: Mapping[str, str]) -> list[Record]:
    """The same records; where the gold document is a copy, the one that is read takes its place."""
    return [
        replace(
            record,
            document=copies.get(record.document, record.document),
            other_documents=tuple(copies.get(name, name) for name in record.other_documents),
        )
        for record in records
    ]


def from_documents(documents: Iterable[Document]) -> Corpus:
    """A corpus of documents in memory; those of one name belong together."""
    by_name: dict[str, list[Document]] = {}
    for document in documents:
        by_name.setdefault(document.name, []).append(document)
    hashes = {name: _digest(parts) for name, parts in sorted(by_name.items())}
    return Corpus(hashes, {}, lambda name: [readers.prepared(one) for one in by_name[name]])


def from_contexts(records: Iterable[Record]) -> Corpus:
    """Each distinct context of the records as a document.

    Raises DocumentsError when no record has one.
    """
    contexts = {context_name(r.context): r.context for r in records if r.context.strip()}
    if not contexts:
        raise DocumentsError("documents.source: contexts: no record has a context")
    return from_documents(Document(name, text) for name, text in contexts.items())


def from_records(records: Iterable[Record], *, with_context: bool) -> Corpus:
    """Each distinct record as a document: its question as it is looked up, and its response."""
    return from_documents(
        Document(name, f"{record.query(with_context=with_context)}\n{record.response}")
        for name, record in named(records).items()
    )


def named(records: Iterable[Record]) -> dict[str, Record]:
    """The distinct records by the names of their documents."""
    return {f"record-{record.id}": record for record in records}


def from_folder(folder: Path, max_file_mb: float = 50) -> Corpus:
    """List every supported file of a folder and the folders in it, hidden ones left out.

    Left out by name, with the reason: other kinds of file, links that lead out of the folder,
    files over ``max_file_mb`` (10^6 bytes), and all but the first of files with the same bytes.

    Raises DocumentsError for a folder that is missing or has no file to read.
    """
    if not folder.is_dir():
        raise DocumentsError(f"documents.source: {folder}: no such folder")
    hashes: dict[str, str] = {}
    skipped: dict[str, str] = {}
    copies: dict[str, str] = {}
    first: dict[str, str] = {}

    def closed(error: OSError) -> None:
        name = Path(error.filename).relative_to(folder).as_posix()
        skipped[_printable(name)] = f"cannot be read: {error.strerror}"

    for name, entry in sorted(_walk(folder, closed), key=lambda found: found[0].split("/")):
        try:
            if reason := _unfit(name, entry, folder, max_file_mb):
                skipped[_printable(name)] = reason
                continue
            content = _file_digest(entry.path)
        except OSError as error:
            skipped[name] = f"cannot be read: {error.strerror}"
            continue
        if content in first:
            copies[name] = first[content]
            skipped[name] = f"the same bytes as {first[content]}"
        else:
            first[content] = name
            hashes[name] = content
    if not hashes:
        raise nothing_in(f"documents.source: {folder}", skipped)

    def read(name: str) -> list[Document]:
        documents = reading.read(folder / name, name, hashes[name])
        if not (folder / name).exists() or _file_digest(folder / name) != hashes[name]:
            raise DocumentsError("changed while it was read; index again")
        return documents

    return Corpus(hashes, skipped, read, copies)


def _walk(
    folder: Path, closed: Callable[[OSError], None]
) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    """Files, and links to folders, which are not followed, by their names; hidden ones left out.

    Names are relative, with slashes. No Path is made of each, which takes longer than to look at
    it. ``closed`` is given the error of each folder that cannot be listed.
    """
    left = [(str(folder), "")]
    while left:
        here, prefix = left.pop()
        try:
            with os.scandir(here) as found:
                entries = [entry for entry in found if not entry.name.startswith(".")]
        except OSError as error:
            closed(error)
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                left.append((entry.path, f"{prefix}{entry.name}/"))
            else:
                yield prefix + entry.name, entry


def _unfit(name: str, entry: "os.DirEntry[str]", folder: Path, max_file_mb: float) -> str:
    """Why a file is not even opened; empty where it can be."""
    if not name.isascii() and _printable(name) != name:
        return "its name is not valid UTF-8; rename it"
    if entry.is_symlink() and (reason := _unfit_link(Path(entry.path), folder)):
        return reason
    stem, dot, ending = entry.name.rpartition(".")
    if not stem or (dot + ending).lower() not in SUFFIXES:
        return _other_kind(Path(entry.path))
    about = entry.stat()
    if not stat.S_ISREG(about.st_mode):
        return "not an ordinary file"
    if about.st_size > max_file_mb * 1e6:
        size = f"{about.st_size / 1e6:.0f} MB, over documents.max_file_mb {max_file_mb:g}"
        return f"{size}; split it, or allow more"
    return ""


def _other_kind(path: Path) -> str:
    kind = path.suffix.lower()
    if kind in _INSTEAD:
        return f"{kind} is not read; save it as {_INSTEAD[kind]}"
    return f"{kind or 'a file without an ending'} is not read"


_INSTEAD = {
    ".doc": ".docx",
    ".ppt": ".pptx",
    ".xls": ".xlsx",
    ".xlsb": ".xlsx",
    ".pages": ".docx or .pdf",
    ".key": ".pptx or .pdf",
    ".numbers": ".xlsx",
    ".msg": ".eml",
    ".mht": ".html",
    ".mhtml": ".html",
    ".mobi": ".epub",
    ".azw3": ".epub",
    ".zip": "the files in it",
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".tif", ".tiff"), "a .pdf with recognised text"),
}
"""What a file of another kind can be saved as."""


def _unfit_link(path: Path, folder: Path) -> str:
    if not path.exists():
        return "a link to nothing"
    if not path.resolve().is_relative_to(folder.resolve()):
        return "a link that leads out of the folder"
    return "a link to a folder; links to folders are not followed" if path.is_dir() else ""


def _printable(name: str) -> str:
    """The name, with bytes that are not UTF-8 as escapes."""
    return os.fsencode(name).decode("utf-8", errors="backslashreplace")


def _file_digest(path: str | Path) -> str:
    with io.FileIO(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(parts: list[Document]) -> str:
    content = json.dumps([asdict(part) for part in parts])
    return hashlib.sha256(content.encode()).hexdigest()
