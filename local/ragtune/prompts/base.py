"""The seam between a record and a model: what a prompt format is, and what it makes.

A format turns an instruction, a context and passages into the prompt that a model is asked with,
and into the row that it is trained on, so both are one form. It knows nothing of models: a
tokenizer is all it needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

Found = TypeVar("Found")
IGNORED = -100
"""The label of a token that is not trained on; PyTorch's cross-entropy skips it."""
UNLIMITED = 1 << 30
"""A limit in tokens that no prompt reaches."""


Message = dict[str, str]
"""A chat's turn as servers take it: its ``role`` (system, user, assistant) and ``content``."""


class Tokenizer(Protocol):
    """What is used of a Hugging Face fast tokenizer."""

    bos_token_id: int | None
    eos_token: str | None
    eos_token_id: int | None

    def __call__(self, text: str, **options: Any) -> Any:
        """Encode a text; the result maps ``input_ids`` to token ids."""


@dataclass(frozen=True)
class Prompt:
    """A prompt as the model reads it: as token ids, and as text for an engine that takes text.

    ``ids`` begin with exactly one BOS, where the tokenizer has one; ``text`` has none.
    (A chat's ids and text begin as its chat template has them.) ``passages`` and ``examples`` are
    how many of those given are in it; ``cut`` is how many tokens of the rest had to go. ``without``
    are the places of passages that had no room although a later one had: the ``passages`` in it are
    the first of all others. ``messages`` are a chat's turns, for an engine that has the chat
    template itself. Where no tokenizer is at hand there are no ids, and ``estimate`` says about how
    many there would be.
    """

    ids: list[int]
    text: str
    passages: int = 0
    cut: int = 0
    examples: int = 0
    messages: tuple[Message, ...] = ()
    estimate: int = 0
    without: tuple[int, ...] = ()

    @property
    def length(self) -> int:
        """Tokens, counted or estimated."""
        return len(self.ids) or self.estimate

    def shown(self, found: Sequence[Found]) -> list[Found]:
        """Those of the passages it was made from that are in it."""
        return [one for n, one in enumerate(found) if n not in self.without][: self.passages]


@dataclass(frozen=True)
class Example:
    """A question that is shown with its answer, as a row would have it: few-shot prompting."""

    instruction: str
    context: str
    response: str


@dataclass(frozen=True)
class Row:
    """A training row: ``ids`` and ``labels`` of equal length, ``IGNORED`` where not supervised.

    ``cut`` is how many of its tokens had to go. ``straddles`` says that the tokenizer merges the
    end of the prompt with the start of the completion: the model is then trained on another last
    token of the prompt than it is asked with.
    """

    ids: list[int]
    labels: list[int]
    cut: int = 0
    straddles: bool = False

    @property
    def supervised(self) -> int:
        """How many tokens are trained on when the loss is on completions only."""
        return sum(label != IGNORED for label in self.labels)


class PromptFormat(Protocol):
    """How a model is asked, in training, evaluation, retrieval and serving alike."""

    @property
    def hash(self) -> str:
        """Identifies the format, in hexadecimal; an adapter keeps the one it was tuned with."""

    @property
    def stops(self) -> tuple[int, ...]:
        """The tokens that end an answer in this format, beside the model's own."""

    def prompt(
        self,
        instruction: str,
        own: str = "",
        passages: Sequence[str] = (),
        limit: int = UNLIMITED,
        examples: Sequence[Example] = (),
    ) -> Prompt:
        """A question as it is asked, in at most ``limit`` tokens; ``own`` is its own context.

        The examples are shown before it, the nearest last; where not all fit, the first go first,
        and all of them before a passage.

        Raises ValueError where the words of the format alone are longer than ``limit``.
        """

    def row(self, instruction: str, context: str, response: str, limit: int | None = None) -> Row:
        """A training row: the prompt as it is asked, and the response that is learnt.

        ``context`` is what ``context`` returned. The row is cut to ``limit`` tokens at its end.
        """

    def context(self, own: str, passages: Sequence[str]) -> str:
        """A record's own context and its passages as one text, for a training row.

        As ``Template.context``: rows are written, and uploaded, before a tokenizer is known.
        """

    def question(self, instruction: str, context: str) -> str:
        """The text of everything before the response."""

    def answer(self, response: str) -> str:
        """The text of the response as it is learnt."""

    def response(self, text: str) -> str:
        """What an answer says, without the words that the format puts around each response."""


class DialogueFormat(PromptFormat, Protocol):
    """A form in which the earlier turns of a conversation are turns.

    It has ``takes_turns = True``, and so has its template. Earlier turns of a question are shown as
    examples are; other forms get them as text, in the record's own context.
    """

    takes_turns: bool

    def row(
        self,
        instruction: str,
        context: str,
        response: str,
        limit: int | None = None,
        *,
        earlier: Sequence[Example] = (),
    ) -> Row:
        """A training row whose earlier answers are learnt as well."""


def takes_turns(form: object) -> bool:
    """Whether a format, or a template that will be bound to one, shows earlier turns as turns."""
    return bool(getattr(form, "takes_turns", False))


def common_prefix(left: Sequence[int], right: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((n for n, (a, b) in pairs if a != b), min(len(left), len(right)))
