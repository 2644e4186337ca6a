import random

import pytest

from ragtune.sources import leaks, numbering, plain
from ragtune.sources.numbering import Numbering
from ragtune.sources.postings import Postings
from ragtune.sources.records import Record

PIECES = (
    *("Mill", "the", "3rd", "-5", "1.5", "5-3", "a-3", "x_3y", "½", "1", "10²", "e\u0301t\u00e9"),
    *("\u00ad", "港は", "ｎｏ", "\u0663\u0664", "don’t", "--3", "_3rd", "…", "\ufdfa", "İ"),
)
SPACES = (" ", "\n", "\u00a0", "\x0b", "\x1c", "", "\u3000")


def texts(count: int) -> list[str]:
    rng = random.Random(count)
    return [
        "".join(rng.choice(PIECES) + rng.choice(SPACES) for _ in range(rng.randint(0, 12)))
        for _ in range(count)
    ]


def test_all_texts_are_taken_into_the_words_that_each_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numbering, "BLOCK", 500)
    found, numbers = texts(600), Numbering()
    lengths, of_all = numbers.of(found)
    names, at = list(numbers.numbers), 0
    for text, length in zip(found, lengths.tolist(), strict=True):
        assert [names[n] for n in of_all[at : at + length]] == plain.words(text), text
        at += length


def test_a_text_counts_once_for_a_word_that_it_has_twice() -> None:
    found = Postings(["the mill, the barn", "", "a mill", "The é"])
    assert [found.count(word) for word in ("the", "mill", "é", "boat")] == [2, 2, 1, 0]
    assert found.places("the").tolist() == [0, 3]
    assert found.lengths.tolist() == [3, 0, 2, 2]
    assert sorted(found.frequent(1)) == ["mill", "the"]


@pytest.mark.parametrize("text", texts(200))
def test_a_text_begins_as_its_letters_do(text: str) -> None:
    long = text * 9
    assert plain.start_of(long) == plain.letters_only(long)[: plain.START]


def test_near_duplicates_take_each_piece_of_text_apart_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = []

    def counted(text: str) -> list[str]:
        taken.append(text)
        return plain.words(text)

    for module in ("numbering", "asked"):
        monkeypatch.setattr(f"ragtune.sources.{module}.words", counted)
    rng = random.Random(1)
    rows = [
        Record(f"Where is the {rng.choice(PIECES)} of {n % 50}?", f"At {n}", f"It is {n % 30}")
        for n in range(2000)
    ]
    assert leaks.find(rows[5:], rows[:5], with_context=True).duplicates
    assert len(taken) < len(rows)
