"""The README's commands, run as a new user would; the demo under a guard on connections."""

import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from ragtune.recipe.arms import ARMS
from ragtune.recipe.schema import Needs
from tests.conftest import FACTS

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = 6
FEW = [
    *(f"study.max_questions={QUESTIONS}", "study.latency_questions=1"),
    *("study.max_new_tokens=16", "tune.max_train_samples=8", "tune.epoch=1"),
    f"study.general_text={ROOT / 'data' / 'demo' / 'handbook' / 'docs' / 'annual-leave.md'}",
]
"""What every run here is given: the demo's own data and model, less of it."""
WATCHED = """
import sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1")):
            print("CONNECTED", address, file=sys.stderr, flush=True)
            raise SystemExit(99)
    if event == "socket.getaddrinfo" and arguments[0] not in (None, "localhost", "127.0.0.1"):
        print("LOOKED UP", arguments[0], file=sys.stderr, flush=True)
        raise SystemExit(99)
sys.addaudithook(watch)
"""
ONE = f"{WATCHED}\nfrom ragtune.cli.app import main\nmain()"
SEVERAL = f"""{WATCHED}
import contextlib, io, json
from ragtune.cli.app import main

def caught():
    return io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)

for arguments in json.loads(sys.argv[1]):
    sys.argv, out, err, code = ["ragtune", *arguments], caught(), caught(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
    print(json.dumps([code, *(said.buffer.getvalue().decode() for said in (out, err))]))
"""


def watched(
    arguments: list[str], cwd: Path, program: str = ONE
) -> "subprocess.CompletedProcess[str]":
    """Run ``ragtune`` in a process that ends with 99 when it looks beyond loopback."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=cwd,
        env={**environment, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )


def fewer() -> list[str]:
    return [word for field in FEW for word in ("--set", field)]


def commands(page: str) -> list[list[str]]:
    """The commands of a page's console blocks, each split into words."""
    blocks = re.findall(r"```console\n(.*?)```", page, re.S)
    lines = [line for block in blocks for line in block.splitlines()]
    return [shlex.split(line.removeprefix("$ ")) for line in lines if line.startswith("$ ")]


PAGE = (ROOT / "README.md").read_text(encoding="utf-8")
README = commands(PAGE)


def test_the_readme_shows_the_two_scripts_and_they_can_be_run() -> None:
    scripts = [c[0] for c in README if c[0].startswith("scripts/")]
    assert scripts == ["scripts/demo", "scripts/test"]
    for script in scripts:
        assert os.access(ROOT / script, os.X_OK)
        subprocess.run(["bash", "-n", str(ROOT / script)], check=True)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the command of ``scripts/demo`` has run under the guard."""
    folder = tmp_path_factory.mktemp("demo")
    script = (ROOT / "scripts" / "demo").read_text(encoding="utf-8")
    shown = re.search(r"^exec .venv/bin/ragtune (run \S+)", script, re.M)
    assert shown is not None
    verb, recipe = shown[1].split()
    done = watched([verb, str(ROOT / recipe), *fewer()], folder)
    assert done.returncode == 0, done.stderr
    assert "tuned+rag" in done.stdout
    assert "report.html" in done.stderr
    return folder


@pytest.mark.slow
def test_the_demo_gives_every_figure_and_a_report_and_opens_no_connection(demo: Path) -> None:
    (folder,) = (demo / "runs").iterdir()
    figures = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert set(figures["arms"]) == set(ARMS)
    assert figures["questions"] == QUESTIONS
    assert figures["heldout_loss"]["tuned"]["tuned"] < figures["heldout_loss"]["tuned"]["base"]
    assert figures["retrieval"]["recall_at_k"]["mean"] > 0.55
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert page.count('<article class="question"') == QUESTIONS
    assert not re.search(r"(src|href)=\"(?!#)", page)


@pytest.mark.slow
def test_the_readmes_other_commands_work_in_order(demo: Path) -> None:
    """In one process, one after the other: importing PyTorch for each would be most of it."""
    (folder,) = (demo / "runs").iterdir()
    given = []
    for words in README:
        if words[0].startswith("scripts/"):
            continue
        assert words[0] == ".venv/bin/ragtune"
        arguments = [str(folder) if word == "RUN" else word for word in words[1:]]
        arguments += [*fewer(), "--set", "study.arms=[base,rag]"] if arguments[0] == "run" else []
        given.append(arguments)
    done = watched([json.dumps(given)], demo, SEVERAL)
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    for arguments, (code, out, err) in zip(given, told, strict=True):
        assert code == 0, (arguments, err)
        assert out, arguments
    (own,) = [run for run in (demo / "runs").iterdir() if run != folder]
    assert own.name.startswith("my-project-")


PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.S)


def printed(program: str, folder: Path) -> list[str]:
    """The lines that a program prints; ``RUN`` in it is the folder."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program.replace('"RUN"', repr(str(folder)))],
        env={**os.environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.slow
def test_the_readmes_program_asks_searches_and_reads_figures(demo: Path) -> None:
    (folder,) = (demo / "runs").glob("handbook-*")
    run, quality, answer, *passages = printed(PROGRAMS[0], folder)
    assert run.split()[:2] == ["handbook", str(QUESTIONS)]
    assert 0 < float(quality) <= 1
    assert "annual-leave.md" in answer
    assert len(passages) == 3
    assert "annual-leave.md" in passages[0]


def test_the_readmes_program_as_cells_of_a_notebook(finished_run: Path) -> None:
    """Without the context manager: opened in one cell, closed in the last."""
    block = re.search(r"with (ragtune.open\(.+?\)) as run:\n(.*)", PROGRAMS[0], re.S)
    assert block is not None
    cells = f"import ragtune\nrun = {block[1]}\n{textwrap.dedent(block[2])}\nrun.close()"
    assert printed(cells, finished_run) == printed(PROGRAMS[0], finished_run)


def test_the_readmes_index_is_llama_indexs(finished_run: Path) -> None:
    lines = printed(PROGRAMS[2], finished_run)
    assert len(lines) == 3
    assert {line.split()[1] for line in lines} <= {name for name, *_ in FACTS}


@pytest.mark.parametrize("recipe", sorted((ROOT / "data").rglob("recipe*.yaml")), ids=str)
def test_every_shipped_recipe_is_good(recipe: Path, tmp_path: Path) -> None:
    done = watched(["check", str(recipe)], tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_yaml_of_the_readme_is_a_recipe(tmp_path: Path) -> None:
    needs, recipe = re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
    from ragtune.recipe import file as recipe_file

    assert set(yaml.safe_load(needs)["needs"]) == set(Needs.model_fields)
    Needs.model_validate(yaml.safe_load(needs)["needs"])
    path = tmp_path / "recipe.yaml"
    path.write_text(recipe, encoding="utf-8")
    assert recipe_file.load(path).name == "my-project"
    assert recipe_file.load(path).model.local == "smollm2-reader"
