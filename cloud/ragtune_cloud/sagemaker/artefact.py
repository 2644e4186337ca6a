"""The model that a job left in S3, brought here."""

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ragtune.core import moves
from ragtune.core.errors import CloudError
from ragtune.core.files import read_json, write_json
from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.fetched import check_model
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.sagemaker import jobs
from ragtune_cloud.sagemaker.account import Account, aws_errors
from ragtune_cloud.sagemaker.names import ACCOUNT, masked
from ragtune_cloud.sagemaker.record import Record

ARCHIVE = ".tar.gz"
"""What a compressed output ends in; any other is a folder of the model's files."""
PIECE = 1 << 20
"""Bytes that are read at once."""


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
        if uri.endswith(ARCHIVE):
            came = _download(uri, cloud.fetched, account, watcher)
            shutil.rmtree(model, ignore_errors=True)
            _unpack(came, model)
        else:
            came = _download_folder(uri, cloud.fetched / f".{record.job}.new", account, watcher)
            shutil.rmtree(model, ignore_errors=True)
            came.replace(model)
        checked = check_model(model)
        came.unlink(missing_ok=True)
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
        _check_room(folder, 3 * size, "fetch and unpack")
        with watcher.progress("fetch") as advance:
            _fetch_object(s3, (bucket, key), target, size, lambda done: advance(done, size))
    return target


def _download_folder(uri: str, folder: Path, account: Account, watcher: Watcher) -> Path:
    """Fetch each file of an uncompressed output; those that are whole are kept for another try."""
    bucket, _, prefix = uri.removeprefix("s3://").rstrip("/").partition("/")
    s3 = account.client("s3")
    folder.mkdir(parents=True, exist_ok=True)
    with aws_errors(account.id):
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        sizes = {o["Key"]: int(o["Size"]) for page in pages for o in page.get("Contents", ())}
        whole = sum(sizes.values())
        if not whole:
            raise CloudError(f"{masked(uri, account.id)}: nothing is there; see the job's log")
        _check_room(folder, 2 * whole, "fetch")
        before = 0
        with watcher.progress("fetch") as advance:
            for key, size in sizes.items():
                target = folder / key.removeprefix(f"{prefix}/")
                if not target.resolve().is_relative_to(folder.resolve()):
                    raise CloudError(f"{key}: leaves the model's folder; nothing more was fetched")
                target.parent.mkdir(parents=True, exist_ok=True)
                if not target.exists() or target.stat().st_size != size:

                    def went_on(done: int, before: int = before) -> None:
                        advance(before + done, whole)

                    _fetch_object(s3, (bucket, key), target, size, went_on)
                before += size
    return folder


def _fetch_object(
    s3: Any, place: tuple[str, str], target: Path, size: int, went_on: Callable[[int], None]
) -> None:
    """Fetch one object to a temporary name, then rename it.

    Raises CloudError where less came than the object has.
    """
    bucket, key = place
    partial = target.with_name(f".{target.name}.new")
    done = 0
    with partial.open("wb") as file:
        for piece in s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(PIECE):
            file.write(piece)
            done += len(piece)
            went_on(done)
    if done != size:
        raise CloudError(f"{key}: {done} of {size} bytes came; run the same command again")
    moves.replace(partial, target)


def _check_room(folder: Path, needed: int, what: str) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise CloudError(
            f"{folder}: {needed / 1e9:.1f} GB are needed to {what} the model, "
            f"{free / 1e9:.1f} are free; make room"
        )


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
