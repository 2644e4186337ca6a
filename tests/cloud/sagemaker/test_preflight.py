import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from ragtune.core.errors import CloudError
from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.sagemaker.draft import JumpStartDraft
from ragtune_cloud.sagemaker.jobs import status, stop
from ragtune_cloud.sagemaker.names import Names
from ragtune_cloud.sagemaker.record import read_record
from ragtune_cloud.sagemaker.submission import submit
from ragtune_cloud.target import Choices, Plan
from tests.cloud.conftest import TRUST
from tests.cloud.fake import ACCOUNT, REGION, FakeSageMaker
from tests.cloud.made_up import LLAMA, finding, make_run, planned, recipe

Open = Callable[[], Account]


def names_of(made: Plan) -> Names:
    assert isinstance(made.draft, JumpStartDraft)
    return made.draft.names


def test_an_account_that_has_everything_passes(run: RunFolder, account: Open) -> None:
    made = planned(run, account(), Choices(eula=True, account=ACCOUNT))
    assert [c.name for c in made.checks if c.status != "ok"] == ["model"]
    assert "not read from JumpStart" in finding(made, "model")


def refused(made: Plan, run: RunFolder, opened: Account, fake: FakeSageMaker, aws: Any) -> None:
    """What failed is refused before anything is created."""
    with pytest.raises(CloudError, match="failed"):
        submit(made, opened, Silent())
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
    run: RunFolder,
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
    assert said in finding(made, name)
    if "not checked" not in finding(made, name):
        refused(made, run, opened, fake, aws)


def test_a_model_that_is_no_llama_is_not_promoted(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "qwen2"}', encoding="utf-8")
    made = planned(run, model={"local": str(tmp_path)})
    assert finding(made, "model") == (
        f"failed: JumpStart trains Llama only; this recipe asks for qwen2 ({tmp_path}): name a "
        "Llama in model.local"
    )


def test_a_zero_quota_is_refused(
    run: RunFolder, account: Open, aws: boto3.Session, fake: FakeSageMaker
) -> None:
    fake.quota["ml.g5.12xlarge for training job usage"] = 0
    opened = account()
    made = planned(run, opened)
    assert "usage: 0, needed 1; ask for more under Service Quotas" in finding(made, "quota")
    refused(made, run, opened, fake, aws)


def test_a_role_that_sagemaker_may_not_assume_is_refused(
    run: RunFolder, account: Open, aws: boto3.Session
) -> None:
    trust = json.dumps(TRUST).replace("sagemaker", "ec2")
    aws.client("iam").update_assume_role_policy(RoleName="ragtune", PolicyDocument=trust)
    assert "SageMaker may not assume it" in finding(planned(run, account()), "role and its trust")


def test_a_prefix_that_is_not_empty_is_refused(
    run: RunFolder, account: Open, aws: boto3.Session, fake: FakeSageMaker
) -> None:
    opened = account()
    key = f"{names_of(planned(run, opened)).home}/training/stale.jsonl"
    aws.client("s3").put_object(Bucket=f"sagemaker-{REGION}-{ACCOUNT}", Key=key, Body=b"{}")
    made = planned(run, opened)
    assert "stale.jsonl would be trained on too; remove" in finding(made, "prefix")
    refused(made, run, opened, fake, aws)


def test_weights_that_are_not_there_are_refused_and_hidden_ones_left_to_sagemaker(
    run: RunFolder, account: Open, aws: boto3.Session
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
    assert "gated, so only SageMaker reads it" in finding(planned(run, opened), "artefacts")
    s3.delete_object(Bucket=gated, Key=key)
    assert "cannot be trained on" in finding(planned(run, account()), "artefacts")


def _forbidden() -> tuple[Any, dict[str, Any]]:
    from botocore.awsrequest import AWSResponse

    answer = {"Error": {"Code": "403", "Message": "Forbidden"}, "ResponseMetadata": {}}
    return AWSResponse("", 403, {}, None), answer


def test_the_wrong_account_is_refused_without_naming_either(run: RunFolder, account: Open) -> None:
    made = planned(run, account(), Choices(eula=True, account="999999999999"))
    said = finding(made, "credentials")
    assert said.startswith("failed: the credentials are not of the account given with --account")
    assert ACCOUNT not in said
    assert finding(made, "quota") == "not checked: no credentials"


def test_no_credentials_say_how_to_sign_in(
    run: RunFolder, account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    said = finding(planned(run, Account(REGION)), "credentials")
    assert "no AWS credentials; sign in with `aws configure`" in said


def test_an_expired_token_says_to_sign_in_again(run: RunFolder, account: Open) -> None:
    opened = account()

    def expired(**_: Any) -> tuple[Any, dict[str, Any]]:
        from botocore.awsrequest import AWSResponse

        answer = {"Error": {"Code": "ExpiredToken", "Message": "The token expired"}}
        return AWSResponse("", 403, {}, None), {**answer, "ResponseMetadata": {}}

    opened.client("sts").meta.events.register_first("before-call.sts.GetCallerIdentity", expired)
    made = planned(run, opened)
    assert "the credentials have expired; sign in again" in finding(made, "credentials")


def test_a_job_of_the_same_recipe_is_told(run: RunFolder, account: Open, tmp_path: Path) -> None:
    opened = account()
    submit(planned(run, opened), opened, Silent())
    assert "InProgress; submitting attaches to it" in finding(
        planned(run, account()), "jobs of the same recipe"
    )
    other = make_run(tmp_path / "other", recipe(), rows=31)
    assert "none" in finding(planned(other, account()), "jobs of the same recipe")


def test_a_job_that_is_not_the_very_one_is_told_to_be_paid_for_besides(
    run: RunFolder, account: Open, tmp_path: Path
) -> None:
    opened = account()
    longer = make_run(tmp_path / "longer", recipe(name="re-published"))
    submit(planned(longer, opened, name="re-published"), opened, Silent())
    made = planned(run, opened)
    told = finding(made, "jobs of the same recipe")
    assert told.endswith(f"; submitting pays for another attempt, {names_of(made).job}")


def test_after_a_job_that_was_stopped_another_attempt_is_told_to_cost(
    run: RunFolder, account: Open
) -> None:
    opened = account()
    submit(planned(run, opened), opened, Silent())
    stop(read_record(run), opened)
    assert status(read_record(run), opened).status == "Stopping"
    second = planned(run, opened, Choices(eula=True, attempt=2))
    told = finding(second, "jobs of the same recipe")
    assert told.endswith(f"-1 Stopped; submitting pays for another attempt, {names_of(second).job}")
    first = finding(planned(run, opened), "jobs of the same recipe")
    assert first.endswith("-1 Stopped; --again pays for another attempt")
    submit(second, opened, Silent())
    assert "attaches" in finding(planned(run, opened), "jobs of the same recipe")
