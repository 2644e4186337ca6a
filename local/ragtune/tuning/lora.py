"""The base model with LoRA in it, its loss, and the fp32 weights that the optimiser works on."""

import json
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from ragtune.core.errors import ModelError
from ragtune.models.families.base import ModelFamily
from ragtune.recipe.tune import Tune
from ragtune.tuning.agreement import check_agreement, hidden_states
from ragtune.tuning.batches import Batch
from ragtune.tuning.kernels import attention, dropout
from ragtune.tuning.kernels.loss import summed_loss
from ragtune.tuning.targets import unknown_targets


def with_lora(model: Any, spec: Tune, family: ModelFamily, *, checked: bool = False) -> Any:
    """Freeze the model and add LoRA, in the model's own precision.

    ``checked``: the family has been held against this model before, and is not again.

    Raises ModelError where the target modules are not in the model, and where the family does not
    describe it rightly.
    """
    from peft import LoraConfig, get_peft_model

    targets = spec.target_modules.split(",")
    if fault := unknown_targets(spec, family):
        raise ModelError(fault)
    if not checked:
        check_agreement(model, family)
    config = LoraConfig(
        r=spec.lora_r,
        lora_alpha=spec.lora_alpha,
        lora_dropout=spec.lora_dropout,
        target_modules=targets,
        fan_in_fan_out=_lie_the_other_way(model, targets),
        bias="none",
        task_type="CAUSAL_LM",
        use_dora=spec.local.dora,
        use_rslora=spec.local.rslora,
    )
    try:
        found = get_peft_model(model, config, autocast_adapter_dtype=False)
    except ValueError as error:
        raise ModelError(f"tune.target_modules: {str(error).splitlines()[0]}") from None
    if family.segments:
        attention.use(model)
    if next(found.parameters()).device.type == "cpu":
        dropout.use(found)
    return found.train()


def _lie_the_other_way(model: Any, targets: Sequence[str]) -> bool:
    """Whether the named layers keep their weights as (in, out), as GPT-2's do."""
    from transformers.pytorch_utils import Conv1D

    return any(
        isinstance(module, Conv1D) and path.split(".")[-1] in targets
        for path, module in model.named_modules()
    )


def batch_loss(model: Any, batch: Batch, family: ModelFamily) -> torch.Tensor:
    """The summed loss, in nats, over a batch's supervised tokens; logits are taken on those only.

    ``model`` is one that ``with_lora`` made, of that family.
    """
    base = model.get_base_model()
    hidden = hidden_states(base, batch, family).flatten(0, 1)[batch.places]
    head = family.head(base)
    if head is None:
        logits = family.logits(base, hidden).float()
        return cross_entropy(logits, batch.targets, reduction="sum")
    return summed_loss(hidden, head, batch.targets)


def write_adapter(
    model: Any,
    weights: dict[str, torch.Tensor],
    folder: Path,
    *,
    base: str,
    template_hash: str,
    seed: int,
) -> None:
    """Write a plain PEFT adapter, and beside it with which template and seed it was tuned.

    ``base`` is what the adapter's configuration calls the base model.
    """
    config = model.peft_config["default"]
    config.base_model_name_or_path = base
    config.target_modules = sorted(config.target_modules)  # PEFT keeps a set: any order
    model.save_pretrained(str(folder), state_dict=weights, save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)  # PEFT's empty model card
    note = {"template_hash": template_hash, "seed": seed}
    (folder / "ragtune.json").write_text(json.dumps(note, indent=1), encoding="utf-8")


class MasterWeights:
    """fp32 copies of the trained weights: the model computes in 16 bits, the optimiser does not.

    Rounding to 16 bits after each step would swallow small updates. Copies and gradients lie in
    one tensor each, ``flat`` and ``gradient``, so that little is done one by one.
    """

    def __init__(self, model: Any) -> None:
        named = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
        self.names = [name for name, _ in named]
        self.trained = [parameter for _, parameter in named]
        self.flat = torch.cat([p.detach().reshape(-1).float() for p in self.trained])
        self.gradient = torch.zeros_like(self.flat)
        self.weights = self._shaped(self.flat)
        self.gradients = self._shaped(self.gradient)
        self.flat.requires_grad_().grad = self.gradient

    def _shaped(self, flat: torch.Tensor) -> list[torch.Tensor]:
        ends = accumulate(p.numel() for p in self.trained)
        return [
            flat[end - p.numel() : end].view(p.shape).detach()
            for end, p in zip(ends, self.trained, strict=True)
        ]

    def clear(self) -> None:
        """Forget all gradients."""
        self.gradient.zero_()
        for trained in self.trained:
            trained.grad = None

    def collect(self) -> None:
        """Add the model's gradients to those of the copies, in fp32."""
        for trained, gradient in zip(self.trained, self.gradients, strict=True):
            if trained.grad is not None:
                gradient.add_(trained.grad)
                trained.grad = None

    @torch.no_grad()
    def add(self, gradients: Sequence[torch.Tensor], of: slice) -> None:
        """Add the gradients of some weights, in the order of ``names``, in fp32."""
        torch._foreach_add_(self.gradients[of], list(gradients))

    @torch.no_grad()
    def publish(self) -> None:
        """Write the copies into the model."""
        torch._foreach_copy_([p.data for p in self.trained], self.weights)

    @torch.no_grad()
    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take weights by name, and write them into the model."""
        for name, weight in zip(self.names, self.weights, strict=True):
            weight.copy_(tensors[name])
        self.publish()

    def state(self) -> dict[str, torch.Tensor]:
        """The weights by name, fp32, copied."""
        return {
            name: weight.detach().cpu().clone()
            for name, weight in zip(self.names, self.weights, strict=True)
        }
