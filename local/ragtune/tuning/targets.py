"""Which layers of a model LoRA is put on; known without loading a model, or torch."""

from ragtune.models.families.base import ModelFamily
from ragtune.recipe.tune import Tune


def unknown_targets(spec: Tune, family: ModelFamily) -> str | None:
    """What is wrong with ``tune.target_modules`` for a family's models, in one line."""
    unknown = [name for name in spec.target_modules.split(",") if name not in family.targets]
    if not unknown:
        return None
    return (
        f"tune.target_modules: {family.name} has no {', '.join(unknown)}; allowed: "
        f"{', '.join(family.targets)}"
    )
