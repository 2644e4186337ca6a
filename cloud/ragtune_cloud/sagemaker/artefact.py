"""The model that a job left in S3, brought here."""

import shutil
import tarfile
from pathlib import Path

from ragtune.core.errors import CloudError
from ragtune.core.files import read_json, write_json
from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.fetched import check_model
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.sagemaker import jobs
from ragtune_cloud.sagemaker.account import Account, aws_errors
from ragtune_cloud.sagemaker.names import ACCOUNT
from ragtune_cloud.sagemaker.record import Record


def fetch(record: Record, run: RunFolder, account: Account, watcher: Watcher) -> Path:
    """Fetch the job's merged model, unless it is here already, and check it; its folder.

    Raises CloudError where the job was not completed or what it left is no Llama with tokenizer
    and whole weights.
    """
    now = jobs.status(record, account)
    jobs.check_ended_well(now)
    cloud = CloudFolder(run)
    note, model = cloud.fetched_note, cloud.fetched_model
    if not note.exists() or read_json(note)["job"] != record.job:
        note.unlink(missing_ok=True)
        if now.artefact is None:
            raise CloudError(f"{record.job}: completed, but names no artefact; see its log")
        uri = now.artefact.replace(ACCOUNT, account.id)
        archive = _download(uri, cloud.fetched, account, watcher)
        shutil.rmtree(model, ignore_errors=True)
        _unpack(archive, model)
        checked = check_model(model)
        archive.unlink()
        write_json(note, {"job": record.job, **checked})
    return model


def _download(uri: str, folder: Path, account: Account, watcher: Watcher) -> Path:
    """Fetch the archive to a temporary name, then rename; one that is whole is kept."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    s3, target = account.client("s3"), folder / "model.tar.gz"
    folder.mkdir(parents=True, exist_ok=True)
    with aws_errors(account.id):
        size = int(s3.head_object(Bucket=bucket, Key=key)["ContentLength"])
        if target.exists() and target.stat().st_size == size:
            return target
        free = shutil.disk_usage(folder).free
        if free < 3 * size:
            raise CloudError(
                f"{folder}: {3 * size / 1e9:.1f} GB are needed to fetch and unpack the model, "
                f"{free / 1e9:.1f} are free; make room"
            )
        partial = folder / ".model.tar.gz.new"
        done = 0
        with watcher.progress("fetch") as advance, partial.open("wb") as file:
            for piece in s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(1 << 20):
                file.write(piece)
                done += len(piece)
                advance(done, size)
    if done != size:
        raise CloudError(f"{key}: {done} of {size} bytes came; run the same command again")
    return partial.replace(target)


def _unpack(archive: Path, model: Path) -> None:
    partial = model.with_name(".model.new")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(partial, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        archive.unlink(missing_ok=True)
        raise CloudError(f"{archive}: cannot be unpacked: {error}; fetch again") from None
    partial.replace(model)
