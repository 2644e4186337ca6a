import json
from pathlib import Path

import pytest

from scripts.bench import judging


def test_the_report_counts_by_kind_and_shows_each_disagreement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [
        {"kind": "number", "references": ["9 oars"], "answer": "nine oars", "right": True},
        {"kind": "number", "references": ["9 oars"], "answer": "90 oars", "right": True},
        {"kind": "name", "references": ["Ada Berg"], "answer": "It was Ada Berg.", "right": True},
        {
            "references": ["seven oars"],
            "answer": "7",
            "question": "How many oars are there?",
            "right": True,
        },
        {"references": [""], "answer": "Pass.", "refusals": ["pass"], "right": True},
        {"references": ["sell"], "answer": "buy", "labels": ["buy", "sell"], "right": False},
    ]
    file = tmp_path / "marks.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["judge", str(file)])
    judging.main()
    told = capsys.readouterr().out
    assert told.startswith("5 of 6 agree")
    assert "1 of 2    number" in told
    assert "marked right, judged 'another value' (number)" in told
    assert '"90 oars"' in told
    assert "answers a second" in told
