import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from ragtune.core.errors import CloudError
from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.sagemaker import jobs, submission
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.sagemaker.names import Names
from ragtune_cloud.sagemaker.record import read_record
from tests.cloud.conftest import TRUST
from tests.cloud.fake import ACCOUNT, REGION, FakeSageMaker, Killed, Trap
from tests.cloud.made_up import make_run, planned, recipe, submit, to_the_end

Open = Callable[[], Account]
BUCKET = f"sagemaker-{REGION}-{ACCOUNT}"
ELSEWHERE = {
    "instance_type": "ml.g5.24xlarge",
    "instance_count": 2,
    "bucket": f"mine-{ACCOUNT}",
    "prefix": "kept/here",
    "role": "service-role/tuner",
}


def job_of(run: RunFolder, account: Account, **sections: Any) -> str:
    request = planned(run, account, **sections).draft.request
    assert request is not None
    return str(request["TrainingJobName"])


def keys(aws: boto3.Session) -> list[str]:
    found = aws.client("s3").list_objects_v2(Bucket=BUCKET)
    return [entry["Key"] for entry in found.get("Contents", [])]


def test_a_submission_uploads_data_and_evidence_encrypted_and_creates_one_job(
    run: RunFolder, account: Open, aws: boto3.Session, fake: FakeSageMaker
) -> None:
    submit(run, account())
    ((name, job),) = fake.jobs.items()
    home = f"ragtune/{name}"
    files = ["evidence/lock.json", "evidence/results.json"]
    files += ["training/template.json", "training/train.jsonl"]
    assert keys(aws) == [f"{home}/{file}" for file in files]
    stored = aws.client("s3").get_object(Bucket=BUCKET, Key=f"{home}/training/train.jsonl")
    assert stored["Body"].read() == run.train_rows("tuned").read_bytes()
    assert stored["ServerSideEncryption"] == "AES256"
    written = json.loads(CloudFolder(run).plan.read_text())["request"]
    sent = json.dumps(job["request"]).replace(ACCOUNT, "<account>")
    assert json.loads(sent) == written
    assert job["request"]["RoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/ragtune"


def test_submitting_twice_attaches_instead_of_paying_twice(
    run: RunFolder, account: Open, fake: FakeSageMaker
) -> None:
    submit(run, account())
    said = submit(run, account())
    assert "attached, nothing was paid for again" in said[0]
    assert len(fake.jobs) == fake.calls["CreateTrainingJob"] == 1


def test_other_data_is_another_job(run: RunFolder, account: Open, tmp_path: Path) -> None:
    opened = account()
    other = make_run(tmp_path / "other", recipe(), rows=31)
    assert job_of(run, opened) != job_of(other, opened)
    assert job_of(run, opened, cloud={"instance_type": "ml.g5.24xlarge"}) == job_of(run, opened)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_any_call_the_same_command_ends_with_one_job_and_no_second_upload(
    tmp_path: Path, account: Open, aws: boto3.Session, fake: FakeSageMaker, *, after: bool
) -> None:
    opened = account()
    fake.quota.clear()
    trap = Trap(opened.session)
    killed = True
    for call in range(1, 100):
        run = make_run(tmp_path / str(call), recipe(), rows=call)
        trap.set(call, after=after)
        try:
            submit(run, opened)
            killed = False
        except Killed:
            uploaded = trap.uploads
            trap.set(None)
            submit(run, opened)
            assert uploaded + trap.uploads == 4
        assert read_record(run).job in fake.jobs
        if not killed:
            break
    assert call > 15
    assert len(fake.jobs) == fake.calls["CreateTrainingJob"] == call
    assert len(keys(aws)) == 4 * call


def test_throttling_is_retried(
    run: RunFolder, account: Open, fake: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    throttled = (400, "ThrottlingException", "Rate exceeded")
    fake.fails["CreateTrainingJob"] = [throttled] * 3
    fake.fails["DescribeTrainingJob"] = [throttled] * 3
    submit(run, account())
    assert len(fake.jobs) == 1


@pytest.mark.parametrize(
    ("code", "message", "remedy"),
    [
        (
            "ResourceLimitExceeded",
            "The account-level service limit 'ml.g5.12xlarge for training job usage' is 0 "
            f"Instances for {ACCOUNT}",
            "ask for more under Service Quotas",
        ),
        (
            "AccessDeniedException",
            f"User: arn:aws:sts::{ACCOUNT}:assumed-role/me is not authorized",
            "ask for the permission it names",
        ),
    ],
)
def test_what_sagemaker_refuses_is_one_line_with_the_remedy_and_no_account_number(
    run: RunFolder, account: Open, fake: FakeSageMaker, *, code: str, message: str, remedy: str
) -> None:
    fake.fails["CreateTrainingJob"] = [(400, code, message)]
    with pytest.raises(CloudError) as caught:
        submit(run, account())
    said = str(caught.value)
    assert remedy in said
    assert "\n" not in said
    assert ACCOUNT not in said
    assert not CloudFolder(run).job.exists()


@pytest.mark.parametrize(
    ("ends_in", "reason", "remedy"),
    [
        ("Failed", "CapacityError: Unable to provision requested ML compute", "try again later"),
        ("Failed", "AccessDenied for jumpstart-private-cache-prod: accept_eula", "licence"),
        ("Failed", "AlgorithmError: CUDA out of memory", "smaller max_input_length"),
        ("Failed", "AlgorithmError: KeyError: 'context' in template", "data/template.json"),
        ("Stopped", "", "ragtune promote RUN --submit --again"),
    ],
)
def test_a_job_that_ended_badly_is_no_success_and_says_why_and_what_to_do(
    run: RunFolder, account: Open, fake: FakeSageMaker, *, ends_in: str, reason: str, remedy: str
) -> None:
    fake.ends_in, fake.reason = ends_in, reason
    submit(run, account())
    to_the_end(run, account())
    now = jobs.status(read_record(run), account())
    with pytest.raises(CloudError) as caught:
        jobs.check_ended_well(now)
    assert reason in str(caught.value)
    assert remedy in str(caught.value)


def test_after_a_failure_another_attempt_is_paid_for_only_when_it_is_said(
    run: RunFolder, account: Open, fake: FakeSageMaker
) -> None:
    fake.ends_in, fake.reason = "Failed", "CapacityError"
    submit(run, account())
    to_the_end(run, account())
    with pytest.raises(CloudError, match="--again pays for another attempt"):
        submit(run, account())
    fake.ends_in = "Completed"
    fake.jobs[read_record(run).job]["stopped"] = 2
    submit(run, account(), again=True)
    assert [name[-2:] for name in fake.jobs] == ["-1", "-2"]
    submit(run, account())
    assert len(fake.jobs) == 2


def test_another_machine_attaches_to_the_job(
    run: RunFolder, account: Open, tmp_path: Path, fake: FakeSageMaker
) -> None:
    submit(run, account())
    copy = make_run(tmp_path / "copy", recipe())
    with pytest.raises(CloudError, match="ragtune cloud attach"):
        read_record(copy)
    record = submission.attach(recipe(), copy, account())
    assert record == read_record(run) == read_record(copy)
    stranger = make_run(tmp_path / "stranger", recipe(), rows=7)
    with pytest.raises(CloudError, match="no such job"):
        submission.attach(recipe(), stranger, account())


@pytest.mark.parametrize("meet", ["submit", "attach"])
def test_a_job_that_is_there_is_noted_as_it_runs_not_as_the_recipe_would_run_it_now(
    run: RunFolder, account: Open, aws: boto3.Session, tmp_path: Path, *, meet: str
) -> None:
    aws.client("s3").create_bucket(Bucket=ELSEWHERE["bucket"])
    aws.client("iam").create_role(
        RoleName="tuner", Path="/service-role/", AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    opened = account()
    submit(run, opened, cloud=ELSEWHERE)
    copy = make_run(tmp_path / "copy", recipe())
    if meet == "submit":
        submit(copy, account())
    else:
        submission.attach(recipe(), copy, account())
    noted = read_record(copy)
    assert (noted.instance_type, noted.instance_count) == ("ml.g5.24xlarge", 2)
    assert noted.usd_per_hour == pytest.approx(2 * 10.18)
    places = (noted.bucket, noted.prefix, noted.role)
    assert places == ("mine-<account>", "kept/here", "service-role/tuner")
    assert ACCOUNT not in CloudFolder(copy).job.read_text()
    assert noted.names.keys["lock.json"] == f"kept/here/{noted.job}/evidence/lock.json"


def test_the_attempts_of_a_job_are_itself_and_all_before_it() -> None:
    third = Names("published-12345678-abcdef-3", "bucket", "prefix")
    homes = [names.home for names in third.attempts]
    assert homes == [f"prefix/published-12345678-abcdef-{number}" for number in (3, 2, 1)]
    assert {names.bucket for names in third.attempts} == {"bucket"}


def test_a_job_that_ran_out_of_its_time_says_what_to_raise(
    run: RunFolder, account: Open, fake: FakeSageMaker
) -> None:
    fake.ends_in, fake.last_stage = "Stopped", "MaxRuntimeExceeded"
    submit(run, account())
    to_the_end(run, account())
    with pytest.raises(CloudError, match=r"MaxRuntimeExceeded; raise cloud\.max_cost_usd; --again"):
        submit(run, account())
    with pytest.raises(
        CloudError, match=r"raise cloud\.max_cost_usd, then `ragtune promote RUN --submit --again`"
    ):
        jobs.check_ended_well(jobs.status(read_record(run), account()))


def test_a_job_is_stopped_once_and_an_ended_one_left_alone(
    run: RunFolder, account: Open, fake: FakeSageMaker
) -> None:
    submit(run, account())
    record = read_record(run)
    jobs.stop(record, account())
    jobs.stop(record, account())
    assert fake.calls["StopTrainingJob"] == 1
    assert jobs.status(record, account()).status == "Stopped"
    with pytest.raises(CloudError, match="Stopped: stopped by request; "):
        submit(run, account())


def test_data_that_changes_while_it_is_submitted_is_refused(
    run: RunFolder, account: Open, aws: boto3.Session, fake: FakeSageMaker
) -> None:
    opened = account()
    made = planned(run, opened)
    run.train_rows("tuned").write_text("{}\n")
    with pytest.raises(CloudError, match="changed while it was being submitted"):
        submission.submit(made, opened, Silent())
    assert fake.jobs == {}


def test_nothing_of_the_account_is_written_to_the_run_folder(
    run: RunFolder, account: Open, fake: FakeSageMaker
) -> None:
    fake.ends_in = "Failed"
    fake.reason = (
        f"AccessDenied for arn:aws:iam::{ACCOUNT}:role/ragtune at https://b/k?X-Amz-Signature=abc"
    )
    submit(run, account())
    to_the_end(run, account())
    said = str(jobs.status(read_record(run), account()).to_json())
    written = "".join(p.read_text() for p in CloudFolder(run).path.iterdir())
    for secret in (ACCOUNT, "testing", "abc"):
        assert secret not in said + written, secret
