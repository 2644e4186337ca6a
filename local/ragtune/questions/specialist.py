"""The small model that was trained to ask: a passage and a fact → questions."""

import math
from collections.abc import Sequence
from typing import Any

from ragtune.core.progress import Advance
from ragtune.models.engines.base import unwatched
from ragtune.models.engines.local import LocalEngine
from ragtune.prompts.base import IGNORED, Prompt, Row
from ragtune.prompts.encoding import Encoder, Piece
from ragtune.prompts.template import Template
from ragtune.questions import form
from ragtune.questions.drafters import Judged, cleaned
from ragtune.questions.facts import Fact
from ragtune.questions.inversion import inverted
from ragtune.questions.wishes import Wish, kind_of, other_start, wishes

LIMIT = 40
"""Tokens of a question."""
BATCH = 24
SPECIALIST = Template(prompt="### Input:\n{context}\n\n### Instruction:\n{instruction}")
"""The form that the specialist was trained in, which is the reader's."""


class Specialist:
    """The small model that was trained for it: a passage and a fact → a question."""

    name = "smollm2-questions"

    def __init__(self, engine: LocalEngine, tokenizer: Any) -> None:
        self.engine, self.tokenizer = engine, tokenizer
        self._encode = Encoder(tokenizer, SPECIALIST.prompt + SPECIALIST.separator)

    @property
    def fingerprint(self) -> str:
        """Of its weights."""
        return self.engine.fingerprint

    def draft(self, facts: Sequence[Fact], advance: Advance = unwatched) -> list[list[str]]:
        """A question for each wish; and the sentence turned into one, where that can be."""
        asked = [(n, wish) for n, fact in enumerate(facts) for wish in wishes(fact)]
        prompts = [self._prompt(facts[n], wish) for n, wish in asked]
        found: list[list[str]] = [[] for _ in facts]
        for (n, wish), text in zip(asked, self._write(prompts, advance), strict=True):
            found[n].append(cleaned(f"{wish.start} {text}" if wish.start else text))
        for fact, texts in zip(facts, found, strict=True):
            if plain := inverted(fact):
                texts.append(plain)
        return [list(dict.fromkeys(texts)) for texts in found]

    def reword(
        self, facts: Sequence[Fact], questions: Sequence[str], advance: Advance = unwatched
    ) -> list[list[str]]:
        """Two other wordings with another question word, near to the sentence and distant."""
        wished = [
            Wish(like, start=other_start(question))
            for question in questions
            for like in (form.DISTANT, form.PLAIN)
        ]
        prompts = [self._prompt(facts[n // 2], wish) for n, wish in enumerate(wished)]
        texts = [
            cleaned(f"{wish.start} {text}")
            for wish, text in zip(wished, self._write(prompts, advance), strict=True)
        ]
        return [list(dict.fromkeys(texts[n : n + 2])) for n in range(0, len(texts), 2)]

    def judged(self, facts: Sequence[Fact], questions: Sequence[str]) -> list[Judged]:
        """By its own check, and how likely it was to write them, no words being wished for."""
        rows: list[Row] = []
        for fact, question in zip(facts, questions, strict=True):
            check = form.check(fact.sentence.text, fact.start, fact.end, question)
            rows.append(
                self._row(self._encoded(self._first(fact, check), ""), form.YES, ends=False)
            )
            rows.append(self._row(self._prompt(fact, Wish(kind_of(question, fact))), question))
        losses = self.engine.losses(rows, batch_size=2 * BATCH)
        return [
            Judged(math.exp(-check.nats), written.mean)
            for check, written in zip(losses[::2], losses[1::2], strict=True)
        ]

    def _row(self, prompt: Prompt, answer: str, *, ends: bool = True) -> Row:
        ids = [*self._encode([Piece(answer)]), *([self.tokenizer.eos_token_id] if ends else [])]
        return Row([*prompt.ids, *ids], [IGNORED] * len(prompt.ids) + ids)

    def _write(self, prompts: Sequence[Prompt], advance: Advance) -> list[str]:
        done = self.engine.complete(prompts, limit=LIMIT, batch_size=BATCH, advance=advance)
        return [one.text for one in done]

    def _prompt(self, fact: Fact, wish: Wish) -> Prompt:
        asked = form.instruction(
            fact.sentence.text, fact.start, fact.end, names=wish.names, wish=wish.like
        )
        return self._encoded(self._first(fact, asked), wish.start)

    @staticmethod
    def _first(fact: Fact, asked: str) -> list[Piece]:
        before, middle, after = "### Input:\n", "\n\n### Instruction:\n", SPECIALIST.separator
        return [
            Piece(before, own=True),
            Piece(fact.passage.shown),
            Piece(middle, own=True),
            Piece(asked),
            Piece(after, own=True),
        ]

    def _encoded(self, pieces: Sequence[Piece], start: str) -> Prompt:
        ids = [self.tokenizer.bos_token_id, *self._encode(pieces), *self._encode([Piece(start)])]
        return Prompt(ids, "".join(piece.text for piece in pieces) + start)
