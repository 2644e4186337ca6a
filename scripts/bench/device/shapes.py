"""Llama's shapes with random weights, made on the device: nothing is downloaded or read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragtune.tuning.samples import Census, Sample, Samples

SEED = 10
LLAMA_3: dict[str, Any] = {
    "vocab_size": 128_256,
    "head_dim": 64,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 131_072,
    "rope_theta": 500_000.0,
    "rms_norm_eps": 1e-5,
    "bos_token_id": 128_000,
    "eos_token_id": 128_001,
    "pad_token_id": 128_001,
}


@dataclass(frozen=True)
class Shape:
    """A model's configuration, and how much of it is trained and asked at once.

    ``length`` is the tokens of a block, ``micro_batch`` the blocks of one forward pass, of which a
    step has one. ``prompt`` and ``answer`` are tokens.
    """

    name: str
    config: Mapping[str, Any]
    length: int
    micro_batch: int
    prompt: int
    answer: int


SHAPES = {
    shape.name: shape
    for shape in (
        # The config.json of meta-llama/Llama-3.2-1B, its scaling of positions left out.
        Shape(
            "llama-3.2-1b",
            {
                **LLAMA_3,
                "hidden_size": 2048,
                "intermediate_size": 8192,
                "num_hidden_layers": 16,
                "tie_word_embeddings": True,
            },
            length=1024,
            micro_batch=8,
            prompt=1024,
            answer=128,
        ),
        # The config.json of meta-llama/Llama-3.1-8B, its scaling of positions left out.
        Shape(
            "llama-3.1-8b",
            {
                **LLAMA_3,
                "head_dim": 128,
                "hidden_size": 4096,
                "intermediate_size": 14_336,
                "num_hidden_layers": 32,
                "tie_word_embeddings": False,
            },
            length=1024,
            micro_batch=4,
            prompt=1024,
            answer=128,
        ),
        # For trying all of it on a CPU.
        Shape(
            "tiny",
            {
                **LLAMA_3,
                "vocab_size": 2048,
                "hidden_size": 128,
                "intermediate_size": 256,
                "num_hidden_layers": 2,
                "num_attention_heads": 2,
                "num_key_value_heads": 1,
                "max_position_embeddings": 512,
                "tie_word_embeddings": True,
                "bos_token_id": 1,
                "eos_token_id": 2,
                "pad_token_id": 2,
            },
            length=64,
            micro_batch=2,
            prompt=48,
            answer=8,
        ),
    )
}


def write_config(shape: Shape, folder: Path) -> Path:
    """The model's folder with its configuration alone: weights are made where they are used."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], **shape.config}
    config["torch_dtype"] = "bfloat16"
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def random_model(shape: Shape, device: str, dtype: str) -> Any:
    """The model with random weights, made on the device in the precision that it is used in."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(SEED)
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        with torch.device(device):
            return LlamaForCausalLM(LlamaConfig(**shape.config)).eval()
    finally:
        torch.set_default_dtype(before)


def in_nf4(model: Any) -> Any:
    """Pack the weights of the model's linear layers, the head's aside, as ``load_base`` has them.

    nf4 with quantized constants, through bitsandbytes, a layer at a time.
    """
    import torch
    from bitsandbytes.nn import Linear4bit

    layers = [
        (parent, name, layer)
        for parent in model.model.modules()
        for name, layer in parent.named_children()
        if type(layer) is torch.nn.Linear
    ]
    for parent, name, layer in layers:
        weight = layer.weight
        packed = Linear4bit(
            layer.in_features,
            layer.out_features,
            bias=False,
            compute_dtype=weight.dtype,
            compress_statistics=True,
            quant_type="nf4",
            device="meta",
        )
        packed.weight = type(packed.weight)(
            weight.data,
            requires_grad=False,
            compress_statistics=True,
            quant_type="nf4",
            module=packed,
        )
        packed.support_avx512bf16_for_cpu = False  # packing for inference would end training
        setattr(parent, name, packed.to(weight.device))
    model.is_loaded_in_4bit = True  # what PEFT asks
    return model


def lengths(count: int, most: int) -> list[int]:
    """Lengths of rows, in tokens, as records have them: most are short, some fill ``most``.

    Log-normal around a fifth of ``most`` with a sigma of 0.8, cut at both ends; always the same.
    """
    import numpy as np

    drawn = np.random.default_rng(SEED).lognormal(np.log(most / 5), 0.8, count)
    return [int(n) for n in drawn.clip(8, most)]


def random_ids(shape: Shape, sizes: list[int]) -> list[list[int]]:
    """Token ids, always the same, of so many tokens each; none of them ends anything."""
    import numpy as np

    rng = np.random.default_rng(SEED)
    most = min(shape.config["vocab_size"], shape.config["bos_token_id"] or 1)
    low, high = (3, shape.config["vocab_size"]) if most < 3 else (0, most)
    return [rng.integers(low, high, n).tolist() for n in sizes]


def samples(shape: Shape, sizes: list[int], micro_batch: int) -> Samples:
    """Samples of such lengths with a loss on every token, ``micro_batch`` of them a step."""
    train = [Sample(ids, list(ids), rows=(n,)) for n, ids in enumerate(random_ids(shape, sizes), 1)]
    supervised = sum(sample.supervised for sample in train)
    census = Census(
        rows=len(train),
        tokens=sum(sizes),
        supervised=supervised,
        longest=max(sizes),
        rows_cut=0,
        rows_without_supervision=0,
        rows_straddling=0,
        train_samples=len(train),
        validation_samples=0,
        samples_dropped_an_epoch=0,
        steps_an_epoch=len(train) // micro_batch,
    )
    return Samples(train, [], census, micro_batch, 1)
