from collections.abc import Iterator
from pathlib import Path

import pytest

from ragtune.core import bundled as builtin
from ragtune.core.errors import RecordsError
from ragtune.models.hardware import probe
from ragtune.recipe.rag import Rag
from ragtune.retrieval.embedder import Embedder
from ragtune.retrieval.index import Retriever, update
from ragtune.retrieval.threshold import WRONGLY, calibrate
from ragtune.sources.documents import Document, from_documents
from ragtune.sources.records import Record
from tests.conftest import FACTS


@pytest.fixture
def retriever(tmp_path: Path) -> Iterator[Retriever]:
    embedder = Embedder(builtin.builtin_embedder(), probe())
    corpus = from_documents(Document(name, text, title) for name, title, text, _, _ in FACTS)
    update(corpus, Rag(), embedder, fingerprint="f", folder=tmp_path / "index")
    opened = Retriever(tmp_path / "index", Rag(), embedder, "f")
    yield opened
    opened.close()


def test_the_threshold_keeps_answerable_questions_and_drops_those_without_their_document(
    retriever: Retriever,
) -> None:
    records = [
        Record(f"{opening}{question}", answer, document=name)
        for opening in ("", "Tell me: ", "I ask you: ", "Please: ")
        for name, _, _, question, answer in FACTS
    ]
    found = calibrate(retriever, records, 1, with_context=False)
    assert found.questions == len(records)
    assert found.wrongly <= WRONGLY
    assert found.rightly > 0.5
    again = calibrate(retriever, records[::-1], 1, with_context=False)
    assert again.below == pytest.approx(found.below)


def test_too_few_records_with_a_gold_document_are_a_line(retriever: Retriever) -> None:
    with pytest.raises(RecordsError, match=r"rag\.refuse_below: calibrated, but 0 training"):
        calibrate(retriever, [Record("What?", "That.")], 1, with_context=False)
