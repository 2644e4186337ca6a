"""Answers noted as they come, so that an interrupted stage asks for none of them twice."""

import json
from dataclasses import asdict
from pathlib import Path

from ragtune.models.engines.base import Completion


class Journal:
    """Completions by the digest of their request, a line each in a file; None: nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._known = dict(_read(path)) if path is not None and path.exists() else {}

    def get(self, key: str) -> Completion | None:
        """The completion of a request, where it is known."""
        return self._known.get(key)

    def put(self, key: str, completion: Completion) -> None:
        """Note a completion."""
        if self._path is None:
            return
        self._known[key] = completion
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": key, **asdict(completion)}) + "\n")


def _read(path: Path) -> list[tuple[str, Completion]]:
    """What is noted; a last line that was cut off by a kill is no line."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            noted = json.loads(line)
        except ValueError:
            continue
        found.append((noted.pop("key"), Completion(**noted)))
    return found
