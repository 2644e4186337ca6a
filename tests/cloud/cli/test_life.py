"""The whole life of a promotion, through the command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

import ragtune_cloud.account
import ragtune_cloud.cli
from ragtune.core.files import read_json, read_jsonl, write_json, write_jsonl
from ragtune.sources.records import Record
from ragtune_cloud import endpoints, jobs
from ragtune_cloud.sagemaker.account import Account
from tests.cloud.made_up import make_run, recipe
from tests.cloud.fake import ACCOUNT, REGION, FakeSageMaker, Killed, Trap

SLEEPERS = ("ragtune_cloud.watching", "ragtune_cloud.endpoints", "ragtune_cloud.cli_endpoints")
YES = ("--accept-eula", "--yes")
Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ragtune(monkeypatch: pytest.MonkeyPatch, called: Call, account: Callable[[], Account]) -> Call:
    """Run the command in this process against the made-up account: exit code, stdout, stderr."""
    opened = account()
    monkeypatch.setattr(ragtune_cloud.account, "Account", lambda region, profile=None: opened)
    for module in SLEEPERS:
        monkeypatch.setattr(f"{module}.sleep", lambda seconds: None)
    return called


@pytest.fixture
def project_run(tmp_path: Path, tiny_llama: Path) -> Path:
    """A run folder whose recipe points at real records, with the local arms' answers."""
    rows = [
        {"instruction": f"When {n}?", "context": f"At six, {n}.", "response": "six"}
        for n in range(6)
    ]
    write_jsonl(tmp_path / "records.jsonl", rows)
    made = recipe(
        model={"local": str(tiny_llama)},
        rag={},
        study={"arms": ["base", "tuned"], "max_new_tokens": 3, "latency_questions": 1},
    )
    run = make_run(tmp_path / "runs" / "published", made)
    lock = json.loads((run.path / "lock.json").read_text())
    (run.path / "lock.json").write_text(json.dumps({**lock, "recipe_folder": "../.."}))
    asked = [Record(**row).id for row in read_jsonl(run.path / "data" / "test.jsonl")]
    for arm, text in (("base", "no"), ("tuned", "at six")):
        rows = [{"question": question, "text": text} for question in asked]
        write_jsonl(run.path / "answers" / f"{arm}.jsonl", rows)
    epoch = {"epoch": 1, "train_loss": 2.5, "eval_loss": 2.25}
    (run.path / "adapter").mkdir()
    (run.path / "adapter" / "training.json").write_text(json.dumps({"epochs": [epoch]}))
    return run


def test_a_full_life_leaves_nothing_that_costs_money(
    project_run: RunFolder, ragtune: Call, fake: FakeSageMaker, merged_model: bytes, tmp_path: Path
) -> None:
    run = project_run
    fake.artefact = merged_model
    fake.answer = lambda endpoint, prompt: "six" if "tuned" in endpoint else "I do not know"

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
    code, out, err = ragtune("cloud", "evaluate", run, "--deploy", "--accept-eula", "--yes")
    assert code == 0, err
    assert "ml.g5.2xlarge, $1.51 an hour, $36.36 a day until it is deleted" in err
    assert "tuned - base, cloud: F1 +1.00" in out
    for side in ("local base", "local tuned", "cloud base", "cloud tuned", "fetched"):
        assert side in out
    page = (run.path / "cloud" / "comparison.html").read_text()
    assert "I do not know" in page
    assert fake.things == {"Model": {}, "EndpointConfig": {}, "Endpoint": {}}

    code, out, err = ragtune("cloud", "delete", run, "--data")
    assert code == 0, err
    code, out, err = ragtune("cloud", "costs", tmp_path / "runs")
    assert out == "nothing of ragtune's costs money\n"
    written = [
        p for p in run.rglob("*") if p.is_file() and p.suffix in {".json", ".jsonl", ".yaml"}
    ]
    assert not [p for p in written if ACCOUNT in p.read_text()]


@pytest.fixture
def completed(project_run: RunFolder, ragtune: Call, fake: FakeSageMaker) -> Path:
    """A run whose job has been completed."""
    assert ragtune("promote", project_run, "--submit", "--accept-eula")[0] == 0
    assert ragtune("cloud", "watch", project_run)[0] == 0
    return project_run


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
    code, _, err = ragtune("cloud", "deploy", completed, "--side", "tuned", *YES)
    assert code == 0
    (name,) = fake.things["Endpoint"]
    assert f"aws sagemaker delete-endpoint --endpoint-name {name} --region us-east-1" in err
    config = fake.things["EndpointConfig"][name]
    assert config["ProductionVariants"][0]["InstanceType"] == "ml.g5.2xlarge"
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

    monkeypatch.setattr("ragtune_cloud.cli_endpoints.sleep", interrupted)
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
    deploy = ("cloud", "deploy", run, "--side", "base", *YES)
    role = ("--set", "cloud.role=ragtune")
    assert ragtune("promote", run, "--submit", "--accept-eula", *role)[0] == 0
    assert ragtune(*deploy)[0] == 0
    (model,) = fake.things["Model"].values()
    assert model["ExecutionRoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/ragtune"
    assert ragtune("cloud", "delete", run)[0] == 0
    noted = read_json(run / jobs.RECORD)
    del noted["role"]  # as an older ragtune wrote it
    write_json(run / jobs.RECORD, noted)
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


def test_killed_at_any_call_a_deployment_is_found_again_and_deleted_whole(
    completed: RunFolder,
    ragtune: Call,
    account: Callable[[], Account],
    fake: FakeSageMaker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    record, made = jobs.read_record(completed), recipe()
    opened = account()
    trap = Trap(opened.session)
    from ragtune_cloud.sagemaker.spec import find

    spec = find(record.model_id, None, REGION, completed)
    assert spec is not None
    offered = endpoints.offer(record, spec, "tuned", None, eula=True)

    def deploy() -> None:
        endpoints.deploy(offered, record, made, spec, account=opened, say=lambda line: None)
        endpoints.wait(offered.name, opened, lambda line: None)

    def delete() -> None:
        endpoints.delete(record, opened, lambda line: None)

    for step, after in ((deploy, delete), (delete, delete)):
        for call in range(1, 50):
            if step is delete:
                deploy()
            trap.set(call)
            try:
                step()
                trap.set(None)
                after()
                break
            except Killed:
                trap.set(None)
                step()
                assert len(fake.things["Endpoint"]) == (step is deploy)
                after()
            assert fake.things == {"Model": {}, "EndpointConfig": {}, "Endpoint": {}}
        assert call > 6


def test_an_evaluation_that_broke_off_asks_only_what_is_left(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    assert ragtune("cloud", "deploy", completed, *YES)[0] == 0
    fake.fails["InvokeEndpoint"] = []
    fake.answer = _broken_at(2)
    assert ragtune("cloud", "evaluate", completed)[0] == 1
    asked = fake.calls["InvokeEndpoint"]
    fake.answer = lambda endpoint, prompt: "six"
    assert ragtune("cloud", "evaluate", completed)[0] == 0
    assert fake.calls["InvokeEndpoint"] - asked == 3 + 3 - (asked - 1)


def _broken_at(call: int) -> Callable[[str, str], str]:
    count = iter(range(1, 100))

    def answer(endpoint: str, prompt: str) -> str:
        if next(count) == call:
            raise RuntimeError("the line broke")
        return "six"

    return answer


def test_what_is_overridden_may_not_touch_what_was_measured(
    project_run: RunFolder, ragtune: Call
) -> None:
    code, _, err = ragtune("promote", project_run, "--set", "tune.epoch=9")
    assert (code, "allowed: cloud.*, promote.*" in err) == (2, True)
    code, out, _ = ragtune("promote", project_run, "--set", "cloud.instance_count=2", "--json")
    assert json.loads(out)["request"]["ResourceConfig"]["InstanceCount"] == 2


def test_resolving_writes_a_dated_lock_that_the_plan_then_goes_by(
    project_run: RunFolder, ragtune: Call, aws: boto3.Session
) -> None:
    code, out, err = ragtune("cloud", "resolve", project_run)
    assert (code, err) == (0, "")
    assert "meta-textgeneration-llama-2-7b 3.0.0 in us-east-1" in out
    version = ["--set", "cloud.model_version=2.1.8"]
    assert ragtune("cloud", "resolve", project_run, *version)[0] == 0
    _, out, _ = ragtune("promote", project_run, "--json", *version)
    assert json.loads(out)["model"]["version"] == "2.1.8"
    (model,) = [c for c in json.loads(out)["preflight"] if c["name"] == "model"]
    assert model["status"] == "ok"
    code, _, err = ragtune("cloud", "resolve", project_run, "--set", "cloud.model_version=9.0.0")
    assert (code, "has 2.1.8, 3.0.0" in err) == (7, True)
