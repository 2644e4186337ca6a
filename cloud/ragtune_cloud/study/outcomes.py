"""What became of each question, written down as it comes, so that nothing is asked twice."""

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from ragtune.core.errors import RunError
from ragtune.core.files import write_text
from ragtune.models.engines.base import Completion


class Outcomes:
    """Completions by the digest of what was asked, a line each in a file; from many threads.

    A question that the model failed to answer has an outcome too: what failed.
    """

    def __init__(self, path: Path) -> None:
        """Read what is there; a last line that a kill broke off is removed.

        Raises RunError where a whole line is no outcome.
        """
        self._path, self._lock = path, threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            write_text(path, whole)
        self._known = dict(_read(path, whole))

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def __getitem__(self, key: str) -> Completion:
        return self._known[key]

    def put(self, key: str, completion: Completion) -> None:
        """Note an outcome; when this returns, a kill does not lose it."""
        line = json.dumps({"key": key, **asdict(completion)}, ensure_ascii=False) + "\n"
        with self._lock:
            self._known[key] = completion
            file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                os.write(file, line.encode())
            finally:
                os.close(file)

    def forget_failures(self) -> None:
        """Let the questions that failed be asked again."""
        kept = {key: of for key, of in self._known.items() if of.failed is None}
        lines = [
            json.dumps({"key": key, **asdict(of)}, ensure_ascii=False) for key, of in kept.items()
        ]
        write_text(self._path, "".join(f"{line}\n" for line in lines))
        self._known = kept


def _read(path: Path, text: str) -> Iterator[tuple[str, Completion]]:
    for number, line in enumerate(text.split("\n")[:-1], 1):
        try:
            noted = json.loads(line)
            yield noted.pop("key"), Completion(**noted)
        except (ValueError, TypeError, KeyError, AttributeError):
            raise RunError(
                f"{path}: line {number} is no outcome of a question; remove the line, and that "
                "question is asked again"
            ) from None
