"""Documents in other languages than English: the case `languages`, and facts of our own."""

import json
import shutil
from pathlib import Path

import pytest

from ragtune.results.faults import FAULTS, UnknownLanguage
from ragtune.retrieval.bm25 import Words
from ragtune.runs import defaults
from ragtune.runs.check import check
from tests.local.retrieval.test_bm25 import found


def recall(folder: Path, language: str, top: int = 2) -> float:
    """How often words alone find the document of a question of the case."""
    paths = sorted((folder / f"docs-{language}").iterdir())
    texts, names = [path.read_text(encoding="utf-8") for path in paths], [p.name for p in paths]
    lines = (folder / f"q-{language}.jsonl").read_text(encoding="utf-8").splitlines()
    asked = [json.loads(line) for line in lines if line.strip()]
    words = Words((language,))
    hits = [
        names.index(row["document"]) in found(words, texts, row["instruction"])[:top]
        for row in asked
    ]
    return sum(hits) / len(hits)


def test_words_find_the_facts_in_chinese(shared_cases: Path) -> None:
    folder = shared_cases / "languages"
    assert recall(folder, "zh") >= 0.9
    assert recall(folder, "en") >= 0.56  # by words alone, of questions in other words


@pytest.mark.parametrize(("name", "search"), [("zh", "keyword"), ("en", "hybrid")])
def test_check_warns_of_documents_that_the_embedder_does_not_know(
    name: str, search: str, shared_cases: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(shared_cases / "languages", tmp_path / "languages")
    recipe = defaults.load(folder / f"{name}.yaml")
    assert (recipe.rag.language, recipe.rag.search) == (name, search)
    summary, _ = check(recipe)
    warned = [FAULTS.validate_python(value) for value in summary["warnings"]]
    readers = {one.reader for one in warned if isinstance(one, UnknownLanguage)}
    assert readers == ({"embedder", "model"} if name == "zh" else set())
