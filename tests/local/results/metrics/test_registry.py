"""The seam of metrics: one file is enough to add one."""

import io
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from rich.console import Console

from ragtune.core.errors import RagtuneError
from ragtune.core.run_folder import RunFolder
from ragtune.results import table
from ragtune.results.metrics import registry
from ragtune.results.metrics.base import Case, Tools
from ragtune.results.page import render
from ragtune.results.schema import Results
from tests.local.results.made_up import QUESTIONS, TEXTS, write_run
from tests.local.results.metrics.toy import Length

ARMS = ("base", "tuned", "rag", "tuned+rag")


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test registers is gone after it."""
    monkeypatch.setattr(registry, "_METRICS", dict(registry._METRICS))


def printed(results: Results) -> str:
    console = Console(width=80, file=io.StringIO())
    console.print(table.render(results, details=True))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_metric_of_one_file_is_in_results_table_page_and_differences(tmp_path: Path) -> None:
    registry.register(Length())
    results = write_run(tmp_path, ARMS)
    again = Results.load(RunFolder(tmp_path).results)
    assert again.arms["base"].quality["length"].mean == results.arms["base"].quality["length"].mean
    assert results.arms["base"].quality["length"].mean == 1.0
    assert [d.left for d in results.differences if d.metric == "length"].count("base") == 3
    text = printed(results)
    assert "length" in text
    assert max(map(len, text.splitlines())) <= 80
    assert '<th scope="row">length match</th>' in render(results, RunFolder(tmp_path))


def test_a_metric_of_one_file_can_decide(tmp_path: Path) -> None:
    registry.register(Length())
    questions, texts = QUESTIONS[:2] * 20, {arm: TEXTS[arm][:2] * 20 for arm in ARMS}
    results = write_run(tmp_path, ARMS, questions, texts, deciding="length")
    recommendation = results.recommendation
    assert (recommendation.metric, recommendation.arm) == ("length", "base")
    text = " ".join(printed(results).split())
    assert "fits best: base — length match 1.00 at" in text
    assert "by token F1 it would be rag" in text
    page = render(results, RunFolder(tmp_path))
    assert "Length match, with its 95 % interval" in page
    assert "Length match, paired by question" in page


def test_an_installed_package_adds_a_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("length", "tests.local.results.metrics.toy:Length", registry.GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    registry._load_plugins.cache_clear()
    assert list(registry.metrics())[-1] == "length"
    assert registry.title("length") == "length match"
    monkeypatch.undo()
    registry._load_plugins.cache_clear()


def test_a_metric_that_needs_what_is_not_offered_is_left_out() -> None:
    class Near(Length):
        name = "near"
        needs = frozenset({"embedder"})

    registry.register(Near())
    assert "near" not in registry.metrics()
    assert "near" in registry.metrics(Tools(embedder=lambda texts: [[1.0] for _ in texts]))


def test_a_name_is_given_once() -> None:
    class Other(Length):
        name = "token_f1"

    with pytest.raises(RagtuneError, match="metric token_f1: there is one of this name"):
        registry.register(Other())


@pytest.mark.parametrize("scores", [[0.5], [0.5, 2.0], [0.5, float("nan")]])
def test_scores_that_are_none_are_refused(scores: list[float]) -> None:
    class Broken(Length):
        def scores(self, cases: Sequence[Case]) -> list[float]:
            return scores

    cases = [Case(QUESTIONS[0], "x", ("y",))] * 2
    with pytest.raises(RagtuneError, match=r"metric length: .* one from 0 to 1 for each"):
        registry.score(Broken(), cases)


def test_a_metric_that_is_not_installed_is_called_by_its_name() -> None:
    assert registry.title("of_another_machine") == "of_another_machine"
