"""The model: a real `LlamaForCausalLM`, its loss as one compiled function, its optimizer, its
export.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

Loss = Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]


def build(tokenizer: PreTrainedTokenizerBase, seed: int, **sizes: int) -> LlamaForCausalLM:
    """A new model: by default 9.4 million parameters, a quarter of them the 6,144 tokens."""
    torch.manual_seed(seed)
    settings = {
        "hidden_size": 384,
        "intermediate_size": 1024,
        "num_hidden_layers": 4,
        "num_attention_heads": 6,
        "max_position_embeddings": 1024,
    } | sizes
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        num_key_value_heads=settings["num_attention_heads"],
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.02,
        **settings,
    )
    model = LlamaForCausalLM(config)
    for name, weight in model.named_parameters():
        if name.endswith(("o_proj.weight", "down_proj.weight")):
            weight.data.div_(math.sqrt(2 * config.num_hidden_layers))
    return model


def make_loss(model: LlamaForCausalLM, compiled: bool = True) -> Loss:
    """`loss(inputs, targets, weights)`: the weighted mean, and every token's; bf16 autocast."""

    def loss(inputs: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(input_ids=inputs, use_cache=False).logits
        each = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), targets.flatten(), reduction="none"
        )
        flat = weights.flatten()
        return (each * flat).sum() / flat.sum(), each.detach()

    return torch.compile(loss, dynamic=False) if compiled else loss


def make_optimizer(model: LlamaForCausalLM, rate: float) -> torch.optim.AdamW:
    """AdamW at the peak `rate`, with weight decay on the matrices of the layers alone."""
    weights = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
    groups = [
        {
            "params": [
                one for name, one in weights if (one.ndim == 2 and "layers" in name) is matrix
            ],
            "weight_decay": 0.1 if matrix else 0.0,
        }
        for matrix in (True, False)
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), fused=True)


def export(
    model: LlamaForCausalLM,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    extra: dict[str, str] | None = None,
) -> None:
    """Write the model in bf16 with its tokenizer and the `extra` text files; it appears whole."""
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    copy = LlamaForCausalLM(model.config).to(torch.bfloat16)
    copy.load_state_dict(
        {name: weight.to(torch.bfloat16) for name, weight in model.state_dict().items()}
    )
    copy.tie_weights()
    copy.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        do_sample=False,
        max_new_tokens=64,
    )
    copy.config.use_cache = True
    copy.save_pretrained(fresh)
    _save_tokenizer(tokenizer, fresh)
    (fresh / "model.safetensors").chmod(0o644)
    for name, text in (extra or {}).items():
        (fresh / name).write_text(text, encoding="utf-8")
    old = folder.with_name(folder.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    fresh.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """The tokenizer, under a class name that older releases of transformers know too."""
    tokenizer.save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    kept = {name: value for name, value in config.items() if "local" not in name}
    kept["tokenizer_class"] = "PreTrainedTokenizerFast"
    path.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
