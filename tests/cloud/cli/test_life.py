"""The whole life of a promotion, through the command."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from ragtune.core.files import read_json, read_jsonl, write_json, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.sagemaker.record import read_record
from tests.cloud.fake import ACCOUNT, REGION, FakeSageMaker
from tests.cloud.made_up import QUESTIONS, hour, make_run, recipe

YES = ("--accept-eula", "--yes")
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, tiny_llama: Path) -> RunFolder:
    """A run folder whose recipe names a model and records that are here."""
    rows = [
        {"instruction": f"When {n}?", "context": f"At six, {n}.", "response": "six"}
        for n in range(6)
    ]
    write_jsonl(tmp_path / "runs" / "records.jsonl", rows)
    study = {"arms": ["base", "tuned"], "max_new_tokens": 3, "latency_questions": 1}
    made = recipe(model={"local": str(tiny_llama)}, study=study)
    return make_run(tmp_path / "runs" / "published", made)


def test_a_full_life_leaves_nothing_that_costs_money(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker, merged_model: bytes, tmp_path: Path
) -> None:
    fake.artefact = merged_model
    fake.answer = lambda endpoint, prompt: hour(prompt) if "tuned" in endpoint else "I do not know"

    code, out, err = ragtune("promote", run)
    assert (code, fake.calls.total()) == (0, 0), err
    assert "licence: read the model's licence" in out
    code, out, err = ragtune("promote", run, "--submit")
    assert code == 7
    assert fake.jobs == {}
    assert "licence" in err
    code, out, err = ragtune("promote", run, "--submit", "--accept-eula", "--account", ACCOUNT)
    assert code == 0, err
    assert "submitted" in err

    code, out, err = ragtune("cloud", "costs", tmp_path / "runs")
    assert "training job published" in out
    assert "GB stored" in out
    code, out, err = ragtune("cloud", "status", run)
    assert "InProgress" in out
    code, out, err = ragtune("cloud", "watch", run)
    assert code == 0, err
    assert "epoch 1: train/validation loss 1.4238/1.3190, here 2.5000/2.2500" in err
    assert "epoch 2: train/validation loss 1.3069/1.2804" in err
    assert "Completed" in out
    assert "Completed" in ragtune("cloud", "list", tmp_path / "runs")[1]

    code, out, err = ragtune("cloud", "fetch", run)
    assert code == 0, err
    study = run.path / "cloud" / "fetched"
    code, out, err = ragtune("run", study / "recipe.yaml", "--runs", study / "runs")
    assert code == 0, err

    fake.shape = "generated_text"
    code, out, err = ragtune("cloud", "study", run, "--accept-eula", "--yes")
    assert code == 0, err
    assert "ml.g5.2xlarge, $1.51 an hour, $36.36 a day until it is deleted" in err
    told = " ".join(out.split())
    assert "the verdict is the same: to use tuning" in told
    assert "$1.51 an hour, asked or not: $1,106 a month of 730 hours, at no queries too" in told
    code, out, err = ragtune("cloud", "compare", run)
    assert code == 0, err
    assert "tuned - base, cloud: right +1.00" in out
    for place in ("local\n", "cloud: the models where they are served", "cloud tuned, fetched"):
        assert place in out
    page = CloudFolder(run).study(read_record(run).job).report
    assert f"report: {page}" in err
    assert "I do not" in page.read_text()
    assert fake.things == {"Model": {}, "EndpointConfig": {}, "Endpoint": {}}

    code, out, err = ragtune("cloud", "delete", run, "--data")
    assert code == 0, err
    code, out, err = ragtune("cloud", "costs", tmp_path / "runs")
    assert out == "nothing of ragtune's costs money\n"
    written = [
        p for p in run.path.rglob("*") if p.is_file() and p.suffix in {".json", ".jsonl", ".yaml"}
    ]
    assert not [p for p in written if ACCOUNT in p.read_text()]


def test_a_deployment_says_its_price_and_asks(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typer.confirm", _refuse)
    code, _, err = ragtune("cloud", "deploy", completed)
    assert (code, "accept it with --accept-eula" in err) == (7, True)
    code, _, err = ragtune("cloud", "deploy", completed, "--accept-eula")
    assert code == 1
    assert err.count("a day until it is deleted") == 2
    assert fake.things["Endpoint"] == {}
    code, _, err = ragtune("cloud", "deploy", completed, "--side", "tuned", "--keep", *YES)
    assert code == 0
    (name,) = fake.things["Endpoint"]
    assert f"aws sagemaker delete-endpoint --endpoint-name {name} --region us-east-1" in err
    config = fake.things["EndpointConfig"][name]
    assert config["ProductionVariants"][0]["InstanceType"] == "ml.g5.2xlarge"
    fake.things["Endpoint"][name]["created"] = time.time() - 1800
    assert (
        f"endpoint {name}: $1.5150 an hour, $0.76 so far"
        in ragtune("cloud", "costs", completed.path.parent)[1]
    )
    assert ragtune("cloud", "delete", completed)[0] == 0
    assert fake.things["Endpoint"] == {}


def _refuse(*_: Any, **__: Any) -> None:
    import typer

    raise typer.Abort


def test_a_time_to_live_deletes_by_itself_and_so_does_every_failure(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ragtune("cloud", "deploy", completed, "--ttl", "30", *YES)[0] == 0
    assert fake.calls["CreateEndpoint"] == 2
    assert fake.things["Endpoint"] == {}
    limit = (400, "ResourceLimitExceeded", "limit 'ml.g5.2xlarge for endpoint usage' is 0")
    fake.fails["CreateEndpoint"] = [limit]
    code, _, err = ragtune("cloud", "deploy", completed, *YES)
    assert code == 7
    assert "ask for more under Service Quotas" in err
    assert fake.things == {"Model": {}, "EndpointConfig": {}, "Endpoint": {}}

    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ragtune_cloud.cli.endpoints.sleep", interrupted)
    assert ragtune("cloud", "deploy", completed, "--ttl", "30", *YES)[0] == 130
    assert fake.things["Endpoint"] == {}


def test_a_deletion_that_fails_leaves_a_line_that_deletes_by_hand(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    fake.fails["DeleteEndpoint"] = [(400, "AccessDeniedException", f"User of {ACCOUNT} may not")]
    code, _, err = ragtune("cloud", "deploy", completed, "--side", "base", "--ttl", "1", *YES)
    assert code == 7
    assert "aws sagemaker delete-endpoint --endpoint-name published-" in err
    assert ACCOUNT not in err
    assert ragtune("cloud", "delete", completed)[0] == 0
    assert fake.things["Endpoint"] == {}


def test_an_endpoint_has_the_role_of_its_job_where_the_recipe_names_none(
    tmp_path: Path, ragtune: Call, fake: FakeSageMaker
) -> None:
    run = make_run(tmp_path / "run", recipe(cloud={"role": None}))
    deploy = ("cloud", "deploy", run, "--side", "base", "--keep", *YES)
    role = ("--set", "cloud.role=ragtune")
    assert ragtune("promote", run, "--submit", "--accept-eula", *role)[0] == 0
    assert ragtune(*deploy)[0] == 0
    (model,) = fake.things["Model"].values()
    assert model["ExecutionRoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/ragtune"
    assert ragtune("cloud", "delete", run)[0] == 0
    noted = read_json(CloudFolder(run).job)
    del noted["role"]  # as an older ragtune wrote it
    write_json(CloudFolder(run).job, noted)
    code, _, err = ragtune(*deploy)
    assert (code, "cloud.role is missing: name the SageMaker execution role" in err) == (7, True)
    assert fake.things == {"Model": {}, "EndpointConfig": {}, "Endpoint": {}}


def test_what_earlier_attempts_stored_is_told_and_removed_too(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker, aws: boto3.Session
) -> None:
    for again in ((), ("--again",)):
        assert ragtune("promote", run, "--submit", "--accept-eula", *again)[0] == 0
        assert ragtune("cloud", "stop", run)[0] == 0
    assert len(fake.jobs) == 2
    told = ragtune("cloud", "costs", run.path.parent)[1]
    for job in fake.jobs:
        assert f"GB stored s3://sagemaker-{REGION}-<account>/ragtune/{job}:" in told
    assert ragtune("cloud", "delete", run, "--data")[0] == 0
    assert ragtune("cloud", "costs", run.path.parent)[1] == "nothing of ragtune's costs money\n"
    found = aws.client("s3").list_objects_v2(Bucket=f"sagemaker-{REGION}-{ACCOUNT}")
    assert found["KeyCount"] == 0


def test_a_study_that_broke_off_leaves_nothing_and_asks_only_what_is_left(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    fake.answer = _broken_at(9)
    assert ragtune("cloud", "study", completed, *YES)[0] == 1
    assert fake.things == {"Model": {}, "EndpointConfig": {}, "Endpoint": {}}
    study = CloudFolder(completed).study(read_record(completed).job)
    kept, asked = len(read_jsonl(study.path / "outcomes.jsonl")), fake.calls["InvokeEndpoint"]
    assert 0 < kept < asked
    fake.answer = lambda endpoint, prompt: "six"
    assert ragtune("cloud", "study", completed, *YES)[0] == 0
    timed, warm_ups = 2, 2
    assert fake.calls["InvokeEndpoint"] - asked == 2 * QUESTIONS + timed + warm_ups - kept


def test_a_study_of_which_everything_is_answered_deploys_nothing(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    assert ragtune("cloud", "study", completed, *YES)[0] == 0
    deployed = fake.calls["CreateEndpoint"]
    code, out, err = ragtune("cloud", "study", completed, "--json")
    assert code == 0, err
    assert json.loads(out)["full_size"]["target"] == "JumpStart"
    assert fake.calls["CreateEndpoint"] == deployed == 2


def test_a_study_may_weigh_with_other_needs_and_changes_nothing_that_was_measured(
    completed: RunFolder, ragtune: Call
) -> None:
    code, _, err = ragtune("cloud", "study", completed, "--set", "study.max_new_tokens=9")
    assert (code, "allowed: needs.*" in err) == (2, True)
    needs = ["needs.queries_per_month=1000", "needs.price_per_hour=1", "needs.budget_per_month=500"]
    told = [part for need in needs for part in ("--set", need)]
    code, out, err = ragtune("cloud", "study", completed, *YES, *told)
    assert code == 0, err
    assert "the verdict turns: here" in out


def _broken_at(call: int) -> Callable[[str, str], str]:
    count = iter(range(1, 100))

    def answer(endpoint: str, prompt: str) -> str:
        if next(count) == call:
            raise RuntimeError("the line broke")
        return "six"

    return answer


def test_what_is_overridden_may_not_touch_what_was_measured(run: RunFolder, ragtune: Call) -> None:
    code, _, err = ragtune("promote", run, "--set", "tune.epoch=9")
    assert (code, "allowed: cloud.*, promote.*" in err) == (2, True)
    code, out, _ = ragtune("promote", run, "--set", "cloud.instance_count=2", "--json")
    assert json.loads(out)["request"]["ResourceConfig"]["InstanceCount"] == 2


def test_resolving_writes_a_dated_lock_that_the_plan_then_goes_by(
    run: RunFolder, ragtune: Call, aws: boto3.Session
) -> None:
    code, out, err = ragtune("cloud", "resolve", run)
    assert (code, err) == (0, "")
    assert "meta-textgeneration-llama-2-7b 3.0.0 in us-east-1" in out
    version = ["--set", "cloud.model_version=2.1.8"]
    assert ragtune("cloud", "resolve", run, *version)[0] == 0
    _, out, _ = ragtune("promote", run, "--json", *version)
    assert json.loads(out)["model"]["version"] == "2.1.8"
    (model,) = [c for c in json.loads(out)["preflight"] if c["name"] == "model"]
    assert model["status"] == "ok"
    code, _, err = ragtune("cloud", "resolve", run, "--set", "cloud.model_version=9.0.0")
    assert (code, "has 2.1.8, 3.0.0" in err) == (7, True)
