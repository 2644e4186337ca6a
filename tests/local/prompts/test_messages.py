from pathlib import Path
from typing import Any

import pytest

from ragtune.core.bundled import builtin_model, general_text
from ragtune.core.errors import ModelError
from ragtune.models.load import load_tokenizer
from ragtune.prompts.base import Example
from ragtune.prompts.messages import AROUND, MessagesFormat, estimated
from ragtune.prompts.registry import format_of
from ragtune.prompts.template import CHAT, CHAT_PROMPT, Template

TEMPLATE = Template(format=CHAT, prompt=CHAT_PROMPT, completion="Answer: {response}")
FORM = MessagesFormat(TEMPLATE)
SHOWN = [Example(f"How much is {n} and {n}?", "", "much") for n in (1, 2)]


def test_examples_are_earlier_turns_and_passages_stand_before_the_question() -> None:
    prompt = FORM.prompt(" 3 and 3? ", "", ["Sums."], examples=SHOWN[:1])
    assert list(prompt.messages) == [
        {"role": "user", "content": "How much is 1 and 1?"},
        {"role": "assistant", "content": "Answer: much"},
        {"role": "user", "content": "[1] Sums.\n\n 3 and 3?"},
    ]
    assert (prompt.ids, prompt.passages, prompt.examples) == ([], 1, 1)


def test_a_system_turn_comes_first() -> None:
    form = MessagesFormat(Template(format=CHAT, prompt=CHAT_PROMPT, system=" Be brief. "))
    assert form.prompt("Why?").messages[0] == {"role": "system", "content": "Be brief."}


def test_what_does_not_fit_goes_examples_first_then_passages_then_words() -> None:
    asked, passages = "What is a sum?", ["one two three", "four five six"]
    whole = FORM.prompt(asked, "", passages, examples=SHOWN)
    fitted = FORM.prompt(asked, "", passages, whole.length - 1, SHOWN)
    assert (fitted.examples, fitted.passages, fitted.cut) == (1, 2, 0)
    bare = FORM.prompt(asked, "", passages[:1])
    fitted = FORM.prompt(asked, "", passages, bare.length, SHOWN)
    assert (fitted.examples, fitted.passages, fitted.cut) == (0, 1, 0)
    fitted = FORM.prompt(asked, "", (), AROUND + 3)
    assert fitted.length <= AROUND + 3
    assert fitted.cut > 0
    with pytest.raises(ValueError, match="the template alone has"):
        FORM.prompt(asked, "", (), 2)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("abc", 1), ("abcd", 2), ("12", 2), ("港は六時", 4), ("a, b", 2)],
)
def test_the_estimate_counts_letters_by_three_and_all_else_by_one(text: str, tokens: int) -> None:
    assert estimated(text) == tokens


def test_the_estimate_is_not_below_what_a_tokenizer_makes_of_prose() -> None:
    tokenizer: Any = load_tokenizer(builtin_model())
    text = Path(general_text()).read_text(encoding="utf-8")
    assert len(tokenizer(text)["input_ids"]) < estimated(text)


def test_without_a_tokenizer_a_chat_is_messages_and_a_raw_form_is_refused() -> None:
    assert isinstance(format_of(TEMPLATE, None), MessagesFormat)
    with pytest.raises(ModelError, match="instruct needs a tokenizer"):
        format_of(Template(), None)
    with pytest.raises(NotImplementedError):
        FORM.row("a", "b", "c")


def test_an_answer_is_without_the_words_around_it() -> None:
    assert FORM.response("Answer: six") == "six"
    assert FORM.answer("six") == "Answer: six"
    assert FORM.hash != TEMPLATE.hash
    assert FORM.context("own", ["one"]) == "own\n\n[1] one"
    assert FORM.question("Why?", "Sums.") == "user: Sums.\n\nWhy?"
