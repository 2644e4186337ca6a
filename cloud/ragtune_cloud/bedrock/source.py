"""Where the files of a model lie: a folder here, or a prefix in S3; read a piece at a time."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from ragtune.core.errors import CloudError
from ragtune.core.files import digest, file_hash
from ragtune_cloud.sagemaker.account import Account, aws_errors
from ragtune_cloud.sagemaker.names import ACCOUNT

WANTED = (".safetensors", ".json", ".model", ".jinja", ".txt")
"""Endings of files that a Hugging Face folder is read from; no others are uploaded."""
OURS = "ragtune.json"
"""The note that `ragtune export` leaves; it is not for Bedrock."""


class ModelFiles(Protocol):
    """A model's folder, wherever it is."""

    @property
    def place(self) -> str:
        """Where it is, without an account's number."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Bytes of each file, by its name."""

    @property
    def hash(self) -> str:
        """Identifies the content, in hexadecimal."""

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """A file's bytes, or some of them. Raises CloudError where they cannot be read."""


@dataclass(frozen=True)
class LocalFiles:
    """A folder on this machine."""

    folder: Path

    @property
    def place(self) -> str:
        """The path."""
        return str(self.folder)

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """Of the files that a model is read from; raises CloudError where there is no folder."""
        if not self.folder.is_dir():
            raise CloudError(f"{self.folder}: no such folder; name one that `ragtune export` wrote")
        found = sorted(p for p in self.folder.iterdir() if p.is_file())
        return {p.name: p.stat().st_size for p in found if _wanted(p.name)}

    @cached_property
    def hashes(self) -> Mapping[str, str]:
        """SHA-256 of each file, in hexadecimal."""
        return {name: file_hash(self.folder / name) for name in self.sizes}

    @cached_property
    def hash(self) -> str:
        """Of all files' names and contents."""
        return digest(dict(self.hashes))

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """A file's bytes, or some of them."""
        try:
            with (self.folder / name).open("rb") as file:
                file.seek(start)
                return file.read(-1 if length is None else length)
        except OSError as error:
            raise CloudError(f"{self.folder / name}: cannot be read: {error.strerror}") from None


@dataclass(frozen=True)
class StoredFiles:
    """A prefix in S3, such as a SageMaker job leaves where it compresses nothing.

    ``uri`` may hold ``<account>`` in place of the account's number.
    """

    uri: str
    account: Account = field(repr=False)

    @property
    def place(self) -> str:
        """The URI."""
        return self.uri

    @cached_property
    def _objects(self) -> Mapping[str, dict[str, Any]]:
        bucket, prefix = self._where
        pages = self.account.client("s3").get_paginator("list_objects_v2")
        with aws_errors(self.account.id):
            listed = [
                entry
                for page in pages.paginate(Bucket=bucket, Prefix=prefix)
                for entry in page.get("Contents", ())
            ]
        names = {entry["Key"].removeprefix(prefix): entry for entry in listed}
        return {n: e for n, e in names.items() if n and "/" not in n and _wanted(n)}

    @property
    def _where(self) -> tuple[str, str]:
        uri = self.uri.replace(ACCOUNT, self.account.id).removeprefix("s3://")
        bucket, _, prefix = uri.partition("/")
        return bucket, f"{prefix.rstrip('/')}/"

    @property
    def sizes(self) -> Mapping[str, int]:
        """Of the objects directly below the prefix."""
        return {name: int(entry["Size"]) for name, entry in self._objects.items()}

    @property
    def hash(self) -> str:
        """Of all objects' names, sizes and entity tags."""
        return digest({name: [e["Size"], e["ETag"]] for name, e in self._objects.items()})

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        """An object's bytes, or some of them."""
        bucket, prefix = self._where
        end = "" if length is None else start + length - 1
        span = {} if not start and length is None else {"Range": f"bytes={start}-{end}"}
        with aws_errors(self.account.id):
            answer = self.account.client("s3").get_object(
                Bucket=bucket, Key=f"{prefix}{name}", **span
            )
            content: bytes = answer["Body"].read()
        return content


def small_files_hash(files: ModelFiles, names: tuple[str, ...]) -> str:
    """SHA-256 over some of the files' contents, in hexadecimal; those that are missing are not."""
    total = hashlib.sha256()
    for name in names:
        if name in files.sizes:
            total.update(name.encode() + b"\0" + files.read(name))
    return total.hexdigest()


def _wanted(name: str) -> bool:
    return name.endswith(WANTED) and not name.startswith(".") and name != OURS
