"""The tuned arms of a run, asked of the imported model."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ragtune.core.errors import CloudError
from ragtune.core.files import read_json, read_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.results.schema import Results
from ragtune.runs.open import recipe_of
from ragtune_cloud.bedrock.record import read_record, write_record
from ragtune_cloud.bedrock.serving import ImportServing, answerable
from ragtune_cloud.bedrock.target import Bedrock
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.study import study
from tests.cloud.bedrock.conftest import Call, imported
from tests.cloud.bedrock.fake import FakeBedrock
from tests.cloud.fake import ACCOUNT
from tests.cloud.made_up import Ear
from tests.cloud.study.made_up import (
    QUESTIONS,
    from_passages,
    make_run,
    recipe_of_every_arm,
    tuned_rag_wins,
)


@pytest.fixture
def run(tmp_path: Path, tiny_llama: Path, exported: Path) -> RunFolder:
    """A run of every arm that ``tuned+rag`` won, with its export."""
    cloud = {"bedrock_role": "bedrock", "max_cost_usd": 30}
    made = recipe_of_every_arm(tiny_llama, cloud=cloud, study={"latency_questions": 4})
    found = make_run(tmp_path / "runs" / "harbour", made, tuned_rag_wins)
    found.merged.symlink_to(exported)
    return found


def test_tuned_arms_are_asked_the_others_said_and_idle_costs_nothing(
    run: RunFolder, ragtune: Call, bedrock: FakeBedrock
) -> None:
    imported(run, Bedrock(), override_gate="tried")
    bedrock.cold, bedrock.answer = 2, lambda prompt: from_passages("tuned", prompt)
    code, out, err = ragtune("cloud", "bedrock", "study", run)
    assert code == 0, err
    for arm in ("base", "fewshot", "rag", "rag-records"):
        assert f"{arm}: not asked: " in err
    assert "idle from now on, stored for $3.90 a month until" in err
    folder = CloudFolder(run).study(read_record(run).job)
    found = Results.load(folder.results)
    assert list(found.arms) == ["tuned", "tuned+rag"]
    assert found.arms["tuned+rag"].right.mean > 0.5
    assert found.arms["tuned"].right.mean < 0.05
    full_size = found.full_size
    assert full_size is not None
    assert full_size.target == "Bedrock"
    hosting = full_size.hosting["tuned"]
    assert hosting.kept is False
    assert hosting.price_per_hour == pytest.approx(60 * 2 * 0.05718)
    assert len(read_jsonl(folder.answers("tuned"))) == QUESTIONS
    assert len(bedrock.asked) == 2 * QUESTIONS + 2 * 4 + 1
    assert "Here and at full size" in folder.report.read_text()
    assert ACCOUNT not in folder.report.read_text() + folder.results.read_text() + out + err

    asked = len(bedrock.asked)
    assert ragtune("cloud", "bedrock", "study", run)[0] == 0
    assert len(bedrock.asked) == asked


def test_a_study_that_broke_off_goes_on_and_a_refused_question_is_an_outcome(
    run: RunFolder, bedrock: FakeBedrock, place: Callable[..., Bedrock]
) -> None:
    imported(run, place(), override_gate="tried")
    recipe = answerable(recipe_of(run.path), Ear())
    serving = ImportServing(place(), recipe, run, Ear())
    bedrock.cloud.fails["InvokeModel"] = [(424, "ModelErrorException", "out of memory")]
    bedrock.after(30, lambda: bedrock.cloud.denied.add("InvokeModel"))
    with pytest.raises(CloudError, match="may not do that"):
        study(serving, recipe, run, Ear())
    asked = len(bedrock.asked)
    bedrock.cloud.denied.clear()
    found = study(ImportServing(place(), recipe, run, Ear()), recipe, run, Ear())
    assert found.full_size is not None
    assert sum(found.full_size.failed.values()) == 1
    assert asked >= 30
    assert len(bedrock.asked) < asked + 2 * QUESTIONS + 2 * 4 - 10, "what was answered is kept"


def test_nothing_is_asked_before_it_is_imported_or_of_a_run_without_tuning(
    run: RunFolder, place: Callable[..., Bedrock], bedrock: FakeBedrock
) -> None:
    recipe = recipe_of(run.path)
    with pytest.raises(CloudError, match="import RUN --submit"):
        ImportServing(place(), recipe, run, Ear())
    imported(run, place(), override_gate="tried")
    record = read_record(run)
    write_record(run, type(record)(record.job, record.region, record.source))
    with pytest.raises(CloudError, match="not imported yet"):
        ImportServing(place(), recipe, run, Ear())
    untuned = recipe.model_copy(
        update={"study": recipe.study.model_copy(update={"arms": ["base", "rag"]})}
    )
    with pytest.raises(CloudError, match="has no tuned arm"):
        answerable(untuned, Ear())
    assert read_json(CloudFolder(run).ledger)["open"]
