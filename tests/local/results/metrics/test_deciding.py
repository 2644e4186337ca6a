import pytest

from ragtune.core.errors import RecipeError
from ragtune.results.metrics.deciding import choose

NOTHING: frozenset[str] = frozenset()
EMBEDDER = frozenset({"embedder"})
LONG = "The harbour opens at six and closes when the last ferry has left the pier."


def chosen(references: list[str], offered: frozenset[str] = EMBEDDER) -> tuple[str, str, str]:
    found = choose("auto", references, offered)
    return found.metric, found.why, found.shown


def test_the_kind_of_the_references_decides() -> None:
    assert chosen(["cards", "jobs"] * 10) == ("right", "labels", "macro_f1")
    assert chosen(["six", "the Petrel", LONG]) == ("right", "short references", "right")
    assert chosen(["six", LONG, LONG]) == ("similarity", "long references", "similarity")
    assert chosen([LONG], NOTHING) == ("rouge_l", "no embedder", "rouge_l")


def test_characters_of_scripts_without_spaces_are_half_a_word() -> None:
    assert choose("auto", ["早上七点半开门"], NOTHING).words < 4
    assert chosen(["安全演习在三月和九月举行" * 3])[1] == "long references"


def test_the_recipe_may_name_one_that_scores_single_answers() -> None:
    assert choose("rouge_l", ["six"], NOTHING).model_dump() == {
        "metric": "rouge_l",
        "why": "recipe",
        "words": 1.0,
        "shown": "rouge_l",
    }
    with pytest.raises(RecipeError, match=r"study\.metric: no metric f1; allowed: auto, right, "):
        choose("f1", ["six"], NOTHING)
    with pytest.raises(RecipeError, match="macro_f1 has no score of a single answer; allowed"):
        choose("macro_f1", ["six"], NOTHING)
