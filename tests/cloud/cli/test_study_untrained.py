"""The base model alone at full size: what `ragtune cloud study` does where there is no job."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer

from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import ARMS, is_tuned
from ragtune.results.schema import Results
from ragtune_cloud.folder import UNTRAINED, CloudFolder
from ragtune_cloud.ledger import Ledger
from tests.cloud.fake import FakeSageMaker
from tests.cloud.study.made_up import QUESTIONS, from_passages, make_run, recipe_of_every_arm

Call = Callable[..., tuple[int, str, str]]
YES = ("--accept-eula", "--yes")


@pytest.fixture
def run(tmp_path: Path, tiny_llama: Path, fake: FakeSageMaker) -> RunFolder:
    """A run that retrieval won, from which nothing was submitted."""
    fake.answer = lambda endpoint, prompt: from_passages("base", prompt)
    made = recipe_of_every_arm(tiny_llama, study={"latency_questions": 2})
    return make_run(tmp_path / "runs" / "harbour", made)


def test_what_needs_a_tuned_model_is_refused_with_what_does_not(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    code, _, err = ragtune("cloud", "study", run, *YES)
    assert code == 7
    assert "no job was submitted from it, so there is no tuned model for tuned, tuned+rag" in err
    untuned = ",".join(arm for arm in ARMS if not is_tuned(arm))
    assert f"--arms {untuned} studies the untuned model alone" in err
    code, _, err = ragtune("cloud", "study", run, "--arms", "rag,tuned+rag", *YES)
    assert (code, "no tuned model for tuned+rag;" in err) == (7, True)
    code, _, err = ragtune("cloud", "study", run, "--arms", "base,raag", *YES)
    assert (code, "--arms raag: the run has no such arm; allowed: base, " in err) == (2, True)
    code, _, err = ragtune("cloud", "deploy", run, "--side", "tuned", *YES)
    assert (code, "submit with `ragtune promote RUN --submit`" in err) == (7, True)
    nameless = ("--set", "cloud.role=null")
    code, _, err = ragtune("cloud", "study", run, "--arms", "rag", *nameless, *YES)
    assert (code, "or with --set cloud.role=NAME" in err) == (7, True)
    assert fake.calls["CreateModel"] == 0


def test_the_base_model_is_asked_without_a_job_and_nothing_is_left(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ("cloud", "study", run, "--arms", "rag,base", "--set", "cloud.role=ragtune")
    with monkeypatch.context() as patch:
        patch.setattr("typer.confirm", refuse)
        code, _, err = ragtune(*asked, "--accept-eula")
    assert code == 1
    assert "nothing is trained, so the gate is not asked; not asked: fewshot, tuned" in err
    assert "-base: ml.g5.2xlarge, $1.51 an hour, $36.36 a day until it is deleted" in err
    assert fake.calls["CreateModel"] == 0

    code, out, err = ragtune(*asked, *YES)
    assert code == 0, err
    folder = CloudFolder(run).study(UNTRAINED)
    found = Results.load(folder.results)
    assert list(found.arms) == ["base", "rag"]
    assert found.arms["rag"].right.mean == 1
    assert found.recommendation.arm == "rag"
    assert fake.calls["CreateEndpoint"] == 1
    assert len(fake.asked) == 2 * (QUESTIONS + 2) + 1
    assert (fake.jobs, fake.running, Ledger(run).open()) == ({}, [], [])
    assert "the verdict is the same: to use retrieval" in " ".join(out.split())
    assert ragtune("cloud", "costs", run.path.parent)[1] == "nothing of ragtune's costs money\n"
    assert "cloud: the models where they are served" in ragtune("cloud", "compare", run)[1]

    assert ragtune(*asked)[0] == 0
    assert fake.calls["CreateEndpoint"] == 1
    fake.answer = lambda endpoint, prompt: "six"
    code, _, err = ragtune(*asked[:3], "--arms", "base,fewshot", *asked[5:], *YES)
    assert code == 0, err
    assert fake.calls["CreateEndpoint"] == 2
    assert len(fake.asked) == 3 * (QUESTIONS + 2) + 2, "what was answered is not asked again"


def refuse(*_: Any, **__: Any) -> None:
    """A no to the price."""
    raise typer.Abort


def test_an_endpoint_of_the_base_model_is_deployed_and_deleted_without_a_job(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    code, _, err = ragtune("cloud", "deploy", run, "--side", "base", "--keep", *YES)
    assert code == 0, err
    (name,) = fake.things["Endpoint"]
    assert f"{name} costs money until: ragtune cloud delete {run}" in err
    assert f"endpoint {name}: $1.5150 an hour" in ragtune("cloud", "costs", run.path.parent)[1]
    for _ in range(2):
        code, out, err = ragtune("cloud", "delete", run)
        assert (code, out) == (0, f"{run}: nothing deployed\n"), err
    assert fake.running == []


def test_prompts_in_another_models_chat_form_are_said(
    tmp_path: Path, tiny_llama: Path, ragtune: Call
) -> None:
    made = recipe_of_every_arm(tiny_llama, template={"format": "chat"})
    run = make_run(tmp_path / "runs" / "chat", made)
    _, _, err = ragtune("cloud", "study", run, "--arms", "base", *YES)
    assert "the prompts have the chat form of" in err
    assert "reads these marks as text" in err
