"""A fake of vLLM 0.33.0: its signatures, over the loop here, and nothing of its speed.

Parameters have the names, kinds and order of ``LLM.__init__`` and ``LLM.generate`` in
``vllm/entrypoints/llm.py``, ``SamplingParams`` in ``vllm/sampling_params.py`` and ``LoRARequest``
in ``vllm/lora/request.py``, as far as they are used here; keywords that ``LLM`` hands on are those
of ``EngineArgs`` in ``vllm/engine/arg_utils.py``. What it refuses, vLLM refuses.
"""

import json
import sys
import types
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from ragtune.models.engines.opened import open_engine
from ragtune.models.hardware import Hardware
from ragtune.models.load import load_tokenizer
from ragtune.prompts.base import Prompt

VERSION = "0.33.0"
ENGINE_ARGS = {
    *("max_model_len", "enable_prefix_caching", "disable_log_stats"),
    *("enable_lora", "max_lora_rank", "max_loras", "load_format"),
}
DTYPES = {"auto", "half", "float16", "bfloat16", "float", "float32"}
RANKS = {1, 8, 16, 32, 64, 128, 256, 320, 512}


@dataclass
class SamplingParams:
    n: int = 1
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop_token_ids: list[int] | None = None
    ignore_eos: bool = False
    max_tokens: int | None = 16
    detokenize: bool = True
    skip_special_tokens: bool = True


@dataclass
class LoRARequest:
    lora_name: str
    lora_int_id: int
    lora_path: str = ""
    base_model_name: str | None = None
    load_inplace: bool = False

    def __post_init__(self) -> None:
        if self.lora_int_id < 1:
            raise ValueError(f"id must be > 0, got {self.lora_int_id}")
        assert self.lora_path, "lora_path cannot be empty"


@dataclass
class Stats:
    first_token_latency: float


@dataclass
class CompletionOutput:
    index: int
    text: str
    token_ids: Sequence[int]


@dataclass
class RequestOutput:
    prompt_token_ids: list[int]
    outputs: list[CompletionOutput]
    metrics: Stats | None


@dataclass
class ModelConfig:
    max_model_len: int


@dataclass
class Seen:
    """What was asked of the fake."""

    opened: list[dict[str, Any]] = field(default_factory=list)
    generated: list[tuple[int, LoRARequest | None, SamplingParams]] = field(default_factory=list)


class LLM:
    seen = Seen()

    def __init__(
        self,
        model: str,
        *,
        skip_tokenizer_init: bool = False,
        trust_remote_code: bool = False,
        dtype: str = "auto",
        seed: int = 0,
        gpu_memory_utilization: float = 0.92,
        **kwargs: Any,
    ) -> None:
        if unknown := set(kwargs) - ENGINE_ARGS:
            raise TypeError(f"EngineArgs got an unexpected keyword argument {unknown}")
        if dtype not in DTYPES or not 0 < gpu_memory_utilization <= 1:
            raise ValueError("1 validation error for ModelConfig")
        if kwargs.get("max_lora_rank", 16) not in RANKS:
            raise ValueError("1 validation error for LoRAConfig\nmax_lora_rank")
        self.seen.opened.append({"dtype": dtype, "seed": seed, **kwargs})
        self.folder, self.lora = Path(model), bool(kwargs.get("enable_lora"))
        self.rank, self.stats = kwargs.get("max_lora_rank", 16), not kwargs["disable_log_stats"]
        config = json.loads((self.folder / "config.json").read_text(encoding="utf-8"))
        self.model_config = ModelConfig(config["max_position_embeddings"])
        self.dtype = dtype
        self.paths: dict[int, str] = {}

    def generate(
        self,
        prompts: Sequence[dict[str, Any]],
        sampling_params: SamplingParams | None = None,
        *,
        use_tqdm: bool = True,
        lora_request: LoRARequest | None = None,
    ) -> list[RequestOutput]:
        assert sampling_params is not None
        adapter = self._adapter(lora_request)
        self.seen.generated.append((len(prompts), lora_request, sampling_params))
        tokenizer = load_tokenizer(self.folder)
        hardware = Hardware("cpu", "fake", 1, "float32", self.dtype)
        engine = open_engine(self.folder, tokenizer, hardware, lambda: "", adapter)
        found = engine.complete(
            [Prompt(list(p["prompt_token_ids"]), "", 0) for p in prompts],
            limit=sampling_params.max_tokens or 1,
            stops=sampling_params.stop_token_ids or (),
        )
        stats = Stats(0.001) if self.stats else None
        # As vLLM's do, an answer's tokens hold the one that ended it.
        ended = [
            [*one.ids, *([tokenizer.eos_token_id] if one.tokens < (sampling_params.max_tokens or 1)
            else [])]
            for one in found
        ]  # fmt: skip
        return [
            RequestOutput(
                list(prompt["prompt_token_ids"]),
                [CompletionOutput(0, tokenizer.decode(ids, skip_special_tokens=True), ids)],
                stats,
            )
            for prompt, ids in zip(prompts, ended, strict=True)
        ]

    def _adapter(self, request: LoRARequest | None) -> tuple[Path, str] | None:
        if request is None:
            return None
        if not self.lora:
            raise ValueError("Got lora_request but LoRA is not enabled!")
        kept = self.paths.setdefault(request.lora_int_id, request.lora_path)
        assert kept == request.lora_path, "an adapter's number is its own"
        path = Path(request.lora_path)
        config = json.loads((path / "adapter_config.json").read_text(encoding="utf-8"))
        if config["r"] > self.rank or config.get("use_dora"):
            raise ValueError(f"LoRA rank {config['r']} is greater than max_lora_rank {self.rank}.")
        note = json.loads((path / "ragtune.json").read_text(encoding="utf-8"))
        return path, note["template_hash"]


def installed(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Put the fake where vLLM would be; what is asked of it."""
    import importlib.metadata

    LLM.seen = Seen()
    package, lora, request = (
        types.ModuleType(name) for name in ("vllm", "vllm.lora", "vllm.lora.request")
    )
    package.__dict__.update(LLM=LLM, SamplingParams=SamplingParams, __version__=VERSION)
    package.__spec__ = ModuleSpec("vllm", None)
    request.__dict__.update(LoRARequest=LoRARequest)
    for module in (package, lora, request):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    version = importlib.metadata.version
    monkeypatch.setattr(
        importlib.metadata, "version", lambda name: VERSION if name == "vllm" else version(name)
    )
    return LLM.seen
