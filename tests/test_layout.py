"""What holds of the tree as a whole."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "ragtune": ROOT / "local" / "ragtune",
    "ragtune_cloud": ROOT / "cloud" / "ragtune_cloud",
}
ROOMS = [
    "core",
    "prompts",
    "recipe",
    "sources",
    "models",
    "retrieval",
    "tuning",
    "arms",
    "results",
    "runs",
    "cli",
]
"""The rooms of ``ragtune``, each of which imports only from those before it."""


def imports(path: Path) -> set[str]:
    """The full names of modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def modules(package: str) -> dict[str, Path]:
    """Each module of a package by its full name."""
    top = PACKAGES[package]
    found = {}
    for path in top.rglob("*.py"):
        parts = path.relative_to(top.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def test_ragtune_imports_nothing_of_ragtune_cloud() -> None:
    for path in modules("ragtune").values():
        assert not {n for n in imports(path) if n.split(".")[0] == "ragtune_cloud"}, path


def test_rooms_import_one_way() -> None:
    rank = {name: n for n, name in enumerate(ROOMS)}
    for name, path in modules("ragtune").items():
        room = name.split(".")[1] if "." in name else ""
        for imported in imports(path):
            parts = imported.split(".")
            if room in rank and parts[0] == "ragtune" and len(parts) > 1 and parts[1] in rank:
                assert rank[parts[1]] <= rank[room], f"{path}: {imported}"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    found = modules(package)
    graph = {name: (imports(path) & found.keys()) - {name} for name, path in found.items()}
    graph = {name: {n for n in to if not name.startswith(f"{n}.")} for name, to in graph.items()}
    while leaves := [name for name, to in graph.items() if not to]:
        for leaf in leaves:
            del graph[leaf]
        for to in graph.values():
            to.difference_update(leaves)
    assert not graph, f"import each other: {sorted(graph)}"


def test_files_stay_readable() -> None:
    for package in ("local", "cloud", "scripts"):
        for path in (ROOT / package).rglob("*.py"):
            assert len(path.read_text(encoding="utf-8").splitlines()) <= 420, path
