"""What holds of the tree as a whole."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ORDER = [
    ["errors"],
    ["hub", "template", "watch", "linear"],
    ["recipe", "builtin"],
    ["smollm"],
    ["recipe_file", "records", "runs"],
    ["models", "environment"],
    ["rag", "decoding"],
    ["generate"],
    ["tune"],
    ["arms"],
    ["study", "recommend"],
    ["report"],
    ["workbench"],
    ["worker", "evidence", "inputs"],
    ["pipeline", "asking", "checking", "searching", "preview", "starter", "terminal", "comparing"],
    ["sweeping"],
    ["cli", "cli_runs"],
    ["__main__"],
]
"""The rooms of ``local``, each of which imports from its own row's left neighbours or above."""


def imports(path: Path) -> set[str]:
    """The full names of modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_local_imports_nothing_of_cloud() -> None:
    for path in (ROOT / "local").rglob("*.py"):
        assert not {n for n in imports(path) if n.split(".")[0] == "cloud"}, path


def test_imports_go_one_way_through_the_house() -> None:
    rank = {name: n for n, row in enumerate(ORDER) for name in row}
    for path in (ROOT / "local").rglob("*.py"):
        if path == ROOT / "local" / "__init__.py":
            continue
        room = path.relative_to(ROOT / "local").with_suffix("").parts[0]
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "local" and len(parts) > 1 and parts[1] in rank and parts[1] != room:
                assert rank[parts[1]] <= rank[room], f"{path}: {name}"


def test_files_stay_readable() -> None:
    for package in ("local", "cloud", "scripts"):
        for path in (ROOT / package).rglob("*.py"):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 420, path
