import random
import time

import numpy as np
import pytest

from ragtune.sources import leaks
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


def test_many_candidates_are_judged_as_few_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(1)
    words = [f"w{n}" for n in range(12)]
    rows = [Record(" ".join(rng.sample(words, 6)), "yes it is") for _ in range(300)]
    found = []
    for few in (0, 10**9):
        monkeypatch.setattr(leaks, "FEW", few)
        found.append(leaks.find(rows[:200], rows[200:], with_context=False))
    kinds = [[(d.kind, d.question, round(d.score, 9)) for d in one.duplicates] for one in found]
    assert kinds[0] == kinds[1]
    assert kinds[0]


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
