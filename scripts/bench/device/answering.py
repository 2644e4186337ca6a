"""Answers of random weights: prefill and decoding, in tokens a second, with and without vLLM.

Prompts are random tokens, all of one length, answers go to their limit. Random weights repeat
themselves, which drafts taken from the text would gain from as no real answer lets them: they are
switched off.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from scripts.bench.device import meter, shapes
from scripts.bench.device.shapes import SEED, Shape

DTYPE = "bfloat16"


def ragtune(shape: Shape, device: str, batch: int) -> dict[str, Any]:
    """Through the engine of this project that answers on a card."""
    from ragtune.core.bundled import builtin_model
    from ragtune.models.engines import decoding
    from ragtune.models.engines.groups import Group
    from ragtune.models.engines.torch import TorchEngine
    from ragtune.models.families.llama import Llama
    from ragtune.models.load import load_tokenizer, quiet_libraries

    quiet_libraries()
    decoding.LOOKUP = ()
    engine = TorchEngine(
        shapes.random_model(shape, device, DTYPE), load_tokenizer(builtin_model()), Llama(), "none"
    )
    prompts = shapes.random_ids(shape, [shape.prompt] * batch)
    groups = [Group([n], 0) for n in range(batch)]

    def answered() -> tuple[float, float]:
        meter.settle(device)
        started, first = time.perf_counter(), 0.0
        for _ in engine.decode(prompts, groups, shape.answer, frozenset()):
            meter.settle(device)
            first = first or time.perf_counter() - started
        return first, time.perf_counter() - started

    answered()  # warms up
    return {"contender": "ragtune", **_speeds(shape, batch, *answered()), **_memory(device)}


def vllm(shape: Shape, device: str, batch: int) -> dict[str, Any]:
    """Through vLLM, whose own dummy weights are of the same shape.

    Prefill is the time for one token; decoding what the others take beside it.

    Raises ImportError where it is not installed.
    """
    from vllm import LLM, SamplingParams

    with tempfile.TemporaryDirectory() as scratch:
        llm = LLM(
            model=str(shapes.write_config(shape, Path(scratch))),
            load_format="dummy",
            skip_tokenizer_init=True,
            dtype=DTYPE,
            seed=SEED,
            max_model_len=shape.prompt + shape.answer + 16,
            enable_prefix_caching=False,  # the same prompts are read again
            gpu_memory_utilization=0.8,
        )
        prompts = [
            {"prompt_token_ids": ids} for ids in shapes.random_ids(shape, [shape.prompt] * batch)
        ]

        def seconds(limit: int) -> float:
            asked = SamplingParams(
                temperature=0, max_tokens=limit, ignore_eos=True, detokenize=False
            )
            started = time.perf_counter()
            llm.generate(prompts, asked, use_tqdm=False)
            return time.perf_counter() - started

        seconds(shape.answer)  # warms up
        return {"contender": "vllm", **_speeds(shape, batch, seconds(1), seconds(shape.answer))}


def _speeds(shape: Shape, batch: int, first: float, whole: float) -> dict[str, Any]:
    """Tokens a second until the first token, and after it, of seconds until then and in all."""
    return {
        "batch": batch,
        "prefill_tokens_a_second": batch * shape.prompt / first,
        "decode_tokens_a_second": batch * (shape.answer - 1) / (whole - first),
        "ms_a_step": 1000 * (whole - first) / (shape.answer - 1),
    }


def _memory(device: str) -> dict[str, float]:
    return {"peak_gib": meter.peak_gib(device)}
