"""Endpoints that cost money: none is left, whatever happens, and none is another's."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.ledger import Ledger
from ragtune_cloud.sagemaker.names import IDENTITY_TAG
from ragtune_cloud.sagemaker.record import read_record
from tests.cloud.fake import ACCOUNT, FakeSageMaker
from tests.cloud.made_up import make_run, recipe

Call = Callable[..., tuple[int, str, str]]
YES = ("--accept-eula", "--yes")
DENIED = (400, "AccessDeniedException", f"User of {ACCOUNT} may not")
OURS = {IDENTITY_TAG: recipe().identity}


def nothing_left(run: RunFolder, fake: FakeSageMaker) -> bool:
    """Neither in the account nor in the ledger."""
    return not fake.running and not fake.scheduler.schedules and not Ledger(run).open()


def name_of(run: RunFolder, side: str) -> str:
    return f"{read_record(run).job}-{side}"


def strike(number: int, after: int = 1) -> Callable[[float], None]:
    """A sleep during which this process gets a signal, at the n-th time, and at each later one."""
    count = iter(range(1, 1000))

    def sleep(seconds: float) -> None:
        if next(count) >= after:
            os.kill(os.getpid(), number)

    return sleep


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_an_endpoint_is_creating_leaves_nothing(
    completed: RunFolder,
    ragtune: Call,
    fake: FakeSageMaker,
    monkeypatch: pytest.MonkeyPatch,
    number: int,
) -> None:
    fake.looks = 5
    monkeypatch.setattr("ragtune_cloud.sagemaker.endpoints.sleep", strike(number))
    before = signal.getsignal(number)
    code, _, err = ragtune("cloud", "deploy", completed, *YES)
    assert code == 130
    assert "Creating; AWS deletes it only after that, waiting" in err
    assert nothing_left(completed, fake)
    assert fake.calls["DeleteEndpoint"] == fake.calls["CreateEndpoint"] == 2
    assert signal.getsignal(number) == before


def test_further_signals_do_not_stop_the_deletion(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.looks = 5
    monkeypatch.setattr("ragtune_cloud.sagemaker.endpoints.sleep", strike(signal.SIGINT))
    monkeypatch.setattr("ragtune_cloud.sagemaker.deletion.sleep", strike(signal.SIGINT))
    code, _, err = ragtune("cloud", "deploy", completed, *YES)
    assert code == 130
    assert f"only `kill -9 {os.getpid()}` stops that" in err
    assert nothing_left(completed, fake)


def test_a_signal_that_comes_while_everything_is_deleted_anyway_is_an_interruption(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ragtune_cloud.sagemaker.deletion.sleep", strike(signal.SIGTERM))
    assert ragtune("cloud", "deploy", completed, "--ttl", "1", *YES)[0] == 130
    assert nothing_left(completed, fake)


def test_who_started_it_with_nohup_keeps_it_running(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        monkeypatch.setattr("ragtune_cloud.sagemaker.endpoints.sleep", strike(signal.SIGHUP))
        assert ragtune("cloud", "deploy", completed, "--ttl", "1", *YES)[0] == 0
    finally:
        signal.signal(signal.SIGHUP, before)
    assert nothing_left(completed, fake)


def test_a_quota_that_the_second_endpoint_meets_is_told_and_nothing_is_left(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    fake.quota["ml.g5.2xlarge for endpoint usage"] = 1
    code, _, err = ragtune("cloud", "deploy", completed, *YES)
    assert code == 7
    last = err.splitlines()[-1]
    assert "'ml.g5.2xlarge for endpoint usage' is 1 Instances" in last
    assert "ask for more under Service Quotas" in last
    assert fake.calls["CreateEndpoint"] == 2
    assert nothing_left(completed, fake)


@pytest.mark.parametrize("refused", [1, 2])
def test_every_deletion_is_tried_and_every_one_that_fails_is_named(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker, refused: int
) -> None:
    fake.fails["DeleteEndpoint"] = [DENIED] * refused
    code, _, err = ragtune("cloud", "deploy", completed, "--ttl", "1", *YES)
    assert code == 7
    assert fake.calls["DeleteEndpoint"] == 2
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(lines) == refused
    for line, side in zip(lines, ("tuned", "base"), strict=False):
        by_hand = f"aws sagemaker delete-endpoint --endpoint-name {name_of(completed, side)}"
        assert f"delete it: {by_hand} --region us-east-1" in line
    assert ACCOUNT not in err
    assert len(Ledger(completed).open()) == 3 * refused
    _, _, err = ragtune("cloud", "status", completed)
    assert f"warning: may still be there: endpoint {name_of(completed, 'base')}" in err or (
        f"warning: may still be there: endpoint {name_of(completed, 'tuned')}" in err
    )
    assert ragtune("cloud", "delete", completed)[0] == 0
    assert nothing_left(completed, fake)


def test_what_broke_a_deployment_off_is_told_before_what_could_not_be_deleted(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    fake.unfit = "CapacityError: none"
    fake.fails["DeleteEndpoint"] = [DENIED]
    code, _, err = ragtune("cloud", "deploy", completed, *YES)
    assert code == 7
    first, second = [line for line in err.splitlines() if line.startswith("error: ")]
    assert "failed: CapacityError: none; AWS has none of these instances just now" in first
    assert "AWS refused DeleteEndpoint" in second


@pytest.mark.parametrize("tags", [{}, {IDENTITY_TAG: "another"}], ids=["untagged", "other recipe"])
@pytest.mark.parametrize("kind", ["Endpoint", "EndpointConfig", "Model"])
def test_a_foreign_thing_of_the_same_name_is_refused_and_kept(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker, kind: str, tags: dict[str, str]
) -> None:
    fake.put_in_service(name := name_of(completed, "base"), **tags)
    for other in {"Endpoint", "EndpointConfig", "Model"} - {kind}:
        fake.things[other].clear()
    there = [*fake.running]
    code, _, err = ragtune("cloud", "deploy", completed, *YES)
    assert (code, "which this recipe did not make" in err) == (7, True)
    assert name in err
    if not tags:
        code, _, err = ragtune("cloud", "delete", completed)
        assert (code, "it is left as it is" in err) == (0, True)
        assert name not in ragtune("cloud", "costs", completed.path.parent)[1]
    assert fake.running == there
    assert fake.calls["DeleteEndpoint"] == fake.calls["CreateModel"] == 0


def test_a_thing_that_became_anothers_after_a_kill_is_left_and_struck_out(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    name = name_of(completed, "tuned")
    Ledger(completed).add("endpoint", name, "us-east-1", 1.5)
    fake.put_in_service(name)
    code, _, err = ragtune("cloud", "delete", completed)
    assert (code, f"has no tag {IDENTITY_TAG}: it is another's and was left" in err) == (0, True)
    assert name in fake.things["Endpoint"]
    assert Ledger(completed).open() == []


def test_where_tags_may_not_be_read_the_ledger_is_believed(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    fake.cloud.denied.add("ListTags")
    assert ragtune("cloud", "deploy", completed, "--ttl", "1", *YES)[0] == 0
    assert nothing_left(completed, fake)
    fake.put_in_service(name_of(completed, "base"), **OURS)
    code, _, err = ragtune("cloud", "deploy", completed, *YES)
    assert (code, "AWS refused ListTags" in err) == (7, True)
    assert len(fake.running) == 3


def test_the_price_that_is_told_is_the_price_that_is_billed(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    fake.put_in_service(name := name_of(completed, "base"), "ml.g5.12xlarge", **OURS)
    del fake.things["Endpoint"][name]
    deploy = ("cloud", "deploy", completed, "--side", "base", "--keep", *YES)
    code, _, err = ragtune(*deploy)
    assert code == 0
    assert "a configuration was left for ml.g5.12xlarge, $7.09 an hour; it is replaced" in err
    assert f"{name}: ml.g5.2xlarge, $1.51 an hour" in err
    (variant,) = fake.things["EndpointConfig"][name]["ProductionVariants"]
    assert variant["InstanceType"] == "ml.g5.2xlarge"
    variant["InstanceType"] = "ml.g5.12xlarge"  # as if an endpoint on another had been left
    code, _, err = ragtune(*deploy)
    assert f"{name}, which is there already: ml.g5.12xlarge, $7.09 an hour" in err
    (entry,) = [e for e in Ledger(completed).open() if e.kind == "endpoint"]
    assert entry.hourly_usd == pytest.approx(7.09)
    assert fake.calls["CreateEndpoint"] == 1


def test_an_endpoint_that_failed_or_is_being_deleted_is_made_again(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    for status in ("Failed", "Deleting"):
        fake.put_in_service(name := name_of(completed, "base"), **OURS)
        fake.things["Endpoint"][name]["status"] = status
        assert ragtune("cloud", "deploy", completed, "--side", "base", "--keep", *YES)[0] == 0
        assert fake.things["Endpoint"][name]["status"] == "InService"
        assert ragtune("cloud", "delete", completed)[0] == 0
        assert nothing_left(completed, fake)


def test_an_endpoint_lives_an_hour_by_default(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    began = fake.cloud.now
    code, _, err = ragtune("cloud", "deploy", completed, *YES)
    assert code == 0
    assert "in service; deleted in 60 minutes, or when this command ends" in err
    assert "With cloud.scheduler_role AWS deletes them itself" in err
    assert 3600 <= fake.cloud.now - began < 3900
    assert nothing_left(completed, fake)


def test_what_is_kept_is_warned_of_by_every_verb_until_it_is_deleted(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    code, _, err = ragtune("cloud", "deploy", completed, "--keep", *YES)
    assert (code, "warning" in err) == (0, False)
    for verb in (("cloud", "status"), ("promote",), ("cloud", "watch"), ("cloud", "fetch")):
        _, _, err = ragtune(*verb, completed)
        assert "warning: may still be there: " in err, verb
        assert err.count("$1.51 an hour") == 2
        assert f"`ragtune cloud delete {completed}` deletes it" in err
    for verb in (("cloud", "costs"), ("cloud", "list")):
        assert "warning: may still be there: " in ragtune(*verb, completed.path.parent)[2]
    assert ragtune("cloud", "delete", completed)[0] == 0
    assert "warning" not in ragtune("cloud", "status", completed)[2]
    assert nothing_left(completed, fake)


@pytest.fixture
def scheduled(tmp_path: Path, ragtune: Call) -> RunFolder:
    """A run whose recipe names a role for deletions, its job submitted."""
    made = make_run(tmp_path / "scheduled" / "run", recipe(cloud={"scheduler_role": "ragtune"}))
    assert ragtune("promote", made, "--submit", "--accept-eula")[0] == 0
    return made


def test_aws_deletes_an_endpoint_itself_where_a_role_is_named(
    scheduled: RunFolder, ragtune: Call, fake: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, Any]] = []

    def killed(seconds: float) -> None:
        seen.extend(fake.scheduler.schedules.values())
        raise _Gone

    monkeypatch.setattr("ragtune_cloud.cli.endpoints.sleep", killed)
    monkeypatch.setattr("ragtune_cloud.cli.teardown.clean_up", lambda *_: None)
    with pytest.raises(_Gone):
        ragtune("cloud", "deploy", scheduled, "--side", "base", "--ttl", "30", *YES)
    (schedule,) = seen
    target = schedule["Target"]
    assert target["Arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint"
    assert schedule["ActionAfterCompletion"] == "DELETE"
    fake.cloud.sleep(20 * 60)
    assert len(fake.things["Endpoint"]) == 1
    fake.cloud.sleep(20 * 60)
    assert fake.things["Endpoint"][name_of(scheduled, "base")]["status"] == "Deleting"
    assert fake.scheduler.schedules == {}
    monkeypatch.undo()


class _Gone(BaseException):
    """The machine died."""


def test_a_schedule_is_taken_back_with_its_endpoint_and_where_it_is_kept(
    scheduled: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    deploy = ("cloud", "deploy", scheduled, "--side", "base", *YES)
    code, _, err = ragtune(*deploy, "--ttl", "5")
    assert (code, "and by AWS itself after 5 minutes" in err) == (0, True)
    assert fake.calls["CreateSchedule"] == 1
    assert nothing_left(scheduled, fake)
    fake.unfit = "CapacityError"
    fake.cloud.denied.add("DeleteEndpoint")
    assert ragtune(*deploy, "--ttl", "5")[0] == 7
    assert len(fake.scheduler.schedules) == 1  # AWS is to delete it, as we could not
    fake.unfit = ""
    fake.cloud.denied.clear()
    assert ragtune(*deploy, "--keep")[0] == 0
    assert fake.scheduler.schedules == {}
    assert ragtune("cloud", "delete", scheduled)[0] == 0
    assert nothing_left(scheduled, fake)


def test_a_role_that_scheduler_may_not_assume_is_told_before_anything_is_created(
    tmp_path: Path, ragtune: Call, fake: FakeSageMaker
) -> None:
    made = make_run(tmp_path / "run", recipe(cloud={"scheduler_role": "missing"}))
    assert ragtune("promote", made, "--submit", "--accept-eula")[0] == 0
    code, _, err = ragtune("cloud", "deploy", made, "--side", "base", *YES)
    assert (code, "must allow AWS EventBridge Scheduler to assume the role" in err) == (7, True)
    assert fake.calls["CreateModel"] == 0
    assert nothing_left(made, fake)


def test_nothing_is_created_where_one_of_the_sides_cannot_be_deployed(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    assert ragtune("promote", run, "--submit", "--accept-eula")[0] == 0
    code, _, err = ragtune("cloud", "deploy", run, *YES)
    assert (code, "InProgress" in err) == (7, True)
    assert fake.calls["CreateModel"] == 0
    assert not CloudFolder(run).ledger.exists()
