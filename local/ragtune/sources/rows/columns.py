"""Rows of columns that have types: Parquet and Arrow files, hub data sets."""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ragtune.core.errors import RecordsError
from ragtune.sources.rows.base import Row, line


def parquet(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file.

    Raises RecordsError for one that is broken.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            yield from numbered(path.name, _batches(file.iter_batches()))
    except (ArrowException, OSError) as error:
        raise RecordsError(f"{path}: cannot be read as Parquet: {line(error)}") from None


def arrow(path: Path) -> Iterator[Row]:
    """The rows of an Arrow file, as a file or as a stream.

    Raises RecordsError for one that is broken.
    """
    import pyarrow as pa

    try:
        with pa.OSFile(str(path)) as file:
            try:
                reader = pa.ipc.open_file(file)
                batches: Iterable[Any] = map(reader.get_batch, range(reader.num_record_batches))
            except pa.ArrowInvalid:
                file.seek(0)
                batches = pa.ipc.open_stream(file)
            yield from numbered(path.name, _batches(batches))
    except (pa.ArrowException, OSError) as error:
        raise RecordsError(f"{path}: cannot be read as Arrow: {line(error)}") from None


def numbered(name: str, found: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """Rows with their numbers, and with their numbers and dates as text."""
    for number, row in enumerate(found, 1):
        yield Row(f"{name} row {number}", {key: plain(value) for key, value in row.items()})


def plain(value: Any) -> Any:
    """A value as JSON would give it: numbers and dates as text, what is no number as None."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Mapping):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return None if math.isnan(value) else repr(value)
    return _named(value)


def _named(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(" ") if value.time() != datetime.min.time() else f"{value:%Y-%m-%d}"
    return str(value) if isinstance(value, int | Decimal | date) else value


def _batches(batches: Iterable[Any]) -> Iterator[Mapping[str, Any]]:
    for batch in batches:
        yield from batch.to_pylist()
