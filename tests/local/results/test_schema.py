import json
import re
from pathlib import Path

import pytest

from ragtune.core.errors import RunError
from ragtune.core.run_folder import RunFolder
from ragtune.results import schema
from ragtune.results.schema import SCHEMA, Results
from tests.local.results.made_up import write_run

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("arms", [("base",), ("base", "tuned", "rag", "tuned+rag")])
def test_what_is_written_is_read_again(tmp_path: Path, arms: tuple[str, ...]) -> None:
    results = write_run(tmp_path, arms)
    assert Results.load(RunFolder(tmp_path).results) == results


def test_the_published_schema_is_the_present_one() -> None:
    published = (ROOT / "docs" / "results.schema.json").read_text(encoding="utf-8")
    assert published == schema.published()
    assert f'"const": {SCHEMA}' in published


def test_results_hold_values_and_no_sentence(tmp_path: Path) -> None:
    results = write_run(tmp_path, ("base", "tuned", "rag", "tuned+rag"))
    text = json.dumps(results.recommendation.to_json())
    assert max(len(word) for word in re.findall(r'"([^"]*)"', text)) <= len(
        "from_queries_per_month"
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"schema": 4}, "made by an older ragtune; `ragtune run` makes it again"),
        ({"schema": SCHEMA + 1}, "made by a newer ragtune; update ragtune"),
        ({"questions": "many"}, "questions: .*; `ragtune report` makes it again"),
    ],
)
def test_results_of_another_version_are_named_with_what_to_do(
    tmp_path: Path, changed: dict[str, object], message: str
) -> None:
    written = {**write_run(tmp_path).to_json(), **changed}
    path = RunFolder(tmp_path).results
    path.write_text(json.dumps(written))
    with pytest.raises(RunError, match=rf"results\.json: {message}"):
        Results.load(path)
