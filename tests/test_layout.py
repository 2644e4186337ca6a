"""What holds of the tree as a whole."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "ragtune": ROOT / "local" / "ragtune",
    "ragtune_cloud": ROOT / "cloud" / "ragtune_cloud",
}
ROOMS = {
    "ragtune": [
        *("core", "prompts", "recipe", "sources", "models", "retrieval"),
        *("tuning", "arms", "results", "questions", "runs", "serve", "cli"),
    ],
    "ragtune_cloud": [
        *("folder", "ledger", "target", "gate", "plan", "study"),
        *("fetched", "sagemaker", "bedrock", "index", "cli"),
    ],
}
"""The rooms of each package, each of which imports only from those before it."""
ENTRIES = 14
"""At the root of a package: rooms, modules and ``__init__``, which is what a user imports."""
PRESCRIBED = {"__main__.py", "py.typed", "__pycache__"}
"""Names that Python gives, and that say nothing about the package; not counted."""
LINES = 400


def imports(path: Path) -> set[str]:
    """The full names of modules that a file imports, but for those beside it (``from .``)."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
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


@pytest.mark.parametrize("package", PACKAGES)
def test_the_root_of_a_package_is_seen_at_a_glance(package: str) -> None:
    found = {path.name for path in PACKAGES[package].iterdir()} - PRESCRIBED
    assert len(found) <= ENTRIES, sorted(found)
    names = {name.removesuffix(".py") for name in found}
    assert names <= {*ROOMS[package], "__init__"}


@pytest.mark.parametrize("package", PACKAGES)
def test_rooms_import_one_way(package: str) -> None:
    rank = {name: n for n, name in enumerate(ROOMS[package])}
    for name, path in modules(package).items():
        room = name.split(".")[1] if "." in name else ""
        for imported in imports(path):
            parts = imported.split(".")
            if room in rank and parts[0] == package and len(parts) > 1 and parts[1] in rank:
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
            assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES, path
