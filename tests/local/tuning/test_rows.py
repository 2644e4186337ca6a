from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ragtune.core import bundled as builtin
from ragtune.models.hardware import probe
from ragtune.recipe import file as recipe_file
from ragtune.recipe.rag import Rag
from ragtune.recipe.schema import Recipe
from ragtune.retrieval.embedder import Embedder
from ragtune.retrieval.index import Retriever, update
from ragtune.sources.documents import Document, from_documents
from ragtune.sources.records import Record
from ragtune.tuning.rows import stand_in_rows, training_rows
from ragtune.tuning.samples import TrainingRow
from tests.conftest import FACTS, record_rows

RECORDS = [Record.from_json(row) for row in record_rows()]
GOLD = {row["instruction"]: row["context"] for row in record_rows()}


@pytest.fixture(scope="module")
def retriever(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Retriever]:
    folder = tmp_path_factory.mktemp("rows") / "index"
    embedder = Embedder(builtin.builtin_embedder(), probe())
    corpus = from_documents(Document(name, text, title) for name, title, text, _, _ in FACTS)
    rag = Rag(chunk_tokens=32, top_k=2)
    update(corpus, rag, embedder, fingerprint="f", folder=folder)
    opened = Retriever(folder, rag, embedder, "f")
    yield opened
    opened.close()


def made(
    recipe: Recipe, records: list[Record], retriever: Retriever, *, both: bool = False
) -> list[TrainingRow]:
    form = recipe.template.build()
    return training_rows(
        records, recipe.records, form, seed=recipe.seed, retriever=retriever, both=both
    )


@pytest.fixture
def passages(project: Callable[..., Path], retriever: Retriever) -> Callable[..., dict[str, str]]:
    """The context of each row, by instruction; passages without their gold unless asked for."""

    def give(*overrides: str, records: list[Record] = RECORDS) -> dict[str, str]:
        recipe = recipe_file.load(
            project(), ("records.with_passages=1", "records.without_gold=0", *overrides)
        )
        rows = made(recipe, records, retriever)
        assert len(rows) == len(records)
        return {row["instruction"]: row["context"] for row in rows}

    return give


def test_rows_with_passages_hold_the_gold_one_among_distractors(
    passages: Callable[..., dict[str, str]],
) -> None:
    shown = passages()
    assert len(shown) == len(RECORDS)
    assert all(GOLD[asked] in context for asked, context in shown.items())
    assert all("[2] " in context and "[3] " not in context for context in shown.values())


def test_a_share_of_them_has_only_distractors_and_as_many(
    passages: Callable[..., dict[str, str]],
) -> None:
    shown = passages("records.without_gold=0.25")
    blind = [asked for asked, context in shown.items() if GOLD[asked] not in context]
    assert len(shown) == len(RECORDS)
    assert len(blind) == round(0.25 * len(RECORDS))
    assert all("[2] " in context and "[3] " not in context for context in shown.values())


def test_a_question_without_a_gold_document_keeps_what_is_found(
    passages: Callable[..., dict[str, str]],
) -> None:
    unanswerable = Record("Who feeds the seals?", "not in the documents")
    shown = passages("records.without_gold=1", records=[*RECORDS, unanswerable])
    assert unanswerable.instruction in shown
    assert not any(GOLD[asked] in shown[asked] for asked in GOLD)


def test_a_gold_passage_that_is_not_found_takes_the_last_place(
    passages: Callable[..., dict[str, str]],
) -> None:
    fog = next(r for r in RECORDS if r.document == "fog.md")
    asked = replace(fog, instruction="What do a dog, a key, soup and the ferry cost?")
    (context,) = passages(records=[asked]).values()
    assert fog.evidence in context.partition("[2] ")[2]
    assert "[3] " not in context


def test_rows_of_a_shared_adapter_are_of_both_kinds(
    project: Callable[..., Path], retriever: Retriever
) -> None:
    recipe = recipe_file.load(project(), ("records.with_passages=0.5",))
    rows = made(recipe, RECORDS, retriever, both=True)
    assert sum(not row["context"] for row in rows) == len(RECORDS)
    assert sum(bool(row["context"]) for row in rows) == len(RECORDS) // 2


@pytest.mark.parametrize("both", [True, False])
@pytest.mark.parametrize(("share", "passages"), [(0.5, 6), (0.0, 0)])
def test_stand_ins_are_as_many_rows_with_as_many_passages_as_there_will_be(
    project: Callable[..., Path], retriever: Retriever, share: float, passages: int, both: bool
) -> None:
    recipe = recipe_file.load(project(), (f"records.with_passages={share}",))
    real = made(recipe, RECORDS, retriever, both=both)
    stand_ins = stand_in_rows(
        RECORDS,
        recipe.records,
        recipe.template.build(),
        seed=recipe.seed,
        chunks=["first chunk", "second chunk", "third chunk"],
        top_k=recipe.rag.top_k,
        both=both,
    )
    assert len(stand_ins) == len(real)
    for rows in (stand_ins, real):
        shown = [row["context"] for row in rows if row["context"]]
        assert len(shown) == passages
        assert all("[2] " in context and "[3] " not in context for context in shown)
