"""A tokenizer's chat template: the turns of a dialogue, as pieces.

The template is rendered with marks where the contents go, and the contents are put in afterwards.
So no template sees what a user wrote, and it is known of each letter whether the template wrote it.
"""

import datetime
import functools
import re
from collections.abc import Callable, Sequence
from typing import Any

from ragtune.core.errors import ModelError
from ragtune.prompts.base import common_prefix
from ragtune.prompts.encoding import Encoder, Piece, text_of

MARK = "\ue000{}\ue001"
"""Where a content goes: private-use characters, which no template holds."""
MARKED = re.compile("\ue000(\\d+)\ue001")
DAY = datetime.datetime(2024, 7, 26)
"""Today, for templates that say it (Llama 3's own fallback): a prompt must not change overnight."""
CLOCK = "{% macro strftime_now(form) %}{{ form"
CLOCK += "".join(f" | replace('%{code}', '{DAY:%{code}}')" for code in "aAbBdHIjmMpSyY")
CLOCK += " }}{% endmacro %}"
"""What takes the place of the function by which a template asks for the date."""


class Turns:
    """The turns of a tokenizer's chat template, with or without a system turn.

    A template that refuses a system turn, or leaves it out, gets the system's words before the
    first user's, after which comes a blank line.
    """

    def __init__(self, tokenizer: Any, system: str | None = None) -> None:
        """Bind a tokenizer.

        Raises ModelError where it has no chat template, or one that cannot be rendered.
        """
        self.tokenizer = tokenizer
        self.name = getattr(tokenizer, "name_or_path", "") or "the model"
        if not getattr(tokenizer, "chat_template", None):
            raise ModelError(
                f"{self.name}: the tokenizer has no chat template; "
                "ask it with template.format: instruct"
            )
        self.template: str = self._usable(tokenizer.get_chat_template)
        self._system = system if system is None else system.strip()
        self._folded = False
        self._folded = self._system is not None and not self._takes_a_system()
        asked, whole = self._marked(1, False), self._marked(2, True)
        before, after = whole.split(MARK.format(self._number(1)))
        self.before = before.removeprefix(asked) if before.startswith(asked) else ""
        """What the assistant writes before each answer, in words of the template."""
        words = MARKED.sub("", asked + before + after)
        self.encoder = Encoder(tokenizer, words)
        ending = self.encoder.ending(after)
        self.after = ending[0] if ending else ""
        """What ends the assistant's turn; empty where the template has no token for that."""
        self.stops: tuple[int, ...] = (ending[1],) if ending else ()

    def asked(self, contents: Sequence[str]) -> list[Piece]:
        """A dialogue up to where the assistant writes: user, assistant, …, user."""
        said = [content.strip() for content in contents]
        if self._system is not None and not self._folded:
            said = [self._system, *said]
        elif self._system:
            said[0] = f"{self._system}\n\n{said[0]}".strip()
        parts = MARKED.split(self._marked(len(contents), False))
        return [
            Piece(said[int(part)]) if n % 2 else Piece(part, own=True)
            for n, part in enumerate(parts)
        ]

    def answered(self, asked: Sequence[Piece], response: str) -> list[Piece]:
        """The dialogue with the assistant's turn, up to its end token."""
        said = Piece(self.before, own=True), Piece(response.strip()), Piece(self.after, own=True)
        return [*asked, *said]

    def answers(self, asked: Sequence[Piece], ids: Sequence[int]) -> list[tuple[int, int]]:
        """Where in the token ids of a dialogue the assistant's earlier turns are, ends included."""
        found = []
        for n in self._places(asked)[1::2]:
            ending = self.encoder.ending(asked[n + 1].text)
            after = [Piece(ending[0], own=True)] if ending else []
            first = common_prefix(ids, self.encode(asked[:n]))
            found.append((first, common_prefix(ids, self.encode([*asked[: n + 1], *after]))))
        return found

    def _places(self, asked: Sequence[Piece]) -> list[int]:
        """The pieces that are contents of the user's and the assistant's turns, in order."""
        contents = [n for n, piece in enumerate(asked) if not piece.own]
        return contents[self._number(0) :]

    def text(self, pieces: Sequence[Piece]) -> str:
        """The text of a dialogue, less a BOS that the tokenizer will put before it."""
        text = text_of(pieces)
        return text.removeprefix(self.tokenizer.bos_token) if self._adds_bos else text

    def encode(self, pieces: Sequence[Piece]) -> list[int]:
        """Token ids of a dialogue: the template's BOS, or else the one that the tokenizer adds."""
        ids = self.encoder(pieces)
        bos = self.tokenizer.bos_token_id
        return [bos, *ids] if self._adds_bos and ids[:1] != [bos] else ids

    @functools.cached_property
    def _adds_bos(self) -> bool:
        bos = self.tokenizer.bos_token_id
        return bos is not None and list(self.tokenizer("")["input_ids"][:1]) == [bos]

    def _number(self, content: int) -> int:
        """The mark of a content: the system's words have the first, where they have a turn."""
        return content + (self._system is not None and not self._folded)

    def _takes_a_system(self) -> bool:
        try:
            return MARK.format(0) in self._rendered(1, False)
        except Exception:  # whatever a template raises for it: jinja2's errors, or Python's
            return False

    def _marked(self, contents: int, answered: bool) -> str:
        """The template with a mark for each content."""
        text = self._usable(lambda: self._rendered(contents, answered))
        wanted = [str(n) for n in range(self._number(contents))]
        if sorted(MARKED.findall(text), key=int) != wanted:
            raise ModelError(
                f"{self.name}: its chat template does not show each turn once; "
                "ask it with template.format: instruct"
            )
        return text

    def _usable(self, made: Callable[[], str]) -> str:
        """What a template gives; ModelError, of one line, for whatever it raises."""
        try:
            return made()
        except Exception as error:
            why = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ModelError(f"{self.name}: its chat template cannot be used: {why}") from None

    def _rendered(self, contents: int, answered: bool) -> str:
        roles = [("user", "assistant")[n % 2] for n in range(contents)]
        if self._system is not None and not self._folded:
            roles = ["system", *roles]
        messages = [{"role": r, "content": MARK.format(n)} for n, r in enumerate(roles)]
        return str(
            self.tokenizer.apply_chat_template(
                messages,
                tokenize=False,
                add_generation_prompt=not answered,
                enable_thinking=False,  # models that can think aloud have no room for it here
                chat_template=CLOCK + self.template,
                date_string=f"{DAY:%d %b %Y}",  # Llama 3's name for it
            )
        )
