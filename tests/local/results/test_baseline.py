from collections.abc import Sequence

import pytest

from ragtune.results.baseline import baselines, candidates
from ragtune.results.metrics.base import Case
from ragtune.results.scores import score
from ragtune.sources.records import Record

REFUSAL = "not in the documents"


def cases(references: Sequence[str]) -> list[Case]:
    return [Case(Record(f"{n}?", text), "", (text,)) for n, text in enumerate(references)]


def best(references: Sequence[str], metric: str = "exact_match") -> tuple[str, float]:
    asked = cases(references)
    found = baselines(asked, {"base": score(asked)}, REFUSAL, score, 1)[metric]
    return found.answer, found.mean


def test_the_most_frequent_label_is_the_best_constant_answer() -> None:
    assert best(["cards"] * 7 + ["loans"] * 3) == ("cards", 0.7)


def test_a_refusal_is_one_where_unanswerable_questions_count() -> None:
    assert best([REFUSAL] * 5 + ["six", "Petrel", "twice"])[1] == pytest.approx(5 / 8)


def test_a_reference_of_one_question_earns_nothing_by_being_right_there() -> None:
    assert best(["six", "Petrel", "room nine", "one crown"])[1] == 0.0


def test_references_that_are_nearly_the_same_make_a_high_constant_answer() -> None:
    steps = [f"Check valve {n} and note its pressure." for n in range(20)]
    assert best(steps, "token_f1")[1] == pytest.approx(6 / 7, abs=0.01)


def test_only_a_few_texts_are_tried_however_many_there_are() -> None:
    tried = candidates([f"answer {n}" for n in range(5000)], REFUSAL)
    assert tried[0] == REFUSAL
    assert len(tried) <= 17
