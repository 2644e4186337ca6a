"""Greedy decoding: token ids in, token ids out."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ragtune.models.engines.decoding import Group, batches, decode


@dataclass(frozen=True)
class Completion:
    """What the model wrote, EOS left out; ``seconds`` is its share of its batch's time.

    ``prefill`` is the share of those until the first token was there.
    """

    ids: list[int]
    seconds: float
    prefill: float


class Generator:
    """A model in evaluation mode, decoding greedily up to ``max_new_tokens``."""

    def __init__(self, model: Any, tokenizer: Any, max_new_tokens: int) -> None:
        self.model, self.tokenizer, self.max_new_tokens = model, tokenizer, max_new_tokens

    def one(self, ids: Sequence[int], say: Callable[[str], None] | None = None) -> Completion:
        """Complete a single prompt, as a server with one user would.

        ``say`` is given the text piece by piece, as it is written.
        """
        if say is None:
            return self._decode([ids], [Group([0], 0)])[0]
        speaker = _speaker(self.tokenizer, say)
        completion = self._decode([ids], [Group([0], 0)], speaker.put)[0]
        speaker.end()
        return completion

    def many(
        self,
        prompts: Sequence[Sequence[int]],
        batch_size: int,
        advance: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[Completion]:
        """Complete all prompts, ``batch_size`` at a time; the order given is the order returned.

        ``advance`` is told how many are done of how many.
        """
        done: dict[int, Completion] = {}
        for groups in batches(prompts, batch_size):
            done.update(self._decode(prompts, groups))
            advance(len(done), len(prompts))
        return [done[n] for n in range(len(prompts))]

    def text(self, completion: Completion) -> str:
        """The completion as text, special tokens and outer white space left out."""
        return str(self.tokenizer.decode(completion.ids, skip_special_tokens=True)).strip()

    def _decode(
        self,
        prompts: Sequence[Sequence[int]],
        groups: Sequence[Group],
        hear: Callable[[Any], None] | None = None,
    ) -> dict[int, Completion]:
        started = time.perf_counter()
        eos = self.tokenizer.eos_token_id
        decoded = decode(self.model, prompts, groups, limit=self.max_new_tokens, eos=eos, hear=hear)
        places = [n for group in groups for n in group.places]
        share = (time.perf_counter() - started) / len(places)
        prefill = (decoded.first - started) / len(places)
        written = zip(places, decoded.rows, strict=True)
        return {n: Completion(ids, share, prefill) for n, ids in written}


def _speaker(tokenizer: Any, say: Callable[[str], None]) -> Any:
    """A streamer that decodes tokens and says the text word by word."""
    from transformers import TextStreamer

    class Speaker(TextStreamer):  # type: ignore[misc]  # untyped in transformers
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            say(text)

    return Speaker(tokenizer, skip_special_tokens=True)
