"""Instructions in the form of JumpStart's ``template.json``.

A prompt and a completion, format strings with ``{instruction}``, ``{context}`` and
``{response}``; between the two is the separator that JumpStart's container puts there
(``add_input_output_demarcation_key``) and that inference has to repeat.
"""

import hashlib
import json
import math
import string
from collections.abc import Sequence
from dataclasses import dataclass

from ragtune.prompts.base import IGNORED, UNLIMITED, Example, Prompt, Row, Tokenizer, common_prefix

PROMPT = (
    "Below is an instruction that describes a task, paired with an input that provides further "
    "context. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Input:\n{context}\n\n"
)
SEPARATOR = "\n\n### Response:\n"
COMPLETION = "{response}"
PASSAGE = "[{number}] {text}"

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
    """The four strings that make a prompt; immutable, identified by their hash."""

    prompt: str = PROMPT
    completion: str = COMPLETION
    separator: str = SEPARATOR
    passage: str = PASSAGE

    @property
    def hash(self) -> str:
        """SHA-256 over the four strings, in hexadecimal; kept with every adapter."""
        parts = [self.prompt, self.completion, self.separator, self.passage]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

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


class InstructFormat:
    """A template bound to a tokenizer: a ``PromptFormat``."""

    def __init__(self, template: Template, tokenizer: Tokenizer) -> None:
        self.template = template
        self.tokenizer = tokenizer
        self.stops: tuple[int, ...] = ()

    @property
    def hash(self) -> str:
        """The template's."""
        return self.template.hash

    def context(self, own: str, passages: Sequence[str]) -> str:
        """Join a record's own context and numbered passages by blank lines."""
        return self.template.context(own, passages)

    def question(self, instruction: str, context: str) -> str:
        """The text of everything before the response, the separator included."""
        return self.template.question(instruction, context)

    def answer(self, response: str) -> str:
        """The text of the completion."""
        return self.template.answer(response)

    def response(self, text: str) -> str:
        """What an answer says, without the words that the completion puts around it."""
        return self.template.response(text)

    def row(self, instruction: str, context: str, response: str, limit: int | None = None) -> Row:
        """Encode a training row: one BOS, prompt, completion, EOS.

        The text is tokenised whole, as the container does it. Supervised is what follows the
        longest common start of the row and of its prompt tokenised alone (so a token that
        straddles the border is supervised), and EOS. Character offsets would say the same, but
        SentencePiece tokenizers with byte fallback report them wrongly. Beyond ``limit`` tokens
        the row is cut at its end.
        """
        question = self.template.question(instruction, context)
        ids = self._encode(question + self.template.answer(response))
        prompt = self._encode(question)
        start = common_prefix(ids, prompt)
        if self.tokenizer.eos_token_id is not None:
            ids = [*ids, self.tokenizer.eos_token_id]
        labels = [IGNORED] * start + ids[start:]
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

        What does not fit goes in this order: passages from the last, the end of the record's own
        context, the end of the instruction.

        Raises ValueError when the template alone is longer than ``limit``.
        """
        whole = self._question(instruction, own, passages)
        if len(whole) <= limit:
            text = self.template.question(instruction, self.template.context(own, passages))
            return Prompt(whole, text, len(passages), 0)
        if passages:
            return self.prompt(instruction, own, passages[:-1], limit)
        while len(ids := self._question(instruction, own, ())) > limit:
            over = len(ids) - limit
            if own:
                own = self._shorten(own, over)
            elif instruction:
                instruction = self._shorten(instruction, over)
            else:
                raise ValueError(f"the template alone has {len(ids)} tokens, over {limit}")
        return Prompt(ids, self.template.question(instruction, own), 0, len(whole) - len(ids))

    def _question(self, instruction: str, own: str, passages: Sequence[str]) -> list[int]:
        context = self.template.context(own, passages)
        return self._encode(self.template.question(instruction, context))

    def _shorten(self, text: str, tokens: int) -> str:
        """Drop about ``tokens`` tokens, at least one character, from the end of ``text``."""
        share = tokens / len(self._encode(text))
        return text[: max(0, len(text) - math.ceil(len(text) * share))]

    def _encode(self, text: str) -> list[int]:
        """Token ids with exactly one BOS, where the tokenizer has one."""
        ids = list(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        bos = self.tokenizer.bos_token_id
        return ids if bos is None or ids[:1] == [bos] else [bos, *ids]
