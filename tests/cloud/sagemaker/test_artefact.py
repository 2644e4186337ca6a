import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import CloudError
from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune.recipe import file as recipe_file
from ragtune_cloud.fetched import check_model
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.sagemaker import artefact, jobs
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.sagemaker.record import read_record
from ragtune_cloud.target import Status
from tests.cloud.fake import ACCOUNT, REGION, FakeSageMaker
from tests.cloud.made_up import recipe, target, watched

Open = Callable[[], Account]


def fetched(run: RunFolder, account: Account) -> Path:
    return target(account).fetch(recipe(), run, Silent())


def test_no_model_is_fetched_before_the_job_is_completed(
    submitted: RunFolder, account: Open
) -> None:
    with pytest.raises(CloudError, match="InProgress"):
        fetched(submitted, account())


@pytest.mark.parametrize(
    ("artefact", "said"),
    [(b"no archive", "cannot be unpacked"), (None, "what the job left is no model")],
)
def test_what_is_no_whole_model_is_refused(
    submitted: RunFolder,
    account: Open,
    fake: FakeSageMaker,
    tmp_path: Path,
    *,
    artefact: bytes | None,
    said: str,
) -> None:
    empty = tmp_path / "empty.tar.gz"
    with tarfile.open(empty, "w:gz") as tar:
        tar.add(__file__, arcname="readme.txt")
    fake.artefact = artefact or empty.read_bytes()
    opened = account()
    watched(submitted, opened)
    with pytest.raises(CloudError, match=said):
        fetched(submitted, opened)
    assert not CloudFolder(submitted).fetched_note.exists()


def test_a_fetched_model_is_kept_and_its_weights_are_checked(
    submitted: RunFolder, account: Open, fake: FakeSageMaker, merged_model: bytes
) -> None:
    fake.artefact = merged_model
    opened = account()
    watched(submitted, opened)
    path = fetched(submitted, opened)
    model = path.parent / "model"
    before = (model / "model.safetensors").stat().st_mtime_ns
    assert fetched(submitted, opened) == path
    assert (model / "model.safetensors").stat().st_mtime_ns == before
    (model / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(CloudError, match="broken weights"):
        check_model(model)


@pytest.mark.parametrize("place", ["runs/published", "far/away/link"])
def test_the_written_recipe_finds_what_the_runs_recipe_names(
    submitted: RunFolder,
    account: Open,
    fake: FakeSageMaker,
    merged_model: bytes,
    tmp_path: Path,
    *,
    place: str,
) -> None:
    fake.artefact = merged_model
    opened = account()
    watched(submitted, opened)
    (tmp_path / "reranker").mkdir()
    (tmp_path / "records.jsonl").touch()
    seen = RunFolder(tmp_path / place)
    if seen != submitted:
        seen.path.parent.mkdir(parents=True)
        seen.path.symlink_to(submitted.path)
    made = recipe(rag={"rerank": "reranker"}).at(tmp_path)
    path = target(opened).fetch(made, seen, Silent())
    written = recipe_file.load(path)
    assert written.path(written.rag.rerank or "").samefile(tmp_path / "reranker")
    assert written.path(str(written.records.source)).samefile(tmp_path / "records.jsonl")
    assert written.path(written.study.questions).samefile(submitted.questions)


def test_an_uncompressed_model_is_fetched_file_by_file_and_goes_on_after_a_break(
    submitted: RunFolder,
    account: Open,
    merged_model: bytes,
    *,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with tarfile.open(fileobj=io.BytesIO(merged_model)) as tar:
        tar.extractall(tmp_path / "model", filter="data")
    opened, record = account(), read_record(submitted)
    bucket = f"sagemaker-{REGION}-{ACCOUNT}"
    s3 = opened.client("s3")
    for path in (tmp_path / "model").iterdir():
        s3.upload_file(str(path), bucket, f"left/model/{path.name}")
    left = Status(record.job, "Completed", "Completed", 1, None, None, f"s3://{bucket}/left/model")
    monkeypatch.setattr(jobs, "status", lambda *_: left)
    asked: list[str] = []
    client = opened.client("s3")
    client.meta.events.register(
        "provide-client-params.s3.GetObject", lambda params, **_: asked.append(params["Key"])
    )
    fetch_object, first = artefact._fetch_object, len(list((tmp_path / "model").iterdir())) - 1

    def breaks(*given: Any) -> None:
        if len(asked) == first:
            raise CloudError("the line broke")
        fetch_object(*given)

    with monkeypatch.context() as patch:
        patch.setattr(artefact, "_fetch_object", breaks)
        with pytest.raises(CloudError, match="the line broke"):
            artefact.fetch(record, submitted, opened, Silent())
    model = artefact.fetch(record, submitted, opened, Silent())
    assert len(asked) == len(set(asked)) == first + 1
    for path in (tmp_path / "model").iterdir():
        assert (model / path.name).read_bytes() == path.read_bytes()
    assert CloudFolder(submitted).fetched_note.exists()


def test_an_uncompressed_output_without_files_is_told(
    submitted: RunFolder, account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, record = account(), read_record(submitted)
    gone = f"s3://sagemaker-{REGION}-{ACCOUNT}/gone/"
    left = Status(record.job, "Completed", "Completed", 1, None, None, gone)
    monkeypatch.setattr(jobs, "status", lambda *_: left)
    with pytest.raises(CloudError, match=r"<account>/gone/: nothing is there") as told:
        artefact.fetch(record, submitted, opened, Silent())
    assert ACCOUNT not in str(told.value)
