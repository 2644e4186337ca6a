"""Instructions in the form of a model's own chat template.

A system turn, where there is one; the user's, with context and passages; the assistant's.
"""

from collections.abc import Sequence

from ragtune.core.files import digest
from ragtune.prompts.base import (
    IGNORED,
    UNLIMITED,
    Example,
    Prompt,
    Row,
    Tokenizer,
    common_prefix,
)
from ragtune.prompts.encoding import Piece, text_of
from ragtune.prompts.fitting import Shown, fitted
from ragtune.prompts.messages import dialogue
from ragtune.prompts.template import Template
from ragtune.prompts.turns import Turns


class ChatFormat:
    """A template bound to a tokenizer with a chat template: a ``PromptFormat``.

    What users, documents and the recipe write stays letters; the chat template's own control
    tokens are tokens. White space around a turn's content is left out. The template's separator
    has no part in it.
    """

    takes_turns = True

    def __init__(self, template: Template, tokenizer: Tokenizer) -> None:
        """Bind a template.

        Raises ModelError where the tokenizer has no chat template, or none that can be used.
        """
        self.template = template
        self.tokenizer = tokenizer
        self._turns = Turns(tokenizer, template.system)
        self.stops = self._turns.stops

    @property
    def hash(self) -> str:
        """Of the recipe's template and of the tokenizer's."""
        return digest([self.template.hash, self._turns.template])

    def context(self, own: str, passages: Sequence[str]) -> str:
        """Join a record's own context and numbered passages by blank lines."""
        return self.template.context(own, passages)

    def question(self, instruction: str, context: str) -> str:
        """The text of everything before the assistant's words."""
        return self._turns.text(self._asked(instruction, context))

    def answer(self, response: str) -> str:
        """The text of what the assistant writes, its end token included."""
        return text_of(self._turns.answered([], self.template.answer(response)))

    def response(self, text: str) -> str:
        """What an answer says, without the words that template and completion put around it."""
        before, after = self._turns.before.strip(), self._turns.after.strip()
        return self.template.response(text.strip().removeprefix(before).removesuffix(after))

    def row(
        self,
        instruction: str,
        context: str,
        response: str,
        limit: int | None = None,
        *,
        earlier: Sequence[Example] = (),
    ) -> Row:
        """Encode a training row: the prompt as it is asked, the answer, the end of its turn.

        Supervised is what the assistant writes, the token that ends its turn included (the model's
        EOS, where the chat template has none), and nothing of what follows it; so are the answers
        of ``earlier`` turns. Beyond ``limit`` tokens the row is cut at its end.
        """
        asked = self._asked(instruction, context, earlier)
        prompt = self._turns.encode(asked)
        ids = self._turns.encode(self._turns.answered(asked, self.template.answer(response)))
        start = common_prefix(ids, prompt)
        if not self.stops and self.tokenizer.eos_token_id is not None:
            ids = [*ids, self.tokenizer.eos_token_id]
        labels = [IGNORED] * start + ids[start:]
        for first, end in self._turns.answers(asked, ids[:start]):
            labels[first:end] = ids[first:end]
        cut = max(0, len(ids) - limit) if limit is not None else 0
        return Row(ids[: len(ids) - cut], labels[: len(labels) - cut], cut, start < len(prompt))

    def prompt(
        self,
        instruction: str,
        own: str = "",
        passages: Sequence[str] = (),
        limit: int = UNLIMITED,
        examples: Sequence[Example] = (),
    ) -> Prompt:
        """Encode a question for inference in at most ``limit`` tokens.

        Examples are earlier turns. What does not fit goes in the order of ``fitted``.

        Raises ValueError when the chat template alone is longer than ``limit``.
        """
        shown = Shown(instruction, own, passages, examples)
        return fitted(shown, limit, self._prompt, self._count)

    def _prompt(self, shown: Shown) -> Prompt:
        context = self.template.context(shown.own, shown.passages)
        pieces = self._asked(shown.instruction, context, shown.examples)
        ids, text = self._turns.encode(pieces), self._turns.text(pieces)
        messages = dialogue(self.template, shown)
        return Prompt(
            ids, text, len(shown.passages), examples=len(shown.examples), messages=messages
        )

    def _asked(
        self, instruction: str, context: str, examples: Sequence[Example] = ()
    ) -> list[Piece]:
        earlier = [
            turn
            for example in examples
            for turn in (
                self._content(example.instruction, example.context),
                self.template.answer(example.response),
            )
        ]
        return self._turns.asked([*earlier, self._content(instruction, context)])

    def _content(self, instruction: str, context: str) -> str:
        return self.template.prompt.format(instruction=instruction, context=context)

    def _count(self, text: str) -> int:
        return len(self._turns.encoder([Piece(text)]))
