"""Rows of columns that have types: Parquet and Arrow files, hub data sets."""

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from ragtune.core.errors import RecordsError
from ragtune.core.text.shortening import named
from ragtune.sources.rows.base import BadRow, Row, line


def parquet(path: Path) -> Iterator[Row]:
    """The rows of a Parquet file.

    Raises RecordsError for one that is broken.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            yield from numbered(path.name, _batches(path, file.iter_batches()))
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
            yield from numbered(path.name, _batches(path, batches))
    except (pa.ArrowException, OSError) as error:
        raise RecordsError(f"{path}: cannot be read as Arrow: {line(error)}") from None


def numbered(name: str, found: Iterable[Mapping[str, Any] | BadRow]) -> Iterator[Row]:
    """Rows with their numbers, and with their numbers and dates as text."""
    for number, row in enumerate(found, 1):
        values = {k: plain(v) for k, v in row.items()} if isinstance(row, Mapping) else row
        yield Row(f"{name} row {number}", values)


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
        if value.time() == datetime.min.time():
            return value.date().isoformat()
        return value.isoformat(" ")
    return str(value) if isinstance(value, int | Decimal | date | time | timedelta) else value


def _batches(path: Path, batches: Iterable[Any]) -> Iterator[Mapping[str, Any] | BadRow]:
    """The rows; one that holds what Python has no value for is a BadRow, the others are read.

    Raises RecordsError where two columns have the same name.
    """
    for batch in batches:
        names = batch.schema.names
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise RecordsError(f"{path}: two columns are named {named(twice)!r}; rename one")
        try:
            yield from batch.to_pylist()
        except (ValueError, ArithmeticError, LookupError):
            yield from map(_alone, (batch.slice(number, 1) for number in range(batch.num_rows)))


def _alone(batch: Any) -> Mapping[str, Any] | BadRow:
    """A row of a batch that cannot be read as a whole."""
    found = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        try:
            (found[name],) = column.to_pylist()
        except (ValueError, ArithmeticError, LookupError) as error:
            return BadRow(f"{named(name)} cannot be read: {line(error)}")
    return found
