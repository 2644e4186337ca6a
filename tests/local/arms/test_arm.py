from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ragtune.arms.arm import Arm
from ragtune.models.engines.torch import Completion, Generator
from ragtune.prompts.instruct import Renderer, Template
from ragtune.sources.records import Record


class Parrot(Generator):
    """Writes the same text whatever it is asked."""

    def __init__(self, tokenizer: Any, text: str) -> None:
        super().__init__(None, tokenizer, max_new_tokens=16)
        self.written = tokenizer(text, add_special_tokens=False)["input_ids"]

    def one(self, ids: Sequence[int], say: Callable[[str], None] | None = None) -> Completion:
        return Completion(self.written, 0.1, 0.1)

    def many(
        self,
        prompts: Sequence[Sequence[int]],
        batch_size: int,
        advance: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[Completion]:
        return [self.one(ids) for ids in prompts]


@pytest.mark.parametrize("written", ["Answer: six!", "six"])
def test_answers_are_without_the_words_that_the_completion_puts_around_each(
    tiny_tokenizer: Any, written: str
) -> None:
    template = Template(completion="Answer: {response}!")
    arm = Arm(Renderer(template, tiny_tokenizer), Parrot(tiny_tokenizer, written), 512)
    record = Record("When does the harbour open?", "six")
    assert arm.ask(record).text == "six"
    assert [answer.text for answer in arm.ask_all([record], [[]], batch_size=1)] == ["six"]
