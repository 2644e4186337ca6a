import pytest
from ragtune.results.metrics.answers import exact_match, normalise, rouge_l, token_f1


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
