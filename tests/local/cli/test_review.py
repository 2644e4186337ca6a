"""The command that shows questions to a person, as it is started, killed and stopped."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT
from tests.local.questions.review.rows_of import drafted, lines, write

Called = Callable[..., tuple[int, str, str]]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "questions.jsonl", [drafted(n) for n in range(6)])


class Started:
    """``ragtune review`` in a process of its own, ready."""

    def __init__(self, file: Path) -> None:
        program = "from ragtune.cli.app import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, "review", str(file), "--json"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "local", ROOT)))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            line = self.process.stdout.readline()
            assert line, self.process.communicate()[1]
            said += line
        self.page = json.loads(said)["page"]

    def rows(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = httpx.get(f"{self.page}rows", trust_env=False).json()["rows"]
        return found

    def decide(self, **body: Any) -> None:
        httpx.post(f"{self.page}decide", json=body, trust_env=False).raise_for_status()

    def stop(self, number: int) -> tuple[int, str]:
        self.process.send_signal(number)
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err


def test_a_killed_review_goes_on_where_it_was_and_others_wait(file: Path, called: Called) -> None:
    first = Started(file)
    try:
        assert first.page.startswith("http://127.0.0.1:")
        one, two, three, *_ = (row["id"] for row in first.rows())
        first.decide(id=one, state="kept")
        first.decide(id=two, state="kept", answer="four crowns")
        first.decide(id=three, state="dropped")
        code, _, err = called("review", file)
        assert code == 6
        assert f"in review by {os.environ.get('USER') or ''}" in err
        assert f"(process {first.process.pid}, since" in err
        assert first.page in err
        assert len(err.splitlines()) == 1
    finally:
        first.stop(signal.SIGKILL)
    again = Started(file)
    try:
        states = [(row["state"], row["answer"]) for row in again.rows()]
        assert states[:4] == [
            ("kept", "3 crowns"), ("kept", "four crowns"), ("dropped", "5 crowns"),
            ("open", "6 crowns"),
        ]  # fmt: skip
    finally:
        code, err = again.stop(signal.SIGINT)
    assert code == 0
    assert "2 kept, 1 dropped, 3 open" in err.splitlines()[-1]
    assert [row["reviewed"] for row in lines(file)] == [True, True, False, False, False]
    assert not (file.parent / f".{file.name}.reviewer").exists()


def test_a_spreadsheet_goes_out_and_its_decisions_come_back(
    file: Path, tmp_path: Path, called: Called
) -> None:
    sheet = tmp_path / "out.csv"
    before = file.read_bytes()
    assert called("review", file, "--csv", sheet)[0] == 0
    assert file.read_bytes() == before
    with sheet.open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    assert [row["question"] for row in rows] == [drafted(n)["instruction"] for n in range(6)]
    rows[0]["decision"], rows[1]["decision"], rows[2]["new_answer"] = "keep", "drop", "5 kronor"
    rows[3]["id"] = "q1"
    with sheet.open("w", encoding="utf-8-sig", newline="") as text:
        table = csv.DictWriter(text, list(rows[0]), delimiter=";")
        table.writeheader()
        table.writerows(rows)
    code, out, _ = called("review", file, "--from", sheet)
    assert code == 0
    assert "3 decisions taken, 2 rows without one" in out
    assert "not taken: out.csv:5: q1: no row of questions.jsonl has this id" in out
    assert "2 kept, 1 dropped, 3 open" in out
    assert [row["response"] for row in lines(file)][:2] == ["3 crowns", "5 kronor"]
    code, _, err = called("review", file, "--csv", sheet)
    assert (code, "is there already" in err) == (6, True)


@pytest.mark.parametrize(("text", "said"), [(None, "no such file"), ("{}\n", "none of instruct")])
def test_a_file_without_questions_is_one_line_and_leaves_nothing(
    tmp_path: Path, called: Called, text: str | None, said: str
) -> None:
    file = tmp_path / "q.jsonl"
    if text is not None:
        file.write_text(text)
    code, _, err = called("review", file)
    assert code == 3
    assert said in err
    assert len(err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ([] if text is None else ["q.jsonl"])
