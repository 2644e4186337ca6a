"""The contract of promotion: each field that shapes training, here and on JumpStart."""

from typing import Any

from ragtune.prompts import instruct as forms
from ragtune.prompts.template import INSTRUCT
from ragtune.recipe.schema import Recipe
from ragtune.recipe.tune import TuneLocal
from ragtune_cloud.sagemaker import catalog, unwritten
from ragtune_cloud.sagemaker.spec import Hyperparameter, Spec
from ragtune_cloud.sagemaker.unwritten import Measured
from ragtune_cloud.target import NO_EQUIVALENT, SAME, Term

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
FIXED = {"target_modules": "q_proj,v_proj"}
"""What the container does where a model's version has no such hyperparameter (seen in its log)."""
SEPARATORS = {forms.SEPARATOR: "True", "": "False"}
"""``template.separator`` as ``add_input_output_demarcation_key``."""


def terms(recipe: Recipe, spec: Spec | None = None, measured: Measured | None = None) -> list[Term]:
    """All that shapes the training: the model, then each field in the recipe's order.

    Without the model's ``spec`` the documented hyperparameters are taken. ``measured`` is what the
    run had of what no field says.
    """
    measured = measured or Measured()
    known = {row.name for row in rows_of(spec, recipe)}
    sent = hyperparameters(recipe, spec)
    found = unwritten.terms(recipe, spec, measured, sent)
    found.append(_named("seed", "seed", recipe.seed, known))
    for name in SAME_NAME:
        term = _named(f"tune.{name}", name, getattr(recipe.tune, name), known)
        found.append(unwritten.length(term, measured) if name == "max_input_length" else term)
    found += [_devices(recipe), *_done_here(recipe)]
    for name, default in TuneLocal().model_dump().items():
        value = getattr(recipe.tune.local, name)
        wire = None if value != default else str(value)
        found.append(Term(f"tune.local.{name}", value, wire, SAME if wire else NO_EQUIVALENT))
    form = recipe.template.format
    same = form == INSTRUCT
    wire = "template.json" if same else None
    found.append(Term("template.format", form, wire, SAME if same else NO_EQUIVALENT))
    separator = recipe.template.separator
    wire = SEPARATORS.get(separator)
    found.append(
        Term(
            "template.separator",
            separator,
            wire and f"add_input_output_demarcation_key={wire}",
            SAME if wire else NO_EQUIVALENT,
        )
    )
    return found


def hyperparameters(recipe: Recipe, spec: Spec | None = None) -> dict[str, str]:
    """What travels to JumpStart, every value as text: the model's defaults and the recipe's."""
    own = own_values(recipe)
    return {row.name: own.get(row.name, row.default) for row in rows_of(spec, recipe)}


def own_values(recipe: Recipe) -> dict[str, str]:
    """The hyperparameters that the recipe sets, as text, whether or not a model has them."""
    return {
        "seed": str(recipe.seed),
        **{name: str(getattr(recipe.tune, name)) for name in SAME_NAME},
        "add_input_output_demarcation_key": SEPARATORS.get(recipe.template.separator, "True"),
        "chat_dataset": "False",
    }


def rows_of(spec: Spec | None, recipe: Recipe) -> tuple[Hyperparameter, ...]:
    """The model's hyperparameters on the recipe's instance type, or the documented ones."""
    if spec is None:
        return catalog.hyperparameters()
    return spec.hyperparameters_on(recipe.cloud.instance_type)


def beside(recipe: Recipe, spec: Spec | None = None) -> list[str]:
    """``name=value`` of each hyperparameter that no field of the recipe sets."""
    own = {"seed", "add_input_output_demarcation_key", *SAME_NAME}
    sent = hyperparameters(recipe, spec)
    return [f"{name}={value}" for name, value in sent.items() if name not in own]


def faults(recipe: Recipe, spec: Spec | None = None) -> list[str]:
    """Every hyperparameter that is out of the model's bounds, with what is allowed."""
    values = hyperparameters(recipe, spec)
    return [fault for row in rows_of(spec, recipe) if (fault := row.fault(values[row.name]))]


def _named(field: str, name: str, value: Any, known: set[str]) -> Term:
    if name in known:
        return Term(field, value, str(value))
    if FIXED.get(name) == value:
        return Term(field, value, f"{value} (fixed)")
    return Term(field, value, None, NO_EQUIVALENT)


def _done_here(recipe: Recipe) -> list[Term]:
    """What has been done before a job is submitted, and what of it travels."""
    search = recipe.tune.search
    chosen = "nothing was searched" if search is None else "the values that it chose"
    minutes = None if search is None else search.minutes
    return [
        Term("tune.adapters", recipe.tune.adapters, "the rows of the promoted adapter"),
        Term("tune.search", minutes, chosen),
        Term("tune.with_passages", None, "the values of the promoted adapter"),
    ]


def _devices(recipe: Recipe) -> Term:
    """Accumulation takes the place of the instance's GPUs, so both take equal samples a step."""
    steps, instance = recipe.tune.gradient_accumulation_steps, recipe.cloud.instance_type
    count = catalog.gpus(instance)
    field = "tune.gradient_accumulation_steps"
    if count == steps:
        return Term(field, steps, f"{count} GPUs of {instance}")
    why = f"{instance} has {count or 'an unknown number of'} GPUs"
    return Term(field, steps, str(count), f"differs: {why}, so a step takes other samples")
