"""The whole life of an import, through the command."""

import json
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest

from ragtune.core.files import read_json
from ragtune.core.run_folder import RunFolder
from ragtune.runs.open import recipe_of
from ragtune_cloud import plan as promotions
from ragtune_cloud.bedrock.folder import BedrockFolder
from ragtune_cloud.bedrock.target import Bedrock
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.ledger import Ledger
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.target import Choices
from tests.cloud.bedrock.conftest import Call
from tests.cloud.bedrock.fake import FakeBedrock
from tests.cloud.fake import ACCOUNT, REGION, FakeSageMaker, Killed, Trap
from tests.cloud.made_up import Ear


def left_in_s3(aws: boto3.Session) -> list[str]:
    """Keys in the user's bucket, uploads that were broken off among them."""
    s3, bucket = aws.client("s3"), f"sagemaker-{REGION}-{ACCOUNT}"
    listed = s3.list_objects_v2(Bucket=bucket).get("Contents", ())
    broken = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", ())
    return [entry["Key"] for entry in (*listed, *broken)]


def nothing_left(run: RunFolder, bedrock: FakeBedrock, aws: boto3.Session) -> None:
    assert bedrock.at().models == {}
    assert left_in_s3(aws) == []
    assert Ledger(run).open() == []


def test_a_full_life_leaves_nothing_that_costs_money(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker, bedrock: FakeBedrock, aws: boto3.Session
) -> None:
    code, out, err = ragtune("cloud", "bedrock", "import", run)
    assert (code, fake.calls.total()) == (0, 0), err
    assert "idle $0.00 an hour, stored $1.95 a month until it is deleted" in out
    assert "asked $0.29 for each started 5 minutes" in out
    assert "not asked there: base: an import has the tuned model alone" in out
    assert "40 of 40 prompts are the same tokens there" in out
    assert "nothing was sent or spent; --submit imports it" in out

    code, out, err = ragtune("cloud", "bedrock", "import", run, "--submit", "--account", ACCOUNT)
    assert code == 0, err
    assert "model.safetensors: uploaded" in err
    assert {entry.kind for entry in Ledger(run).open()} == {
        "import-data",
        "import-job",
        "imported-model",
    }
    code, out, err = ragtune("cloud", "bedrock", "status", run)
    assert "InProgress" in out
    code, out, err = ragtune("cloud", "bedrock", "watch", run)
    assert code == 0, err
    assert "2 custom model units, $0.57 for each started five minutes of being asked" in err

    bedrock.cold = 3
    bedrock.answer = lambda prompt: "at six"
    code, out, err = ragtune("cloud", "bedrock", "ask", run, "When?")
    assert (code, out) == (0, "at six\n"), err
    assert "the model is being loaded" in err

    bill = ragtune("cloud", "costs", run.path.parent)[1]
    assert "imported model published" in bill
    assert "; while it is asked $0.57 a window" in bill
    (item, stored) = Bedrock().bill([run])
    assert item.kind == "imported model"
    assert item.usd_per_hour == pytest.approx(3.9 / 730)
    assert stored.kind.endswith("GB stored")
    code, out, err = ragtune("cloud", "bedrock", "delete", run)
    assert code == 0, err
    nothing_left(run, bedrock, aws)
    assert Bedrock().bill([run], "us-west-2") == []
    written = [p for p in run.path.rglob("*") if p.is_file() and p.suffix in {".json", ".jsonl"}]
    assert not [p for p in written if ACCOUNT in p.read_text()]


@pytest.fixture
def killable(
    place: Callable[..., Bedrock], account: Callable[..., Account]
) -> tuple[Bedrock, Trap]:
    """Bedrock through one session, and what kills at its calls."""
    opened, target = account(REGION), place()
    target.account = lambda region: opened  # type: ignore[method-assign]
    return target, Trap(opened.session)


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_the_same_command_goes_on_and_makes_nothing_twice(
    run: RunFolder, killable: tuple[Bedrock, Trap], bedrock: FakeBedrock, *, after: bool
) -> None:
    target, trap = killable
    recipe = recipe_of(run.path)
    planned = promotions.plan(target, recipe, run, Choices(), BedrockFolder(run).plan)
    steps: dict[str, Callable[[], object]] = {
        "submit": lambda: (target.attempt(recipe, run, again=False), target.submit(planned, Ear())),
        "watch": lambda: target.watch(run, Ear()),
        "delete": lambda: target.delete(run, Ear()),
    }
    for name, step in steps.items():
        for call in range(1, 40):
            trap.set(call, after=after)
            try:
                step()
            except Killed:
                there = bedrock.at().models or left_in_s3(bedrock.session)
                assert Ledger(run).open() or not there, f"{name} killed at call {call}"
            else:
                break
        assert call > 2, name
        assert len(bedrock.at().jobs) == 1
    nothing_left(run, bedrock, bedrock.session)


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_of_a_submission_deleting_leaves_nothing(
    run: RunFolder, killable: tuple[Bedrock, Trap], bedrock: FakeBedrock, *, after: bool
) -> None:
    target, trap = killable
    recipe = recipe_of(run.path)
    planned = promotions.plan(target, recipe, run, Choices(), BedrockFolder(run).plan)
    for call in range(1, 40):
        bedrock.at().jobs.clear()
        trap.set(call, after=after)
        try:
            target.submit(planned, Ear())
        except Killed:
            trap.set(None)
            target.delete(run, Ear())
            nothing_left(run, bedrock, bedrock.session)
        else:
            break
    assert call > 8


def test_deleting_while_it_is_imported_waits_for_its_end(
    run: RunFolder, ragtune: Call, bedrock: FakeBedrock, aws: boto3.Session
) -> None:
    bedrock.looks, bedrock.busy = 5, 2
    assert ragtune("cloud", "bedrock", "import", run, "--submit")[0] == 0
    code, _, err = ragtune("cloud", "bedrock", "delete", run)
    assert code == 0, err
    assert "an import cannot be stopped; waiting for its end" in err
    assert "cannot be deleted just now; trying again" in err
    nothing_left(run, bedrock, aws)


def test_a_failed_deletion_is_told_with_the_command_and_the_rest_is_tried(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker, bedrock: FakeBedrock, aws: boto3.Session
) -> None:
    ragtune("cloud", "bedrock", "import", run, "--submit")
    ragtune("cloud", "bedrock", "watch", run)
    fake.cloud.denied.add("DeleteImportedModel")
    code, _, err = ragtune("cloud", "bedrock", "delete", run)
    assert code == 7
    assert "aws bedrock delete-imported-model --model-identifier published-" in err
    assert left_in_s3(aws) == []
    (left,) = Ledger(run).open()
    assert left.kind == "imported-model"
    fake.cloud.denied.clear()
    assert ragtune("cloud", "bedrock", "delete", run)[0] == 0
    nothing_left(run, bedrock, aws)


def test_versions_and_uploads_that_broke_off_are_billed_and_deleted(
    run: RunFolder, ragtune: Call, bedrock: FakeBedrock, aws: boto3.Session
) -> None:
    s3, bucket = aws.client("s3"), f"sagemaker-{REGION}-{ACCOUNT}"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    ragtune("cloud", "bedrock", "import", run, "--submit")
    uri = read_json(BedrockFolder(run).job)["uploaded"]
    key = f"{uri.partition('//')[2].partition('/')[2]}/model.safetensors"
    s3.put_object(Bucket=bucket, Key=key, Body=b"x" * 5_000_000)
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"x" * 5_000_000)
    (stored,) = [i for i in Bedrock().bill([run]) if "stored" in i.kind]
    assert float(stored.kind.split()[0]) >= 0.010
    assert stored.usd_per_hour is not None
    assert ragtune("cloud", "bedrock", "delete", run)[0] == 0
    versions = s3.list_object_versions(Bucket=bucket)
    assert not versions.get("Versions")
    assert not versions.get("DeleteMarkers")
    nothing_left(run, bedrock, aws)


def test_an_import_of_that_name_without_our_tag_is_neither_taken_nor_deleted(
    run: RunFolder, ragtune: Call, bedrock: FakeBedrock
) -> None:
    ragtune("cloud", "bedrock", "import", run, "--submit")
    ragtune("cloud", "bedrock", "watch", run)
    (job,) = bedrock.at().jobs.values()
    (model,) = bedrock.at().models.values()
    job["tags"], model["tags"] = {"owner": "somebody"}, {"owner": "somebody"}
    code, _, err = ragtune("cloud", "bedrock", "import", run, "--submit")
    assert (code, "without this recipe's tag" in err or "without ragtune's tag" in err) == (7, True)
    code, _, err = ragtune("cloud", "bedrock", "delete", run)
    assert "it is left alone" in err
    assert bedrock.at().models
    assert not [item for item in Bedrock().bill([run]) if item.kind == "imported model"]


def test_a_failed_import_says_why_and_again_makes_another(
    run: RunFolder, ragtune: Call, bedrock: FakeBedrock, aws: boto3.Session
) -> None:
    bedrock.reason = f"Access denied: role arn:aws:iam::{ACCOUNT}:role/bedrock cannot read"
    ragtune("cloud", "bedrock", "import", run, "--submit")
    code, _, err = ragtune("cloud", "bedrock", "watch", run)
    assert code == 7
    assert "give it s3:GetObject and s3:ListBucket" in err
    assert ACCOUNT not in err
    code, _, err = ragtune("cloud", "bedrock", "import", run, "--submit")
    assert (code, "--again tries once more" in err) == (7, True)
    bedrock.reason = ""
    assert ragtune("cloud", "bedrock", "import", run, "--submit", "--again")[0] == 0
    assert ragtune("cloud", "bedrock", "watch", run)[0] == 0
    assert len(bedrock.at().jobs) == 2
    assert ragtune("cloud", "bedrock", "delete", run)[0] == 0
    nothing_left(run, bedrock, aws)
    # What was deleted can be imported again.
    assert ragtune("cloud", "bedrock", "import", run, "--submit")[0] == 0
    assert len(bedrock.at().jobs) == 3


@pytest.mark.parametrize(
    "error",
    [
        (400, "ServiceQuotaExceededException", "the limit"),
        (403, "AccessDeniedException", "not allowed"),
    ],
)
def test_a_refused_import_leaves_the_upload_alone_in_the_ledger(
    run: RunFolder, ragtune: Call, bedrock: FakeBedrock, error: tuple[int, str, str]
) -> None:
    bedrock.cloud.fails["CreateModelImportJob"] = [error]
    code, _, err = ragtune("cloud", "bedrock", "import", run, "--submit")
    assert (code, error[1] in err) == (7, True), err
    assert [entry.kind for entry in Ledger(run).open()] == ["import-data"]
    assert ragtune("cloud", "bedrock", "delete", run)[0] == 0
    nothing_left(run, bedrock, bedrock.session)


def test_a_region_that_cannot_be_asked_is_a_row_of_the_bill(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker, bedrock: FakeBedrock
) -> None:
    ragtune("cloud", "bedrock", "import", run, "--submit")
    fake.cloud.denied.add("ListImportedModels")
    rows = Bedrock().bill([run])
    assert [row.kind.split()[-1] for row in rows] == ["job", "checked", "stored"]
    assert "may not do that" in rows[1].remedy


def test_the_plan_is_a_file_to_review_and_the_jumpstart_plan_stays(
    run: RunFolder, ragtune: Call, bedrock: FakeBedrock
) -> None:
    CloudFolder(run).plan.parent.mkdir()
    CloudFolder(run).plan.write_text("{}")
    assert ragtune("cloud", "bedrock", "import", run, "--online")[0] == 0
    assert CloudFolder(run).plan.read_text() == "{}"
    planned = json.loads(BedrockFolder(run).plan.read_text())
    assert planned["request"]["roleArn"] == "arn:aws:iam::<account>:role/bedrock"
    assert planned["cost"]["usd_idle_per_hour"] == 0
    assert planned["not asked there"] == {"base": "an import has the tuned model alone"}
    assert bedrock.at().jobs == {}
    assert Path(planned["model"]["place"]) == run.merged
