"""The bill: everything that costs money is in it, whatever could not be asked."""

import json
import time
from collections.abc import Callable
from dataclasses import replace

import boto3
import pytest

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.ledger import Ledger
from ragtune_cloud.sagemaker.names import IDENTITY_TAG
from ragtune_cloud.sagemaker.record import note, read_record
from tests.cloud.fake import ACCOUNT, REGION, FakeSageMaker
from tests.cloud.made_up import make_run, recipe

Call = Callable[..., tuple[int, str, str]]
BUCKET = f"sagemaker-{REGION}-{ACCOUNT}"
FAR = "eu-west-1"
OLDER = "published-of-an-older-version-1-base"
TAGS = {IDENTITY_TAG: recipe().identity}


@pytest.fixture
def spread(completed: RunFolder, fake: FakeSageMaker, aws: boto3.Session) -> RunFolder:
    """A run with a second attempt in a second region, and things of an older name there."""
    record = read_record(completed)
    second = record.job[:-1] + "2"
    note(completed, replace(record, job=second, region=FAR, bucket="gone-<account>"))
    place = fake.at(FAR)
    request = {**fake.jobs[record.job]["request"], "TrainingJobName": second}
    place.jobs[second] = {"request": request, "at": 1, "stopped": 0, "created": time.time()}
    fake.put_in_service(OLDER, region=FAR, **TAGS)
    fake.put_in_service("another", region=FAR)
    fake.put_in_service(f"{record.job}-tuned", **TAGS)
    return completed


def rows(ragtune: Call, run: RunFolder) -> tuple[int, list[str]]:
    code, out, _ = ragtune("cloud", "costs", run.path.parent)
    return code, out.splitlines()


def starts(told: list[str]) -> set[str]:
    return {line.partition(":")[0] for line in told}


def everything(run: RunFolder) -> set[str]:
    job = read_record(run).job
    return {f"training job {job[:-1]}2", f"endpoint {OLDER}", f"endpoint {job}-tuned"}


def test_every_region_attempt_and_version_is_in_it(
    spread: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    code, told = rows(ragtune, spread)
    assert code == 0
    assert everything(spread) <= starts(told)
    assert len(told) == 4
    fake.cloud.denied |= {"ListTags", "ListEndpoints", "ListTrainingJobs"}
    assert rows(ragtune, spread) == (0, told)


def test_what_is_elsewhere_than_a_run_knows_is_found_where_the_region_is_named(
    tmp_path_factory: pytest.TempPathFactory, ragtune: Call, fake: FakeSageMaker
) -> None:
    runs = tmp_path_factory.mktemp("runs")
    fake.put_in_service(OLDER, region=FAR, **TAGS)
    assert ragtune("cloud", "costs", runs)[1] == "nothing of ragtune's costs money\n"
    assert OLDER in ragtune("cloud", "costs", runs, "--region", FAR)[1]


def test_old_versions_and_marks_in_a_versioned_bucket_are_billed_and_removed(
    run: RunFolder, ragtune: Call, aws: boto3.Session
) -> None:
    s3 = aws.client("s3")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    assert ragtune("promote", run, "--submit", "--accept-eula")[0] == 0
    job = read_record(run).job
    key = f"ragtune/{job}/output/model.bin"
    for _ in range(3):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"x" * 1_000_000)
    s3.delete_object(Bucket=BUCKET, Key=key)
    assert "0.003 GB stored" in ragtune("cloud", "costs", run.path.parent)[1]
    assert ragtune("cloud", "stop", run)[0] == 0
    assert ragtune("cloud", "list", run.path.parent)[0] == 0
    assert ragtune("cloud", "delete", run, "--data")[0] == 0
    left = s3.list_object_versions(Bucket=BUCKET)
    assert not left.get("Versions")
    assert not left.get("DeleteMarkers")
    assert ragtune("cloud", "costs", run.path.parent)[1] == "nothing of ragtune's costs money\n"


@pytest.mark.parametrize(
    ("operation", "what", "hidden"),
    [
        ("GetResources", "what has our tags in ", {f"endpoint {OLDER}"}),
        ("DescribeEndpoint", "endpoint ", set()),
        ("DescribeTrainingJob", "training job ", set()),
        ("ListObjectVersions", "older versions in s3://", set()),
    ],
)
def test_each_failure_is_a_row_of_its_own_and_hides_nothing_else(
    spread: RunFolder,
    ragtune: Call,
    fake: FakeSageMaker,
    *,
    operation: str,
    what: str,
    hidden: set[str],
) -> None:
    fake.cloud.denied.add(operation)
    code, out, err = ragtune("cloud", "costs", spread.path.parent)
    assert code == 7
    told = out.splitlines()
    failed = [line for line in told if line.startswith(f"not checked: {what}")]
    assert failed
    assert all("AWS refused" in line and ACCOUNT not in line for line in failed)
    rest = everything(spread) - hidden
    assert {row for row in rest if not row.startswith(what)} <= starts(told)
    assert f"error: {len(failed)} of {len(told)} rows could not be asked" in err
    found = json.loads(ragtune("cloud", "costs", spread.path.parent, "--json")[1])
    assert [row["kind"] for row in found].count("not checked") == len(failed)


def test_one_refused_call_is_one_row(spread: RunFolder, ragtune: Call, fake: FakeSageMaker) -> None:
    fake.fails["DescribeEndpoint"] = [(400, "AccessDeniedException", "no")]
    code, told = rows(ragtune, spread)
    assert code == 7
    assert len([line for line in told if line.startswith("not checked")]) == 1
    assert len(everything(spread) & starts(told)) >= 2


def test_a_broken_ledger_is_a_row(spread: RunFolder, ragtune: Call) -> None:
    CloudFolder(spread).ledger.write_text("{")
    code, told = rows(ragtune, spread)
    assert code == 7
    assert any("not as ragtune wrote it" in line for line in told)
    assert everything(spread) <= starts(told)


def test_what_is_overdue_is_marked(spread: RunFolder, ragtune: Call, fake: FakeSageMaker) -> None:
    name = f"{read_record(spread).job}-tuned"
    thing = fake.things["Endpoint"][name]
    thing["Tags"].append({"Key": "ragtune:delete-by", "Value": "2020-01-01T00:00:00+00:00"})
    (row,) = [line for line in rows(ragtune, spread)[1] if name in line]
    assert "overdue since 2020-01-01T00:00:00+00:00: ragtune cloud delete RUN" in row


def test_what_only_the_ledger_knows_is_asked_about_too(
    tmp_path_factory: pytest.TempPathFactory, ragtune: Call, fake: FakeSageMaker
) -> None:
    run = make_run(tmp_path_factory.mktemp("runs") / "run", recipe())
    Ledger(run).add("endpoint", OLDER, FAR, 1.5)
    fake.put_in_service(OLDER, region=FAR, **TAGS)
    fake.cloud.denied |= {"GetResources", "ListTags"}
    code, out, _ = ragtune("cloud", "costs", run.path.parent)
    assert code == 7
    assert f"endpoint {OLDER}: " in out
