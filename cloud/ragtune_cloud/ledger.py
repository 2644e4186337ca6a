"""What a run has in a cloud that costs money: written down before it is created.

Whatever creates something calls `Ledger.add` first and `Ledger.remove` once it is gone, so a
process that is killed at any point leaves a note of all that may still be there. What deletes a
kind of thing is given as a function of an entry (`Delete`); `clean_up` calls them, newest first.
"""

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from filelock import FileLock, Timeout

from ragtune.core.errors import CloudError, RunError
from ragtune.core.files import read_json, write_json
from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.folder import CloudFolder

PATIENCE = 10.0
"""Seconds to wait for another process that writes the same ledger."""


@dataclass(frozen=True)
class Entry:
    """One thing that was created, or is about to be.

    ``kind`` is a word such as ``endpoint``, ``name`` what its cloud calls it. ``hourly_usd`` is
    None where the price is unknown or not by the hour; times are ISO 8601 in UTC, ``delete_by``
    None for what is kept until somebody deletes it. ``maker`` is what holds it for as long as it
    runs, one process at a time, such as a study.
    """

    kind: str
    name: str
    region: str
    hourly_usd: float | None = None
    delete_by: str | None = None
    noted: str = ""
    maker: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from every other entry."""
        return self.kind, self.name, self.region

    @property
    def overdue(self) -> bool:
        """Whether it should have been deleted by now."""
        by = self.delete_by
        return by is not None and datetime.datetime.fromisoformat(by) < _now()

    def __str__(self) -> str:
        price = "" if self.hourly_usd is None else f", ${self.hourly_usd:.2f} an hour"
        due = f", to be deleted by {self.delete_by}" if self.delete_by else ""
        late = ", which is overdue" if self.overdue else ""
        return f"{self.kind} {self.name} in {self.region}{price}{due}{late}"


Delete = Callable[[Entry], None]
"""Deletes the thing of an entry and returns when it is gone.

It waits where deletion is refused for now; what is gone already is no error. Raises NotOurs where
the thing of that name is another's, CloudError, with what to do by hand, where it stays.
"""


class NotOurs(CloudError):
    """What has the name of an entry was made by somebody else; it is left, the entry struck out."""


class Ledger:
    """The entries of a run, in ``cloud/ledger.json``; several processes may write them.

    ``added`` are those of this object, in the order in which they were added; each has its
    ``maker``.
    """

    def __init__(self, run: RunFolder, maker: str = "") -> None:
        self._path, self._maker = CloudFolder(run).ledger, maker
        self.added: list[Entry] = []

    def open(self) -> list[Entry]:
        """What may still be there, the oldest first.

        Raises CloudError where the file is broken.
        """
        return [Entry(**row) for row in self._read()["open"]]

    @property
    def regions(self) -> list[str]:
        """Every region that an entry was ever of, sorted; the address of a server is none.

        Raises CloudError where the file is broken.
        """
        return sorted(region for region in self._read()["regions"] if "://" not in region)

    def add(
        self,
        kind: str,
        name: str,
        region: str,
        hourly_usd: float | None = None,
        delete_by: datetime.datetime | None = None,
    ) -> Entry:
        """Note a thing before it is created; one that is noted already is noted again, as newest.

        Raises CloudError where the file is broken or cannot be written: then nothing may be
        created.
        """
        by = None if delete_by is None else delete_by.astimezone(datetime.UTC)
        due = None if by is None else by.isoformat(timespec="seconds")
        noted = _now().isoformat(timespec="seconds")
        entry = Entry(kind, name, region, hourly_usd, due, noted, self._maker)
        # First, so that what a signal breaks off while it is written is struck out again.
        self.added = [e for e in self.added if e.key != entry.key] + [entry]
        with self._changed() as content:
            content["open"] = [*_without(content["open"], entry.key), asdict(entry)]
            content["regions"] = sorted({*content["regions"], region})
        return entry

    def take_over(self) -> list[Entry]:
        """Count what a killed process of the same maker left among the ``added``; these.

        What is kept until somebody deletes it is nobody's leftover.
        """
        left = [e for e in self.open() if e.maker == self._maker and e.delete_by is not None]
        known = {entry.key for entry in left}
        self.added = [*left, *(e for e in self.added if e.key not in known)]
        return left

    def remove(self, kind: str, name: str, region: str) -> None:
        """Strike out what is gone; nothing happens where it is not there.

        Raises CloudError where the file is broken or cannot be written.
        """
        with self._changed() as content:
            content["open"] = _without(content["open"], (kind, name, region))

    @contextmanager
    def _changed(self) -> Iterator[dict[str, Any]]:
        """The content, written when the context ends."""
        path = self._path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_name(".ledger.lock"), timeout=PATIENCE):
                content = self._read()
                yield content
                write_json(path, content)
        except Timeout:
            raise CloudError(f"{path}: another process is writing it; try again") from None
        except OSError as error:
            raise CloudError(f"{path}: cannot be written: {error.strerror}") from None

    def _read(self) -> dict[str, Any]:
        if not self._path.exists():
            return {"open": [], "regions": []}
        try:
            content = read_json(self._path)
            rows = [Entry(**row) for row in content["open"]]
            return {"open": [asdict(row) for row in rows], "regions": [*content["regions"]]}
        except (RunError, KeyError, TypeError):
            raise CloudError(
                f"{self._path}: not as ragtune wrote it; `ragtune cloud costs` asks the account "
                "what there is, then remove the file"
            ) from None


def clean_up(
    ledger: Ledger,
    deleters: Mapping[str, Delete],
    watcher: Watcher,
    entries: Sequence[Entry] | None = None,
) -> None:
    """Delete the entries (all of the ledger's), newest first, and strike them out.

    Every one is tried, whatever happens to the others; only what has the name of one that could not
    be deleted is left, for they belong together. Raises CloudError with a line for each that stays.
    """
    failed: dict[tuple[str, str], str] = {}
    for entry in reversed(ledger.open() if entries is None else entries):
        if (entry.name, entry.region) in failed:
            continue
        try:
            if entry.kind not in deleters:
                raise CloudError(f"{entry}: nothing here deletes a {entry.kind}; delete it by hand")
            told = f"{entry.name}: {entry.kind} deleted"
            try:
                deleters[entry.kind](entry)
            except NotOurs as other:
                told = str(other)
            ledger.remove(*entry.key)
        except CloudError as error:
            failed[entry.name, entry.region] = str(error)
        except Exception as error:  # the next thing has to be tried, whatever this was
            failed[entry.name, entry.region] = f"{entry}: {type(error).__name__}: {error}"
        else:
            watcher.say(told)
    if failed:
        raise CloudError("\n".join(f"error: {line}" for line in failed.values()))


def _without(rows: list[dict[str, Any]], key: tuple[str, str, str]) -> list[dict[str, Any]]:
    return [row for row in rows if (row["kind"], row["name"], row["region"]) != key]


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
