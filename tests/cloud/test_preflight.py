import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from ragtune_cloud.account import Account
from ragtune_cloud.errors import CloudError
from ragtune_cloud.jobs import read_record, stop, submit
from ragtune_cloud.plan import Choices, Plan, plan
from tests.cloud.conftest import LLAMA, TRUST, make_run, recipe
from tests.cloud.fake import ACCOUNT, REGION, FakeSageMaker

Open = Callable[[], Account]


def planned(run: Path, account: Account, expected: str | None = None, **sections: Any) -> Plan:
    return plan(recipe(**sections), run, Choices(eula=True, account=expected), account)


def status(made: Plan, name: str) -> str:
    (check,) = [c for c in made.checks if c.name == name]
    return f"{check.status}: {check.detail}"


def test_an_account_that_has_everything_passes(run: Path, account: Open) -> None:
    made = planned(run, account(), expected=ACCOUNT)
    assert [c.name for c in made.checks if c.status != "ok"] == ["model"]
    assert "not read from JumpStart" in status(made, "model")


def refused(made: Plan, run: Path, opened: Account, fake: FakeSageMaker, aws: Any) -> None:
    """What failed is refused before anything is created."""
    with pytest.raises(CloudError, match="failed"):
        submit(made, opened, lambda line: None)
    assert fake.calls["CreateTrainingJob"] == 0
    keys = aws.client("s3").list_objects_v2(
        Bucket=f"sagemaker-{REGION}-{ACCOUNT}", Prefix="ragtune"
    )
    assert not [k for k in keys.get("Contents", []) if not k["Key"].endswith("stale.jsonl")]


@pytest.mark.parametrize(
    ("sections", "name", "said"),
    [
        ({"role": "other"}, "role and its trust", "cloud.role: other: no such role"),
        ({"role": "service-role/ragtune"}, "role and its trust", "its path is /"),
        ({"bucket": "not-there"}, "bucket and region", "no such bucket; make it"),
        ({"bucket": "far-away"}, "bucket and region", "is in eu-west-1, the job in us-east-1"),
        ({"instance_count": 3}, "quota", "ml.g5.12xlarge for training job usage: 2, needed 3"),
        ({"instance_type": "ml.g5.24xlarge"}, "quota", "Service Quotas has no ml.g5.24xlarge"),
    ],
)
def test_what_the_account_lacks_is_named_with_the_remedy(
    run: Path,
    account: Open,
    aws: boto3.Session,
    fake: FakeSageMaker,
    *,
    sections: dict[str, Any],
    name: str,
    said: str,
) -> None:
    aws.client("s3").create_bucket(
        Bucket="far-away", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    opened = account()
    made = planned(run, opened, cloud=sections)
    assert said in status(made, name)
    if "not checked" not in status(made, name):
        refused(made, run, opened, fake, aws)


def test_a_zero_quota_is_refused(
    run: Path, account: Open, aws: boto3.Session, fake: FakeSageMaker
) -> None:
    fake.quota["ml.g5.12xlarge for training job usage"] = 0
    opened = account()
    made = planned(run, opened)
    assert "usage: 0, needed 1; ask for more under Service Quotas" in status(made, "quota")
    refused(made, run, opened, fake, aws)


def test_a_role_that_sagemaker_may_not_assume_is_refused(
    run: Path, account: Open, aws: boto3.Session
) -> None:
    trust = json.dumps(TRUST).replace("sagemaker", "ec2")
    aws.client("iam").update_assume_role_policy(RoleName="ragtune", PolicyDocument=trust)
    assert "SageMaker may not assume it" in status(planned(run, account()), "role and its trust")


def test_a_prefix_that_is_not_empty_is_refused(
    run: Path, account: Open, aws: boto3.Session, fake: FakeSageMaker
) -> None:
    opened = account()
    key = f"{planned(run, opened).names.home}/training/stale.jsonl"
    aws.client("s3").put_object(Bucket=f"sagemaker-{REGION}-{ACCOUNT}", Key=key, Body=b"{}")
    made = planned(run, opened)
    assert "stale.jsonl would be trained on too; remove" in status(made, "prefix")
    refused(made, run, opened, fake, aws)


def test_weights_that_are_not_there_are_refused_and_hidden_ones_left_to_sagemaker(
    run: Path, account: Open, aws: boto3.Session
) -> None:
    gated = f"jumpstart-private-cache-prod-{REGION}"
    s3 = aws.client("s3")
    key = f"meta-training/train-{LLAMA}.tar.gz"
    opened = account()
    s3_of_account = opened.client("s3")
    s3_of_account.meta.events.register_first(
        "before-call.s3.HeadObject",
        lambda params, **_: _forbidden() if "private" in params["url"] else None,
    )
    assert "gated, so only SageMaker reads it" in status(planned(run, opened), "artefacts")
    s3.delete_object(Bucket=gated, Key=key)
    assert "cannot be trained on" in status(planned(run, account()), "artefacts")


def _forbidden() -> tuple[Any, dict[str, Any]]:
    from botocore.awsrequest import AWSResponse

    answer = {"Error": {"Code": "403", "Message": "Forbidden"}, "ResponseMetadata": {}}
    return AWSResponse("", 403, {}, None), answer


def test_the_wrong_account_is_refused_without_naming_either(run: Path, account: Open) -> None:
    made = planned(run, account(), expected="999999999999")
    said = status(made, "credentials")
    assert said.startswith("failed: the credentials are not of the account given with --account")
    assert ACCOUNT not in said
    assert status(made, "quota") == "not checked: no credentials"


def test_no_credentials_say_how_to_sign_in(
    run: Path, account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    said = status(planned(run, Account(REGION)), "credentials")
    assert "no AWS credentials; sign in with `aws configure`" in said


def test_an_expired_token_says_to_sign_in_again(run: Path, account: Open) -> None:
    opened = account()

    def expired(**_: Any) -> tuple[Any, dict[str, Any]]:
        from botocore.awsrequest import AWSResponse

        answer = {"Error": {"Code": "ExpiredToken", "Message": "The token expired"}}
        return AWSResponse("", 403, {}, None), {**answer, "ResponseMetadata": {}}

    opened.client("sts").meta.events.register_first("before-call.sts.GetCallerIdentity", expired)
    made = planned(run, opened)
    assert "the credentials have expired; sign in again" in status(made, "credentials")


def test_a_job_of_the_same_recipe_is_told(run: Path, account: Open, tmp_path: Path) -> None:
    opened = account()
    submit(planned(run, opened), opened, lambda line: None)
    assert "InProgress; submitting attaches to it" in status(
        planned(run, account()), "jobs of the same recipe"
    )
    other = make_run(tmp_path / "other", recipe(), rows=31)
    assert "none" in status(planned(other, account()), "jobs of the same recipe")


def test_a_job_that_is_not_the_very_one_is_told_to_be_paid_for_besides(
    run: Path, account: Open, tmp_path: Path
) -> None:
    opened = account()
    longer = make_run(tmp_path / "longer", recipe(name="re-published"))
    submit(planned(longer, opened, name="re-published"), opened, lambda line: None)
    made = planned(run, opened)
    told = status(made, "jobs of the same recipe")
    assert told.endswith(f"; submitting pays for another attempt, {made.names.job}")


def test_after_a_job_that_was_stopped_another_attempt_is_told_to_cost(
    run: Path, account: Open
) -> None:
    opened = account()
    submit(planned(run, opened), opened, lambda line: None)
    stop(read_record(run), opened)
    second = plan(recipe(), run, Choices(eula=True, attempt=2), opened)
    told = status(second, "jobs of the same recipe")
    assert told.endswith(f"-1 Stopped; submitting pays for another attempt, {second.names.job}")
    first = status(planned(run, opened), "jobs of the same recipe")
    assert first.endswith("-1 Stopped; --again pays for another attempt")
    submit(second, opened, lambda line: None)
    assert "attaches" in status(planned(run, opened), "jobs of the same recipe")
