"""JSON in all the ways that records are kept in it: a line a record, a list, a list in an object.

Numbers keep the letters that they are written with, so 1.50 stays 1.50 and 5,000 digits are no
matter.
"""

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ragtune.core.errors import RecordsError
from ragtune.sources.rows.base import BadRow, Row, Twice


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        for name, value in pairs:
            if found[name] != value:
                return Twice(found, name)
    return found


_DECODER = json.JSONDecoder(
    parse_float=str,
    parse_int=str,
    parse_constant=lambda name: None if name == "NaN" else name,
    object_pairs_hook=_object,
)
_SPACE = re.compile(r"[\s\ufeff]*")
_BETWEEN = re.compile(r"\s*(,?)\s*")
_UNDECODED = re.compile("[\udc80-\udcff]")
BATCH = 256
"""Lines that are decoded at once, which takes a third of the time."""
_MARKED = secrets.token_hex(8)  # no file can have been written for it
_MARK = f',"{_MARKED}",'
LISTS = ("data", "rows", "records", "examples", "instances", "items", "questions", "train")
"""Names under which an object may hold the list of records, where it holds several lists."""
SPLITS = frozenset({"train", "training", "validation", "valid", "dev", "test", "eval"})


def rows(name: str, text: str) -> tuple[str, Iterator[Row]]:
    """What kind of JSON a text is, in words, and its rows.

    Raises RecordsError where it is one value in which no list of records is found.
    """
    start = _start(text)
    first = _parsed(text[start : _end_of_line(text, start)])
    more = text[_end_of_line(text, start) :].strip()
    if text.startswith("[", start) and (not isinstance(first, list) or not more):
        return "a JSON list", _items(name, text, start + 1)
    if not more and isinstance(first, dict):
        return _of_object(name, first)
    if isinstance(first, BadRow) and text.startswith("{", start):
        values = list(_concatenated(name, text, start))
        if len(values) == 1 and isinstance(values[0].values, dict):
            return _of_object(name, values[0].values)
        if values and not isinstance(values[0].values, BadRow):
            return "JSON", iter(values)
    return "JSON lines", _lines(name, text)


def _lines(name: str, text: str) -> Iterator[Row]:
    """A row for each line that is not empty."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for start in range(0, len(lines), BATCH):
        stripped = map(str.strip, lines[start : start + BATCH])
        numbered = [(number, line) for number, line in enumerate(stripped, start + 1) if line]
        values = _each([line for _, line in numbered])
        for (number, _), value in zip(numbered, values, strict=True):
            yield Row(f"{name}:{number}", value)


def _each(lines: Sequence[str]) -> list[Any]:
    """The value of each line, as `_parsed` has it: as one list, where all of them are JSON.

    A mark between the lines tells a list of their values from one that lines make only together.
    """
    text = _MARK.join(lines)
    if text.count(_MARK) == len(lines) - 1 and (text.isascii() or not _UNDECODED.search(text)):
        try:
            values = _DECODER.decode(f"[{text}]")
        except (json.JSONDecodeError, RecursionError):
            values = []
        if len(values) == 2 * len(lines) - 1 and all(one == _MARKED for one in values[1::2]):
            return list(values[::2])
    return [_parsed(line) for line in lines]


def _parsed(text: str) -> Any:
    """The value of a text, or the BadRow that says why it has none."""
    if not text.isascii() and _UNDECODED.search(text):
        return BadRow("not UTF-8")
    try:
        value, end = _DECODER.raw_decode(text, 0 if text.startswith("{") else _start(text))
    except json.JSONDecodeError as error:
        return BadRow(f"not JSON: {error.msg} at column {error.colno}")
    except RecursionError:
        return BadRow("nested too deeply")
    if end < len(text) and (rest := text[end:].strip()):
        return BadRow(f"not JSON: Extra data at column {len(text) - len(rest) + 1}")
    return value


def _items(name: str, text: str, place: int) -> Iterator[Row]:
    """The items of a list, one by one, so that a fault has its number.

    Raises RecordsError where the list is broken: what follows would be left out.
    """
    place, number = _start(text, place), 0
    while place < len(text) and text[place] != "]":
        number += 1
        try:
            value, place = _DECODER.raw_decode(text, place)
        except json.JSONDecodeError as error:
            raise RecordsError(
                f"{name}: record {number} of its list is not JSON: {error.msg} at line "
                f"{error.lineno}, column {error.colno}"
            ) from None
        except RecursionError:
            raise RecordsError(
                f"{name}: record {number} of its list is nested too deeply to be read"
            ) from None
        yield Row(f"{name} record {number}", value)
        between = _BETWEEN.match(text, place)
        assert between is not None
        place = between.end()
        if not between.group(1) and text[place : place + 1] != "]":
            break
    if text[place : place + 1] != "]":
        what = "is cut off" if place >= len(text) else "has no comma"
        line = text.count("\n", 0, place) + 1
        raise RecordsError(f"{name}:{line}: its list {what} after record {number}")


def _concatenated(name: str, text: str, place: int) -> Iterator[Row]:
    """Objects that follow one another over several lines each; none where the first is broken."""
    number = 0
    while place < len(text):
        number += 1
        try:
            value, place = _DECODER.raw_decode(text, place)
        except (json.JSONDecodeError, RecursionError) as error:
            if number > 1:
                line = text.count("\n", 0, place) + 1
                raise RecordsError(
                    f"{name}:{line}: record {number} is not JSON, and neither is a line: {error}"
                ) from None
            return
        yield Row(f"{name} record {number}", value)
        place = _start(text, place)


def _of_object(name: str, value: dict[str, Any]) -> tuple[str, Iterator[Row]]:
    """The records in one object: a list of them under some name, SQuAD's paragraphs, or itself."""
    lists = {key: inner for key, inner in value.items() if _is_table(inner)}
    if {"messages", "conversations"} & value.keys() or not lists:
        return _without_lists(name, value)
    splits = [key for key in lists if key.lower() in SPLITS]
    if len(splits) > 1:
        raise RecordsError(
            f"{name}: has a list of records under each of {', '.join(splits)}; "
            "put the one that is wanted into a file of its own"
        )
    key = next((key for key in LISTS if key in lists), "" if len(lists) > 1 else next(iter(lists)))
    if not key:
        raise RecordsError(
            f"{name}: has lists under {', '.join(lists)}; put the records into a list of their own"
        )
    found = lists[key]
    if any("paragraphs" in one for one in found if isinstance(one, Mapping)):
        return "SQuAD's JSON", _squad(name, found)
    if all(isinstance(one.get("row"), dict) for one in found if isinstance(one, Mapping)):
        found = [one["row"] for one in found]
    return f"JSON with a list under {key}", _numbered(name, found)


def _without_lists(name: str, value: dict[str, Any]) -> tuple[str, Iterator[Row]]:
    if len(value) > 1 and all(isinstance(inner, dict) for inner in value.values()):
        return "JSON with a record under each name", (
            Row(f"{name} record {key}", inner) for key, inner in value.items()
        )
    columns = [inner for inner in value.values() if isinstance(inner, list)]
    lengths = {len(column) for column in columns}
    if len(columns) > 1 and len(columns) == len(value) and len(lengths) == 1 and max(lengths) > 1:
        return "JSON with a list for each column", _numbered(
            name, [dict(zip(value, cells, strict=True)) for cells in zip(*columns, strict=True)]
        )
    return "JSON", iter([Row(f"{name} record 1", value)])


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _numbered(name: str, found: list[Any]) -> Iterator[Row]:
    for number, value in enumerate(found, 1):
        yield Row(f"{name} record {number}", value)


def _squad(name: str, articles: list[Any]) -> Iterator[Row]:
    """A row for each question of SQuAD's articles, with its paragraph as context."""
    number = 0
    for article in articles:
        paragraphs = article.get("paragraphs") if isinstance(article, Mapping) else None
        for paragraph in paragraphs if isinstance(paragraphs, list) else [None]:
            asked = paragraph.get("qas") if isinstance(paragraph, Mapping) else None
            for one in asked if isinstance(asked, list) else [None]:
                number += 1
                where = f"{name} question {number}"
                if isinstance(one, Mapping):
                    assert isinstance(paragraph, Mapping)
                    yield Row(where, {"context": paragraph.get("context"), **one})
                else:
                    yield Row(where, BadRow("not as SQuAD has it: data, paragraphs, qas"))


def _start(text: str, place: int = 0) -> int:
    match = _SPACE.match(text, place)
    return match.end() if match else place


def _end_of_line(text: str, start: int) -> int:
    ends = [end for end in (text.find("\n", start), text.find("\r", start)) if end >= 0]
    return min(ends, default=len(text))
