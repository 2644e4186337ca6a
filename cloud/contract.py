"""The contract of promotion: each field that shapes training, here and on JumpStart."""

from dataclasses import asdict, dataclass
from typing import Any

from cloud import catalog
from local import template as forms
from local.recipe import Recipe, TuneLocal

SAME_NAME = (
    "epoch",
    "learning_rate",
    "lora_r",
    "lora_alpha",
    "lora_dropout",
    "target_modules",
    "instruction_tuned",
    "per_device_train_batch_size",
    "per_device_eval_batch_size",
    "max_input_length",
    "max_train_samples",
    "max_val_samples",
    "validation_split_ratio",
    "train_data_split_seed",
)
"""Fields of ``tune`` that are hyperparameters of the same name and meaning."""


@dataclass(frozen=True)
class Term:
    """One field: its value here, its value on the wire (text), and how the two compare.

    ``verdict`` is ``same``, ``differs: why`` or ``no equivalent``; ``wire`` is None in the last.
    """

    field: str
    local: Any
    wire: str | None
    verdict: str = "same"

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


def terms(recipe: Recipe) -> list[Term]:
    """Every field of the recipe that shapes the training, in the recipe's order."""
    tune = recipe.tune
    found = [Term("seed", recipe.seed, str(recipe.seed))]
    for name in SAME_NAME:
        value = getattr(tune, name)
        found.append(Term(f"tune.{name}", value, str(value)))
    found.append(_devices(recipe))
    for name, default in TuneLocal().model_dump().items():
        value = getattr(tune.local, name)
        wire = None if value != default else str(value)
        found.append(Term(f"tune.local.{name}", value, wire, "same" if wire else "no equivalent"))
    separator = recipe.template.separator
    known = separator == forms.SEPARATOR
    found.append(
        Term(
            "template.separator",
            separator,
            "add_input_output_demarcation_key=True" if known else None,
            "same" if known else "no equivalent",
        )
    )
    return found


def hyperparameters(recipe: Recipe) -> dict[str, str]:
    """What travels to JumpStart: every value as text."""
    tune = recipe.tune
    return {
        **{name: str(getattr(tune, name)) for name in SAME_NAME},
        "seed": str(recipe.seed),
        "add_input_output_demarcation_key": "True",
        "chat_dataset": "False",
    }


def _devices(recipe: Recipe) -> Term:
    """Accumulation stands for the instance's GPUs, so both take equal samples a step."""
    steps, instance = recipe.tune.gradient_accumulation_steps, recipe.cloud.instance_type
    count = catalog.gpus(instance)
    field = "tune.gradient_accumulation_steps"
    if count == steps:
        return Term(field, steps, f"{count} GPUs of {instance}")
    why = f"{instance} has {count or 'an unknown number of'} GPUs"
    return Term(field, steps, str(count), f"differs: {why}, so a step takes other samples")
