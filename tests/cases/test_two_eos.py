"""Models with several end tokens: an answer stops at whichever comes first."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from ragtune.core.bundled import builtin_model
from ragtune.core.files import read_jsonl
from ragtune.runs import defaults
from ragtune.runs.pipeline import Pipeline
from tests.conftest import FACTS, write_jsonl

END, OTHER = 2, 0
"""The token that the built-in model ends with, and one that it never writes."""


def model(folder: Path, ends: dict[str, Any]) -> Path:
    """The built-in model, with other end tokens by the file that names them."""
    shutil.copytree(builtin_model(), folder, ignore=shutil.ignore_patterns("*.md", "ragtune.yaml"))
    for path in folder.iterdir():
        path.chmod(0o644)
    for name, given in ends.items():
        path = folder / name
        content = json.loads(path.read_text(encoding="utf-8")) | given
        path.write_text(json.dumps(content), encoding="utf-8")
    return folder


def answers(recipe: Path, run: Path, arm: str = "base") -> list[str]:
    """What an arm answers, the only one of the run."""
    few = (f"study.arms=[{arm}]", "study.latency_questions=1")
    Pipeline(defaults.load(recipe, few), run).execute()
    return [answer["text"] for answer in read_jsonl(run / "answers" / f"{arm}.jsonl")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions of our own, each with the sentence that answers it."""
    folder = tmp_path_factory.mktemp("two-eos")
    asked = [{"instruction": q, "context": s, "response": a} for _, _, s, q, a in FACTS]
    write_jsonl(folder / "questions.jsonl", asked)
    return folder


def asked_of(base: Path, project: Path) -> Path:
    """A recipe that asks a model all questions."""
    recipe = {
        "name": base.name,
        "model": {"local": str(base), "precision": "float32"},
        "template": {"prompt": "### Input:\n{context}\n\n### Instruction:\n{instruction}"},
        "records": {"source": "questions.jsonl", "context": "input"},
        "study": {"questions": "questions.jsonl", "max_new_tokens": 24},
    }
    path = project / f"{base.name}.yaml"
    path.write_text(yaml.safe_dump(recipe), encoding="utf-8")
    return path


LATER = {"eos_token_id": [OTHER, END]}


def test_an_answer_stops_at_an_end_token_that_one_file_alone_names(
    project: Path, tmp_path: Path
) -> None:
    expected = answers(asked_of(model(tmp_path / "one", {}), project), tmp_path / "run-one")
    assert any(len(text.split()) < 8 for text in expected)
    ends = {
        "tokenizer_config.json": {"eos_token": "<pad>"},
        "config.json": {"eos_token_id": OTHER},
        "generation_config.json": LATER,
    }
    found = answers(asked_of(model(tmp_path / "two", ends), project), tmp_path / "run-two")
    assert found == expected


def test_the_reported_case_is_answered_as_well_as_with_one_end_token(
    shared_cases: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(shared_cases / "two-eos", tmp_path / "case")
    folder.chmod(0o755)
    model(folder / "model", {"generation_config.json": LATER})
    few = ("study.arms=[rag]", "study.latency_questions=1")
    recipe = defaults.load(folder / "two-eos.yaml", few)
    results = Pipeline(recipe, tmp_path / "run").execute()
    assert results.arms["rag"].quality["token_f1"].mean > 0.85  # 0.31 where answers run on
