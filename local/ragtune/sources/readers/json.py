"""JSON and JSON lines: a line of ``name: value`` for each object of a list, and for each value."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ragtune.core.errors import DocumentsError
from ragtune.sources.readers.base import Document, one_line
from ragtune.sources.readers.blocks import Blocks
from ragtune.sources.readers.table import BAR
from ragtune.sources.readers.text import decode

_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)
"""Numbers keep their letters: 1.50 stays 1.50, and 5,000 digits are no matter."""


def read(path: Path, name: str) -> list[Document]:
    """All values with the names that lead to them; a list of objects is a table."""
    text = decode(path.read_bytes())
    blocks = Blocks()
    left_out: list[str] = []
    if path.suffix.lower() == ".json":
        _add(blocks, _loaded(text, "line {}"), "")
    else:
        values, bad = [], []
        for n, line in enumerate(text.split("\n"), 1):
            try:
                values += [_loaded(line, f"line {n}")] if line.strip() else []
            except DocumentsError as error:
                bad.append(error)
        if bad and not values:
            raise bad[0]
        _add(blocks, values, "")
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        left_out = [f"{bad[0]}".removeprefix("cannot be read: ") + more] if bad else []
    title = path.stem.replace("-", " ").replace("_", " ")
    return [blocks.document(name, title, left_out=left_out)]


def _loaded(text: str, where: str) -> Any:
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        place = where.format(error.lineno)
        raise DocumentsError(f"cannot be read: not JSON: {place}: {error.msg}") from None
    except RecursionError:
        place = where.format(1)
        raise DocumentsError(f"cannot be read: {place}: nested too deeply") from None


def _add(blocks: Blocks, value: Any, caption: str) -> None:
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        blocks.rows([BAR.join(_pairs(one)) for one in value], caption)
    elif isinstance(value, Mapping):
        plain = {k: v for k, v in value.items() if not _is_table(v)}
        blocks.rows(list(_pairs(plain)), caption)
        for key, one in value.items():
            if key not in plain:
                _add(blocks, one, f"{caption} {key}".strip())
    else:
        blocks.text(f"{caption}: {_said(value)}" if caption else _said(value))


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and all(isinstance(v, Mapping) for v in value)


def _pairs(value: Any, name: str = "") -> Iterator[str]:
    """``name: value`` for all values inside, by names with points between."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _pairs(one, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(one, Mapping | list) for one in value):
        for one in value:
            yield from _pairs(one, name)
    elif said := _said(value):
        yield f"{name}: {said}" if name else said


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_said, value)))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else one_line(str(value)).replace(BAR, "|")
