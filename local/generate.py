"""Greedy decoding: token ids in, token ids out."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


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
        return self._batch([list(ids)], say)[0]

    def many(
        self,
        prompts: Sequence[Sequence[int]],
        batch_size: int,
        advance: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[Completion]:
        """Complete all prompts, in batches of like length; the order given is the order returned.

        ``advance`` is told how many are done of how many.
        """
        order = sorted(range(len(prompts)), key=lambda n: -len(prompts[n]))
        done: dict[int, Completion] = {}
        for start in range(0, len(order), batch_size):
            chosen = order[start : start + batch_size]
            completions = self._batch([list(prompts[n]) for n in chosen])
            done.update(zip(chosen, completions, strict=True))
            advance(len(done), len(prompts))
        return [done[n] for n in range(len(prompts))]

    def text(self, completion: Completion) -> str:
        """The completion as text, special tokens and outer white space left out."""
        return str(self.tokenizer.decode(completion.ids, skip_special_tokens=True)).strip()

    def _batch(
        self, prompts: list[list[int]], say: Callable[[str], None] | None = None
    ) -> list[Completion]:
        import torch

        started = time.perf_counter()
        width = max(len(p) for p in prompts)
        pad, eos = self.tokenizer.pad_token_id, self.tokenizer.eos_token_id
        padded = torch.tensor([[pad] * (width - len(p)) + p for p in prompts])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
        clock = _FirstToken(_speaker(self.tokenizer, say) if say else None)
        with torch.inference_mode():
            output = self.model.generate(
                padded.to(self.model.device),
                attention_mask=mask.to(self.model.device),
                max_new_tokens=self.max_new_tokens,
                do_sample=False,
                num_beams=1,
                temperature=None,
                top_p=None,
                top_k=None,
                eos_token_id=eos,
                pad_token_id=pad,
                streamer=clock,
            )
        written = [_until(row, eos) for row in output[:, width:].tolist()]
        share = (time.perf_counter() - started) / len(prompts)
        prefill = (clock.at - started) / len(prompts)
        return [Completion(ids, share, prefill) for ids in written]


class _FirstToken:
    """A streamer that notes when the first token came: it is given the prompt before that.

    All that it is given goes to the streamer ``then``.
    """

    def __init__(self, then: Any = None) -> None:
        self.at = 0.0
        self._given = 0
        self._then = then

    def put(self, value: Any) -> None:
        self._given += 1
        if self._given == 2:
            self.at = time.perf_counter()
        if self._then:
            self._then.put(value)

    def end(self) -> None:
        """Let the next streamer give what it holds back."""
        if self._then:
            self._then.end()


def _speaker(tokenizer: Any, say: Callable[[str], None]) -> Any:
    """A streamer that decodes tokens and says the text word by word."""
    from transformers import TextStreamer

    class Speaker(TextStreamer):  # type: ignore[misc]  # untyped in transformers
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            say(text)

    return Speaker(tokenizer, skip_prompt=True, skip_special_tokens=True)


def _until(ids: list[int], eos: int) -> list[int]:
    return ids[: ids.index(eos)] if eos in ids else ids
