"""Steps of one row, with weights in 8 bits: see ``step``."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from ragtune.models.direct.cache import Cache
from ragtune.models.direct.decoder import Decoder
from ragtune.models.direct.rotary import tables
from ragtune.models.direct.shape import Shape
from ragtune.models.direct.single.arrays import (
    BLOCK,
    GROUP,
    MOST,
    TOGETHER,
    Attended,
    Heads,
    Kept,
    Matrix,
    Model,
    Scratch,
)
from ragtune.models.direct.single.compiling import begun
from ragtune.models.direct.single.step import written
from ragtune.models.direct.single.threads import threads
from ragtune.models.direct.single.weights import Matrix8

ROOM = 1024
"""Positions that there are tables and scores for at first."""


class SingleRow:
    """A decoder that goes on where a cache of one row ends, a few tokens at a time."""

    def __init__(self, decoder: Decoder) -> None:
        """Round the weights, layer by layer, and compile what reads them."""
        self.decoder = decoder
        self._threads = threads(torch.get_num_threads())
        self._model = _model(decoder)
        self._scratch = _scratch(decoder.shape, self._threads.count)
        empty = decoder.cache(1)
        empty.make_room(1)
        one = (0, 1, 1, 0, self._model, self._scratch, _held(empty))
        self._step = begun(written(), one)

    def takes(self, ids: Sequence[int], kept: Cache) -> bool:
        """Whether these are few enough, and go on where something was read before."""
        return len(ids) <= MOST and kept.lengths[0] > 0

    def read(self, ids: Sequence[int], kept: Cache) -> list[int]:
        """Read up to ``MOST`` tokens, which are added to the cache; the likeliest after each."""
        start = kept.lengths[0]
        kept.make_room(start + len(ids))
        rows = functional.embedding(torch.tensor(ids), self.decoder.embeddings)
        held = _held(kept)
        with self._threads.lock:
            self._make_room(start + len(ids))
            room = self._scratch
            room.hidden[: len(ids), : rows.shape[1]] = rows.float().numpy()
            room.sync[:] = 0

            def work(thread: int) -> None:
                count = self._threads.count
                self._step(thread, count, len(ids), start, self._model, room, held)

            self._threads.run(work, room.sync)
            found: list[int] = room.next[: len(ids)].tolist()
        kept.lengths[0] = start + len(ids)
        return found

    @property
    def logits(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Those of the last step, (``MOST``, vocabulary)."""
        logits: np.ndarray[Any, np.dtype[np.float32]] = self._scratch.logits
        return logits[:, : self.decoder.shape.vocabulary]

    def _make_room(self, positions: int) -> None:
        heads, room = self._model.heads, self._scratch.attended
        if positions > len(heads.cos):
            enough = 2 ** (positions - 1).bit_length()
            cos, sin = _turns(self.decoder.shape, enough)
            scores = np.zeros((*room.scores.shape[:2], enough), np.float32)
            self._model = self._model._replace(heads=heads._replace(cos=cos, sin=sin))
            self._scratch = self._scratch._replace(attended=room._replace(scores=scores))


def _held(kept: Cache) -> Kept:
    """Where a cache of one row has its keys and values."""
    first = kept.keys[0]
    keys, values = (
        np.array([layer.data_ptr() for layer in side]) for side in (kept.keys, kept.values)
    )
    return Kept(keys, values, first.stride(1), first.stride(2), int(first.dtype == torch.float32))


def _model(decoder: Decoder) -> Model:
    shape, layers = decoder.shape, decoder.layers
    own = shape.heads * shape.head
    every = own + 2 * shape.shared * shape.head
    pairs = -(-shape.inner // BLOCK)
    qkv = Matrix8(len(layers), every, shape.hidden)
    out = Matrix8(len(layers), shape.hidden, own)
    gate_up = Matrix8(len(layers), 2 * pairs * BLOCK, shape.hidden)
    down = Matrix8(len(layers), shape.hidden, shape.inner)
    head = Matrix8(1, shape.vocabulary, shape.hidden)
    whole = slice(None)
    for number, layer in enumerate(layers):
        for matrix, (weight, bias) in ((qkv, layer.qkv), (out, layer.out), (down, layer.down)):
            matrix.fill(number, _plain(weight), bias, whole)
        weight, bias = layer.gate_up
        sides = _plain(weight).chunk(2)
        biases = (None, None) if bias is None else bias.chunk(2)
        for side in range(2):
            gate_up.fill(number, sides[side], biases[side], slice(side, None, 2))
    head.fill(0, _plain(decoder.head), None, whole)
    norms = torch.stack([torch.stack([each.before, each.between]) for each in layers])
    inner = [torch.stack(each.norms) for each in layers if each.norms is not None]
    sizes = (torch.stack(inner) if inner else torch.empty((1, 2, 0))).float().numpy()
    cos, sin = _turns(shape, ROOM)
    heads = Heads(shape.heads, shape.shared, sizes, np.float32(shape.epsilon), cos, sin)
    return Model(
        qkv=_read(qkv),
        out=_read(out),
        gate_up=_read(gate_up),
        down=_read(down),
        head=_read(head),
        heads=heads,
        norms=_padded(norms),
        last=_padded(decoder.last),
        width=shape.hidden,
        vocabulary=shape.vocabulary,
    )


def _plain(weight: torch.Tensor) -> torch.Tensor:
    return weight.to_dense() if weight.is_mkldnn else weight


def _read(matrix: Matrix8) -> Matrix:
    return Matrix(matrix.numbers.numpy(), matrix.scales.numpy(), matrix.biases.numpy())


def _padded(weight: torch.Tensor) -> Any:
    return functional.pad(weight.float(), (0, -weight.shape[-1] % GROUP)).numpy()


def _turns(shape: Shape, positions: int) -> tuple[Any, Any]:
    cos, sin = tables(shape.rotary, shape.head, positions, torch.float32)
    return cos.numpy(), sin.numpy()


def _scratch(shape: Shape, threads: int) -> Scratch:
    def rows(width: int, *first: int) -> Any:
        return np.zeros((*first, MOST, -(-width // BLOCK) * BLOCK), np.float32)

    own = shape.heads * shape.head
    widest = -(-max(shape.hidden, own, shape.inner) // GROUP) * GROUP
    attended = Attended(
        turned=rows(own + 2 * shape.shared * shape.head),
        mixed=rows(own),
        query=np.zeros((threads, TOGETHER, shape.head), np.float32),
        found=np.zeros((threads, TOGETHER, shape.head), np.float32),
        scores=np.zeros((threads, TOGETHER, ROOM), np.float32),
    )
    return Scratch(
        attended=attended,
        hidden=rows(shape.hidden),
        gated=rows(shape.inner),
        logits=rows(shape.vocabulary),
        sync=np.zeros(64, np.int32),
        next=np.zeros(MOST, np.int64),
        inputs=np.zeros((threads, MOST * widest), np.int16),
        steps=np.zeros((threads, MOST * widest // GROUP), np.float32),
        row=np.zeros((threads, widest), np.float32),
        pair=rows(2 * BLOCK, threads),
        best=np.zeros((threads, MOST), np.float32),
        found_at=np.zeros((threads, MOST), np.int64),
    )
