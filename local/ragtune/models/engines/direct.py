"""A decoder of Llama's kind that is computed directly: see ``models.direct``."""

import math
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import partial
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any

import torch

from ragtune.core.progress import Advance
from ragtune.models.direct.decoder import Decoder
from ragtune.models.direct.weights import expected
from ragtune.models.engines.base import Loss, unwatched
from ragtune.models.engines.decoding import STEP, decode
from ragtune.models.engines.groups import Group, Ids, batches
from ragtune.models.engines.local import LocalEngine
from ragtune.prompts.base import IGNORED, Row

if TYPE_CHECKING:
    from ragtune.models.direct.single.row import SingleRow

WEAK = 1
"""Tokens tried after a single one that occurred before, where few more cost little."""
HEAD, CACHED = 256, 16
"""Tokens that the head reads at once, and of which fp32 logits are then made and reduced."""
ROOM = 2
"""Bytes that have to be free for each weight in 8 bits: it, its scale, and what makes it."""


class DirectEngine(LocalEngine):
    """A ``Decoder`` with its tokenizer."""

    def __init__(
        self,
        decoder: Decoder,
        tokenizer: Any,
        ends: frozenset[int],
        fingerprint: str | Callable[[], str],
        *,
        int8: bool = False,
    ) -> None:
        """``int8``: whether a row alone may be answered with weights in 8 bits."""
        super().__init__(tokenizer, fingerprint)
        self.decoder, self._ends, self._int8 = decoder, ends, int8
        self.single: SingleRow | None = None

    @property
    def context_length(self) -> int:
        """Positions that the model was made for."""
        return self.decoder.shape.positions

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer."""
        return self._ends

    def decode(
        self,
        prompts: Sequence[list[int]],
        groups: list[Group],
        limit: int,
        ends: AbstractSet[int],
    ) -> Iterator[list[list[int]]]:
        """What every row has written, after each step."""
        alone = sum(len(group.places) for group in groups) == 1
        reader = partial(_Reader, self.decoder, single=self.single if alone else None)
        weak = WEAK if alone and self.single else STEP
        return decode(reader, prompts, groups, limit=limit, ends=ends, weak=weak)

    def settle(self) -> None:
        """Spend seconds, and memory, on what makes each later answer alone faster."""
        import psutil

        size = sum(math.prod(tensor) for tensor in expected(self.decoder.shape).values())
        room = psutil.virtual_memory().available > ROOM * size
        if self._int8 and room and self.single is None:
            from ragtune.models.direct.single.row import SingleRow

            # whatever Numba or the system lacks, the decoder answers without it
            with suppress(Exception):
                self.single = SingleRow(self.decoder)

    def batch_loss(self, rows: Sequence[Row]) -> tuple[float, int]:
        """The summed loss over the rows' supervised tokens, and how many there are."""
        whole = self.loss(rows, batch_size=len(rows))
        return whole.nats, whole.tokens

    def loss(
        self, rows: Sequence[Row], *, batch_size: int = 16, advance: Advance = unwatched
    ) -> Loss:
        """The sum of ``losses``."""
        each = self._each(rows, batch_size, advance)
        return Loss(math.fsum(one.nats for one in each), sum(one.tokens for one in each))

    def losses(self, rows: Sequence[Row], *, batch_size: int = 16) -> list[Loss]:
        """The loss of each row by itself; what rows share before their answers is read once."""
        return self._each(rows, batch_size, unwatched)

    def _each(self, rows: Sequence[Row], batch_size: int, advance: Advance) -> list[Loss]:
        starts = [_answer(row) for row in rows]
        found: dict[int, Loss] = {}
        for groups in batches(
            [row.ids[:at] for row, at in zip(rows, starts, strict=True)], batch_size
        ):
            places = [place for group in groups for place in group.places]
            losses = self._losses([rows[n] for n in places], [starts[n] for n in places], groups)
            found |= dict(zip(places, losses, strict=True))
            advance(len(found), len(rows))
        return [found[n] for n in range(len(rows))]

    @torch.inference_mode()
    def _losses(
        self, rows: Sequence[Row], starts: Sequence[int], groups: Sequence[Group]
    ) -> list[Loss]:
        """Those of a batch, in the order of the groups' places."""
        sizes = [len(group.places) for group in groups]
        stems = [group.stem for group in groups for _ in group.places]
        cache = None
        if any(stems):
            cache = self.decoder.cache(len(groups))
            firsts = [0, *accumulate(sizes)][:-1]
            shared = zip(firsts, groups, strict=True)
            self.decoder.read([rows[n].ids[: group.stem] for n, group in shared], cache)
            cache.keep([n for n, size in enumerate(sizes) for _ in range(size)])
        tails = [row.ids[stem:] for row, stem in zip(rows, stems, strict=True)]
        hidden = self.decoder.read(tails, cache)
        places: list[int] = []
        targets: list[int] = []
        counts: list[int] = []
        for row, start, end in zip(rows, starts, accumulate(map(len, tails)), strict=True):
            asked = [n for n in range(start, len(row.ids)) if row.labels[n] != IGNORED]
            places += [end - len(row.ids) + n - 1 for n in asked]
            targets += [row.labels[n] for n in asked]
            counts.append(len(asked))
        nats = self._nats(hidden[places], torch.tensor(targets, dtype=torch.long))
        each = torch.split(nats, counts)
        return [Loss(float(own.sum()), len(own)) for own in each]

    def _nats(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """The loss of each token, fp32, (tokens): as many logits at once as a cache holds."""
        found = [hidden.new_empty(0, dtype=torch.float32)]
        for start in range(0, len(hidden), HEAD):
            logits, wanted = self.decoder.logits(hidden[start : start + HEAD]), targets[start:]
            for at in range(0, len(logits), CACHED):
                part = logits[at : at + CACHED].float()
                target = wanted[at : at + len(part)]
                found.append(torch.nn.functional.cross_entropy(part, target, reduction="none"))
        return torch.cat(found)


def _answer(row: Row) -> int:
    """Where the first supervised token of a row is; one that follows nothing is not counted."""
    supervised = (n for n, label in enumerate(row.labels) if n and label != IGNORED)
    return next(supervised, len(row.ids))


class _Reader:
    """A decoder with its cache: a ``Reader``."""

    def __init__(self, decoder: Decoder, rows: int, *, single: "SingleRow | None") -> None:
        self.decoder, self.cache, self.single = decoder, decoder.cache(rows), single

    def read(self, rows: Sequence[Ids], last: int) -> list[list[int]]:
        """Read on in each row; the likeliest token after each of a row's last ``last`` tokens."""
        if self.single is not None and self.single.takes(rows[0], self.cache):
            return [self.single.read(rows[0], self.cache)[-last:]]
        hidden = self.decoder.read(rows, self.cache)
        asked = [min(last, len(row)) for row in rows]
        places = zip(accumulate(map(len, rows)), asked, strict=True)
        chosen = [place for end, count in places for place in range(end - count, end)]
        logits = self.decoder.logits(hidden[chosen])
        # of bf16 it takes three times as long as the copy and the search of the copy do
        likeliest = iter(logits.float().argmax(-1).tolist())
        return [list(islice(likeliest, count)) for count in asked]

    def keep(self, rows: Sequence[int]) -> None:
        """Make the rows those named, which may be named more than once."""
        if list(rows) != list(range(len(self.cache.lengths))):
            self.cache.keep(rows)

    def forget(self, row: int, tokens: int) -> None:
        """Take the last ``tokens`` of a row back."""
        self.cache.forget(row, tokens)
