"""What is embedded again, and what is not."""

from collections.abc import Sequence

import pytest

from ragtune.core import bundled
from ragtune.models.hardware import Hardware
from ragtune.retrieval import embedder as embedding
from ragtune.retrieval.embedder import Embedder

CPU = Hardware("cpu", "cpu", 1, "float32", "float32")
QUESTIONS = ["When does the ferry sail?", "Who is the captain?", "What does soup cost?"]


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that embedders have computed vectors of, in turn."""
    texts: list[str] = []
    plain = Embedder._embed

    def embed(self: Embedder, given: Sequence[str], prompt: str) -> list[list[float]]:
        texts.extend(given)
        return plain(self, given, prompt)

    monkeypatch.setattr(Embedder, "_embed", embed)
    return texts


@pytest.fixture
def embedder() -> Embedder:
    return Embedder(bundled.builtin_embedder(), CPU)


def test_questions_that_were_searched_for_are_not_embedded_again_to_be_compared(
    embedder: Embedder, computed: list[str]
) -> None:
    searched = embedder.embed_questions(QUESTIONS[:2])
    compared = embedder.known([QUESTIONS[2], *QUESTIONS, QUESTIONS[2]])
    assert computed == QUESTIONS
    assert compared[1:3] == searched
    assert compared[0] == compared[3] == compared[4]
    assert compared == Embedder(bundled.builtin_embedder(), CPU).embed_questions(
        [QUESTIONS[2], *QUESTIONS, QUESTIONS[2]]
    )


def test_a_search_is_always_computed_for_it_is_timed(
    embedder: Embedder, computed: list[str]
) -> None:
    embedder.embed_questions(QUESTIONS)
    embedder.embed_questions(QUESTIONS[:1])
    embedder.embed_questions(QUESTIONS)
    assert computed == [*QUESTIONS, QUESTIONS[0], *QUESTIONS]


def test_no_more_is_kept_than_there_is_room_for(
    embedder: Embedder, computed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding, "KEPT", 2)
    embedder.embed_questions(QUESTIONS)
    embedder.embed_questions(QUESTIONS[:2])
    embedder.known(QUESTIONS)
    assert computed == [*QUESTIONS, *QUESTIONS[:2], QUESTIONS[2]]
