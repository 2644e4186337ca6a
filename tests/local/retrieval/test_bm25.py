"""Keyword search in several languages, and that English is searched as it always was."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
import qdrant_edge as qdrant
from qdrant_client import QdrantClient

from ragtune.recipe.rag import Rag
from ragtune.retrieval import index
from ragtune.retrieval.bm25 import Words
from ragtune.retrieval.stores import server
from tests.local.retrieval import killing
from tests.local.retrieval.facts import LANGUAGES, Fact, facts


def vector(made: Any) -> dict[int, float]:
    return dict(zip(made.indices, made.values, strict=True))


def found(words: Words, texts: Sequence[str], question: str) -> list[int]:
    """The places of the texts that share words with the question, by BM25 as a store ranks them."""
    held = [vector(words.document(text)) for text in texts]
    frequency = Counter(term for one in held for term in one)

    def idf(term: int) -> float:
        return math.log(1 + (len(texts) - frequency[term] + 0.5) / (frequency[term] + 0.5))

    asked = vector(words.query(question))
    scores = [sum(w * one[t] * idf(t) for t, w in asked.items() if t in one) for one in held]
    order = sorted(range(len(texts)), key=lambda place: -scores[place])
    return [place for place in order if scores[place] > 0]


def recall(known: Sequence[Fact], languages: Iterable[str], top: int = 2) -> float:
    words, texts = Words(tuple(languages)), [fact.text for fact in known]
    hits = [n in found(words, texts, fact.question)[:top] for n, fact in enumerate(known)]
    return sum(hits) / len(hits)


@pytest.mark.parametrize("language", LANGUAGES)
def test_questions_find_their_documents_by_words(language: str) -> None:
    assert recall(facts(language), [language]) >= 0.9


def test_a_mixed_folder_is_searched_as_well() -> None:
    known = [fact for language in ("de", "en", "zh", "ru") for fact in facts(language)]
    assert recall(known, ["de", "zh", "en", "ru"]) >= 0.9


def test_undivided_scripts_are_found_in_an_english_folder() -> None:
    assert recall([*facts("en"), *facts("zh"), *facts("th")], ["en"]) >= 0.9


@pytest.mark.parametrize(
    "text",
    [
        "The ferries were running late, 12.5 knots!",
        "Café “Zur Möwe” – closed on Mondays…",
        "",
        "the",
    ],
)
def test_english_words_are_the_engines(text: str) -> None:
    engine = qdrant.Bm25(qdrant.Bm25Config(language="english", avg_len=64))
    for words in (Words(), Words.of({}), Words.of({"language": "en"})):
        assert vector(words.document(text)) == vector(engine.embed_document(text))
        assert vector(words.query(text)) == vector(engine.embed_query(text))
    mixed = Words(("de", "en"))
    for term, weight in vector(engine.embed_query(text)).items():
        assert vector(mixed.query(text)).get(term, weight) == weight


def test_a_question_leaves_out_stop_words_of_its_own_language_only() -> None:
    words, war = Words(("de", "en")), "When did the war end, and which country won?"
    texts = [
        "The war ended in May.",
        "Es war der Hafen, in dem das Schiff lag.",
        "the Beatles sangen",
    ]
    assert found(words, texts, war)[0] == 0
    assert 2 not in found(words, texts, "Where is the harbour?")


@pytest.mark.parametrize(
    ("languages", "inside", "asked"),
    [
        ("de", "Die Rathausuhr wird jeden Freitag aufgezogen.", "Uhr am Rathaus"),
        ("de", "Die Häuser am Fluss", "das Haus am Fluss"),
        ("ko", "도서관에서 책을 빌린다", "도서관 책"),
        ("zh", "员工可以借用自行车", "自行车怎么借"),
        ("ja", "プールの水温は二十六度です", "プールの水は何度ですか"),
        ("pl", "Książki można przedłużyć dwa razy", "przedłużenie książki"),
    ],
)
def test_compounds_endings_and_undivided_words_meet(
    languages: str, inside: str, asked: str
) -> None:
    assert found(Words.of({"language": languages}), [inside], asked) == [0]


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant")
def test_both_stores_rank_other_languages_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = QdrantClient(":memory:")
    monkeypatch.setattr(server, "connect", lambda url: client)
    monkeypatch.setattr(client, "close", lambda **options: None)
    known = [*facts("de")[:8], *facts("zh")[:8]]
    corpus = killing.corpus({f"{fact.document}.md": fact.text for fact in known})
    words: Any = killing.Words()
    rankings = []
    for name, qdrant_at in (("here", "embedded"), ("there", "http://127.0.0.1:6333")):
        rag = Rag(chunk_tokens=64, top_k=3, search="keyword", language="de, zh", qdrant=qdrant_at)
        folder = tmp_path / name / "index"
        index.update(corpus, rag, words, fingerprint="f", folder=folder)
        retriever = index.Retriever(folder, rag, words, "f")
        hits = retriever.search([fact.question for fact in known])
        rankings.append([[(p.document, round(p.score, 3)) for p in of] for of in hits])
        retriever.close()
    assert rankings[0] == rankings[1]
    gold = [f"{fact.document}.md" for fact in known]
    assert all(name in dict(of[:2]) for name, of in zip(gold, rankings[0], strict=True))
