"""A model that PyTorch runs in this process."""

import functools
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import torch
from transformers import TextStreamer

from ragtune.core.progress import Advance
from ragtune.models.engines.alone import decode_alone
from ragtune.models.engines.base import Ability, Completion, Loss, unwatched
from ragtune.models.engines.decoding import Group, batches, decode
from ragtune.models.engines.packed import pack
from ragtune.models.families.base import ModelFamily
from ragtune.prompts.base import IGNORED, Prompt, Row


class TorchEngine:
    """A model in evaluation mode with its tokenizer, decoding greedily: an ``Engine``."""

    name = "torch"
    can: frozenset[Ability] = frozenset({"answer", "stream", "loss", "tune"})

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        family: ModelFamily,
        fingerprint: str | Callable[[], str],
    ) -> None:
        """Bind a model; it is made to answer and no more where its family is known: see ``packed``.

        A ``fingerprint`` that has to be computed is computed when it is read.
        """
        if family.together:  # of other kinds nobody knows what they do with their weights
            pack(model)
        self.model, self.tokenizer, self.family = model, tokenizer, family
        self._fingerprint = fingerprint

    @functools.cached_property
    def fingerprint(self) -> str:
        """Identifies the weights."""
        return self._fingerprint if isinstance(self._fingerprint, str) else self._fingerprint()

    @property
    def context_length(self) -> int:
        """Positions that the model was made for."""
        return int(getattr(self.model.config, "max_position_embeddings", 2048))

    @property
    def ends(self) -> frozenset[int]:
        """The tokens that end an answer: of the tokenizer, the configuration and the generation's.

        Any of them may be the only one that names the end of a turn.
        """
        generation = getattr(self.model, "generation_config", None)
        named = (
            self.tokenizer.eos_token_id,
            self.model.config.eos_token_id,
            getattr(generation, "eos_token_id", None),
        )
        return frozenset().union(*map(_tokens, named))

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
        for groups in batches(ids, batch_size) if self.family.together else _one_by_one(ids):
            started = time.perf_counter()
            first = 0.0
            rows: list[list[int]] = []
            for written in self._decode(ids, groups, limit, ends):
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
        words, ends = _Words(self.tokenizer), self.ends.union(stops)
        row: list[int] = []
        given, seconds, prefill = 0, 0.0, 0.0
        started = time.perf_counter()
        for (row,) in self._decode([prompt.ids], [Group([0], 0)], limit, ends):
            seconds += time.perf_counter() - started
            prefill = prefill or seconds
            yield from words.after(row[given:])
            given = len(row)
            started = time.perf_counter()
        yield from words.rest()
        return self._completion(row, seconds, prefill)

    def _decode(
        self, prompts: Sequence[list[int]], groups: list[Group], limit: int, ends: frozenset[int]
    ) -> Iterator[list[list[int]]]:
        if self.family.together:
            return decode(self.model, prompts, groups, limit=limit, ends=ends)
        ((place,),) = (group.places for group in groups)
        return decode_alone(self.model, prompts[place], limit=limit, ends=ends)

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
            summed, count = self._batch_loss(collate(batch, self.tokenizer.pad_token_id))
            nats, tokens = nats + summed, tokens + count
            advance(start + len(batch), len(ordered))
        return Loss(nats, tokens)

    @torch.inference_mode()
    def _batch_loss(self, batch: dict[str, torch.Tensor]) -> tuple[float, int]:
        """The summed loss over a batch's supervised tokens, and how many there are."""
        batch = {name: tensor.to(self.model.device) for name, tensor in batch.items()}
        targets = batch.pop("labels")[:, 1:]
        chosen = targets != IGNORED
        hidden = self.family.backbone(self.model)(**batch).last_hidden_state[:, :-1]
        logits = self.family.logits(self.model, hidden[chosen]).float()
        loss = torch.nn.functional.cross_entropy(logits, targets[chosen], reduction="sum")
        return float(loss), int(chosen.sum())

    def _completion(self, ids: list[int], seconds: float, prefill: float) -> Completion:
        text = str(self.tokenizer.decode(ids, skip_special_tokens=True)).strip()
        return Completion(text, ids, seconds, prefill, len(ids))


def collate(batch: Sequence[Row], pad: int) -> dict[str, torch.Tensor]:
    """Stack rows, padded on the right; a mask is given only where something was padded."""
    width = max(len(row.ids) for row in batch)
    gaps = [width - len(row.ids) for row in batch]
    both = list(zip(batch, gaps, strict=True))
    tensors = {
        "input_ids": torch.tensor([row.ids + [pad] * gap for row, gap in both]),
        "labels": torch.tensor([row.labels + [IGNORED] * gap for row, gap in both]),
    }
    if any(gaps):
        mask = [[1] * len(row.ids) + [0] * gap for row, gap in both]
        tensors["attention_mask"] = torch.tensor(mask)
    return tensors


class _Words(TextStreamer):  # type: ignore[misc]  # untyped in transformers
    """Tokens as text, word by word: transformers' streamer, which gives instead of printing."""

    def __init__(self, tokenizer: Any) -> None:
        super().__init__(tokenizer, skip_special_tokens=True)
        self._ready: list[str] = []

    def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
        """Keep what transformers would print."""
        if text:
            self._ready.append(text)

    def after(self, ids: list[int]) -> list[str]:
        """The words that are whole once ``ids`` are written as well."""
        if ids:
            self.put(torch.tensor(ids))
        return self._taken()

    def rest(self) -> list[str]:
        """What is left when nothing follows."""
        self.end()
        return self._taken()

    def _taken(self) -> list[str]:
        taken, self._ready = self._ready, []
        return taken


def _one_by_one(prompts: Sequence[list[int]]) -> Iterator[list[Group]]:
    return ([Group([n], 0)] for n in range(len(prompts)))


def _tokens(named: int | list[int] | None) -> set[int]:
    """End tokens as configurations name them: none, one, or several."""
    if named is None:
        return set()
    return set(named) if isinstance(named, list | tuple) else {named}
