"""One job for one recipe and data; messages that say what is so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.files import read_json, write_json
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.sagemaker.record import note, read_record, records
from tests.cloud.fake import ACCOUNT, FakeSageMaker
from tests.cloud.made_up import make_run, recipe

Call = Callable[..., tuple[int, str, str]]
SUBMIT = ("--submit", "--accept-eula")
EXPIRED = (400, "ExpiredTokenException", "The security token included in the request is expired")


def test_a_newer_version_in_the_catalogue_is_no_second_job(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    old = ("--set", "cloud.model_version=2.1.8")
    assert ragtune("cloud", "resolve", run, *old)[0] == 0
    assert ragtune("promote", run, *SUBMIT, *old)[0] == 0
    assert read_record(run).model_version == "2.1.8"
    assert ragtune("cloud", "resolve", run)[0] == 0
    code, _, err = ragtune("promote", run, *SUBMIT)
    assert (code, "attached, nothing was paid for again" in err) == (0, True)
    assert len(fake.jobs) == fake.calls["CreateTrainingJob"] == 1
    assert read_record(run).model_version == "2.1.8"  # its endpoints are made by that version


def test_a_recipe_of_another_name_is_no_second_job(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker, tmp_path: Path
) -> None:
    assert ragtune("promote", run, *SUBMIT)[0] == 0
    renamed = make_run(tmp_path / "renamed", recipe(name="renamed"))
    code, _, err = ragtune("promote", renamed, *SUBMIT)
    assert (code, "attached, nothing was paid for again" in err) == (0, True)
    assert len(fake.jobs) == 1
    assert read_record(renamed).job == read_record(run).job
    other = make_run(tmp_path / "other", recipe(name="renamed"), rows=31)
    fake.quota.clear()
    assert ragtune("promote", other, *SUBMIT)[0] == 0
    assert len(fake.jobs) == 2


def test_where_tags_may_not_be_searched_it_is_said_and_the_name_decides(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    fake.cloud.denied.add("GetResources")
    code, _, err = ragtune("promote", run, *SUBMIT)
    assert (code, "a job of another name is not known: AWS refused GetResources" in err) == (
        0,
        True,
    )
    assert ragtune("promote", run, *SUBMIT)[0] == 0
    assert len(fake.jobs) == 1


def test_a_job_in_another_region_is_not_paid_for_again_unless_it_is_said(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    assert ragtune("promote", run, *SUBMIT)[0] == 0
    far = ("--set", "cloud.region=eu-west-1")
    code, _, err = ragtune("promote", run, *SUBMIT, *far)
    assert code == 7
    assert "is InProgress in us-east-1 already; --set cloud.region=us-east-1 attaches" in err
    assert "--again pays for another in eu-west-1" in err
    fake.jobs[read_record(run).job]["stopped"] = 2
    _, _, err = ragtune("promote", run, *SUBMIT, *far)
    assert "already" not in err


def test_every_job_is_kept_in_the_list_before_it_is_created(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    fake.fails["CreateTrainingJob"] = [(400, "AccessDeniedException", "no")]
    assert ragtune("promote", run, *SUBMIT)[0] == 7
    assert not CloudFolder(run).job.exists()
    (first,) = records(run)
    assert ragtune("promote", run, *SUBMIT)[0] == 0
    assert records(run) == [first] == [read_record(run)]
    fake.jobs[first.job]["stopped"] = 2
    assert ragtune("promote", run, *SUBMIT, "--again")[0] == 0
    assert [record.job[-2:] for record in records(run)] == ["-1", "-2"]
    CloudFolder(run).jobs.unlink()  # as an older ragtune left it
    assert records(run) == [read_record(run)]


def test_a_plan_that_is_submitted_does_not_say_that_nothing_was_sent(
    run: RunFolder, ragtune: Call
) -> None:
    assert "nothing was sent or spent" in ragtune("promote", run, "--accept-eula")[1]
    out = ragtune("promote", run, "--online", "--accept-eula")[1]
    assert ("nothing was sent" in out, "nothing was created or spent" in out) == (False, True)
    code, out, err = ragtune("promote", run, *SUBMIT)
    assert code == 0
    assert "or spent" not in out
    assert "submitted" in err


def test_expired_credentials_while_watching_say_that_the_job_runs_on_and_what_it_costs(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ragtune("promote", run, *SUBMIT)[0] == 0
    job = read_record(run).job

    def expire(seconds: float) -> None:
        fake.fails["DescribeTrainingJob"] = [EXPIRED]

    with monkeypatch.context() as patch:
        patch.setattr("ragtune_cloud.sagemaker.watch.sleep", expire)
        code, _, err = ragtune("cloud", "watch", run)
    assert code == 7
    last = err.splitlines()[-1]
    assert "the credentials have expired; sign in again" in last
    assert f"{job} runs on at $7.09 an hour" in last
    assert "`ragtune cloud watch RUN` goes on" in last
    assert ragtune("cloud", "watch", run)[0] == 0


def test_a_list_survives_a_job_that_vanished(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    gone = make_run(run.path.parent / "gone", recipe(), rows=29)
    fake.quota.clear()
    for each in (gone, run):
        assert ragtune("promote", each, *SUBMIT)[0] == 0
    del fake.jobs[read_record(gone).job]
    code, out, err = ragtune("cloud", "list", run.path.parent)
    assert code == 7
    assert f"{read_record(gone).job}: not known: " in out
    assert f"{read_record(run).job}: InProgress" in out
    assert "1 jobs could not be asked about" in err


def test_data_is_deleted_only_after_the_model_was_fetched_or_it_was_said(
    completed: RunFolder, ragtune: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = ragtune("cloud", "delete", completed, "--data")
    assert code == 7
    assert "its tuned model was not fetched and is nowhere but in S3" in err
    assert f"`ragtune cloud fetch {completed}` first, or --yes deletes it" in err
    assert "GB stored" in ragtune("cloud", "costs", completed.path.parent)[1]
    asked: list[str] = []

    def refuse(question: str, **_: Any) -> None:
        import typer

        asked.append(question)
        raise typer.Abort

    with monkeypatch.context() as patch:
        patch.setattr("sys.stdin.isatty", lambda: True)
        patch.setattr("typer.confirm", refuse)
        assert ragtune("cloud", "delete", completed, "--data")[0] == 1
    assert "delete it?" in asked[0]
    write_json(CloudFolder(completed).fetched_note, {"job": read_record(completed).job})
    assert ragtune("cloud", "delete", completed, "--data")[0] == 0
    assert ragtune("cloud", "costs", completed.path.parent)[1].startswith("nothing")


def test_data_of_a_running_job_is_not_deleted_but_its_endpoints_are(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    assert ragtune("promote", run, *SUBMIT)[0] == 0
    deploy = ("cloud", "deploy", run, "--side", "base", "--keep", "--accept-eula", "--yes")
    assert ragtune(*deploy)[0] == 0
    code, _, err = ragtune("cloud", "delete", run, "--data")
    assert (code, "is running; `ragtune cloud stop" in err) == (7, True)
    assert fake.running == []
    assert "GB stored" in ragtune("cloud", "costs", run.path.parent)[1]


def test_a_run_that_was_never_submitted_has_nothing_to_delete(
    run: RunFolder, ragtune: Call
) -> None:
    code, _, err = ragtune("cloud", "delete", run)
    assert (code, "nothing was ever submitted or deployed" in err) == (7, True)


def test_no_account_number_key_or_signed_address_is_written_or_said(
    completed: RunFolder, ragtune: Call, fake: FakeSageMaker
) -> None:
    told = [*ragtune("promote", completed, "--online", "--accept-eula", "--json")[1:]]
    secret = f"arn:aws:iam::{ACCOUNT}:role/x AKIAABCDEFGHIJKLMNOP https://b/k?X-Amz-Signature=abcd"
    fake.unfit = secret
    deploy = ("cloud", "deploy", completed, "--keep", "--accept-eula", "--yes")
    told += ragtune(*deploy)[1:]
    fake.unfit = ""
    told += ragtune(*deploy)[1:]
    note(completed, read_record(completed))
    for operation in ("DescribeEndpoint", "ListObjectVersions", "GetResources"):
        fake.fails[operation] = [(400, "AccessDeniedException", secret)]
    for verb in ("status", "watch"):
        told += ragtune("cloud", verb, completed)[1:]
    for verb in ("costs", "list"):
        told += ragtune("cloud", verb, completed.path.parent)[1:]
    fake.fails["DeleteEndpoint"] = [(400, "AccessDeniedException", secret)]
    told += ragtune("cloud", "delete", completed)[1:]
    files = [path for path in completed.path.rglob("*") if path.is_file()]
    names = {path.name for path in files}
    assert {"ledger.json", "job.json", "jobs.json", "plan.json", "report.html"} <= names
    assert read_json(CloudFolder(completed).ledger)["open"]
    told += [path.read_text(encoding="utf-8", errors="replace") for path in files]
    for word in (ACCOUNT, "AKIAABCDEFGHIJKLMNOP", "Signature=abcd"):
        assert not [text for text in told if word in text], word
    assert any("<account>" in text for text in told)
