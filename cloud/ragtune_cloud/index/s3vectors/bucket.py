"""A vector bucket of S3 Vectors with one index in it: made, looked at, deleted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ragtune.core.errors import CloudError
from ragtune_cloud.index.base import foreign
from ragtune_cloud.ledger import Entry, Ledger
from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of
from ragtune_cloud.sagemaker.names import IDENTITY_TAG

KIND = "vector-bucket"
INDEX = "chunks"
"""The name of the one index in a bucket."""
MAX_DIMENSION = 4096
MAX_TOP_K = 100
MAX_METADATA, MAX_FILTERABLE = 40 * 1024, 2048
"""Bytes of metadata a vector: in all, and of that which can be filtered by. All limits are those of
the user guide, "Limitations and restrictions", as of November 2026."""
LANGUAGES = ("en", "fr", "es", "pt", "it", "de", "nl", "zh", "ja", "ko")
"""Languages whose words S3 Vectors takes apart by their own rules."""


@dataclass(frozen=True)
class Shape:
    """What an index is made with, for good.

    ``hidden`` metadata cannot be filtered by; ``words`` is the one that full-text search reads, in
    a ``language`` or in none.
    """

    dimension: int
    hidden: tuple[str, ...]
    words: str | None = None
    language: str | None = None

    def request(self, bucket: str, tags: Mapping[str, str]) -> dict[str, Any]:
        """The request of CreateIndex."""
        metadata: dict[str, Any] = {"nonFilterableMetadataKeys": list(self.hidden)}
        if self.words:
            language = {"language": self.language} if self.language else {}
            metadata["textSearchConfigurations"] = [{"metadataKey": self.words, **language}]
        return {
            "vectorBucketName": bucket,
            "indexName": INDEX,
            "dataType": "float32",
            "dimension": self.dimension,
            "distanceMetric": "cosine",
            "metadataConfiguration": metadata,
            "tags": dict(tags),
        }


def bucket_request(bucket: str, tags: Mapping[str, str], key: str | None) -> dict[str, Any]:
    """The request of CreateVectorBucket; ``key`` is the ARN of a KMS key, None for S3's own."""
    safe = {"encryptionConfiguration": {"sseType": "aws:kms", "kmsKeyArn": key}} if key else {}
    return {"vectorBucketName": bucket, **safe, "tags": dict(tags)}


def arn(bucket: str, account: Account) -> str:
    """The bucket's ARN, with the account's number: not to be written anywhere."""
    return f"arn:aws:s3vectors:{account.region}:{account.id}:bucket/{bucket}"


def is_there(bucket: str, account: Account, identity: str) -> bool:
    """Whether the bucket exists and is of that identity.

    Raises CloudError where one of that name is not.
    """
    with aws_errors(account.id):
        found = _found(account, "get_vector_bucket", vectorBucketName=bucket)
        if found is None:
            return False
        if _identity(bucket, account) != identity:
            raise foreign(f"vector bucket {bucket}")
    return True


def ensure(
    bucket: str,
    shape: Shape,
    account: Account,
    ledger: Ledger,
    *,
    tags: Mapping[str, str],
    key: str | None,
    hourly_usd: float | None,
) -> None:
    """Make the bucket and its index, as far as they are not there.

    Raises CloudError where the bucket is another's, or the index was made with another shape.
    """
    client, identity = account.client("s3vectors"), tags[IDENTITY_TAG]
    there = is_there(bucket, account, identity)
    ledger.add(KIND, bucket, account.region, hourly_usd)
    with aws_errors(account.id):
        if not there:
            try:
                client.create_vector_bucket(**bucket_request(bucket, tags, key))
            except Exception as error:
                if _code(error) != "ConflictException":
                    raise
                if not is_there(bucket, account, identity):  # made and deleted meanwhile
                    raise
        if shape.words:
            _search_words(bucket, client)
        found = _found(account, "get_index", vectorBucketName=bucket, indexName=INDEX)
        if found is None:
            client.create_index(**shape.request(bucket, tags))
            return
    made = found["index"]
    hidden = made.get("metadataConfiguration", {}).get("nonFilterableMetadataKeys", [])
    if made["dimension"] != shape.dimension or set(hidden) != set(shape.hidden):
        raise CloudError(
            f"vector bucket {bucket}: its index is of vectors of {made['dimension']} numbers, "
            "or with other metadata; `ragtune cloud delete RUN` first"
        )


def _search_words(bucket: str, client: Any) -> None:
    """Full-text search is of indexes in the mode that buckets have since September 30, 2026."""
    mode = client.get_vector_bucket(vectorBucketName=bucket)["vectorBucket"].get("defaultIndexMode")
    if mode == "CLASSIC":
        client.put_vector_bucket_default_index_mode(
            vectorBucketName=bucket, defaultIndexMode="ENHANCED"
        )


def delete(entry: Entry, account: Account) -> None:
    """Delete a bucket with all its indexes; one that is gone is no error.

    Raises CloudError where it is not ragtune's.
    """
    client, bucket = account.client("s3vectors"), entry.name
    with aws_errors(account.id):
        if _found(account, "get_vector_bucket", vectorBucketName=bucket) is None:
            return
        if _identity(bucket, account) is None:
            raise foreign(f"vector bucket {bucket}")
        for page in client.get_paginator("list_indexes").paginate(vectorBucketName=bucket):
            for index in page["indexes"]:
                _found(
                    account, "delete_index", vectorBucketName=bucket, indexName=index["indexName"]
                )
        _found(account, "delete_vector_bucket", vectorBucketName=bucket)


def there(bucket: str, account: Account) -> bool:
    """Whether a bucket of that name exists, and is ragtune's."""
    with aws_errors(account.id):
        if _found(account, "get_vector_bucket", vectorBucketName=bucket) is None:
            return False
        return _identity(bucket, account) is not None


def _identity(bucket: str, account: Account) -> str | None:
    """The identity that the bucket's tag names; None where it has none."""
    found = account.client("s3vectors").list_tags_for_resource(resourceArn=arn(bucket, account))
    value = found["tags"].get(IDENTITY_TAG)
    return None if value is None else str(value)


def _found(account: Account, operation: str, **request: Any) -> Any:
    """What a call answers; None where the thing is not there."""
    try:
        return getattr(account.client("s3vectors"), operation)(**request)
    except Exception as error:
        if _code(error) == "NotFoundException":
            return None
        raise


def _code(error: Exception) -> str:
    """The code of botocore's ClientError; empty for any other error."""
    return code_of(error) if hasattr(error, "response") else ""
