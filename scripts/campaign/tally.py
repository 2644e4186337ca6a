"""What a campaign tried, and what did not survive it."""

import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

CODES = frozenset(range(8)) | {130}
"""The exit codes that ``ragtune --help`` names."""


@dataclass
class Tally:
    """The attempts of one campaign, and what was wrong with those that did not survive.

    Survived means: the right result, or one line that says what is wrong, with a documented code.
    """

    name: str
    seed: int
    tried: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, attempt: str, fault: str = "") -> None:
        """Count an attempt; ``fault`` says what was wrong, empty where it survived."""
        self.tried += 1
        if fault:
            self.failures[attempt] = fault
            sys.stderr.write(f"{self.name}: {attempt}: {fault}\n")

    def note(self, line: str) -> None:
        """Keep what limits the count."""
        self.notes.append(line)

    @property
    def survived(self) -> int:
        """How many attempts did no harm."""
        return self.tried - len(self.failures)

    def show(self) -> int:
        """Print the count and the notes; the exit code."""
        show([self])
        return 1 if self.failures else 0


def show(tallies: Iterable[Tally]) -> None:
    """Print one table of several campaigns."""
    print(f"{'campaign':<16}{'seed':>6}{'tried':>8}{'survived':>10}")
    for one in tallies:
        print(f"{one.name:<16}{one.seed:>6}{one.tried:>8}{one.survived:>10}")
        for line in one.notes:
            print(f"  {line}")


def fault(code: int, err: str, allowed: Iterable[int] = CODES) -> str:
    """What is wrong with how a command ended; empty where it is well or said what it is.

    ``err`` is its stderr. An error is one line and no traceback, `unexpected error` is none.
    """
    last = (err.strip().splitlines() or [""])[-1]
    if code == 0 and "Traceback" not in err:
        return ""
    if code < 0:
        return f"killed by signal {-code}: {last[:300]}" if code > -1000 else "it hung"
    if code not in set(allowed) or "Traceback" in err or "unexpected error" in err:
        return f"exit code {code}: {last[:300]}"
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    if code != 130 and not lines and not err.strip():
        return f"exit code {code} without a word"
    if lines and max(map(len, lines)) > 2000:
        return f"a line of {max(map(len, lines))} characters"
    return ""


def scratch(folder: Path | None = None) -> Path:
    """A folder of its own for a campaign, in ``folder`` or where the system keeps such."""
    import tempfile

    return Path(tempfile.mkdtemp(prefix="campaign-", dir=folder))
