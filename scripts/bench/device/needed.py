"""What ragtune and this benchmark need beside the PyTorch that is installed, as files for pip.

Nothing but the standard library is imported here: nothing else is installed yet.
"""

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
EXTRAS = ("bench", "dev")
OF_PYTORCH = re.compile(r"(torch|triton|nvidia|cuda)\b")
"""Packages that come with PyTorch, and that its build chooses the versions of."""


def name(requirement: str) -> str:
    """The package that a requirement names."""
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()


def requirements(project: dict[str, list[str]], extras: dict[str, list[str]]) -> list[str]:
    """The project's dependencies and those of ``EXTRAS``, without PyTorch."""
    every = [*project["dependencies"], *(one for extra in EXTRAS for one in extras[extra])]
    return [one for one in every if not OF_PYTORCH.match(name(one))]


def constraints(pinned: list[str], torch: str) -> list[str]:
    """The committed versions, and that PyTorch stays the one that is installed."""
    kept = [one for one in pinned if not OF_PYTORCH.match(name(one))]
    return [*kept, f"torch=={torch}"]


def main(folder: str) -> None:
    """Write ``requirements.txt`` and ``constraints.txt`` into a folder."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    files = {
        "requirements.txt": requirements(project, project["optional-dependencies"]),
        "constraints.txt": constraints(pinned, importlib.metadata.version("torch")),
    }
    for file, lines in files.items():
        Path(folder, file).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
