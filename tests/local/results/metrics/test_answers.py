import pytest

from ragtune.results.metrics.answers import (
    METRICS,
    exact_match,
    numeric_error,
    recall,
    rouge_l,
    token_f1,
)


@pytest.mark.parametrize("name", METRICS)
def test_equal_values_score_one_in_every_notation(name: str) -> None:
    for answer, reference in [
        ("2,400 kg", "2.4 tonnes"),
        ("The 6th of June 1944", "1944-06-06"),
        ("17:30", "5:30 pm"),
        ("twenty-one euros", "€21"),
        ("３個", "三個"),
        ("The Barn!", "barn"),
    ]:
        assert METRICS[name](answer, reference) == 1.0, (answer, reference)


@pytest.mark.parametrize("name", METRICS)
def test_a_refusal_and_an_empty_answer_score_nothing_where_there_is_an_answer(name: str) -> None:
    metric = METRICS[name]
    assert metric("The documents do not say who owns the barn.", "the barn") == 0.0
    assert metric("", "the barn") == 0.0
    assert metric("", "") == 0.0
    assert metric("I don't know.", "") == 1.0
    assert metric("the barn", "not stated") == 0.0
    assert metric("Ask the oracle", "ask the oracle", refusals=["ask the oracle"]) == 1.0


@pytest.mark.parametrize("name", METRICS)
def test_the_best_reference_counts(name: str) -> None:
    assert METRICS[name]("a lorry", ["a van", "a lorry"]) == 1.0


def test_f1_counts_words_and_wrong_numbers() -> None:
    assert token_f1("red barn", "big red barn") == pytest.approx(0.8)
    assert token_f1("24 boxes", "2.4 boxes") == pytest.approx(0.5)
    assert token_f1("五日", "四日") == pytest.approx(0.0)


def test_exact_match_is_exact() -> None:
    assert exact_match("2.50 m", "2.5 m") == 1.0
    assert exact_match("25 m", "2.5 m") == 0.0
    assert exact_match("-3", "3") == 0.0
    assert exact_match("C++", "C#") == 0.0
    assert exact_match("the boxes", "box") == 0.0
    assert exact_match("02/03/2020", "2 March 2020") == exact_match("02/03/2020", "3 Feb 2020") == 1


def test_rouge_l_sees_order() -> None:
    assert rouge_l("the dogs barked", "a dog barks") == 1.0
    assert rouge_l("barked dog", "dog barked") == pytest.approx(0.5)
    words = [f"word{n}" for n in range(14)]
    assert rouge_l(" ".join(words[::2]), " ".join(words)) == pytest.approx(2 / 3, abs=0.05)


def test_recall_lets_more_be_said() -> None:
    assert recall("It stands in the red barn behind the mill.", "the red barn") == 1.0
    assert recall("the barn", "the red barn") == pytest.approx(0.5)
    assert recall("It weighs 500 g.", "0.5 kg") == 1.0


def test_numeric_error_is_relative_by_unit() -> None:
    assert numeric_error("44 km", "40 km") == pytest.approx(0.1)
    assert numeric_error("39,600 m", "40 km") == pytest.approx(0.01)
    assert numeric_error("40 kg", "40 km") == 1.0
    assert numeric_error("no idea", "40 km") == numeric_error("far", "40 km") == 1.0
    assert numeric_error("4000 km", "40 km") == 1.0
    assert numeric_error("the barn", "the barn") is None
    assert numeric_error("41", ["40", "41"]) == 0.0
