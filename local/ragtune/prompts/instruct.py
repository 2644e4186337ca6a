"""Instructions in the form of JumpStart's ``template.json``.

A prompt and a completion; between the two is the separator that JumpStart's container puts there
(``add_input_output_demarcation_key``) and that inference has to repeat.
"""

from collections.abc import Sequence

from ragtune.prompts.base import (
    IGNORED,
    UNLIMITED,
    Example,
    Prompt,
    Row,
    Tokenizer,
    common_prefix,
)
from ragtune.prompts.encoding import Encoder, Piece, filled, text_of
from ragtune.prompts.fitting import Shown, fitted
from ragtune.prompts.template import (
    COMPLETION,
    COMPLETION_FIELDS,
    PASSAGE,
    PASSAGE_FIELDS,
    PROMPT,
    PROMPT_FIELDS,
    SEPARATOR,
    Template,
    fields_of,
)

__all__ = [
    "COMPLETION",
    "COMPLETION_FIELDS",
    "PASSAGE",
    "PASSAGE_FIELDS",
    "PROMPT",
    "PROMPT_FIELDS",
    "SEPARATOR",
    "InstructFormat",
    "Template",
    "fields_of",
]

BETWEEN = "\n\n"
"""What follows each example, after EOS."""


class InstructFormat:
    """A template bound to a tokenizer: a ``PromptFormat``.

    ``end_token`` ends each example: the tokenizer's, unless a model of another tokenizer is asked
    with the prompts' text.
    """

    def __init__(
        self, template: Template, tokenizer: Tokenizer, end_token: str | None = None
    ) -> None:
        self.template = template
        self.tokenizer = tokenizer
        self.end_token = end_token or tokenizer.eos_token or ""
        self.stops: tuple[int, ...] = ()
        words = (template.prompt, template.separator, template.completion)
        self._encoder = Encoder(tokenizer, "".join(words))

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

        The text is tokenised whole, as the container does it, but for control tokens that a user's
        text spells, which stay letters. Supervised is what follows the longest common start of the
        row and of its prompt tokenised alone (so a token that straddles the border is supervised),
        and EOS. Character offsets would say the same, but SentencePiece tokenizers with byte
        fallback report them wrongly. Beyond ``limit`` tokens the row is cut at its end.
        """
        question = self._question(instruction, context)
        ids = self._encode([*question, *filled(self.template.completion, response=response)])
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

        Each example is a whole earlier row, EOS included, followed by a blank line: without EOS a
        model goes on with questions of its own (SmolLM2-135M: 24 of 24 answers; with it 2 of 24).
        What does not fit goes in the order of ``fitted``.

        Raises ValueError when the template alone is longer than ``limit``.
        """
        shown = Shown(instruction, own, passages, examples)
        return fitted(shown, limit, self._prompt, self._count)

    def _prompt(self, shown: Shown) -> Prompt:
        context = self.template.context(shown.own, shown.passages)
        earlier = [piece for example in shown.examples for piece in self._example(example)]
        pieces = [*earlier, *self._question(shown.instruction, context)]
        ids, text = self._encode(pieces), text_of(pieces)
        return Prompt(ids, text, len(shown.passages), examples=len(shown.examples))

    def _example(self, example: Example) -> list[Piece]:
        return [
            *self._question(example.instruction, example.context),
            *filled(self.template.completion, response=example.response),
            Piece(self.end_token + BETWEEN, own=True),
        ]

    def _question(self, instruction: str, context: str) -> list[Piece]:
        asked = filled(self.template.prompt, instruction=instruction, context=context)
        return [*asked, Piece(self.template.separator, own=True)]

    def _count(self, text: str) -> int:
        return len(self._encode([Piece(text)]))

    def _encode(self, pieces: Sequence[Piece]) -> list[int]:
        """Token ids with exactly one BOS, where the tokenizer has one."""
        ids = self._encoder(pieces)
        bos = self.tokenizer.bos_token_id
        return ids if bos is None or ids[:1] == [bos] else [bos, *ids]
