"""The wheel and the sdist as a user gets them, in an environment that has no checkout."""

import json
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT
from tests.test_dependencies import PROJECT

VERBS = {
    *("init", "check", "preview", "questions", "review", "run", "tune", "report", "export"),
    *("index", "search", "serve", "ask", "compare", "sweep", "label"),
    *("promote", "cloud"),
}
LOOK_FOR = """
import importlib.util, json, ragtune, ragtune_cloud
from ragtune.core.bundled import data_folder
print(json.dumps({
    "files": [ragtune.__file__, ragtune_cloud.__file__, str(data_folder())],
    "strangers": [n for n in ("local", "cloud") if importlib.util.find_spec(n)],
}))
"""

pytestmark = pytest.mark.slow


def called(*command: object, cwd: Path) -> str:
    """What a command prints, run where nothing leads it to the checkout."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "HF_"))}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**plain, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as file:
        return {name: file.read(name) for name in file.namelist()}


@dataclass(frozen=True)
class Built:
    """The wheel of the checkout, the sdist, the wheel made from it, and where that is installed."""

    wheel: Path
    sdist: Path
    rebuilt: Path
    bin: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    called(sys.executable, "-m", "hatchling", "build", "-d", folder, cwd=ROOT)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    with tarfile.open(sdist) as file:
        file.extractall(folder, filter="data")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--quiet"]
    unpacked = folder / sdist.name.removesuffix(".tar.gz")
    again = [*offline, "--no-build-isolation", "--wheel-dir", folder / "again", unpacked]
    called(*pip, "wheel", *again, cwd=folder)
    (rebuilt,) = (folder / "again").glob("*.whl")
    venv.create(folder / "empty", with_pip=False, symlinks=True)
    python = folder / "empty" / "bin" / "python"
    called(*pip, "--python", python, "install", *offline, rebuilt, cwd=folder)
    (packages,) = (folder / "empty" / "lib").glob("python*/site-packages")
    # As a path, and not as a site: the .pth files there, the checkout's own among them, are not
    # read. What is installed in the new environment comes first.
    (packages / "dependencies.pth").write_text("\n".join(sorted(dependencies())))
    return Built(wheel, sdist, rebuilt, python.parent)


def dependencies() -> set[str]:
    """The folders in which this environment has what ragtune needs."""
    wanted = map(Requirement, PROJECT["dependencies"])
    needed = [w.name for w in wanted if w.marker is None or w.marker.evaluate()]
    return {str(distribution(name).locate_file("")) for name in needed}


def test_the_wheel_has_two_packages_their_types_and_the_data(built: Built) -> None:
    found = contents(built.wheel)
    tops = {name.split("/")[0] for name in found}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"ragtune", "ragtune_cloud"}
    for package in ("ragtune", "ragtune_cloud"):
        assert f"{package}/py.typed" in found
    data = {
        path.relative_to(ROOT / "data").as_posix(): path.read_bytes()
        for path in (ROOT / "data").rglob("*")
        if path.is_file()
    }
    packed = {n.removeprefix("ragtune/_data/"): b for n, b in found.items() if "/_data/" in n}
    assert packed == data


def test_the_sdist_makes_the_same_wheel(built: Built) -> None:
    assert contents(built.rebuilt) == contents(built.wheel)


def test_an_empty_environment_has_the_packages_and_nothing_of_a_general_name(
    built: Built, tmp_path: Path
) -> None:
    found = json.loads(called(built.bin / "python", "-c", LOOK_FOR, cwd=tmp_path))
    for path in found["files"]:
        assert Path(path).is_relative_to(built.bin.parent)
    assert found["strangers"] == []


def test_the_command_has_its_verbs_and_those_of_the_cloud(built: Built, tmp_path: Path) -> None:
    ragtune = built.bin / "ragtune"
    assert called(ragtune, "--version", cwd=tmp_path) == f"ragtune {PROJECT['version']}\n"
    shown = called(ragtune, "--help", cwd=tmp_path)
    assert set(re.findall(r"^│ ([a-z]+) ", shown, re.M)) == VERBS
    assert called(built.bin / "python", "-m", "ragtune", "--version", cwd=tmp_path)


def test_a_first_project_is_good_with_the_data_of_the_wheel(built: Built, tmp_path: Path) -> None:
    called(built.bin / "ragtune", "init", "first", cwd=tmp_path)
    builtin = ["--set", "model.local=builtin"]
    check = [built.bin / "ragtune", "check", "first/recipe.yaml", *builtin, "--json"]
    found = json.loads(called(*check, cwd=tmp_path))
    assert (found["train"], found["questions"], found["documents"]) == (120, 100, 40)
