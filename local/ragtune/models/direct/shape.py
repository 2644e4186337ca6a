"""What the configuration of a decoder says, where all that it says is understood here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KINDS = frozenset({"llama", "mistral", "qwen2", "qwen3"})
"""Types of transformers that are a ``Shape`` and no more."""
READ = frozenset(
    {
        "model_type",
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "num_key_value_heads",
        "head_dim",
        "vocab_size",
        "rms_norm_eps",
        "tie_word_embeddings",
        "attention_bias",
        "mlp_bias",
        "hidden_act",
        "rope_theta",
        "rope_scaling",
        "rope_parameters",
        "max_position_embeddings",
        "pretraining_tp",
        "sliding_window",
        "use_sliding_window",
        "layer_types",
        "rope_interleaved",
        "eos_token_id",
    }
)
"""Keys that decide what is computed, all of them heeded."""
INERT = frozenset(
    {
        "architectures",
        "attention_dropout",
        "bos_token_id",
        "pad_token_id",
        "unk_token_id",
        "dtype",
        "torch_dtype",
        "initializer_range",
        "transformers_version",
        "use_cache",
        "_name_or_path",
        "_model_name_or_path",
        "max_window_layers",
        "output_attentions",
        "output_hidden_states",
        "return_dict",
        "is_llama_config",
        "transformers.js_config",
    }
)
"""Keys that decide nothing for a text that is read."""
SCALINGS = frozenset({"default", "linear", "llama3"})
"""Kinds of rotary positions that are computed here."""


@dataclass(frozen=True)
class Rotary:
    """Rotary positions: their base, and how frequencies are stretched for longer texts.

    ``kind`` is one of ``SCALINGS``; the other fields are those of ``rope_parameters``.
    """

    theta: float = 10000.0
    kind: str = "default"
    factor: float = 1.0
    low: float = 1.0
    high: float = 4.0
    original: int = 8192


@dataclass(frozen=True)
class Shape:
    """The sizes of a decoder, and which of its layers have more than weights.

    ``qkv_bias``, ``out_bias`` and ``mlp_bias``: projections that add a bias; ``normed``: queries
    and keys are normalised for each head.
    """

    hidden: int
    inner: int
    layers: int
    heads: int
    shared: int
    head: int
    vocabulary: int
    positions: int
    epsilon: float
    tied: bool
    qkv_bias: bool
    out_bias: bool
    mlp_bias: bool
    normed: bool
    rotary: Rotary

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Shape | None":
        """The shape of a ``config.json``; None where it says something that is not known here."""
        kind = config.get("model_type")
        said = {key for key, value in config.items() if value is not None}
        if kind not in KINDS or said - READ - INERT or not _plain(config):
            return None
        rotary = _rotary(config)
        sizes = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
        if rotary is None or not all(isinstance(config.get(name), int) for name in sizes):
            return None
        try:
            hidden, heads = config["hidden_size"], config["num_attention_heads"]
            bias = bool(config.get("attention_bias", False))
            return cls(
                hidden=hidden,
                inner=config["intermediate_size"],
                layers=config["num_hidden_layers"],
                heads=heads,
                shared=config.get("num_key_value_heads") or heads,
                head=config.get("head_dim") or hidden // heads,
                vocabulary=config["vocab_size"],
                positions=config["max_position_embeddings"],
                epsilon=config["rms_norm_eps"],
                tied=bool(config.get("tie_word_embeddings", False)),
                qkv_bias=bias or kind == "qwen2",
                out_bias=bias and kind in ("llama", "qwen3"),
                mlp_bias=bool(config.get("mlp_bias", False)),
                normed=kind == "qwen3",
                rotary=rotary,
            )
        except KeyError:  # transformers has a value of its own for what is not said
            return None


def _plain(config: Mapping[str, Any]) -> bool:
    windows = config.get("sliding_window") and config.get("use_sliding_window", True)
    return (
        config.get("hidden_act", "silu") == "silu"
        and config.get("pretraining_tp", 1) in (1, None)
        and not config.get("rope_interleaved")
        and not windows
        and {*(config.get("layer_types") or ["full_attention"])} == {"full_attention"}
    )


def _rotary(config: Mapping[str, Any]) -> Rotary | None:
    """Rotary positions, by transformers 5's ``rope_parameters`` or the two older keys."""
    newer = config.get("rope_parameters")
    given = newer or config.get("rope_scaling") or {}
    kind = given.get("rope_type", given.get("type", "default"))
    theta = given.get("rope_theta", config.get("rope_theta"))
    known = {"rope_type", "type", "rope_theta", "factor", "low_freq_factor", "high_freq_factor"}
    known.add("original_max_position_embeddings")
    if theta is None or kind not in SCALINGS or {*given} - known:
        return None
    try:
        if kind == "default":
            return Rotary(float(theta))
        if kind == "linear":
            return Rotary(float(theta), kind, float(given["factor"]))
        return Rotary(
            float(theta),
            kind,
            float(given["factor"]),
            float(given["low_freq_factor"]),
            float(given["high_freq_factor"]),
            int(given["original_max_position_embeddings"]),
        )
    except KeyError:
        return None
