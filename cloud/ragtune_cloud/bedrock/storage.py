"""The files of an import in S3: uploaded, counted, deleted with all that was left of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.progress import Watcher
from ragtune_cloud.bedrock.source import LocalFiles
from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of
from ragtune_cloud.sagemaker.names import ACCOUNT

BATCH = 1000
"""Objects that S3 deletes in one call, at most."""


def place(uri: str, account: Account) -> tuple[str, str]:
    """Bucket and key prefix of a URI, with the account's number."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    return bucket.replace(ACCOUNT, account.id), f"{prefix.rstrip('/')}/"


def upload(
    files: LocalFiles, uri: str, account: Account, watcher: Watcher, *, kms_key: str | None
) -> None:
    """Put every file below a URI, encrypted; one that is there with the same content is left.

    Raises CloudError where AWS refuses, or something else lies there.
    """
    bucket, prefix = place(uri, account)
    s3, total, done = account.client("s3"), sum(files.sizes.values()), 0
    with aws_errors(account.id):
        there = {entry["Key"] for entry in _current(bucket, prefix, account)}
    if foreign := sorted(there - {prefix + name for name in files.sizes}):
        raise CloudError(
            f"s3://{bucket.replace(account.id, ACCOUNT)}/{foreign[0]}: is not of this model, and "
            "would be imported with it; remove it first"
        )
    safe = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
    with watcher.progress("upload") as advance:
        for name, size in files.sizes.items():
            advance(done, total)
            sha256 = files.hashes[name]
            with aws_errors(account.id):
                if prefix + name not in there or not _same(bucket, prefix + name, sha256, account):
                    options = safe or {"ServerSideEncryption": "AES256"}
                    s3.upload_file(
                        str(files.folder / name),
                        bucket,
                        prefix + name,
                        ExtraArgs={
                            "Metadata": {"sha256": sha256},
                            "ExpectedBucketOwner": account.id,
                            **options,
                        },
                    )
                    watcher.say(f"{name}: uploaded, {size} bytes")
            done += size
            advance(done, total)


def stored_bytes(uri: str, account: Account) -> int:
    """Bytes of all versions below a URI, and of uploads that were broken off.

    0 where there is no such bucket. Raises CloudError where AWS refuses.
    """
    bucket, prefix = place(uri, account)
    total = 0
    with aws_errors(account.id), _no_bucket_is_empty():
        total += sum(int(entry.get("Size", 0)) for entry in _versions(bucket, prefix, account))
        s3 = account.client("s3")
        for key, upload_id in _uploads(bucket, prefix, account):
            parts = s3.list_parts(Bucket=bucket, Key=key, UploadId=upload_id)
            total += sum(int(part["Size"]) for part in parts.get("Parts", ()))
    return total


def remove(uri: str, account: Account) -> None:
    """Delete every version below a URI, and uploads that were broken off.

    Nothing happens where there is no such bucket. Raises CloudError where something stays.
    """
    bucket, prefix = place(uri, account)
    s3 = account.client("s3")
    with aws_errors(account.id), _no_bucket_is_empty():
        for key, upload_id in list(_uploads(bucket, prefix, account)):
            s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
        found = list(_versions(bucket, prefix, account))
        named = [{"Key": e["Key"], "VersionId": e["VersionId"]} for e in found]
        for start in range(0, len(named), BATCH):
            batch = {"Objects": named[start : start + BATCH], "Quiet": True}
            answer = s3.delete_objects(Bucket=bucket, Delete=batch)
            for error in answer.get("Errors", ()):
                raise CloudError(
                    f"{uri}: {error['Key'].rpartition('/')[2]}: {error.get('Code')}; delete it by "
                    f"hand: aws s3 rm --recursive {uri}"
                )


def _versions(bucket: str, prefix: str, account: Account) -> Iterator[dict[str, Any]]:
    pages = account.client("s3").get_paginator("list_object_versions")
    for page in pages.paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Versions", ())
        yield from page.get("DeleteMarkers", ())


def _current(bucket: str, prefix: str, account: Account) -> Iterator[dict[str, Any]]:
    pages = account.client("s3").get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=bucket, Prefix=prefix):
        yield from page.get("Contents", ())


def _uploads(bucket: str, prefix: str, account: Account) -> Iterator[tuple[str, str]]:
    pages = account.client("s3").get_paginator("list_multipart_uploads")
    for page in pages.paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Uploads", ()):
            yield entry["Key"], entry["UploadId"]


def _same(bucket: str, key: str, sha256: str, account: Account) -> bool:
    found = account.client("s3").head_object(Bucket=bucket, Key=key)
    return bool(found.get("Metadata", {}).get("sha256") == sha256)


@contextmanager
def _no_bucket_is_empty() -> Iterator[None]:
    from botocore.exceptions import ClientError

    try:
        yield
    except ClientError as error:
        if code_of(error) != "NoSuchBucket":
            raise
