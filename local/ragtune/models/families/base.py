"""What has to be said of a model family before its models are tuned or asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ragtune.recipe.tune import PROJECTIONS

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Head:
    """Logits as ``softcap * tanh(scale * (hidden @ weight.T) / softcap)``; no cap without one.

    ``weight`` is (vocabulary, width), and frozen while LoRA is trained.
    """

    weight: "torch.Tensor"
    scale: float = 1.0
    softcap: float | None = None

    def shape(self, products: "torch.Tensor") -> "torch.Tensor":
        """The logits, of ``hidden @ weight.T``."""
        if self.scale != 1.0:
            products = products * self.scale
        if self.softcap is None:
            return products
        return self.softcap * (products / self.softcap).tanh()


class ModelFamily(Protocol):
    """A kind of decoder, as transformers implements it.

    ``targets`` are the projections that LoRA may name. ``segments`` says that tokens of a sequence
    mix in attention alone, and that the model hands what its forward is given on to it: rows may
    then lie side by side in one sequence. Without it rows are padded. ``together`` says that rows
    of different lengths can be answered in one batch, whose cache keeps keys and values of every
    token and is masked; without it they are answered one by one, by transformers' ``generate``.
    ``direct`` says that ``models.direct`` computes what transformers' modules do, where it knows
    the configuration.
    """

    @property
    def name(self) -> str:
        """What messages call it: the ``model_type`` of its configurations."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The projections that LoRA may name."""

    @property
    def segments(self) -> bool:
        """Whether rows may lie side by side in one sequence."""

    @property
    def together(self) -> bool:
        """Whether prompts of different lengths can be answered in one batch."""

    @property
    def direct(self) -> bool:
        """Whether a model may be computed without transformers' modules."""

    def knows(self, config: Mapping[str, Any]) -> bool:
        """Whether a ``config.json`` is one of this family."""

    def load(self, folder: Path, **options: Any) -> Any:
        """The model of a folder; ``options`` are those of transformers' ``from_pretrained``."""

    def backbone(self, model: Any) -> Any:
        """The part of a model that gives hidden states, (rows, tokens, width)."""

    def head(self, model: Any) -> Head | None:
        """How hidden states become logits; None where a ``Head`` cannot say it.

        The training loss is then taken on ``logits``, which needs more memory.
        """

    def logits(self, model: Any, hidden: "torch.Tensor") -> "torch.Tensor":
        """The model's own logits, (…, vocabulary), of hidden states (…, width)."""


class Decoder:
    """What most of transformers' decoders have in common: ``model`` below ``lm_head``.

    A family that is one of them overrides what differs.
    """

    name = ""
    targets: tuple[str, ...] = PROJECTIONS
    segments = False
    together = True
    direct = False

    def knows(self, config: Mapping[str, Any]) -> bool:
        """Whether the configuration's ``model_type`` is the family's name."""
        return config.get("model_type") == self.name

    def load(self, folder: Path, **options: Any) -> Any:
        """The class that transformers has for the configuration."""
        from transformers import AutoModelForCausalLM

        return AutoModelForCausalLM.from_pretrained(folder, **options)

    def backbone(self, model: Any) -> Any:
        """``model.model``."""
        return model.model

    def head(self, model: Any) -> Head | None:
        """The weight of ``lm_head``, as it is; None where it has a bias as well."""
        return None if model.lm_head.bias is not None else Head(model.lm_head.weight)

    def logits(self, model: Any, hidden: "torch.Tensor") -> "torch.Tensor":
        """What ``lm_head`` gives, shaped as ``head`` says."""
        head, products = self.head(model), model.lm_head(hidden)
        shaped: torch.Tensor = products if head is None else head.shape(products)
        return shaped
