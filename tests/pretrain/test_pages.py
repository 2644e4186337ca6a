import re
from collections import Counter
from random import Random

import pytest

from scripts.pretrain.grammar import MAKERS
from scripts.pretrain.pages import SLOT, SYMBOLS, Page, page_task, pages, stretch
from scripts.pretrain.samples import REFUSAL, Question

ALL = [*pages(), *pages(held_out=True)]


def slots(text: str) -> list[str]:
    return SLOT.findall(text)


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.title)
def test_an_answer_stands_word_for_word_in_its_sentence(page: Page) -> None:
    for line in page.lines:
        for asked in line.asked:
            assert asked.answer in line.text
            assert len(asked.questions) >= 2
            assert not any(
                asked.answer in question for question in asked.questions if slots(asked.answer)
            )


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.title)
def test_every_slot_of_a_page_can_be_filled(page: Page) -> None:
    texts = [line.text for line in page.lines]
    texts += [question for line in page.lines for one in line.asked for question in one.questions]
    texts += [question for line in page.lines for question in line.near]
    for name in {name for text in texts for name in slots(text)}:
        symbol = name.rstrip("0123456789")
        known = symbol == "ORG" or SYMBOLS.get(symbol, symbol) in MAKERS
        assert known or len(page.choices[name]) >= 4
    assert not any("{" in SLOT.sub("", text) or "|" in text for text in texts)


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.title)
def test_no_near_miss_is_a_question_that_the_page_answers(page: Page) -> None:
    asked = {question for line in page.lines for one in line.asked for question in one.questions}
    near = [question for line in page.lines for question in line.near]
    assert near
    assert not asked & set(near)
    assert all(question.endswith((".", "?")) for question in near)


def test_pages_for_the_evaluation_are_apart_from_those_of_the_training() -> None:
    counted = Counter(page.title for page in ALL)
    assert len(ALL) >= 300
    assert len(pages(held_out=True)) >= 12
    assert not {page.title for page in pages()} & {page.title for page in pages(held_out=True)}
    assert max(counted.values()) <= 2


@pytest.mark.parametrize("passages", [1, 3])
def test_answers_stand_in_the_passages_and_refusals_do_not(passages: int) -> None:
    refused = asked = 0
    for seed in range(200):
        task = page_task(Random(seed), passages, 0.2, 6)
        text = "\n".join(task.passages)
        assert len(task.passages) == passages
        assert not re.search(r"[{}|]", text)
        for question in task.questions:
            asked += 1
            refused += question.answer == REFUSAL
            assert question.answer == REFUSAL or question.answer.lower() in text.lower()
    assert 0.1 < refused / asked < 0.3


def test_a_mistaken_question_speaks_of_what_the_passage_does_not() -> None:
    page = Page("Horses")
    page.add("s", "The horse of {PERSON1} won the {cup:silver|copper|tin|glass} cup in {YEAR1}.")
    page.add("a", "{YEAR1}")
    page.add("q", "When did {PERSON1} win the {cup} cup?")
    page.add("f", "Hay was dear then.")
    for seed in range(20):
        drawn = stretch(page, "Acme", Random(seed))
        name, cup = re.findall(r"horse of (.+) won the (\w+) cup", drawn.text)[0]
        (mistaken,) = drawn.near
        assert mistaken.answer == REFUSAL
        assert mistaken.text.endswith(f"win the {cup} cup?")
        assert name not in mistaken.text


def test_a_near_miss_is_asked_and_refused_where_its_sentence_is_in_the_passage() -> None:
    page = Page("Horses")
    page.add("s", "The horse of {PERSON1} won the cup.")
    page.add("n", "Who trained the horse of {PERSON1}?")
    for count in range(6):
        page.add("f", f"Hay was dear {count} times.")
    lacking = 0
    for seed in range(40):
        drawn = stretch(page, "Acme", Random(seed))
        if "won the cup" not in drawn.text:
            lacking += 1
            assert drawn.near == []
            continue
        (near,) = drawn.near
        name = re.findall(r"horse of (.+) won", drawn.text)[0]
        assert near == Question(f"Who trained the horse of {name}?", REFUSAL)
    assert 0 < lacking < 40


def test_the_same_seed_draws_the_same_task() -> None:
    once = [repr(page_task(Random(seed), 2, 0.2, 3)) for seed in range(20)]
    assert once == [repr(page_task(Random(seed), 2, 0.2, 3)) for seed in range(20)]
    assert len(set(once)) == 20
