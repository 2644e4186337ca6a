"""Records in the forms that people have them in, as `check` tells of them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ragtune.recipe.records import Records
from ragtune.sources.records import load
from tests.conftest import write_jsonl

Called = Callable[..., tuple[int, str, str]]

TOLD = {
    "alpaca-oneline.json": "a JSON list; Alpaca's form: instruction, response from output, context",
    "alpaca.json": "a JSON list; Alpaca's form: instruction, response from output, context from",
    "alpaca.jsonl": "JSON lines; Alpaca's form: instruction, response from output, context from",
    "boolean.jsonl": "JSON lines; Dolly's form: instruction, response",
    "chat.jsonl": "JSON lines; chat messages: messages",
    "input-response.jsonl": "JSON lines; Dolly's form: instruction, response, context from input",
    "misspelt.jsonl": "context from Context, category from Category",
    "null-context.jsonl": "instruction, response, context; not used: extra",
    "numeric.jsonl": "JSON lines; Dolly's form: instruction, response",
    "prompt-completion.jsonl": "instruction from prompt, response from completion",
    "question-answer.jsonl": "instruction from question, response from answer",
    "rows.csv": "a table with commas; Dolly's form: instruction, response, context",
    "rows.parquet": "Parquet; Dolly's form: instruction, response",
    "sharegpt.jsonl": "ShareGPT's form: messages from conversations",
}


def recipe(folder: Path, source: Path | str, *lines: str) -> Path:
    path = folder / "recipe.yaml"
    said = ["name: rows", "model: {local: builtin}", f"records: {{source: {source}}}", *lines]
    path.write_text("\n".join([*said, "study: {arms: [base], max_new_tokens: 8}"]))
    return path


@pytest.mark.parametrize("name", TOLD)
def test_each_form_of_the_shared_case_is_read_and_told(name: str, shared_cases: Path) -> None:
    path = shared_cases / "formats" / name
    loaded = load(path, Records(source=name, max_bad_lines=0))
    assert len(loaded.records) == (9 if name == "rows.parquet" else 30)
    assert TOLD[name] in loaded.read[0]
    last = loaded.records[-1]
    assert last.instruction and last.response
    if "alpaca" in name or name in {"input-response.jsonl", "misspelt.jsonl"}:
        assert last.context == "apple 29"
    if name == "rows.csv":
        assert last.context == "apple, red 29"


def test_check_tells_which_column_is_what(tmp_path: Path, called: Called) -> None:
    rows = [{"prompt": f"Say {n}.", "completion": n, "promt_id": n} for n in range(40)]
    write_jsonl(tmp_path / "rows.jsonl", rows)
    code, out, err = called("check", recipe(tmp_path, "rows.jsonl"))
    assert (code, err) == (0, "")
    assert (
        "rows.jsonl: JSON lines; prompt and completion: instruction from prompt, "
        "response from completion; not used: promt_id" in out
    )


def test_a_column_that_is_missing_is_one_line(tmp_path: Path, called: Called) -> None:
    rows = [{"instruction": f"Say {n}.", "respons": n} for n in range(40)]
    write_jsonl(tmp_path / "rows.jsonl", rows)
    code, _, err = called("check", recipe(tmp_path, "rows.jsonl"))
    assert code == 3
    assert "the columns are instruction, respons (respons is nearly response)" in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("name", ["data/rows.csv", "docs/rows", "some-body/rows.parquet"])
def test_a_path_is_never_looked_for_on_a_hub(name: str, tmp_path: Path, called: Called) -> None:
    (tmp_path / "docs").mkdir()
    path = recipe(tmp_path, name)
    code, _, err = called("check", path)
    assert code == 3
    assert f"{name}: no such file or folder" in err
    for field in ("model.local", "rag.embedder"):
        where = ("--set", f"{field}={name}", "--set", "study.arms=[rag]")
        documents = ("--set", "documents.source=docs", "--set", "records.source=r.jsonl")
        (tmp_path / "docs" / "a.md").write_text("A harbour.")
        write_jsonl(tmp_path / "r.jsonl", [{"question": f"q{n}", "answer": "a"} for n in range(9)])
        code, _, err = called("check", path, *where, *documents)
        assert code == 4
        assert f"{name}: no such folder; name a folder or a hub id" in err
