"""Instructions as a chat's messages, for a server that puts its own chat template around them.

No tokenizer is at hand, so a prompt has no token ids and its length is estimated.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

from ragtune.core.files import digest
from ragtune.prompts.base import UNLIMITED, Example, Message, Prompt, Row
from ragtune.prompts.fitting import Shown, fitted
from ragtune.prompts.template import Template

LETTERS = 3
"""Letters and spaces of a token, for the estimate; English has more than four."""
AROUND = 8
"""Tokens that a chat template puts around a message, at most about so many."""
_WORDS = re.compile(r"[A-Za-z ]+")


def estimated(text: str) -> int:
    """No fewer tokens than a text is likely to have.

    One for each three Latin letters or spaces, and one for each other character: a digit, a mark,
    a letter of another script. English prose has about two thirds of that, digits and Chinese
    about as much.
    """
    plain = sum(len(run) for run in _WORDS.findall(text))
    return math.ceil(plain / LETTERS) + len(text) - plain


def dialogue(template: Template, shown: Shown) -> tuple[Message, ...]:
    """The system's words, examples as earlier turns, then the question with what it is asked on."""

    def said(instruction: str, context: str) -> str:
        return template.prompt.format(instruction=instruction, context=context).strip()

    messages: list[Message] = []
    if template.system is not None:
        messages.append({"role": "system", "content": template.system.strip()})
    for example in shown.examples:
        asked = said(example.instruction, example.context)
        messages.append({"role": "user", "content": asked})
        answer = template.answer(example.response).strip()
        messages.append({"role": "assistant", "content": answer})
    context = template.context(shown.own, shown.passages)
    return (*messages, {"role": "user", "content": said(shown.instruction, context)})


class MessagesFormat:
    """A template without a tokenizer: a ``PromptFormat`` for servers."""

    stops: tuple[int, ...] = ()

    def __init__(self, template: Template) -> None:
        self.template = template

    @property
    def hash(self) -> str:
        """Of the recipe's template; the server's own is not known."""
        return digest([self.template.hash, "messages"])

    def context(self, own: str, passages: Sequence[str]) -> str:
        """Join a record's own context and numbered passages by blank lines."""
        return self.template.context(own, passages)

    def question(self, instruction: str, context: str) -> str:
        """The text of the messages."""
        return _text(dialogue(self.template, Shown(instruction, context)))

    def answer(self, response: str) -> str:
        """The text of what the assistant writes."""
        return self.template.answer(response)

    def response(self, text: str) -> str:
        """What an answer says, without the words that the completion puts around each response."""
        return self.template.response(text)

    def row(self, instruction: str, context: str, response: str, limit: int | None = None) -> Row:
        """Raises NotImplementedError: nothing is tuned without a tokenizer."""
        raise NotImplementedError

    def prompt(
        self,
        instruction: str,
        own: str = "",
        passages: Sequence[str] = (),
        limit: int = UNLIMITED,
        examples: Sequence[Example] = (),
    ) -> Prompt:
        """The messages of a question, in at most about ``limit`` tokens.

        What does not fit goes in the order of ``fitted``.

        Raises ValueError when the template alone is longer than ``limit``.
        """
        return fitted(Shown(instruction, own, passages, examples), limit, self._prompt, estimated)

    def _prompt(self, shown: Shown) -> Prompt:
        messages = dialogue(self.template, shown)
        length = sum(estimated(message["content"]) + AROUND for message in messages)
        counted: dict[str, Any] = {
            "passages": len(shown.passages),
            "examples": len(shown.examples),
        }
        return Prompt([], _text(messages), messages=messages, estimate=length, **counted)


def _text(messages: Sequence[Message]) -> str:
    return "\n\n".join(f"{message['role']}: {message['content']}" for message in messages)
