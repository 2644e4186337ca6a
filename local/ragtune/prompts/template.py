"""The words around an instruction, its context and the response: what a recipe says of them.

Format strings with ``{instruction}``, ``{context}`` and ``{response}``, as in JumpStart's
``template.json``; ``format`` names the form that they are put into.
"""

import hashlib
import json
import string
from collections.abc import Sequence
from dataclasses import dataclass

INSTRUCT, CHAT = "instruct", "chat"

PROMPT = (
    "Below is an instruction that describes a task, paired with an input that provides further "
    "context. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{context}\n\n"
)
SEPARATOR = "\n\n### Response:\n"
COMPLETION = "{response}"
PASSAGE = "[{number}] {text}"
CHAT_PROMPT = "{context}\n\n{instruction}"
"""The user's turn of a chat where a recipe gives no other: what was found, then the question."""

PROMPT_FIELDS = frozenset({"instruction", "context"})
COMPLETION_FIELDS = frozenset({"response"})
PASSAGE_FIELDS = frozenset({"number", "text"})


def fields_of(form: str) -> set[str]:
    """Name the fields of a format string, as in ``"{instruction} {context}"``.

    Raises ValueError where the braces do not match.
    """
    return {name for _, name, _, _ in string.Formatter().parse(form) if name is not None}


@dataclass(frozen=True)
class Template:
    """The strings that make a prompt, and the form that they are put into; identified by a hash.

    ``system`` is a chat's system turn; None: what the chat template does by itself.
    """

    prompt: str = PROMPT
    completion: str = COMPLETION
    separator: str = SEPARATOR
    passage: str = PASSAGE
    format: str = INSTRUCT
    system: str | None = None

    @property
    def hash(self) -> str:
        """SHA-256 over all of it, in hexadecimal; kept with every adapter.

        The instruction form by itself adds nothing to the four strings: adapters that were tuned
        before there was another one stay valid.
        """
        parts: list[str | None] = [self.prompt, self.completion, self.separator, self.passage]
        if (self.format, self.system) != (INSTRUCT, None):
            parts += [self.format, self.system]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def takes_turns(self) -> bool:
        """Whether the turns of a conversation are turns in this form."""
        return self.format == CHAT

    @property
    def jumpstart(self) -> dict[str, str]:
        """The content of ``template.json`` as JumpStart reads it."""
        return {"prompt": self.prompt, "completion": self.completion}

    def context(self, own: str, passages: Sequence[str]) -> str:
        """Join a record's own context and numbered passages by blank lines."""
        numbered = [self.passage.format(number=n, text=t) for n, t in enumerate(passages, 1)]
        return "\n\n".join(part for part in [own, *numbered] if part)

    def question(self, instruction: str, context: str) -> str:
        """Render everything before the response, the separator included."""
        return self.prompt.format(instruction=instruction, context=context) + self.separator

    def answer(self, response: str) -> str:
        """Render the response."""
        return self.completion.format(response=response)

    def response(self, text: str) -> str:
        """What an answer says, without the words that the completion puts around each response."""
        before, _, after = self.completion.format(response="\0").partition("\0")
        return text.strip().removeprefix(before.strip()).removesuffix(after.strip()).strip()
