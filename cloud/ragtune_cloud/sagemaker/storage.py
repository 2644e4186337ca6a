"""What a job has in S3: listed, uploaded, removed."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.progress import Watcher
from ragtune_cloud.sagemaker.account import Account, Refusal, aws_errors, code_of
from ragtune_cloud.sagemaker.names import ACCOUNT, Names


def bucket_of(names: Names, account: Account) -> str:
    """The bucket's name as AWS knows it, with the account's number."""
    return names.bucket.replace(ACCOUNT, account.id)


def objects(names: Names, account: Account, below: str = "") -> Iterator[dict[str, Any]]:
    """Key and size of each object of a job, or of those in one of its folders."""
    pages = account.client("s3").get_paginator("list_objects_v2")
    prefix = f"{names.home}/{below}"
    for page in pages.paginate(Bucket=bucket_of(names, account), Prefix=prefix):
        yield from page.get("Contents", ())


def foreign_keys(names: Names, account: Account) -> list[str]:
    """Keys below the training prefix that this promotion did not put there."""
    own = set(names.keys.values())
    found = (entry["Key"] for entry in objects(names, account, "training/"))
    return [key for key in found if key not in own]


def upload(
    content: bytes, key: str, names: Names, account: Account, *, kms_key: str | None
) -> bool:
    """Put an object, encrypted; false where it is there already with the same content."""
    digest = hashlib.sha256(content).hexdigest()
    bucket = bucket_of(names, account)
    if _there(account, bucket, key, digest):
        return False
    safe = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
    account.client("s3").put_object(
        Bucket=bucket,
        Key=key,
        Body=content,
        ChecksumSHA256=base64.b64encode(bytes.fromhex(digest)).decode(),
        Metadata={"sha256": digest},
        ExpectedBucketOwner=account.id,
        **(safe or {"ServerSideEncryption": "AES256"}),
    )
    return True


def size(names: Names, account: Account) -> tuple[int, CloudError | None]:
    """Bytes that a job's objects take, older versions too; and why those are not known, if so.

    Raises CloudError where AWS refuses.
    """
    found, hidden = _all(names, account)
    return sum(entry.get("Size", 0) for entry in found), hidden


def versions(names: Names, account: Account) -> Iterator[dict[str, Any]]:
    """Every version of every object of a job, and the marks of deleted ones, which have no size.

    Raises CloudError where AWS refuses.
    """
    pages = account.client("s3").get_paginator("list_object_versions")
    prefix = f"{names.home}/"
    with aws_errors(account.known_id):
        for page in pages.paginate(Bucket=bucket_of(names, account), Prefix=prefix):
            yield from page.get("Versions", ())
            yield from page.get("DeleteMarkers", ())


def remove(names: Names, account: Account, watcher: Watcher) -> None:
    """Delete every object of a job, in all its versions: data, evidence, the model that it left.

    Raises CloudError where AWS refuses, and where something stays.
    """
    s3, bucket, count = account.client("s3"), bucket_of(names, account), 0
    found, hidden = _all(names, account)
    if hidden is not None:
        watcher.say(f"s3://{names.bucket}/{names.home}: older versions are not seen: {hidden}")
    if not found:
        return
    with aws_errors(account.known_id):
        for entry in found:
            version = {"VersionId": entry["VersionId"]} if "VersionId" in entry else {}
            s3.delete_object(Bucket=bucket, Key=entry["Key"], **version)
            count += 1
        left = [entry["Key"] for entry in objects(names, account)]
    if left:
        raise CloudError(f"s3://{names.bucket}/{left[0]}: is still there; delete it by hand")
    watcher.say(f"s3://{names.bucket}/{names.home}: {count} objects deleted")


def _all(names: Names, account: Account) -> tuple[list[dict[str, Any]], CloudError | None]:
    """All versions, or where those may not be listed all objects; a missing bucket holds none."""
    hidden = None
    try:
        return list(versions(names, account)), None
    except Refusal as error:
        if error.code == "NoSuchBucket":
            return [], None
        hidden = error
    try:
        with aws_errors(account.known_id):
            return list(objects(names, account)), hidden
    except Refusal as error:
        if error.code == "NoSuchBucket":
            return [], None
        raise


def _there(account: Account, bucket: str, key: str, digest: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        found = account.client("s3").head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey", "NotFound"}:
            return False
        raise
    return bool(found.get("Metadata", {}).get("sha256") == digest)
