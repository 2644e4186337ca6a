"""The small model that was trained to ask: a passage and a fact → questions."""

from collections.abc import Sequence
from typing import Any

import psutil
import torch

from ragtune.core.progress import Advance
from ragtune.models.engines.base import unwatched
from ragtune.models.engines.direct import DirectEngine
from ragtune.models.engines.local import LocalEngine
from ragtune.prompts.base import IGNORED, Prompt, Row
from ragtune.prompts.encoding import Encoder, Piece
from ragtune.prompts.template import Template
from ragtune.questions import form
from ragtune.questions.drafters import cleaned
from ragtune.questions.facts import Fact
from ragtune.questions.inversion import inverted
from ragtune.questions.wishes import other_start, wishes

LIMIT = 40
"""Tokens of a question."""
BATCH = 64
EACH, MOST = 1_500_000_000, 8
"""Bytes that are free for each document that is drafted from at a time: a batch's keys and values
and a copy of them, in fp32; and so many documents at a time at most."""
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

    @property
    def at_once(self) -> int:
        """As many documents as PyTorch has threads, ``MOST``, and as memory has room for."""
        if not isinstance(self.engine, DirectEngine):
            return 1
        room = int(psutil.virtual_memory().available) // EACH
        return max(1, min(torch.get_num_threads(), MOST, room))

    def draft(self, facts: Sequence[Fact], advance: Advance = unwatched) -> list[list[str]]:
        """Three questions a fact, with other words to name and starts; and its sentence turned."""
        prompts: list[Prompt] = []
        starts: list[str] = []
        owners: list[int] = []
        for n, fact in enumerate(facts):
            for names, start in wishes(fact):
                prompts.append(self._prompt(fact, names, start))
                starts.append(start)
                owners.append(n)
        found: list[list[str]] = [[] for _ in facts]
        for n, start, text in zip(owners, starts, self._write(prompts, advance), strict=True):
            found[n].append(cleaned(f"{start} {text}" if start else text))
        for fact, texts in zip(facts, found, strict=True):
            if plain := inverted(fact):
                texts.append(plain)
        return [list(dict.fromkeys(texts)) for texts in found]

    def reword(
        self, facts: Sequence[Fact], questions: Sequence[str], advance: Advance = unwatched
    ) -> list[list[str]]:
        """Two other wordings: as it comes, and with another question word."""
        prompts: list[Prompt] = []
        starts = []
        for fact, question in zip(facts, questions, strict=True):
            for start in ("", other_start(question)):
                prompts.append(self._follow(fact, question, start))
                starts.append(start)
        texts = [
            cleaned(f"{start} {text}" if start else text)
            for start, text in zip(starts, self._write(prompts, advance), strict=True)
        ]
        return [list(dict.fromkeys(texts[n : n + 2])) for n in range(0, len(texts), 2)]

    def doubts(self, facts: Sequence[Fact], questions: Sequence[str]) -> list[float]:
        """Nats a token of each question, where no words are wished for."""
        rows: list[Row] = []
        for fact, question in zip(facts, questions, strict=True):
            prompt = self._prompt(fact, (), "").ids
            ids = [*prompt, *self._encode([Piece(question)]), self.tokenizer.eos_token_id]
            rows.append(Row(ids, [IGNORED] * len(prompt) + ids[len(prompt) :]))
        return [one.mean for one in self.engine.losses(rows, batch_size=BATCH)]

    def _write(self, prompts: Sequence[Prompt], advance: Advance) -> list[str]:
        done = self.engine.complete(prompts, limit=LIMIT, batch_size=BATCH, advance=advance)
        return [one.text for one in done]

    def _prompt(self, fact: Fact, names: Sequence[str], start: str) -> Prompt:
        asked = form.instruction(fact.sentence.text, fact.start, fact.end, names=names)
        return self._encoded(self._first(fact, asked), start)

    def _follow(self, fact: Fact, question: str, start: str) -> Prompt:
        asked = form.instruction(fact.sentence.text, fact.start, fact.end)
        pieces = [
            *self._first(fact, asked),
            Piece(question),
            Piece(self.tokenizer.eos_token, own=True),
            Piece(f"\n\n### Instruction:\n{form.OTHER}{SPECIALIST.separator}", own=True),
        ]
        return self._encoded(pieces, start)

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
