"""What a Knowledge Base reads: text objects in S3, each with its metadata beside it."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ragtune.core.errors import CloudError, DocumentsError
from ragtune.core.progress import Watcher
from ragtune.recipe.schema import Recipe
from ragtune.sources.documents import Corpus
from ragtune_cloud.index.base import stem
from ragtune_cloud.index.stock import Chunk, Stock
from ragtune_cloud.ledger import Entry
from ragtune_cloud.sagemaker import storage
from ragtune_cloud.sagemaker.account import Account, aws_errors
from ragtune_cloud.sagemaker.names import ACCOUNT, Names

KIND = "index-documents"
MAX_METADATA = 1024
"""Bytes of own metadata a chunk, where the vectors are in S3 Vectors."""
BESIDE = ".metadata.json"


@dataclass(frozen=True)
class Piece:
    """An object for the Knowledge Base: its name, text, and metadata; a title that is embedded."""

    name: str
    text: str
    metadata: Mapping[str, str | int]
    title: str = ""

    def objects(self) -> Iterator[tuple[str, bytes]]:
        """Name and content of the text and of its metadata."""
        yield f"{self.name}.txt", self.text.encode()
        attributes = {
            key: {"value": _typed(value), "includeForEmbedding": False}
            for key, value in self.metadata.items()
        }
        if self.title:
            attributes["title"] = {"value": _typed(self.title), "includeForEmbedding": True}
        content = json.dumps({"metadataAttributes": attributes}, ensure_ascii=False)
        yield f"{self.name}.txt{BESIDE}", content.encode()


def of_chunks(stock: Stock) -> Iterator[Piece]:
    """A piece a chunk: with chunking NONE each becomes one vector."""
    for chunk in stock.chunks():
        yield _of_chunk(chunk)


def of_documents(corpus: Corpus, names: Mapping[str, str]) -> Iterator[Piece]:
    """A piece a document, as it was read here; the service cuts it.

    Raises DocumentsError where one cannot be read any more.
    """
    for name in names:
        try:
            read = corpus.read(name)
        except DocumentsError as error:
            raise DocumentsError(f"{name}: {error}") from None
        text = "\n\n".join(part.text for part in read)
        title = next((part.title for part in read if part.title), "")
        metadata = {"document": name}
        key = hashlib.sha256(name.encode()).hexdigest()[:32]
        yield Piece(key, text, metadata, _fitting(title, metadata))


def place(recipe: Recipe) -> Names:
    """Where the objects are; the account's number is left open in the bucket's name."""
    cloud = recipe.cloud
    bucket = cloud.bucket or f"sagemaker-{cloud.region}-{ACCOUNT}"
    return Names(f"index-{stem(recipe)}", bucket, cloud.prefix.strip("/"))


def uri(names: Names) -> str:
    """The S3 URI of the place."""
    return f"s3://{names.bucket}/{names.home}"


def upload(
    pieces: Iterator[Piece], names: Names, account: Account, *, key: str | None, watcher: Watcher
) -> dict[str, int]:
    """Put what is missing or other there, and delete what is no piece; how many of each.

    What a Knowledge Base finds below its prefix it reads, so nothing else may be left.
    """
    client, bucket = account.client("s3"), storage.bucket_of(names, account)
    counts = {"objects": 0, "put": 0, "deleted": 0}
    with aws_errors(account.id), watcher.progress("upload") as advance:
        there = {entry["Key"]: entry for entry in storage.objects(names, account)}
        for piece in pieces:
            for name, content in piece.objects():
                path = f"{names.home}/{name}"
                counts["objects"] += 1
                if not _same(there.pop(path, None), content):
                    storage.upload(content, path, names, account, kms_key=key)
                    counts["put"] += 1
            advance(counts["objects"], counts["objects"])
        for path in there:
            client.delete_object(Bucket=bucket, Key=path)
            counts["deleted"] += 1
    return counts


def names_of(entry: Entry) -> Names:
    """The place that an entry names by its S3 URI.

    Raises CloudError where that is no place of an index.
    """
    bucket, _, home = entry.name.removeprefix("s3://").partition("/")
    prefix, _, job = home.rpartition("/")
    if not job.startswith("index-ragtune-"):
        raise CloudError(f"{entry.name}: no place of an index of ragtune's; delete it by hand")
    return Names(job, bucket, prefix)


def delete(entry: Entry, account: Account, watcher: Watcher) -> None:
    """Delete all objects of an entry, whose name is their S3 URI.

    Raises CloudError where the name is no such URI, or AWS refuses.
    """
    storage.remove(names_of(entry), account, watcher)


def _of_chunk(chunk: Chunk) -> Piece:
    shown = {k: v for k, v in chunk.filterable.items() if k != "text_at"}
    metadata: dict[str, str | int] = {**shown, "chunk": chunk.id}
    return Piece(chunk.id, chunk.text, metadata, _fitting(chunk.title, metadata))


def _fitting(title: str, metadata: Mapping[str, Any]) -> str:
    """The title, cut to what the metadata leaves of the service's limit."""
    left = MAX_METADATA - len(json.dumps({**metadata, "title": ""}, ensure_ascii=False).encode())
    return title.encode()[: max(0, left)].decode(errors="ignore").strip()


def _typed(value: str | int) -> dict[str, str | int]:
    if isinstance(value, int):
        return {"type": "NUMBER", "numberValue": value}
    return {"type": "STRING", "stringValue": value}


def _same(entry: Mapping[str, Any] | None, content: bytes) -> bool:
    """Whether an object has that content, by the MD5 that S3 gives without a key of KMS."""
    if entry is None or entry["Size"] != len(content):
        return False
    return str(entry["ETag"]).strip('"') == hashlib.md5(content, usedforsecurity=False).hexdigest()
