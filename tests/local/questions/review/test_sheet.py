"""A spreadsheet of questions, out and in."""

import csv
from pathlib import Path

import pytest

from ragtune.core.errors import RecordsError, RunError
from ragtune.questions.review import sheet
from ragtune.questions.review.session import Review
from tests.local.questions.review.rows_of import drafted, lines, write

FORMULAS = [
    "=1+1",
    "+1",
    "-5 °C",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "'=1",
    "＝1",
    " =1",
    "|calc",
    "%0A=1",
]


@pytest.fixture
def review(tmp_path: Path) -> Review:
    file = write(tmp_path / "q.jsonl", [drafted(n) for n in range(4)])
    found = Review(file)
    found.take_up()
    return found


def filled(review: Review, path: Path, *decisions: tuple[str, str, str]) -> list[list[str]]:
    sheet.write(review, path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        names, *rows = csv.reader(file)
    places = [names.index(name) for name in ("decision", "new_question", "new_answer")]
    for row, values in zip(rows, decisions, strict=False):
        for place, value in zip(places, values, strict=True):
            row[place] = value
    return [names, *rows]


def save(path: Path, table: list[list[str]], encoding: str = "utf-8-sig", by: str = ",") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=by).writerows(table)
    return path


@pytest.mark.parametrize(
    ("encoding", "by"), [("utf-8-sig", ","), ("utf-16", "\t"), ("cp1252", ";"), ("utf-8", ";")]
)
def test_decisions_come_back_from_any_spreadsheet(
    review: Review, tmp_path: Path, encoding: str, by: str
) -> None:
    said = [("Keep", "", ""), ("drop", "", ""), ("", "Was kostet Suppe für zwei?", "")]
    path = save(tmp_path / "in.csv", filled(review, tmp_path / "o.csv", *said), encoding, by)
    taken = sheet.read(review, path)
    review.decide(taken.decisions, "csv")
    assert (taken.without, taken.faults) == (1, [])
    assert [one.now.state for one in review.all] == ["kept", "dropped", "kept", "open"]
    assert lines(review.file)[1]["instruction"] == "Was kostet Suppe für zwei?"
    assert lines(review.file)[1]["response"] == drafted(2)["response"]
    review.undo()
    assert review.counts["open"] == 4


def test_the_file_is_one_that_excel_reads(review: Review, tmp_path: Path) -> None:
    assert sheet.write(review, tmp_path / "o.csv") == 4
    assert (tmp_path / "o.csv").read_bytes().startswith(b"\xef\xbb\xbfid,")
    with pytest.raises(RunError, match="is there already"):
        sheet.write(review, tmp_path / "o.csv")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_is_a_formula_and_all_come_back(tmp_path: Path, text: str) -> None:
    row = drafted(0, instruction=text, response=text, document=text, kind=text, drafted=text)
    review = Review(write(tmp_path / "q.jsonl", [row, drafted(1)]))
    table = filled(review, tmp_path / "o.csv")
    assert table[1].count(f"'{text}") == 5
    for cell in (cell for cells in table for cell in cells):
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "|", "%")), cell
    assert sheet.plain(sheet.guarded(text)) == text


def test_an_edit_that_begins_as_a_formula_is_text(review: Review, tmp_path: Path) -> None:
    table = filled(review, tmp_path / "o.csv", ("", "", sheet.guarded("-5 °C")))
    taken = sheet.read(review, save(tmp_path / "in.csv", table))
    assert taken.decisions[0].answer == "-5 °C"


def test_what_cannot_be_matched_is_named(review: Review, tmp_path: Path) -> None:
    table = filled(review, tmp_path / "o.csv", ("keep", "", ""), ("perhaps", "", ""))
    table += [["qunknown", *[""] * 11], table[1], ["", *["x"] * 11]]
    taken = sheet.read(review, save(tmp_path / "in.csv", table))
    assert [one.id for one in taken.decisions] == [review.all[0].id]
    told = "\n".join(taken.faults)
    assert "in.csv:3" in told
    assert "'perhaps' is none of keep, drop, open" in told
    assert "in.csv:6: qunknown: no row of q.jsonl" in told
    assert "is in line 2 too" in told
    assert "in.csv:8: no id" in told


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "no column decision, id"),
        ("", "no column"),
        ("id,decision\nqx,keep\n", "none of its 1 rows"),
    ],
)
def test_a_file_that_is_another_one_is_refused(
    review: Review, tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "in.csv"
    path.write_text(text)
    with pytest.raises(RecordsError, match=said):
        sheet.read(review, path)
    with pytest.raises(RecordsError, match="no such file"):
        sheet.read(review, tmp_path / "none.csv")
