from random import Random

import pytest

from scripts.pretrain.formats import format_task
from scripts.pretrain.grammar import MAKERS, expand
from scripts.pretrain.organisations import reading_task
from scripts.pretrain.relations import make_fact, relations, state
from scripts.pretrain.samples import REFUSAL
from scripts.pretrain.wordlists import phrases

TASKS = 300


def test_relations_are_many_and_each_is_said_in_many_ways() -> None:
    assert len(relations()) >= 60
    assert len({relation.name for relation in relations()}) == len(relations())
    for relation in relations():
        assert len(relation.sentences) >= 4, relation.name
        framed = bool(relation.nouns) + bool(relation.clauses)
        assert len(relation.questions) + framed >= 5, relation.name


@pytest.mark.parametrize("relation", relations(), ids=lambda relation: relation.name)
def test_every_sentence_of_a_relation_holds_its_answer(relation: object) -> None:
    known = next(one for one in relations() if one is relation)
    for seed in range(4 * len(known.sentences)):
        rng = Random(seed)
        fact = make_fact(known, "the mill", rng, set())
        sentence = state(fact, rng)
        assert fact.answer in sentence
        assert "{" not in sentence


def test_every_symbol_of_the_grammar_can_be_written() -> None:
    for symbol in [*phrases(), *MAKERS]:
        text = expand(symbol, Random(1))
        assert text
        assert "<" not in text


@pytest.mark.parametrize("passages", [1, 3])
def test_answers_stand_word_for_word_in_the_passages(passages: int) -> None:
    refused = asked = 0
    for seed in range(TASKS):
        task = reading_task(Random(seed), passages=passages)
        assert len(task.passages) == passages
        for question in task.questions:
            asked += 1
            if question.answer == REFUSAL:
                refused += 1
            else:
                assert any(question.answer in passage for passage in task.passages)
    assert 0.05 < refused / asked < 0.25


def test_the_same_seed_gives_the_same_tasks() -> None:
    once = [repr(reading_task(Random(seed), passages=2)) for seed in range(20)]
    again = [repr(reading_task(Random(seed), passages=2)) for seed in range(20)]
    assert once == again
    assert len(set(once)) == 20


def test_passages_and_questions_vary() -> None:
    tasks = [reading_task(Random(seed)) for seed in range(TASKS)]
    questions = {question.text for task in tasks for question in task.questions}
    assert len({task.passages for task in tasks}) == TASKS
    assert len(questions) > 0.98 * sum(len(task.questions) for task in tasks)
    assert len({text.split(" ", 1)[0] for text in questions}) > 60


def test_answers_of_format_tasks_are_short_and_not_empty() -> None:
    for seed in range(TASKS):
        for question in format_task(Random(seed)).questions:
            assert 0 < len(question.answer) < 200
