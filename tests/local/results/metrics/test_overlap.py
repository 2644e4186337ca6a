import pytest

from ragtune.results.metrics.base import Case
from ragtune.results.metrics.overlap import (
    TOKEN_F1,
    exact_match,
    grounded,
    normalise,
    rouge_l,
    token_f1,
)
from ragtune.sources.records import Record


def test_normalisation_is_squads() -> None:
    assert normalise("  The Quick, brown FOX!  a ") == "quick brown fox"


@pytest.mark.parametrize(
    ("answer", "reference", "f1", "exact"),
    [
        ("The ferry Petrel.", "ferry petrel", 1.0, 1.0),
        ("at six in the morning", "six", 2 / 5, 0.0),
        ("seven", "six", 0.0, 0.0),
        ("", "six", 0.0, 0.0),
        ("", "", 1.0, 1.0),
        ("six six", "six", 2 / 3, 0.0),
    ],
)
def test_f1_and_exact_match_on_fixed_figures(
    answer: str, reference: str, f1: float, exact: float
) -> None:
    assert token_f1(answer, reference) == pytest.approx(f1)
    assert exact_match(answer, reference) == exact


def test_rouge_l_follows_the_longest_common_subsequence() -> None:
    assert rouge_l("the cat sat on the mat", "the cat lay on the mat") == pytest.approx(5 / 6)
    assert rouge_l("", "x") == 0.0


def test_rouge_l_knows_words_of_any_alphabet() -> None:
    assert rouge_l("Паром зовётся Буревестник.", "паром зовётся буревестник") == 1.0
    assert rouge_l("в шесть", "в семь") == pytest.approx(1 / 2)
    assert rouge_l("the ferries Буревестник", "the ferry Буревестник") == 1.0


@pytest.mark.parametrize(
    ("answer", "reference", "score"),
    [
        ("not in the documents", "Ines Garrow", 0.0),  # "Ines" is not "in"
        ("They enjoyed the days of play.", "the day they enjoy plays", 6 / 11),
        ("relational databases", "a relation of database", 2 * (2 / 2) * (2 / 4) / (2 / 2 + 2 / 4)),
        ("one two three four", "four three two one", 1 / 4),
        ("", "", 0.0),
    ],
)
def test_rouge_l_is_rouge_scores(answer: str, reference: str, score: float) -> None:
    assert rouge_l(answer, reference) == pytest.approx(score)


def test_of_several_references_the_best_counts() -> None:
    cases = [
        Case(Record("q", "six"), "seven", ("six", "seven")),
        Case(Record("q", "six"), "", ("x",)),
    ]
    assert TOKEN_F1.scores(cases) == [1.0, 0.0]


def test_an_answer_is_grounded_as_far_as_its_words_are_in_the_passages() -> None:
    assert grounded("The red boat", ["a boat", "painted red"]) == 1.0
    assert grounded("red house", ["red boat"]) == 0.5
    assert grounded("", ["x"]) == 0.0
