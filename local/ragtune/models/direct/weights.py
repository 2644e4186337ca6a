"""A decoder's weights, read from safetensors, with an adapter added where one is given."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from ragtune.core.errors import ModelError
from ragtune.models.direct.shape import Shape

QKV = ("q_proj", "k_proj", "v_proj")
PLAIN_LORA = frozenset(
    {
        "alpha_pattern",
        "auto_mapping",
        "base_model_name_or_path",
        "bias",
        "fan_in_fan_out",
        "inference_mode",
        "init_lora_weights",
        "lora_alpha",
        "megatron_core",
        "qalora_group_size",
        "lora_dropout",
        "peft_type",
        "peft_version",
        "r",
        "rank_pattern",
        "revision",
        "target_modules",
        "task_type",
        "use_rslora",
    }
)
"""Keys of ``adapter_config.json`` that are heeded, or that decide nothing once it is trained."""

Tensors = dict[str, torch.Tensor]


def expected(shape: Shape) -> dict[str, tuple[int, ...]]:
    """The tensors that a model of a shape has, by transformers' names, and their sizes."""
    hidden, inner = shape.hidden, shape.inner
    own, shared = shape.heads * shape.head, shape.shared * shape.head
    sizes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (shape.vocabulary, hidden),
        "model.norm.weight": (hidden,),
    }
    if not shape.tied:
        sizes["lm_head.weight"] = (shape.vocabulary, hidden)
    parts = (
        ("self_attn.q_proj", own, hidden, shape.qkv_bias),
        ("self_attn.k_proj", shared, hidden, shape.qkv_bias),
        ("self_attn.v_proj", shared, hidden, shape.qkv_bias),
        ("self_attn.o_proj", hidden, own, shape.out_bias),
        ("mlp.gate_proj", inner, hidden, shape.mlp_bias),
        ("mlp.up_proj", inner, hidden, shape.mlp_bias),
        ("mlp.down_proj", hidden, inner, shape.mlp_bias),
    )
    for layer in range(shape.layers):
        at = f"model.layers.{layer}."
        sizes[f"{at}input_layernorm.weight"] = (hidden,)
        sizes[f"{at}post_attention_layernorm.weight"] = (hidden,)
        for part, outputs, inputs, bias in parts:
            sizes[f"{at}{part}.weight"] = (outputs, inputs)
            if bias:
                sizes[f"{at}{part}.bias"] = (outputs,)
        if shape.normed:
            sizes[f"{at}self_attn.q_norm.weight"] = (shape.head,)
            sizes[f"{at}self_attn.k_norm.weight"] = (shape.head,)
    return sizes


def read(folder: Path, shape: Shape, dtype: torch.dtype) -> Tensors | None:
    """The tensors of a folder in one precision; None where it has others than such a model.

    Raises ModelError where some are missing or of another size, and for a file that is no
    safetensors.
    """
    found: Tensors = {}
    for path in _files(folder):
        try:
            with safe_open(path, "pt") as file:
                found |= {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise ModelError(f"{folder}: the model cannot be loaded: {error}") from None
    sizes = expected(shape)
    head, embeddings = "lm_head.weight", "model.embed_tokens.weight"
    if shape.tied and head in found:  # the one of the two that a file has
        found.setdefault(embeddings, found.pop(head))
    if missing := sorted(sizes.keys() - found.keys()):
        raise ModelError(
            f"{folder}: the weights lack {missing[0]} and {len(missing) - 1} other tensors; take a "
            "whole copy of the model"
        )
    for name, size in sizes.items():
        if found[name].shape != size:
            raise ModelError(
                f"{folder}: the model cannot be loaded: {name} is {[*found[name].shape]}, "
                f"by config.json it is {[*size]}"
            )
    if any(not n.endswith("rotary_emb.inv_freq") for n in found.keys() - sizes.keys()):
        return None
    return {name: found[name].to(dtype) for name in sizes}


def add_adapter(tensors: Tensors, adapter: Path) -> bool:
    """Add a LoRA adapter to the weights that it was trained on; False where it is of another kind.

    As PEFT merges: the product is taken in fp32, rounded, and added.
    """
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    if not _is_plain(config):
        return False
    scale = config["lora_alpha"] / (config["r"] ** 0.5 if config["use_rslora"] else config["r"])
    with safe_open(adapter / "adapter_model.safetensors", "pt") as file:
        sides = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    head, below, above = "base_model.model.", ".lora_A.weight", ".lora_B.weight"
    parts = {name.removesuffix(below) for name in sides if name.endswith(below)}
    weights = {part: f"{part.removeprefix(head)}.weight" for part in parts}
    if len(sides) != 2 * len(parts) or not {*weights.values()} <= {*tensors}:
        return False
    for part, name in weights.items():
        product = sides[part + above].float() @ sides[part + below].float()
        tensors[name] = tensors[name] + (product * scale).to(tensors[name].dtype)
    return True


def _is_plain(config: Mapping[str, Any]) -> bool:
    """Whether an adapter is LoRA on whole weights, all of one rank, without biases."""
    said = {key for key, value in config.items() if value not in (None, False, {}, [])}
    patterns = config.get("rank_pattern") or config.get("alpha_pattern")
    return (
        not said - PLAIN_LORA
        and config.get("peft_type") == "LORA"
        and config.get("bias") == "none"
        and not patterns
        and not config.get("fan_in_fan_out")
        and config.get("init_lora_weights", True) is True
        and "use_rslora" in config
    )


def _files(folder: Path) -> list[Path]:
    """The parts that an index names; without one the file of the whole, or what there is."""
    index, whole = folder / "model.safetensors.index.json", folder / "model.safetensors"
    if index.is_file():
        named = json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()
        return sorted({folder / name for name in named})
    return [whole] if whole.is_file() else sorted(folder.glob("*.safetensors"))
