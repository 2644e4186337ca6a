"""The contract of an import: all that decides an answer, here and in Bedrock."""

from ragtune.recipe.schema import Recipe
from ragtune_cloud.bedrock.model import Model
from ragtune_cloud.bedrock.preflight.files import FLOATS
from ragtune_cloud.bedrock.reading import Reading
from ragtune_cloud.bedrock.rope import BOUND, RopeLoss
from ragtune_cloud.target import NO_EQUIVALENT, SAME, Term

ROPE = "rope_scaling.factor"
UNKNOWN = "not known"


def terms(
    recipe: Recipe, model: Model, reading: Reading | None, rope: RopeLoss | None
) -> list[Term]:
    """Every row; what was not measured says so.

    A difference that would change answers is ``no equivalent``, and has to be accepted by name.
    """
    return [
        _precision(recipe, model),
        _prompt(recipe, reading),
        Term("study.max_new_tokens", recipe.study.max_new_tokens, "max_tokens, checked by usage"),
        Term("decoding", "greedy", "temperature 0"),
        Term("end tokens", "the model's and the prompt's", "generation_config.json and stop"),
        _rope(model, rope),
        Term("batch", "as the recipe says", UNKNOWN, "differs: rounding follows the batch there"),
        Term("kernels", "PyTorch", UNKNOWN, "differs: only AWS knows what computes an answer"),
    ]


def _precision(recipe: Recipe, model: Model) -> Term:
    there = " and ".join(FLOATS.get(kind, kind) for kind in model.weights.kinds)
    here = recipe.model.precision
    if here in {"auto", there}:
        return Term("model.precision", here, there)
    return Term("model.precision", here, there, "differs: rounded once when it was exported")


def _prompt(recipe: Recipe, reading: Reading | None) -> Term:
    form = recipe.template.format
    if reading is None:
        return Term("template.format", form, "text", "differs: not compared, no tokenizer")
    if reading.same == reading.prompts:
        return Term("template.format", form, "text, the same tokens")
    if 2 * reading.same < reading.prompts:
        return Term("template.format", form, None, NO_EQUIVALENT)
    return Term("template.format", form, "text", f"differs: {reading}")


def _rope(model: Model, rope: RopeLoss | None) -> Term:
    scaling, forced = model.rope_scaling, model.forced_rope
    own = None if scaling is None else scaling.get("factor")
    if forced is None:
        return Term(ROPE, own, "none" if own is None else str(own), SAME)
    factor = f"{forced['factor']:g}, always"
    if rope is None:
        return Term(ROPE, own, factor, "differs: not measured yet")
    if rope.rise > BOUND:
        return Term(ROPE, own, None, NO_EQUIVALENT)
    return Term(ROPE, own, factor, f"differs: {rope}")
