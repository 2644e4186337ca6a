import random
import time

import numpy as np
import pytest

from ragtune.sources import asked, leaks
from ragtune.sources.plain import words
from ragtune.sources.records import Record


def one(
    trained: Record, asked: Record, *, with_context: bool = False, others: int = 40
) -> str | None:
    """The kind of near-duplicate that a question is of a record among others."""
    filler = [Record(f"Which colour has item number {n}?", f"colour {n}") for n in range(others)]
    found = leaks.find([*filler, trained], [asked], with_context=with_context).duplicates
    return found[0].kind if found else None


@pytest.mark.parametrize(
    ("trained", "asked", "kind"),
    [
        ("When does the harbour open?", "when does the HARBOUR open", "equal"),
        ("Wann öffnet der Hafen?", "Wann o\u0308ffnet der Hafen?", "equal"),
        ("港は何時に開きますか。", "港は何時に開きますか", "equal"),
        (
            "When does the old harbour of Tansy open on a Sunday morning?",
            "When does the old harbour of Tansy open on Sunday morning, please?",
            "similar",
        ),
        ("Who looks after the blue boat?", "The blue boat is kept by whom?", "same_fact"),
        ("Who looks after the blue boat?", "Where is the mill?", None),
    ],
)
def test_questions_in_other_words_are_of_their_kind(
    trained: str, asked: str, kind: str | None
) -> None:
    assert one(Record(trained, "Ada Finch"), Record(asked, "Ada Finch")) == kind


@pytest.mark.parametrize(
    ("trained", "asked"),
    [
        (
            Record("What does rule 11 of the big red book say about dogs?", "No dogs."),
            Record("What does rule 12 of the big red book say about dogs?", "No dogs."),
        ),
        (
            Record("What is the name of the harbour master on the island Tansy?", "Della Roake"),
            Record("What is the name of the harbour master on the island Corrow?", "Finn Marsh"),
        ),
        (
            Record("How much does a bed in a small hotel by the sea cost?", "140 crowns"),
            Record("How much does a bed in a large hotel by the sea cost?", "150 crowns"),
        ),
        (
            Record("What does it cost?", "one crown", document="soup.md"),
            Record("What does it cost?", "two crowns", document="tea.md"),
        ),
        (
            Record("What does it cost?", "one crown", context="Soup is one crown."),
            Record("What does it cost?", "two crowns", context="Tea is two crowns."),
        ),
    ],
)
def test_questions_for_another_fact_are_no_duplicates(trained: Record, asked: Record) -> None:
    assert one(trained, asked) is None


def test_a_context_that_is_part_of_the_question_is_compared() -> None:
    message = "I have lost my library card in the tram to the old town this morning, sorry"
    trained = Record("Sort this.", "cards", context=f"Hello. {message}")
    assert one(trained, Record("Sort this.", "cards", context=message), with_context=True) == (
        "similar"
    )
    other = Record("Sort this.", "cards", context="May I work as a volunteer in your garden?")
    assert one(trained, other, with_context=True) is None


def test_labels_are_no_facts() -> None:
    rng = random.Random(0)
    words = [f"word{n}" for n in range(400)]
    rows = [Record(" ".join(rng.sample(words, 9)), rng.choice("ab")) for _ in range(500)]
    assert leaks.find(rows[:400], rows[400:], with_context=False).duplicates == ()


def test_a_shared_group_is_declared_and_no_leak() -> None:
    trained = Record("Who looks after the blue boat?", "Ada Finch", group="g")
    asked = Record("The blue boat is kept by whom?", "Ada Finch", group="g")
    found = leaks.find([trained], [asked], with_context=False)
    assert (found.duplicates, found.declared) == ((), 1)


def test_near_equal_embeddings_count_where_answers_agree() -> None:
    train = [Record("Who keeps it?", "Ada Finch"), Record("Which day is it?", "Monday")]
    test = [Record("By whom?", "It is Ada Finch."), Record("What weekday?", "Friday")]
    known = np.eye(2, dtype=np.float32)
    found = leaks.find(train, test, with_context=False, vectors=(known, known))
    assert [(d.kind, d.question, d.record) for d in found.duplicates] == [("close", 0, 0)]
    assert found.to_json(train, test)["close"] == 1
    assert leaks.find(train, test, with_context=False).to_json(train, test)["close"] is None


def test_an_embedder_that_leaves_nothing_far_apart_does_not_make_everything_close() -> None:
    names = "Ada Bea Cleo Dora Edith Flora Greta Hilde Ines Jutta Kaya Lore Maud Nora Olga Pia Rosa"
    answers = names.split()
    count = len(answers)
    train = [Record("Who keeps it?", name) for name in answers]
    test = [Record("By whom?", f"It is {name}.") for name in answers]
    apart = np.eye(2 * count, dtype=np.float32)
    crowded = np.sqrt(0.1) * apart + np.sqrt(0.9 / len(apart))
    crowded /= np.linalg.norm(crowded, axis=1, keepdims=True)
    known, asked = crowded[:count], crowded[count:].copy()
    asked[3] = known[3]
    assert (asked @ known.T).min() > 0.85
    found = leaks.find(train, test, with_context=False, vectors=(known, asked))
    assert [(one.kind, one.question, one.record) for one in found.duplicates] == [("close", 3, 3)]


@pytest.mark.parametrize("few", [0, 10**9])
@pytest.mark.parametrize("instruction", ["", "Sort this."])
def test_of_many_candidates_the_nearest_one_is_found(
    few: int, instruction: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaks, "FEW", few)
    rng = random.Random(1)
    vocabulary = [f"w{n}" for n in range(12)]

    def some(count: int) -> list[Record]:
        texts = (" ".join(rng.sample(vocabulary, 6)) for _ in range(count))
        return [
            Record(instruction or text, "yes it is", text if instruction else "") for text in texts
        ]

    train, test = some(200), some(100)
    found = leaks.find(train, test, with_context=True).duplicates
    similar = {one.question: one.score for one in found if one.kind == "similar"}

    def index(one: Record, other: Record) -> float:
        a, b = ({*f"{r.instruction} {r.context}".split()} - {"Sort", "this."} for r in (one, other))
        return len(a & b) / len(a | b)

    nearest = {n: max(index(q, r) for r in train) for n, q in enumerate(test)}
    equal = {one.question for one in found if one.kind == "equal"}
    assert similar == {
        n: pytest.approx(score) for n, score in nearest.items() if score >= 0.8 and n not in equal
    }
    assert {n for n, score in nearest.items() if score == 1} >= equal
    assert len(similar) + len(equal) > 10


def _looked_at(train: int, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """How many texts are taken apart to find equal questions, and near-duplicates, of 20."""
    counts = []
    for look in (leaks.equal, leaks.find):
        texts: list[str] = []

        def counted(text: str, texts: list[str] = texts) -> list[str]:
            texts.append(text)
            return words(text)

        monkeypatch.setattr(asked, "words", counted)
        records = [Record(f"Who keeps boat {n}?", f"{n} of us", f"Boat {n}.") for n in range(train)]
        look(records, records[:20], with_context=True)
        counts.append(sum(text.endswith((".", "us")) or look is leaks.equal for text in texts))
    return counts[0], counts[1]


def test_records_that_nothing_is_like_are_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _looked_at(200, monkeypatch) == _looked_at(2000, monkeypatch)


def test_a_big_study_is_looked_through_in_seconds() -> None:
    rng = random.Random(0)
    words = [f"w{int(rng.paretovariate(0.7))}" for _ in range(50000)]

    def some(count: int, form: str) -> list[Record]:
        texts = (" ".join(rng.choices(words, k=10)) for _ in range(count))
        return [Record(form.format(text), text[:9]) for text in texts]

    train = [*some(7500, "{}"), *some(7500, "What is the name of the head of {}?")]
    began = time.process_time()
    leaks.find(train, some(2000, "What is the name of the head of {}?"), with_context=False)
    assert time.process_time() - began < 20
