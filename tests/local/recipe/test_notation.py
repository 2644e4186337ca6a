"""Recipes that are made to do harm, or came out wrong: one line, at once, whatever they hold."""

import os
import socket
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from ragtune.core.errors import RecipeError
from ragtune.recipe import file as recipe_file

BASE = "name: a\nrecords: {source: r.jsonl}\n"
LAUGHS = "\n".join(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise("abcdefghi"))
LEVELS = "a: " + "[" * 3000


def refusal(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    began = time.perf_counter()
    with pytest.raises(RecipeError) as error:
        recipe_file.load(path)
    assert time.perf_counter() - began < 20
    said = str(error.value)
    assert all(len(line) < 1000 for line in said.splitlines()), said[:2000]
    assert said.startswith(str(path))
    return said.replace(f"{path}:", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{BASE}a: &a [x, x]\n{LAUGHS}\n", "7: not valid YAML: more than 20,000 values"),
        (f"{BASE}a: &a [*a]\n", "3: not valid YAML: *a refers to itself"),
        (f"{BASE}a: &a {{b: {{c: *a}}}}\n", "3: not valid YAML: *a refers to itself"),
        (f"{BASE}a: *b\n", "3: not valid YAML: *b is not defined before"),
        (BASE + LEVELS, "3: not valid YAML: nested deeper than 20 levels"),
        (BASE + "a:\n" + "".join(" " * n + "a:\n" for n in range(1, 400)), "nested deeper than 20"),
        (f"{BASE}seed: {'9' * 5000}\n", "3: not valid YAML: a number of 5,000 characters: 9999"),
        (f"{BASE}seed: 0x{'f' * 9000}\n", "3: not valid YAML: a number of 9,002 characters"),
        (f"{BASE}seed: !!int '9{':59' * 9000}'\n", "3: not valid YAML: a number of 27,001"),
        (f"{BASE}seed: 9{':59' * 9000}\n", "3: seed: input should be a valid integer"),
        (f"{BASE}seed: !!int ''\n", "not valid YAML"),
        (f"{BASE}seed: !!bool maybe\n", "not valid YAML"),
        (f"{BASE}seed: !!timestamp soon\n", "3: not valid YAML: the tag tag:yaml.org,2002:times"),
        (f"{BASE}seed: !!python/object/apply:os.system [ls]\n", "3: not valid YAML: the tag tag:"),
        (f'{BASE}study: {{refusal: "\\ud800"}}\n', "3: not valid YAML: holds half a character"),
        (f"{BASE}# {'x' * 300_000}", "1: not valid YAML: 200,001 characters; a recipe has at most"),
        (f"{BASE}{'k' * 100_000}: 1\n", "not valid YAML"),
        (f"{BASE}? {'k' * 100_000}\n: 1\n", "unknown key"),
        (b"\xff\xfe\x00\xd8", "cannot be read as a recipe"),
    ],
)  # fmt: skip
def test_what_would_fill_the_memory_is_a_line(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert said in refusal(tmp_path, text)


def test_aliases_that_a_person_writes_are_read(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(
        f"{BASE}needs: &no {{}}\npromote: *no\nstudy: {{refusals: [&x gone, *x]}}\n", "utf-8"
    )
    recipe = recipe_file.load(tmp_path / "r.yaml")
    assert recipe.study.refusals == ["gone", "gone"]


def test_a_time_of_day_stays_a_text(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(f"{BASE}study: {{refusals: [9:59]}}\n", encoding="utf-8")
    assert recipe_file.load(tmp_path / "r.yaml").study.refusals == ["9:59"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("~nosuchuser/records.jsonl", "~nosuchuser: no such user on this machine"),
        ("''", "is empty; name a file or a folder"),
        (r'"a\0b"', "no path has control characters in it"),
        ("x" * 150_000, "is no path: 150,000 bytes, the longest name in it 150,000"),
        ("x/" * 3000, "is no path: 6,000 bytes, the longest name in it 1"),
    ],
)
@pytest.mark.parametrize(
    "place", ["records.source", "documents.source", "study.general_text", "rag.embedder"]
)
def test_what_cannot_be_a_path_is_a_fault_of_its_line(
    tmp_path: Path, place: str, source: str, said: str
) -> None:
    section, field = place.split(".")
    written = "" if section == "records" else "records: {source: r.jsonl}\n"
    found = refusal(tmp_path, f"name: a\n{written}{section}:\n  {field}: {source}\n")
    assert f"{place}: {said}" in found


def test_a_value_on_the_command_line_is_bounded_as_in_a_file(
    tmp_path: Path, project: Callable[..., Path]
) -> None:
    for value in ("&a [*a]", "9" * 5000, "[" * 90_000, "!!timestamp x"):
        with pytest.raises(RecipeError, match="the value is not valid YAML") as error:
            recipe_file.load(project(), (f"seed={value}",))
        assert len(str(error.value)) < 600
    with pytest.raises(RecipeError, match="write it as field=value"):
        recipe_file.load(project(), (f"{'a.' * 5000}b=1",))


def test_a_recipe_that_is_no_file_is_named_and_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "s"))
    for path, kind in (
        (tmp_path / "pipe", "a named pipe"),
        (tmp_path / "s", "a socket"),
        (tmp_path, "a folder"),
        (Path("/dev/zero"), "a device"),
    ):
        with pytest.raises(RecipeError, match=f"is {kind}; a recipe is a file of text"):
            recipe_file.load(path)


def test_a_list_of_no_language_is_a_fault(project: Callable[..., Path]) -> None:
    with pytest.raises(RecipeError, match=r"rag\.language: names no language"):
        recipe_file.load(project(), ("rag.language=[]",))
