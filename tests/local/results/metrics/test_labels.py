import pytest

from ragtune.results.metrics.labels import accuracy, label_set, macro_f1


def test_labels_are_few_texts_that_come_again() -> None:
    assert label_set(["Yes", "no"] * 5) == ["Yes", "no"]  # as they are first written
    assert label_set([f"answer {n}" for n in range(100)]) == []
    assert label_set(["yes"] * 10) == []
    assert label_set(["yes", "no"] * 4) == []


def test_macro_f1_weighs_labels_alike_however_rare() -> None:
    references = ["common"] * 18 + ["rare"] * 2
    found = macro_f1(["common"] * 20, references, seed=1)
    assert found is not None
    assert found.mean == pytest.approx((2 * 18 / 38 + 0) / 2, abs=1e-6)
    assert found.ci95[0] < found.mean < found.ci95[1]


def test_an_answer_that_is_no_label_is_wrong_for_its_reference_alone() -> None:
    references = ["yes"] * 5 + ["no"] * 5
    found = macro_f1(["perhaps"] + ["yes"] * 4 + ["no"] * 5, references, seed=1)
    assert found is not None
    assert found.mean == pytest.approx((2 * 4 / 9 + 1) / 2, abs=1e-6)


def test_free_text_has_no_macro_f1() -> None:
    assert macro_f1(["x"] * 30, [f"answer {n}" for n in range(30)], seed=1) is None


def test_a_label_is_named_in_a_sentence_as_well_and_denied_ones_do_not_count() -> None:
    references = ["refund"] * 5 + ["repair"] * 5
    answers = ["It is a refund.", "Refund", "not a repair, a refund", "refund or repair", "money"]
    found = accuracy([*answers, *["repair"] * 5], references, seed=1)
    assert found is not None
    assert found.mean == 0.8
    assert accuracy(["x"] * 30, [f"answer {n}" for n in range(30)], seed=1) is None
