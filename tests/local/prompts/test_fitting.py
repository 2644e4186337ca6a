import pytest

from ragtune.prompts.base import Example, Prompt
from ragtune.prompts.fitting import Shown, fitted

SHOWN = Shown("when", "own", ("pq", "rs"), (Example("a", "", "b"), Example("c", "", "d")))


def make(shown: Shown) -> Prompt:
    """A token a character, in the order of a prompt."""
    examples = "".join(e.instruction + e.response for e in shown.examples)
    text = examples + "".join(shown.passages) + shown.own + shown.instruction + ">"
    return Prompt(list(range(len(text))), text, len(shown.passages), 0, len(shown.examples))


@pytest.mark.parametrize(
    ("limit", "text", "cut"),
    [
        (16, "abcdpqrsownwhen>", 0),
        (15, "cdpqrsownwhen>", 0),
        (13, "pqrsownwhen>", 0),
        (11, "pqownwhen>", 0),
        (9, "ownwhen>", 0),
        (7, "owwhen>", 1),
        (5, "when>", 3),
        (3, "wh>", 5),
        (1, ">", 7),
    ],
)
def test_the_farthest_example_goes_first_then_passages_context_and_instruction(
    limit: int, text: str, cut: int
) -> None:
    found = fitted(SHOWN, limit, make, len)
    assert (found.text, found.cut) == (text, cut)


def test_words_of_the_format_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(ValueError, match="the template alone has 1 tokens, over 0"):
        fitted(SHOWN, 0, make, len)


def test_a_text_without_tokens_is_shortened_all_the_same() -> None:
    assert fitted(SHOWN, 1, make, lambda text: 0).text == ">"


def test_a_passage_that_does_not_fit_is_dropped_alone() -> None:
    shown = Shown("when", "own", ("ab", "x" * 99, "cd", "y" * 99, "ef", "gh"))
    found = fitted(shown, 14, make, len)
    assert (found.text, found.passages, found.without) == ("abcdefownwhen>", 3, (1, 3))
    assert found.shown(["1", "2", "3", "4", "5", "6"]) == ["1", "3", "5"]
    (first, *_) = shown.passages
    assert fitted(shown, 10, make, len).shown([first, "2", "3"]) == [first]
