"""What an index holds, by content: the record that makes updates small, exact and safe to kill.

A document that is about to change is first written down as unfinished; only when its chunks are
in the store, and flushed, is it written down as held. Whatever a kill leaves is therefore either
held exactly as the manifest says, or named as unfinished and made again by the next update.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ragtune.core.errors import RunError
from ragtune.core.files import write_text
from ragtune.retrieval.section import Indexing
from ragtune.retrieval.stores.base import rebuild

FILE = "manifest.json"
FORMAT = 7
"""Raised when readers, chunks or points change, so that an index made before is not added to."""


def settings(rag: Indexing, fingerprint: str) -> dict[str, Any]:
    """What chunks and vectors are made with; an index of other settings is not added to."""
    return {
        "format": FORMAT,
        "embedder": fingerprint,
        "chunk_tokens": rag.chunk_tokens,
        "chunk_overlap": rag.chunk_overlap,
        "qdrant": rag.qdrant,
        "language": rag.language,
    }


def advice(folder: Path, *, again: bool = False) -> str:
    """What to do, as a command that can be pasted; the index is in the run's folder.

    ``again``: an update is not enough, the index has to be made again.
    """
    run = folder.parent
    return rebuild(run) if again else f"`ragtune index {run}` brings it up to date"


@dataclass(frozen=True)
class Changes:
    """How a corpus differs from an index, each a list of names in order.

    ``unfinished`` are those which a stopped update left, wherever they now belong.
    """

    added: list[str]
    changed: list[str]
    removed: list[str]
    unfinished: list[str]
    unchanged: int

    @property
    def touched(self) -> list[str]:
        """Every document that has to be made or removed."""
        return sorted({*self.added, *self.changed, *self.removed, *self.unfinished})

    def __str__(self) -> str:
        parts = {
            "added": len(self.added),
            "changed": len(self.changed),
            "removed": len(self.removed),
            "unfinished": len(self.unfinished),
        }
        shown = [f"{count} {what}" for what, count in parts.items() if count]
        return ", ".join([*shown, f"{self.unchanged} unchanged"])

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


@dataclass
class Manifest:
    """The content of ``manifest.json``.

    ``settings`` say what the vectors and chunks were made with. ``documents`` holds the number of
    chunks of each document that has any, ``hashes`` the content of each that was read, ``skipped``
    the reasons of those left out, ``unreadable`` which of them had been opened, ``parts`` what is
    left out of those that are held. ``created`` says
    that the store has been made. ``files`` holds the bytes of each of its files after the last
    update, and nothing during one. ``seconds`` are those of all updates together.
    """

    settings: dict[str, Any]
    created: bool = False
    points: int = 0
    documents: dict[str, int] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)
    hashes: dict[str, str] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def load(cls, folder: Path) -> "Manifest | None":
        """The manifest in ``folder``; None where there is none.

        Raises RunError where it cannot be read or is of another version of ragtune.
        """
        try:
            content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            again = advice(folder, again=True)
            raise RunError(f"{folder / FILE}: cannot be read: {error}; {again}") from None
        known = isinstance(content, dict) and isinstance(content.get("settings"), dict)
        if not known or not content.keys() <= {f.name for f in fields(cls)}:
            raise _of_another_version(folder)
        if content["settings"].get("format", FORMAT) != FORMAT:
            raise _of_another_version(folder)
        return cls(**content)

    def save(self, folder: Path) -> None:
        """Write the manifest in one step: to a temporary name, flushed, then renamed."""
        self.unfinished = [name for name in self.unfinished if name not in self.hashes]
        self.points = sum(self.documents.values())
        # On one line: with line breaks Python's own encoder writes it, ten times as slowly.
        write_text(folder / FILE, json.dumps(vars(self), ensure_ascii=False) + "\n")

    def refuse_other(self, settings: Mapping[str, Any], folder: Path) -> None:
        """Raise RunError where the index in ``folder`` was made with other settings."""
        if differing := self.differs(settings):
            raise RunError(
                f"{folder}: made with other settings: {', '.join(differing)}; "
                f"{advice(folder, again=True)}"
            )

    def refuse_count(self, count: int, folder: Path) -> None:
        """Raise RunError where the index in ``folder`` holds more or fewer chunks than it says."""
        if count != self.points:
            raise RunError(
                f"{folder}: holds {count} chunks, its manifest says {self.points}; "
                f"{advice(folder, again=True)}"
            )

    def refuse_files(self, folder: Path) -> None:
        """Raise RunError where a file of the store in ``folder`` is gone or of another size.

        The engine opens many a broken store, and finds other passages in it.
        """
        found = sizes(folder)
        wrong = [name for name, size in self.files.items() if found.get(name) != size]
        if wrong:
            more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
            raise RunError(
                f"{folder}: {wrong[0]}{more}: missing or of another size; "
                f"{advice(folder, again=True)}"
            )

    def differs(self, settings: Mapping[str, Any]) -> list[str]:
        """The settings in which this index differs, each as ``name is → wanted``."""
        names = [n for n in settings if self.settings.get(n) != settings[n]]
        return [f"{n} {_short(self.settings.get(n))} → {_short(settings[n])}" for n in names]

    def compare(self, hashes: Mapping[str, str]) -> Changes:
        """How a corpus with these contents differs from what is held."""
        unfinished = set(self.unfinished)
        both = [n for n in sorted(hashes) if n in self.hashes]
        return Changes(
            added=[n for n in sorted(hashes) if n not in self.hashes and n not in unfinished],
            changed=[n for n in both if hashes[n] != self.hashes[n]],
            removed=[n for n in sorted(self.hashes) if n not in hashes],
            unfinished=sorted(unfinished),
            unchanged=sum(hashes[n] == self.hashes[n] for n in both),
        )

    def begin(self, names: Iterable[str]) -> None:
        """Write down that these documents are about to change."""
        for name in names:
            for known in (self.documents, self.hashes, self.unreadable, self.parts):
                known.pop(name, None)
        self.unfinished = sorted({*self.unfinished, *names})
        self.files = {}

    def finish(self, name: str, content: str, chunks: int, reason: str = "") -> None:
        """Write down that a document is held with so many chunks, or left out for a reason."""
        self.hashes[name] = content
        if reason:
            self.unreadable[name] = reason
        else:
            self.documents[name] = chunks


def sizes(folder: Path) -> dict[str, int]:
    """The bytes of each file of the store in an index folder, by its path there."""
    files = sorted(path for path in (folder / "store").rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_size for path in files}


def _of_another_version(folder: Path) -> RunError:
    again = advice(folder, again=True)
    return RunError(f"{folder}: an index of another version of ragtune; {again}")


def _short(value: Any) -> str:
    return str(value)[:12]
