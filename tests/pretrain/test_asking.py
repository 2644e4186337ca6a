from random import Random

from ragtune.questions.form import OTHER, OTHER_NEED
from scripts.pretrain.asking import (
    is_need,
    is_plain,
    organisation_asked,
    page_asked,
    shared,
    table_asked,
)
from scripts.pretrain.samples import Task

PASSAGE = "Holiday rules at the mill\nRequests for leave go to Ann Weir in the yard lodge."


def test_a_question_stands_by_itself_or_is_not_learnt() -> None:
    assert is_plain("Who deals with requests for leave at the mill?", PASSAGE)
    assert not is_plain("Who receives it at the mill?", PASSAGE)
    assert not is_plain("And the trainees at the mill?", PASSAGE)
    assert not is_plain("Who counts the sheep?", PASSAGE)
    assert is_need("I want a week at the seaside. To whom do I hand my application?")


def test_shared_words_are_those_of_the_passage() -> None:
    assert shared("To whom are leave requests sent?", PASSAGE) == ["Requests", "leave"]


def test_every_task_marks_an_answer_that_its_question_does_not_give() -> None:
    rng = Random(4)
    made: list[Task] = []
    while len(made) < 60:
        for source in (page_asked, organisation_asked, table_asked):
            if task := source(rng, 4):
                made.append(task)
    for task in made:
        answer = ""
        for one in task.questions:
            if one.text not in (OTHER, OTHER_NEED):
                sentence, line, *_ = one.text.split("\n")
                answer = line.removeprefix("Answer: ")
                assert f"[{answer}]" in sentence
                assert sentence.removeprefix("Sentence: ").split("[")[0] in task.own
            assert answer.lower() not in one.answer.lower()
            assert "{" not in one.answer
