"""vLLM in this process: the base model once on the card, and adapters by request.

Written against vLLM 0.33.0, which is no dependency: it is used where it is installed.
"""

import importlib.metadata
import importlib.util
import json
import os
import time
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

from ragtune.core.errors import ModelError
from ragtune.core.files import digest
from ragtune.core.progress import Advance
from ragtune.models.adapter import check_adapter
from ragtune.models.engines.base import Ability, Completion, Loss, unwatched
from ragtune.models.hardware import Hardware
from ragtune.prompts.base import Prompt, Row

PACKAGE = "vllm"
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What ``max_lora_rank`` may be: ``MaxLoRARanks`` in ``vllm/config/lora.py``."""
SHARE = 0.6
"""The share of the card's free memory that weights and cache take: the loop here needs some too."""
SEED = 0
SETTINGS = {
    # In this process: a forked one cannot use a card that is in use here already.
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
}
"""Environment variables that vLLM reads; those that are set already are left alone."""


def require() -> None:
    """Raise ModelError where vLLM is not installed."""
    if importlib.util.find_spec(PACKAGE) is None:
        raise ModelError(
            f"model.engine: vllm: the package {PACKAGE} is not installed; install it (pip install "
            f"{PACKAGE}), or take model.engine: torch"
        )


class Vllm:
    """A model of a folder, opened by vLLM at first use."""

    def __init__(
        self,
        folder: Path,
        tokenizer: Any,
        hardware: Hardware,
        *,
        ends: frozenset[int],
        fingerprint: str,
        rank: int | None = None,
    ) -> None:
        """Open a model; ``rank``: the highest that its adapters may have, None for no adapters.

        ``ends`` are the tokens that end an answer.

        Raises ModelError where vLLM is not installed, cannot open the model, or takes no adapters
        of that rank.
        """
        require()
        self.tokenizer, self.ends, self._fingerprint = tokenizer, ends, fingerprint
        self.hardware, self.rank = hardware, None if rank is None else _allowed(rank)
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
        loras = {"enable_lora": True, "max_lora_rank": self.rank} if self.rank else {}
        try:
            import vllm

            self.library = vllm
            self.llm: Any = vllm.LLM(
                model=str(folder),
                dtype=hardware.load_dtype,
                seed=SEED,
                gpu_memory_utilization=_share(hardware),
                max_model_len=-1,  # as much as the model was made for and memory holds
                enable_prefix_caching=False,  # one alone, asked for its time, was read before
                disable_log_stats=False,  # they say when the first token was there
                **loras,
            )
        except Exception as error:
            raise ModelError(f"model.engine: vllm: {folder}: {_first_line(error)}") from None
        self.version = importlib.metadata.version(PACKAGE)
        self._numbers: dict[str, int] = {}

    @property
    def context_length(self) -> int:
        """Tokens that the model reads, as far as the card's memory goes."""
        return int(self.llm.model_config.max_model_len)

    def engine(
        self,
        adapter: Path | None = None,
        template_hash: str = "",
        identity: Callable[[Path], str] | None = None,
    ) -> "VllmEngine":
        """What answers with an adapter, or without; ``identity`` is the digest of its files.

        Raises ModelError for an adapter that is missing, was tuned with another template, or has
        a higher rank than vLLM was opened for.
        """
        if adapter is None:
            return VllmEngine(self, None, self._fingerprint)
        check_adapter(adapter, template_hash)
        config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
        if self.rank is None or config["r"] > self.rank:
            raise ModelError(
                f"model.engine: vllm: {adapter}: an adapter of rank {config['r']}, and vLLM was "
                f"opened for {self.rank or 'none'}; take model.engine: torch"
            )
        key = identity(adapter) if identity else str(adapter)
        number = self._numbers.setdefault(key, len(self._numbers) + 1)
        from vllm.lora.request import LoRARequest

        # By its content: two adapters that lay at one path in turn are two.
        request = LoRARequest(f"{adapter.name}-{number}", number, str(adapter))
        return VllmEngine(self, request, digest([self._fingerprint, key]))

    def to_json(self) -> dict[str, Any]:
        """Which vLLM, and how it was opened, for the evidence."""
        return {
            "url": f"vllm {self.version}",
            "models": [
                {
                    "name": "base",
                    "dtype": self.hardware.load_dtype,
                    "device": self.hardware.name,
                    "max_lora_rank": self.rank,
                }
            ],
        }


class VllmEngine:
    """The model with one adapter or none: an ``Engine`` that answers.

    Losses and training are the loop's here.
    """

    name = "vllm"
    can: frozenset[Ability] = frozenset({"answer"})

    def __init__(self, opened: Vllm, adapter: Any, fingerprint: str) -> None:
        self.opened, self.adapter, self.fingerprint = opened, adapter, fingerprint

    @property
    def context_length(self) -> int:
        """Tokens that the model reads, prompt and completion together."""
        return self.opened.context_length

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        limit: int,
        stops: Sequence[int] = (),
        batch_size: int = 1,
        advance: Advance = unwatched,
    ) -> list[Completion]:
        """Complete the prompts, ``batch_size`` of them handed to vLLM at a time.

        A prompt's seconds are its share of its batch's; so is its prefill, which is until the last
        of the batch had its first token.
        """
        ends = self.opened.ends.union(stops)
        asked = self.opened.library.SamplingParams(
            temperature=0.0,
            max_tokens=limit,
            stop_token_ids=sorted(ends),
            skip_special_tokens=True,
        )
        done: list[Completion] = []
        for start in range(0, len(prompts), batch_size):
            batch = prompts[start : start + batch_size]
            started = time.perf_counter()
            outputs = self.opened.llm.generate(
                [{"prompt_token_ids": list(prompt.ids)} for prompt in batch],
                asked,
                use_tqdm=False,
                lora_request=self.adapter,
            )
            seconds = time.perf_counter() - started
            prefill = min(max(map(_first_token, outputs)), seconds)
            done += [
                self._completion(output, ends, seconds / len(batch), prefill / len(batch))
                for output in outputs
            ]
            advance(len(done), len(prompts))
        return done

    def stream(
        self, prompt: Prompt, *, limit: int, stops: Sequence[int] = ()
    ) -> Generator[str, None, Completion]:
        """Complete one prompt; its text comes in one piece, for ``vllm.LLM`` gives no others."""
        (completion,) = self.complete([prompt], limit=limit, stops=stops)
        yield completion.text
        return completion

    def loss(
        self, rows: Sequence[Row], *, batch_size: int = 16, advance: Advance = unwatched
    ) -> Loss:
        """Raises NotImplementedError: losses are the loop's here."""
        raise NotImplementedError

    def _completion(
        self, output: Any, ends: frozenset[int], seconds: float, prefill: float
    ) -> Completion:
        """What was written, without the token that ended it; text as the loop here makes it."""
        ids = list(output.outputs[0].token_ids)
        end = next((place for place, token in enumerate(ids) if token in ends), None)
        text = str(self.opened.tokenizer.decode(ids[:end], skip_special_tokens=True)).strip()
        return Completion(text, ids[:end], seconds, prefill, len(ids[:end]))


def _allowed(rank: int) -> int:
    for allowed in RANKS:
        if rank <= allowed:
            return allowed
    raise ModelError(
        f"model.engine: vllm: takes adapters of rank {RANKS[-1]} and less, and tune.lora_r gives "
        f"{rank}; lower it, or take model.engine: torch"
    )


def _share(hardware: Hardware) -> float:
    """The share of all memory that is ``SHARE`` of what is free now."""
    if hardware.device != "cuda":
        return SHARE
    import torch

    free, total = torch.cuda.mem_get_info()
    return SHARE * free / total


def _first_token(output: Any) -> float:
    """Seconds until a prompt's first token; 0 where vLLM does not say."""
    return float(getattr(output.metrics, "first_token_latency", 0.0) or 0.0)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
