"""Greedy decoding of one prompt by transformers' own ``generate``, token by token.

For models whose cache is not ours to mask: recurrent ones, and those that nobody has looked at.
"""

import threading
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from queue import SimpleQueue
from typing import Any

import torch
from transformers import GenerationConfig, StoppingCriteria


class _Told(StoppingCriteria):  # type: ignore[misc]  # untyped in transformers
    """Called after each token: hands it on, and stops at an end or when nobody reads on."""

    def __init__(self, told: "SimpleQueue[Any]", ends: AbstractSet[int]) -> None:
        self.told, self.ends, self.left = told, ends, threading.Event()

    def __call__(self, input_ids: torch.Tensor, scores: Any, **others: Any) -> torch.Tensor:
        token = int(input_ids[0, -1])
        self.told.put(token)
        over = token in self.ends or self.left.is_set()
        return torch.tensor([over], device=input_ids.device)


def decode_alone(
    model: Any, prompt: Sequence[int], *, limit: int, ends: AbstractSet[int]
) -> Iterator[list[list[int]]]:
    """Complete a prompt, up to ``limit`` tokens or one of ``ends``, left out.

    Yields as ``decode`` does: one row, which grows.
    """
    told: SimpleQueue[Any] = SimpleQueue()
    watcher = _Told(told, ends)
    thread = threading.Thread(target=_generate, args=(model, prompt, limit, watcher), daemon=True)
    thread.start()
    row: list[int] = []
    try:
        while isinstance(token := told.get(), int):
            if token in ends:
                break
            row.append(token)
            yield [row]
        else:
            if token is not None:
                raise token
        if not row:
            yield [row]
    finally:
        watcher.left.set()
        thread.join()


def _generate(model: Any, prompt: Sequence[int], limit: int, watcher: _Told) -> None:
    """Put each token into the watcher's queue, then None, or what was raised."""
    ids = torch.tensor([list(prompt)], device=model.device)
    how = GenerationConfig(max_new_tokens=limit, do_sample=False, eos_token_id=-1, pad_token_id=0)
    try:
        with torch.inference_mode():
            model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                generation_config=how,
                stopping_criteria=[watcher],
            )
        watcher.told.put(None)
    except BaseException as error:  # whatever it is, the reader raises it
        watcher.told.put(error)
