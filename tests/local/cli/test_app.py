import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer.testing
import yaml

from ragtune.cli import app as cli
from ragtune.core import offline
from ragtune.core.errors import Fault, RagtuneError, RecipeError
from ragtune.runs import defaults
from ragtune.runs import sweep as sweeping

ROOT = Path(__file__).resolve().parents[3]


def ragtune(*arguments: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "ragtune", *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_needs_no_heavy_import() -> None:
    code = (
        "import sys; sys.argv = ['ragtune', '--help']\n"
        "from ragtune.cli.app import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'transformers', 'llama_index', 'numpy', 'datasets', 'pydantic'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"
    verbs = "init check preview tune index search run ask label report export promote compare sweep"
    for verb in verbs.split():
        assert verb in done.stdout


def test_a_session_from_init_to_ask(
    project: Callable[..., Path], tmp_path: Path, called: Any
) -> None:
    path, runs = str(project()), str(tmp_path / "runs")
    code, out, _ = called("check", path, "--json")
    assert code == 0
    assert json.loads(out)["documents"] == 6

    code, out, _ = called("check", path, "--probe")
    assert code == 0
    assert "tuning takes about " in out

    code, out, _ = called("preview", path, "--rows", "1")
    assert code == 0
    assert "### Instruction:" in out
    assert "trained on (‖ a block ends): " in out

    code, out, err = called("tune", path, "--runs", runs)
    assert code == 0
    assert out.startswith("tuned:\nepoch  train loss  validation loss")
    assert "train_epoch_loss=" in err

    code, out, err = called("run", path, "--runs", runs, "--details")
    assert code == 0
    assert "tune/tuned+rag: reused" in err
    assert "tuned+rag" in out
    assert "retrieval: recall@2" in out
    assert "report:" in err
    (folder,) = Path(runs).iterdir()

    code, out, err = called("report", str(folder), "--json")
    assert code == 0
    assert json.loads(out) == json.loads((folder / "results.json").read_text())

    code, out, _ = called("ask", str(folder), "What does soup cost?", "--arm", "rag", "--json")
    answer = json.loads(out)
    assert code == 0
    assert answer["arm"] == "rag"
    assert answer["sources"][0]["document"] == "canteen.md"
    assert (answer["refused"], type(answer["support"])) == (False, list)

    code, out, _ = called("ask", str(folder), "What does soup cost?", "--arm", "rag")
    assert code == 0
    assert "[1] canteen.md" in out

    code, _, err = called("ask", str(folder), "What?", "--arm", "best")
    assert (code, err) == (2, "error: --arm best: this run has base, tuned, rag, tuned+rag\n")

    code, out, _ = called("export", str(folder))
    assert code == 0
    assert out.startswith(f"{folder / 'merged'} written; drift over ")

    code, out, _ = called("promote", str(folder), "--json")
    assert (code, out) == (2, "")


def test_an_index_is_kept_up_to_date_and_searched_without_a_model(
    project: Callable[..., Path], tmp_path: Path, called: Any
) -> None:
    path = project()
    target = [str(path), "--runs", str(tmp_path / "runs")]
    code, out, _ = called("index", *target, "--status", "--json")
    assert (code, json.loads(out)["stale"]) == (0, True)
    assert not (tmp_path / "runs").exists()

    code, out, err = called("index", *target)
    assert (code, out) == (
        0,
        f"{tmp_path}/runs/{next((tmp_path / 'runs').iterdir()).name}: 6 documents, 6 chunks\n",
    )
    assert "documents: 6 added, 0 unchanged" in err
    (folder,) = (tmp_path / "runs").iterdir()

    (path.parent / "docs" / "fog.md").write_text("# Fog\n\nIn fog the horn sounds thrice.\n")
    (path.parent / "docs" / "dogs.md").unlink()
    (path.parent / "docs" / "empty.md").write_text("")
    code, out, _ = called("index", str(folder), "--status")
    assert code == 0
    assert "stale; 4 documents unchanged" in out
    assert {"added: empty.md", "changed: fog.md", "removed: dogs.md"} <= set(out.splitlines())
    code, out, err = called("index", str(folder), "--json")
    assert json.loads(out)["documents"] == 5
    assert json.loads(out)["skipped"] == {"empty.md": "holds no text: the file is empty (0 bytes)"}
    assert "documents: left out empty.md: holds no text" in err
    code, out, _ = called("index", str(folder), "--status")
    assert "up to date; 5 documents" in out

    code, out, _ = called("search", str(folder), "How often does the horn sound?")
    assert out.startswith("[1] ")
    assert "fog.md Fog\n" in out.splitlines(keepends=True)[0]
    code, out, _ = called(
        "search",
        *target,
        "What does soup cost?",
        "--where",
        "document!=canteen.md",
        "--mode",
        "dense",
        "--top-k",
        "5",
        "--json",
    )
    found = [passage["document"] for passage in json.loads(out)]
    assert len(found) == 4
    assert "canteen.md" not in found
    for bad in (["--where", "colour=red"], ["--where", "page=x"], ["--mode", "best"]):
        code, out, err = called("search", str(folder), "What?", *bad)
        assert (code, out, len(err.splitlines())) == (2, "", 1)

    code, out, err = called("index", str(folder), "--set", "rag.top_k=3")
    assert (code, out) == (2, "")
    code, out, err = called("index", str(folder), "--rebuild")
    assert "documents: 6 added, 0 unchanged" in err


def test_a_search_before_any_index_names_the_command_that_makes_it(
    project: Callable[..., Path], tmp_path: Path, called: Any
) -> None:
    runs = tmp_path / "runs"
    code, out, err = called("search", str(project()), "What?", "--runs", str(runs))
    assert (code, out, len(err.splitlines())) == (6, "", 1)
    assert "no index there yet; `ragtune index RECIPE` makes it" in err
    assert not runs.exists()


def test_three_faults_are_three_lines_and_exit_code_2(tmp_path: Path, called: Any) -> None:
    path = tmp_path / "r.yaml"
    path.write_text("name: X\nrecords: {source: r, sorce: s}\ntune: {epoch: x}\n")
    code, out, err = called("check", str(path))
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 3


@pytest.mark.parametrize(
    ("override", "code"),
    [
        ("records.source=none.jsonl", 3),
        ("documents.source=none", 3),
        ("model.local=nowhere", 4),
        ("model.local=no-body/nothing", 5),
    ],
)
def test_each_kind_of_error_is_one_line_with_its_exit_code(
    project: Callable[..., Path], called: Any, tmp_path: Path, override: str, code: int
) -> None:
    runs = tmp_path / "runs"
    got, out, err = called(
        "run", str(project()), "--offline", "--runs", str(runs), "--set", override
    )
    assert (got, out) == (code, "")
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
    assert not runs.exists()


def test_a_folder_that_is_no_run_exits_with_6(tmp_path: Path, called: Any) -> None:
    code, _, err = called("report", str(tmp_path))
    assert code == 6
    assert "no run folder" in err


def test_an_unexpected_error_is_one_line_and_a_traceback_only_on_debug(
    tmp_path: Path, called: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(folder: Path, model: str | None) -> Path:
        raise ZeroDivisionError("by zero\nand more")

    monkeypatch.setattr("ragtune.recipe.starter.write_starter", broken)
    code, _, err = called("init", str(tmp_path))
    assert (code, err) == (
        1,
        "unexpected error: ZeroDivisionError: by zero; --debug shows where\n",
    )
    monkeypatch.setenv("RAGTUNE_DEBUG", "")
    with pytest.raises(ZeroDivisionError):
        called("--debug", "init", str(tmp_path))


def test_ctrl_c_exits_with_130(
    tmp_path: Path, called: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(folder: Path, model: str | None) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr("ragtune.recipe.starter.write_starter", stopped)
    code, _, err = called("init", str(tmp_path))
    assert code == 130
    assert "goes on from here" in err


def test_init_writes_the_demo_and_overwrites_nothing(tmp_path: Path, called: Any) -> None:
    code, out, _ = called("init", str(tmp_path / "new"))
    assert code == 0
    assert (tmp_path / "new" / "recipe.yaml").exists()
    assert "ragtune run" in out
    code, _, err = called("init", str(tmp_path / "new"))
    assert code == 2
    assert "exists already" in err


def test_init_wraps_what_exists_and_says_what_comes_next(
    project: Callable[..., Path], tmp_path: Path, called: Any
) -> None:
    data, study = project().parent, tmp_path / "a study"
    own = ("--records", data / "records.jsonl", "--docs", data / "docs", "--model", "builtin")
    code, out, _ = called("init", study, *own)
    assert code == 0
    assert out == f"{study}/recipe.yaml written; next: ragtune check '{study}/recipe.yaml'\n"
    code, out, _ = called("check", study / "recipe.yaml")
    assert code == 0
    assert "from builtin's defaults: template, rag.chunk_tokens" in out

    code, out, _ = called("check", study / "recipe.yaml", "--json")
    assert json.loads(out)["origins"]["rag.chunk_tokens"] == "builtin's defaults"
    code, _, err = called("init", tmp_path / "b", "--docs", "contexts")
    assert code == 2
    assert "give --records too" in err


def test_a_broken_plug_in_costs_a_line_not_the_command(
    monkeypatch: pytest.MonkeyPatch, called: Any
) -> None:
    class Broken:
        name = "other"

        def load(self) -> None:
            raise ImportError("no module")

    monkeypatch.setattr(cli, "entry_points", lambda group: [Broken()])
    code, out, err = called("--version")
    assert code == 0
    assert out.startswith("ragtune 0")
    assert err == "warning: the verbs of other are missing: no module\n"


def test_a_verb_that_is_known_does_not_wait_for_other_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, called: Any
) -> None:
    def slow(group: str) -> list[Any]:
        raise AssertionError(group)

    monkeypatch.setattr(cli, "entry_points", slow)
    code, _, err = called("ask", tmp_path, "Why?")
    assert code == 6, err
    assert "no run folder" in err


def test_the_exit_codes_of_the_tree_are_those_the_help_lists() -> None:
    runner = typer.testing.CliRunner()
    shown = " ".join(runner.invoke(cli.app, ["--help"]).stdout.replace("│", " ").split())
    codes = {kind.exit_code for kind in _tree(RagtuneError)}
    assert codes == {1, 2, 3, 4, 5, 6, 7}
    assert "2 recipe or command line, 3 records or documents, 4 model, 5 offline, 6 run" in shown


def test_a_recipe_error_keeps_its_faults() -> None:
    error = RecipeError([Fault("r.yaml:2", "seed", "wrong"), Fault("r.yaml:3", "name", "odd")])
    assert str(error) == "r.yaml:2: seed: wrong\nr.yaml:3: name: odd"
    assert len(error.faults) == 2


def test_piped_output_is_data_and_talk_goes_to_stderr(project: Callable[..., Path]) -> None:
    done = ragtune("check", str(project()), "--filled")
    assert done.returncode == 0
    assert done.stdout.startswith("name: tiny\n")
    assert done.stderr == ""


def test_a_filled_recipe_with_a_prediction_below_it_is_still_that_recipe(
    project: Callable[..., Path], called: Any
) -> None:
    path = project()
    code, out, _ = called("check", str(path), "--filled", "--probe")
    assert code == 0
    assert yaml.safe_load(out) == defaults.load(path).filled
    assert "\n# tuned: tuning takes about " in out


@pytest.mark.parametrize(
    ("arguments", "closed"),
    [
        (("--over", "model.local=builtin,no-body/no-llama"), False),
        (("--over", "model.local=builtin,no-body/no-llama", "--offline"), True),
        (("--over", "model.local=builtin"), True),
    ],
)
def test_a_sweep_over_a_model_of_a_hub_may_fetch_it_unless_told_otherwise(
    project: Callable[..., Path],
    called: Any,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    closed: bool,
) -> None:
    def stopped(*_: Any) -> None:
        raise RecipeError(f"closed: {offline.is_offline()}")

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr(sweeping.Sweep, "run", stopped)
    _, _, err = called("sweep", str(project()), *arguments)
    assert err.endswith(f"error: closed: {closed}\n")


def _tree(kind: type[RagtuneError]) -> list[type[RagtuneError]]:
    return [kind, *(below for child in kind.__subclasses__() for below in _tree(child))]


def test_verbs_over_several_runs_refuse_what_they_cannot_use(
    project: Callable[..., Path], tmp_path: Path, called: Any
) -> None:
    code, _, err = called("compare", str(tmp_path))
    assert (code, err) == (2, "error: compare: name two run folders or more, each once\n")
    code, _, err = called("compare", str(tmp_path / "a"), str(tmp_path / "b"))
    assert code == 6
    assert "results.json: missing" in err
    code, _, err = called("sweep", str(project()), "--over", "needs.cite_sources=true,false")
    assert code == 2
    assert "needs.cite_sources is not swept; allowed" in err
