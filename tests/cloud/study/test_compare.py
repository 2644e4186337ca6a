from pathlib import Path

import pytest
from rich.console import Console

from ragtune.core.files import read_json, read_jsonl, write_json, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.results.schema import Results
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.study.compare import compare, places, show
from tests.cloud.made_up import make_run, recipe


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run in which tuning wins."""
    return make_run(tmp_path / "runs" / "published", recipe())


def study_of(run: RunFolder, job: str = "job") -> RunFolder:
    """A study of a job whose models answered as the local arms did."""
    write_json(CloudFolder(run).job, {"job": job})
    study = CloudFolder(run).study(job)
    write_jsonl(study.questions, read_jsonl(run.questions))
    Results.load(run.results).dump(study.results)
    return study


def test_each_places_figures_are_those_of_its_own_results(run: RunFolder) -> None:
    assert [place.name for place in places(run)] == ["local"]
    study_of(run)
    found = compare(run)
    assert list(found["sides"]) == ["local base", "local tuned", "cloud base", "cloud tuned"]
    assert found["sides"]["cloud tuned"]["token_f1"]["mean"] == 1
    assert found["tuned_minus_base"]["cloud"]["mean"] == 1
    assert read_json(CloudFolder(run).comparison) == found


def test_a_place_without_results_or_with_other_questions_is_left_out(run: RunFolder) -> None:
    study = study_of(run)
    write_jsonl(study.questions, read_jsonl(run.questions)[1:])
    assert [place.name for place in places(run)] == ["local"]
    study_of(run)
    study.results.unlink()
    assert [place.name for place in places(run)] == ["local"]


def test_the_study_of_another_job_is_left_out(run: RunFolder) -> None:
    study_of(run, "first")
    write_json(CloudFolder(run).job, {"job": "second"})
    assert [place.name for place in places(run)] == ["local"]


def test_every_place_is_shown_by_the_table_of_the_local_study(run: RunFolder) -> None:
    study_of(run)
    console = Console(width=120, record=True)
    console.print(show(run))
    text = console.export_text()
    assert text.count("40 held-out questions") == 2
    assert "tuned - base, cloud: right +1.00" in text
