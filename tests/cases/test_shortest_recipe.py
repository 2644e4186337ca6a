"""The shortest recipe gives what was measured as best: model, records, documents, and no more."""

from pathlib import Path

import pytest
import yaml

from ragtune.core.files import read_jsonl
from ragtune.runs import defaults
from ragtune.runs.pipeline import Pipeline
from tests.conftest import ROOT, write_jsonl

OBSERVATORY = ROOT / "tests" / "data" / "observatory"
LEAST = 0.3
"""Of the questions that the documents answer, 33 of these 40; measured: 0.46."""


@pytest.mark.slow
def test_the_shortest_recipe_reads_documents_that_nothing_was_chosen_on(tmp_path: Path) -> None:
    questions = read_jsonl(OBSERVATORY / "questions.jsonl")[::4]
    write_jsonl(tmp_path / "questions.jsonl", questions)
    recipe = {
        "name": "shortest",
        "model": {"local": "smollm2-reader"},
        "records": {"source": "questions.jsonl"},
        "documents": {"source": str(OBSERVATORY / "docs")},
        "study": {"questions": "questions.jsonl", "arms": ["rag"], "latency_questions": 1},
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    filled = defaults.load(path)
    assert filled.records.context == "passage"
    results = Pipeline(filled, tmp_path / "run").execute()
    assert results.questions == 40
    assert results.arms["rag"].quality["token_f1"].mean > LEAST
