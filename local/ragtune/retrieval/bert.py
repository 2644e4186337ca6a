"""BERT's encoder (Devlin et al. 2019), for one text on a CPU.

The import of transformers' modules takes longer than all the questions that a person asks.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch.nn import functional

from ragtune.models.engines.packed import packed, product

KNOWN: dict[str, Any] = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
}
"""What a configuration has to say, or to leave out."""
QKV = ("query", "key", "value")
JOINED = "qkv"


def is_bert(config: Mapping[str, Any]) -> bool:
    """Whether a ``config.json`` is of an encoder that is computed here."""
    return (
        config.get("model_type") == "bert"
        and not config.get("is_decoder")
        and all(config.get(name, value) == value for name, value in KNOWN.items())
    )


class Bert:
    """An encoder; its products are in fp32, or in bf16 as autocast has them."""

    def __init__(self, folder: Path, config: Mapping[str, Any], *, half: bool = False) -> None:
        """Read a folder's ``model.safetensors``.

        Raises KeyError where it lacks a tensor, ValueError where the configuration is another's.
        """
        self._dtype = torch.bfloat16 if half else torch.float32
        tensors = load_file(folder / "model.safetensors")
        self._tensors = {n.removeprefix("bert."): t.float() for n, t in tensors.items()}
        self._layers = range(config["num_hidden_layers"])
        self._heads: int = config["num_attention_heads"]
        self._epsilon: float = config["layer_norm_eps"]
        self._check(config)
        for layer in self._layers:
            self._join(f"encoder.layer.{layer}.attention.self.")
        one_dnn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        for name, tensor in self._tensors.items():
            if name.startswith("encoder.") and "LayerNorm" not in name:
                made = tensor.to(self._dtype)
                self._tensors[name] = packed(made) if one_dnn and made.dim() == 2 else made

    def _join(self, at: str) -> None:
        """Make one product of the three that read the same."""
        for kind in ("weight", "bias"):
            parts = [self._tensors.pop(f"{at}{name}.{kind}") for name in QKV]
            self._tensors[f"{at}{JOINED}.{kind}"] = torch.cat(parts)

    def _check(self, config: Mapping[str, Any]) -> None:
        width = self._tensors["embeddings.word_embeddings.weight"].shape[-1]
        layers = {int(name.split(".")[2]) for name in self._tensors if name.startswith("encoder.")}
        found = {"hidden_size": width, "num_hidden_layers": len(layers)}
        for name, right in found.items():
            if config[name] != right:
                raise ValueError(
                    f"config.json: {name}: {config[name]}, but the weights have {right}"
                )
        if self._heads < 1 or width % self._heads:
            raise ValueError(
                f"config.json: num_attention_heads: {self._heads} do not divide {width}"
            )

    @torch.inference_mode()
    def encode(self, ids: list[int]) -> torch.Tensor:
        """The states of a text's tokens, (tokens, width)."""
        at = "embeddings."
        words = self._tensors[f"{at}word_embeddings.weight"][ids]
        kind = self._tensors[f"{at}token_type_embeddings.weight"][0]
        places = self._tensors[f"{at}position_embeddings.weight"][: len(ids)]
        states = self._norm(words + kind + places, f"{at}LayerNorm")
        for layer in self._layers:
            states = self._block(states, f"encoder.layer.{layer}.")
        return states

    def _block(self, states: torch.Tensor, at: str) -> torch.Tensor:
        joined = self._linear(states, f"{at}attention.self.{JOINED}")
        query, key, value = joined.view(len(states), 3, self._heads, -1).permute(1, 2, 0, 3)[
            :, None
        ]
        seen = functional.scaled_dot_product_attention(query, key, value)
        seen = seen[0].transpose(0, 1).reshape(states.shape)
        seen = self._linear(seen, f"{at}attention.output.dense")
        states = self._norm(seen + states, f"{at}attention.output.LayerNorm")
        inner = functional.gelu(self._linear(states, f"{at}intermediate.dense"))
        return self._norm(
            self._linear(inner, f"{at}output.dense") + states, f"{at}output.LayerNorm"
        )

    def _linear(self, states: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]
        return product(states.to(self._dtype), weight, bias)

    def _norm(self, states: torch.Tensor, name: str) -> torch.Tensor:
        weight, bias = self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]
        states = states.float()
        return functional.layer_norm(states, states.shape[-1:], weight, bias, self._epsilon)
