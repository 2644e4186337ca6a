"""What engines of this process have in common: batches, streams, words."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Any

from ragtune.core.progress import Advance
from ragtune.models.engines.base import Ability, Completion, Loss, unwatched
from ragtune.models.engines.groups import Group, batches
from ragtune.models.engines.words import Words
from ragtune.prompts.base import Prompt, Row


class LocalEngine(ABC):
    """A model in this process with its tokenizer, decoding greedily: an ``Engine``."""

    name = "torch"
    can: frozenset[Ability] = frozenset({"answer", "stream", "loss", "tune"})
    together = True
    """Whether prompts of different lengths are answered in one batch; else one by one."""

    def __init__(self, tokenizer: Any, fingerprint: str | Callable[[], str]) -> None:
        """A ``fingerprint`` that has to be computed is computed when it is read."""
        self.tokenizer, self._fingerprint = tokenizer, fingerprint

    @cached_property
    def fingerprint(self) -> str:
        """Identifies the weights."""
        return self._fingerprint if isinstance(self._fingerprint, str) else self._fingerprint()

    def settle(self) -> None:  # noqa: B027 -- most have nothing to get ready
        """Get ready to stay and be asked: take time now that each later answer saves."""

    @property
    @abstractmethod
    def context_length(self) -> int:
        """Positions that the model was made for."""

    @property
    @abstractmethod
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer: of the tokenizer, the configuration and the generation's.

        Any of them may be the only one that names the end of a turn.
        """

    @abstractmethod
    def decode(
        self,
        prompts: Sequence[list[int]],
        groups: list[Group],
        limit: int,
        ends: AbstractSet[int],
    ) -> Iterator[list[list[int]]]:
        """What every row has written, after each step; see ``decoding.decode``."""

    @abstractmethod
    def batch_loss(self, rows: Sequence[Row]) -> tuple[float, int]:
        """The summed loss over the rows' supervised tokens, and how many there are."""

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        limit: int,
        stops: Sequence[int] = (),
        batch_size: int = 1,
        advance: Advance = unwatched,
    ) -> list[Completion]:
        """Complete the prompts, ``batch_size`` at a time; the order given is the order returned."""
        ids = [prompt.ids for prompt in prompts]
        ends = self.ends.union(stops)
        done: dict[int, Completion] = {}
        for groups in batches(ids, batch_size) if self.together else _one_by_one(ids):
            started = time.perf_counter()
            first = 0.0
            rows: list[list[int]] = []
            for written in self.decode(ids, groups, limit, ends):
                first, rows = first or time.perf_counter(), written
            seconds = time.perf_counter() - started
            places = [n for group in groups for n in group.places]
            share, prefill = seconds / len(places), (first - started) / len(places)
            for place, row in zip(places, rows, strict=True):
                done[place] = self._completion(row, share, prefill)
            advance(len(done), len(prompts))
        return [done[n] for n in range(len(prompts))]

    def stream(
        self, prompt: Prompt, *, limit: int, stops: Sequence[int] = ()
    ) -> Generator[str, None, Completion]:
        """Complete one prompt; its text comes word by word.

        Seconds are those of decoding, without what is done with the pieces in between.
        """
        words, ends = Words(self.tokenizer), self.ends.union(stops)
        row: list[int] = []
        given, seconds, prefill = 0, 0.0, 0.0
        started = time.perf_counter()
        for (row,) in self.decode([prompt.ids], [Group([0], 0)], limit, ends):
            seconds += time.perf_counter() - started
            prefill = prefill or seconds
            yield from words.after(row[given:])
            given = len(row)
            started = time.perf_counter()
        yield from words.rest()
        return self._completion(row, seconds, prefill)

    def loss(
        self, rows: Sequence[Row], *, batch_size: int = 16, advance: Advance = unwatched
    ) -> Loss:
        """The loss over the rows' supervised tokens, ``batch_size`` rows at a time, longest first.

        Logits are taken on those tokens only, in fp32.
        """
        ordered = sorted(rows, key=lambda row: -len(row.ids))
        nats, tokens = 0.0, 0
        for start in range(0, len(ordered), batch_size):
            batch = ordered[start : start + batch_size]
            summed, count = self.batch_loss(batch)
            nats, tokens = nats + summed, tokens + count
            advance(start + len(batch), len(ordered))
        return Loss(nats, tokens)

    def losses(self, rows: Sequence[Row], *, batch_size: int = 16) -> list[Loss]:
        """The loss of each row by itself, in the order given."""
        return [Loss(*self.batch_loss([row])) for row in rows]

    def _completion(self, ids: list[int], seconds: float, prefill: float) -> Completion:
        text = str(self.tokenizer.decode(ids, skip_special_tokens=True)).strip()
        return Completion(text, ids, seconds, prefill, len(ids))


def _one_by_one(prompts: Sequence[list[int]]) -> Iterator[list[Group]]:
    return ([Group([n], 0)] for n in range(len(prompts)))


def named_ends(*named: int | list[int] | None) -> frozenset[int]:
    """End tokens as configurations name them: none, one, or several."""
    ends: set[int] = set()
    for one in named:
        if one is not None:
            ends |= set(one) if isinstance(one, list | tuple) else {one}
    return frozenset(ends)
