"""A model to import, as its small files describe it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ragtune.core.errors import CloudError
from ragtune_cloud.bedrock import catalog
from ragtune_cloud.bedrock.source import ModelFiles
from ragtune_cloud.bedrock.weights import Weights, weights

LLAMA3_VOCABULARY = 128256
"""Rows of the embedding of Llama 3 to 3.3, by which a model without scaled rope is known."""
LLAMA3 = "llama3"
LLAMA3_ROPE = {
    "rope_type": LLAMA3,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
"""The scaling of Llama 3.1, as its ``config.json`` has it."""


@dataclass(frozen=True)
class Model:
    """A model folder's configuration and weights; each is read when it is asked for.

    Reading raises CloudError where a file is missing or broken.
    """

    files: ModelFiles

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """``config.json``."""
        return self.json("config.json")

    @cached_property
    def tokenizer_config(self) -> Mapping[str, Any]:
        """``tokenizer_config.json``."""
        return self.json("tokenizer_config.json")

    @cached_property
    def weights(self) -> Weights:
        """The tensors."""
        return weights(self.files)

    @property
    def architecture(self) -> str:
        """The class of transformers that ``config.json`` names; empty where it names none."""
        named = self.config.get("architectures")
        return str(named[0]) if isinstance(named, list) and named else ""

    @property
    def rope_scaling(self) -> Mapping[str, Any] | None:
        """How positions are scaled, by the older name or the newer one; None: not at all."""
        scaling = self.config.get("rope_scaling") or self.config.get("rope_parameters")
        if not isinstance(scaling, Mapping):
            return None
        kind = scaling.get("rope_type", scaling.get("type", "default"))
        return None if kind == "default" else scaling

    @property
    def is_llama3(self) -> bool:
        """Whether Bedrock forces its own scaling of positions on it."""
        if self.architecture != "LlamaForCausalLM":
            return False
        scaling = self.rope_scaling or {}
        kind = scaling.get("rope_type", scaling.get("type"))
        return kind == LLAMA3 or self.config.get("vocab_size") == LLAMA3_VOCABULARY

    @property
    def forced_rope(self) -> dict[str, Any] | None:
        """The scaling that Bedrock reads it with; None where that is the model's own."""
        if not self.is_llama3:
            return None
        factor = float(catalog.importing()["llama3_rope_factor"])
        own = self.rope_scaling
        if own is not None and _number(own.get("factor")) == factor:
            return None
        return {**LLAMA3_ROPE, **(own or {}), "rope_type": LLAMA3, "factor": factor}

    @property
    def units(self) -> catalog.Units | None:
        """Between how many custom model units a copy of it takes, as far as that is known."""
        return catalog.units_of(self.weights.parameters)

    @property
    def context(self) -> int | None:
        """Tokens that it reads, as ``config.json`` says; None where it does not."""
        names = ("max_position_embeddings", "n_positions")
        return next((self.config[n] for n in names if isinstance(self.config.get(n), int)), None)

    def json(self, name: str) -> Mapping[str, Any]:
        """A JSON object among its files."""
        if name not in self.files.sizes:
            raise CloudError(f"{self.files.place}: {name} is missing; export the run again")
        try:
            found = json.loads(self.files.read(name))
        except ValueError as error:
            raise CloudError(f"{self.files.place}: {name} cannot be read: {error}") from None
        if not isinstance(found, Mapping):
            raise CloudError(f"{self.files.place}: {name} is not a JSON object; export it again")
        return found


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
