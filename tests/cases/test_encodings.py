"""Byte-order marks, line ends and older encodings: no record is left out in silence."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ragtune.recipe.records import Records
from ragtune.sources.records import load

ROWS = [{"question": f"Wie heißt Tür {n}?", "answer": f"Nº {n}, blau"} for n in range(30)]
TEXT = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
WAYS = {
    "utf-8-sig": "in UTF-8 with a byte-order mark",
    "utf-16": "in UTF-16",
    "utf-16-le": "in UTF-16 without a byte-order mark",
    "cp1252": "in cp1252",
    "utf-8": "JSON lines; question",
}


@pytest.mark.parametrize("codec", WAYS)
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_every_record_is_read(codec: str, ends: str, tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_bytes(TEXT.replace("\n", ends).encode(codec))
    loaded = load(tmp_path / "r.jsonl", Records(source="r.jsonl", max_bad_lines=0))
    assert [record.response for record in loaded.records] == [row["answer"] for row in ROWS]
    assert WAYS[codec] in loaded.read[0]


@pytest.mark.parametrize(
    ("name", "count"),
    [("bom", 30), ("bom200", 200), ("cp1252", 30), ("crlf", 30), ("utf16", 30)],
)
def test_the_shared_case_is_read_whole(name: str, count: int, shared_cases: Path) -> None:
    path = shared_cases / "bom" / f"{name}.jsonl"
    loaded = load(path, Records(source=path.name, max_bad_lines=0))
    assert len(loaded.records) == count
    assert loaded.records[0].instruction == "Wie heißt Gerät 0?"
    assert loaded.records[-1].response == f"Gerät Nº {count - 1}"
    assert not loaded.bad


@pytest.mark.parametrize("name", ["recipe-bom.yaml", "recipe.yaml"])
def test_a_recipe_may_begin_with_a_mark(
    name: str, shared_cases: Path, called: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, _ = called("check", shared_cases / "bom" / name)
    assert code == 0
    assert "bom.jsonl: JSON lines, in UTF-8 with a byte-order mark" in out
