"""The data stream: which sources are drawn at which point of the training, packed into rows of one
fixed length.

A batch is a pure function of (seed, step, fraction of the budget that is spent), so a stopped
training goes on with the very rows that it would have seen. Rows are packed from whole samples;
what is left of a row is filled with plain text. Positions run on through a row and there is no
mask: earlier samples are one more distractor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from .corpus import Corpus
from .formats import format_task
from .organisations import reading_task
from .pages import page_task
from .reading import closed_book_task, country_task, paragraph_task, passages_task, summary_task
from .recall import asked_about, recall_sample
from .samples import JUMPSTART, TEMPLATE, Piece, Sample, Task, compact, encode, prompts

STAGES = ((0.9, 512), (1.01, 1024))
"""Until this fraction of the budget, rows of so many tokens: attention is cheaper on short rows."""

KNOTS = (0.0, 0.12, 0.4, 0.75, 1.0)
SHARES: dict[str, tuple[float, ...]] = {
    "recall": (0.20, 0.09, 0.03, 0.02, 0.01),
    "asked": (0.10, 0.20, 0.14, 0.05, 0.02),
    "generated": (0.28, 0.24, 0.17, 0.09, 0.05),
    "generated_rag": (0.02, 0.08, 0.14, 0.16, 0.14),
    "page": (0.10, 0.09, 0.10, 0.12, 0.08),
    "page_rag": (0.00, 0.01, 0.10, 0.21, 0.33),
    "paragraph": (0.14, 0.14, 0.12, 0.08, 0.05),
    "paragraph_rag": (0.00, 0.03, 0.06, 0.10, 0.14),
    "country": (0.02, 0.02, 0.02, 0.02, 0.02),
    "closed_book": (0.00, 0.01, 0.01, 0.01, 0.02),
    "format": (0.03, 0.03, 0.05, 0.06, 0.06),
    "summary": (0.00, 0.01, 0.01, 0.01, 0.01),
    "text": (0.11, 0.05, 0.05, 0.07, 0.07),
}
"""Share of the tokens that each source is given at each knot; in between, straight lines."""

TYPICAL = {
    "recall": 130,
    "asked": 130,
    "generated": 200,
    "generated_rag": 400,
    "page": 220,
    "page_rag": 400,
    "paragraph": 230,
    "paragraph_rag": 420,
    "country": 200,
    "closed_book": 70,
    "format": 130,
    "summary": 150,
    "text": 300,
}
"""About how many tokens a sample has: turns shares of tokens into odds of a draw."""

RANKS = (0.65, 0.2, 0.1, 0.05)
"""How often the passage with the answer is the first, second, ... that retrieval finds."""
SHORT_PARAGRAPHS = 0.3
"""Until this fraction of the budget, natural paragraphs are of 15 to 60 words."""
COMPACT, QUESTION_FIRST = 0.15, 0.2
"""How often a task of several questions has a compact layout, and a single question the prompt of
JumpStart's container instead of the one that the model is made for."""


def shares(fraction: float) -> dict[str, float]:
    """The share of each source after `fraction` of the budget."""
    return {name: float(np.interp(fraction, KNOTS, row)) for name, row in SHARES.items()}


def row_length(fraction: float) -> int:
    """The length of a row, in tokens, after `fraction` of the budget."""
    return next(length for until, length in STAGES if fraction < until)


class Sources:
    """The sources by name; each gives a sample, or None when what it drew does not serve."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.makers: dict[str, Callable[[Random, float], Sample | None]] = {
            "recall": lambda rng, _: recall_sample(corpus, rng),
            "asked": lambda rng, _: _laid_out(asked_about(corpus, rng), rng),
            "generated": lambda rng, f: _laid_out(
                reading_task(rng, plain=rng.random() > 2 * f, refusals=0.08, most=6), rng
            ),
            "generated_rag": lambda rng, f: _laid_out(
                reading_task(rng, rng.randint(1, 4), refusals=0.3, most=_followers(rng, f)), rng
            ),
            "page": lambda rng, _: _laid_out(page_task(rng, 1, 0.2, 8), rng),
            "page_rag": lambda rng, f: _laid_out(
                page_task(rng, rng.randint(1, 4), 0.3, _followers(rng, f)), rng
            ),
            "paragraph": self._paragraph,
            "paragraph_rag": self._paragraph_rag,
            "country": lambda rng, _: _laid_out(country_task(corpus, rng, open_book=True), rng),
            "closed_book": lambda rng, _: _laid_out(closed_book_task(corpus, rng), rng),
            "format": lambda rng, _: _laid_out(format_task(rng), rng),
            "summary": lambda rng, _: _laid_out(summary_task(corpus, rng), rng),
            "text": lambda rng, _: self.text(rng, rng.choice((600, 1200, 2400))),
        }

    def text(self, rng: Random, characters: int) -> Sample:
        """A stretch of plain text that starts at a paragraph."""
        whole = self.corpus.text(rng)
        start = (
            0 if rng.random() < 0.5 else whole.rfind("\n", 0, rng.randrange(max(1, len(whole)))) + 1
        )
        return [Piece(whole[start : start + characters], "text")]

    def _paragraph(self, rng: Random, fraction: float) -> Sample | None:
        shortest, longest = (15, 60) if fraction < SHORT_PARAGRAPHS else (30, 110)
        blanks = max(0.15, 0.6 - fraction)
        return _laid_out(paragraph_task(self.corpus, rng, shortest, longest, 8, blanks), rng)

    def _paragraph_rag(self, rng: Random, fraction: float) -> Sample | None:
        task = passages_task(self.corpus, rng, rng.randint(1, 4), 0.15, 0.7)
        return _laid_out(
            task and Task(task.questions[: _followers(rng, fraction)], task.passages, task.own), rng
        )


def _laid_out(task: Task | None, rng: Random) -> Sample | None:
    if task is None or not task.questions:
        return None
    if len(task.questions) == 1:
        task = ranked(task, rng)
        return prompts(task, JUMPSTART if rng.random() < QUESTION_FIRST else TEMPLATE)
    read = task.own or task.passages
    return compact(task, rng) if read and rng.random() < COMPACT else prompts(task)


def ranked(task: Task, rng: Random) -> Task:
    """The passages as retrieval would give them: the one with the answer mostly first."""
    gold = [one for one in task.passages if task.questions[0].answer in one]
    if not gold:
        return task
    others = [one for one in task.passages if one is not gold[0]]
    place = rng.choices(range(len(task.passages)), RANKS[: len(task.passages)])[0]
    return Task(task.questions, (*others[:place], gold[0], *others[place:]), task.own)


def _followers(rng: Random, fraction: float) -> int:
    """How many questions share one prompt: many teach more, one is what is asked in real use."""
    return 1 if rng.random() < 0.2 + 0.4 * fraction else rng.randint(2, 6)


@dataclass(frozen=True)
class Batch:
    """Rows of inputs with their targets, and of each target its loss weight and its source."""

    inputs: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.float32]
    sources: NDArray[np.int8]
    """Index into `SHARES`; answers only, and for `text` all tokens; elsewhere -1."""


@dataclass
class _Part:
    """An encoded sample."""

    ids: list[int]
    weights: list[float]
    sources: list[int]


class Stream:
    """Batches of about `tokens` tokens for every step."""

    def __init__(
        self, corpus: Corpus, tokenizer: PreTrainedTokenizerBase, seed: int, tokens: int
    ) -> None:
        self.sources, self.tokenizer, self.seed, self.tokens = (
            Sources(corpus),
            tokenizer,
            seed,
            tokens,
        )

    def shares(self, fraction: float) -> dict[str, float]:
        """The share of each source after `fraction` of the budget."""
        return shares(fraction)

    def batch(self, step: int, fraction: float) -> Batch:
        """The rows of one step."""
        rng = Random(f"{self.seed}/{step}/{fraction:.6f}")
        length = row_length(fraction)
        count = max(1, self.tokens // length)
        packed = _packed(self._samples(rng, fraction, length, count), count, length + 1)
        rows = [self._row(parts, length + 1, rng) for parts in packed]
        ids = np.array([row.ids for row in rows], dtype=np.int64)
        weights = np.array([row.weights for row in rows], dtype=np.float32)
        sources = np.array([row.sources for row in rows], dtype=np.int8)
        return Batch(ids[:, :-1], ids[:, 1:], weights[:, 1:], sources[:, 1:])

    def _samples(self, rng: Random, fraction: float, length: int, count: int) -> list[_Part]:
        """Samples for about all the room there is."""
        names = list(SHARES)
        odds = [share / TYPICAL[name] for name, share in self.shares(fraction).items()]
        made: list[_Part] = []
        room = count * length
        while room > 0:
            source = rng.choices(range(len(names)), odds)[0]
            part = self._encoded(source, names[source], rng, fraction, length)
            if part:
                made.append(part)
                room -= len(part.ids)
        return made

    def _encoded(
        self, source: int, name: str, rng: Random, fraction: float, length: int
    ) -> _Part | None:
        sample = self.sources.makers[name](rng, fraction)
        if not sample:
            return None
        ids, weights = encode(sample, self.tokenizer)
        while len(ids) > length + 1 and len(sample) > 3:
            sample = [*sample[:-3], Piece(sample[-3].text.rstrip("\n"), "answer", ends=True)]
            ids, weights = encode(sample, self.tokenizer)
        if name == "text":
            ids, weights = ids[: length + 1], weights[: length + 1]
        counted = 1.0 if name == "text" else 4.0
        return (
            _Part(ids, weights, [source if weight == counted else -1 for weight in weights])
            if len(ids) <= length + 1
            else None
        )

    def _row(self, parts: list[_Part], size: int, rng: Random) -> _Part:
        """The parts in random order, with plain text in what is left."""
        text = list(SHARES).index("text")
        rng.shuffle(parts)
        while (missing := size - sum(len(part.ids) for part in parts)) > 0:
            ids, weights = encode(self.sources.text(rng, 6 * missing + 20), self.tokenizer)
            parts.append(_Part(ids[:missing], weights[:missing], [text] * min(missing, len(ids))))
        return _Part(
            [token for part in parts for token in part.ids],
            [weight for part in parts for weight in part.weights],
            [source for part in parts for source in part.sources],
        )


def _packed(parts: list[_Part], count: int, size: int) -> list[list[_Part]]:
    """The parts in `count` rows of at most `size` tokens, longest first; some find no room."""
    rows: list[list[_Part]] = [[] for _ in range(count)]
    room = [size] * count
    for part in sorted(parts, key=lambda one: -len(one.ids)):
        for number in range(count):
            if room[number] >= len(part.ids):
                rows[number].append(part)
                room[number] -= len(part.ids)
                break
    return rows


def tokenizer_texts(corpus: Corpus, seed: int, samples: int) -> list[str]:
    """Texts to train the tokenizer on: mostly natural text, generated tasks for the rest."""
    rng = Random(f"{seed}/tokenizer")
    sources = Sources(corpus)
    texts = [piece.text for _ in range(samples) for piece in sources.text(rng, 2400)]
    names = [name for name in SHARES if name not in ("text", "recall")]
    for _ in range(samples):
        sample = sources.makers[rng.choice(names)](rng, rng.random())
        texts.append("".join(piece.text for piece in sample or []))
    return texts
