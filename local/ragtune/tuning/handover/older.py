"""A written model folder, so that transformers 4, vLLM and Bedrock read it as well.

transformers 5 writes `rope_parameters`, `dtype` and `extra_special_tokens`. transformers 4 passes
over the first two, so a SmolLM2 whose theta is 100,000 is read with 10,000; the third it refuses.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.core.files import write_json, write_text

TEMPLATE = "chat_template.jinja"
FULL, SLIDING = "full_attention", "sliding_attention"
"""Kinds of layers that may each have a rotation of their own."""
OURS = ("backend", "is_local", "local_files_only", "name_or_path", "added_tokens_decoder")
"""Entries of ``tokenizer_config.json`` on where it was read from, and a repeated vocabulary."""


def rewrite(folder: Path, *, ties: bool, stops: Sequence[int], chat_template: str = "") -> None:
    """Put the older names beside the new ones in a folder that transformers wrote.

    ``ties``: whether the embedding is also the head. ``stops`` are all tokens that end an answer.
    A ``chat_template`` takes the place of the tokenizer's own.
    """
    config = read(folder / "config.json")
    write_json(folder / "config.json", {**older_config(config), "tie_word_embeddings": ties})
    path = folder / "generation_config.json"
    generation = read(path) if path.is_file() else {}
    write_json(path, greedy(generation, stops))
    path = folder / "tokenizer_config.json"
    tokenizer = older_tokenizer(read(path), fast=(folder / "tokenizer.json").is_file())
    if chat_template:
        write_text(folder / TEMPLATE, chat_template)
    if (folder / TEMPLATE).is_file():  # some servers look into the one, some into the other
        tokenizer["chat_template"] = (folder / TEMPLATE).read_text(encoding="utf-8")
    write_json(path, tokenizer)


def read(path: Path) -> dict[str, Any]:
    """The JSON object in a file."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def older_config(config: dict[str, Any]) -> dict[str, Any]:
    """``config.json`` with `torch_dtype`, `rope_theta`, `rope_scaling` and their like beside it."""
    found = dict(config)
    if "dtype" in config:
        found["torch_dtype"] = config["dtype"]
    if "num_local_experts" in config:
        found.setdefault("num_experts", config["num_local_experts"])  # Qwen's name for it
    if period := _period(config.get("layer_types") or ()):
        found["sliding_window_pattern"] = period  # Gemma 3's way to say the same
    rope = config.get("rope_parameters")
    if not isinstance(rope, dict):
        return found
    sliding = rope.get(SLIDING)
    if isinstance(sliding, dict) and "rope_theta" in sliding:
        found["rope_local_base_freq"] = sliding["rope_theta"]  # Gemma 3's name for it
    rope = rope.get(FULL, rope)
    for name in ("rope_theta", "partial_rotary_factor"):
        if name in rope:
            found[name] = rope[name]
    scaled = rope.get("rope_type", "default") != "default"
    kept = {k: v for k, v in rope.items() if k not in ("rope_theta", "partial_rotary_factor")}
    found["rope_scaling"] = kept if scaled else None
    return found


def _period(layers: Sequence[str]) -> int:
    """Every how many layers one has no window; 0 where that does not say which."""
    period = layers.index(FULL) + 1 if SLIDING in layers and FULL in layers else 0
    kinds = (SLIDING if (n + 1) % period else FULL for n in range(len(layers)) if period)
    return period if period > 1 and list(kinds) == list(layers) else 0


def greedy(config: dict[str, Any], stops: Sequence[int]) -> dict[str, Any]:
    """``generation_config.json``: greedy, as the run asked, and ending at all ``stops``."""
    sampling = ("temperature", "top_k", "top_p", "min_p", "typical_p", "repetition_penalty")
    noise = ("_from_model_config", "output_attentions", "output_hidden_states")
    found = {k: v for k, v in config.items() if k not in (*sampling, *noise)}
    if stops:
        found["eos_token_id"] = stops[0] if len(stops) == 1 else list(stops)
    return {**found, "do_sample": False}


def older_tokenizer(config: dict[str, Any], *, fast: bool) -> dict[str, Any]:
    """``tokenizer_config.json`` with a class that every version knows and reads as it is written.

    ``fast``: there is a ``tokenizer.json``, which holds all that the class would otherwise make.
    """
    found = {k: v for k, v in config.items() if k not in OURS}
    if fast:
        found["tokenizer_class"] = "PreTrainedTokenizerFast"
    extra = found.pop("extra_special_tokens", None)
    if isinstance(extra, dict):
        found["extra_special_tokens"] = extra
    elif extra:
        found["additional_special_tokens"] = extra
    return found
