"""A plan as text for the terminal."""

from typing import Any

from ragtune.recipe.schema import Recipe
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.sagemaker import catalog, contract
from ragtune_cloud.sagemaker.draft import JumpStartDraft
from ragtune_cloud.target import Plan


def show(planned: Plan, *, submits: bool = False, asked: bool = False) -> str:
    """The contract, the data, the cost, the preflight, and what to do next.

    ``submits`` says whether it is submitted right after, ``asked`` whether the account was asked.
    """
    draft, promotion = planned.draft, planned.promotion
    assert isinstance(draft, JumpStartDraft)
    recipe = promotion.recipe
    version = draft.spec.version if draft.spec else "version not known here"
    lines = [
        f"{recipe.name}-{recipe.identity[:8]} on {recipe.model.jumpstart} ({version})",
        "",
        f"{'field':33} {'here':22} {'JumpStart':22} compared",
        *(
            f"{t.field:33} {_short(t.local):22} {_short(t.wire):22} {t.verdict}"
            for t in draft.terms
        ),
        f"set by no field: {', '.join(contract.beside(recipe, draft.spec))}",
        "",
        *(f"data/{name:28} sha256 {value}" for name, value in promotion.hashes.items()),
        "",
        *_cost(draft, recipe),
        *_licence(draft),
        "",
        *map(str, planned.checks),
        "",
        f"plan: {CloudFolder(promotion.run).plan}",
        *([] if submits else [_next(planned, asked=asked)]),
    ]
    return "\n".join(lines)


def _cost(draft: JumpStartDraft, recipe: Recipe) -> list[str]:
    cost, cloud = draft.cost, recipe.cloud
    if cost.usd_per_hour is None or cost.usd_likely is None:
        return [f"cost: not known for {cloud.instance_type} in {cloud.region}; see the check below"]
    dated = catalog.load()["dated"]
    own = cloud.instance_type in cloud.prices
    told = "as in cloud.prices" if own else f"list price in {cloud.region} as of {dated}"
    lines = [
        f"cost: {cloud.instance_count} x {cloud.instance_type} at ${cost.usd_per_hour:.2f} an hour "
        f"({told}), {cost.tokens_an_epoch} tokens an epoch",
        f"  minimum ${cost.usd_minimum:.2f}, likely ${cost.usd_likely:.2f}, high "
        f"${cost.usd_high:.2f}; stopped at ${cost.usd_ceiling:.2f} "
        f"({cost.max_runtime_seconds} s)",
    ]
    if cloud.instance_count > 1:
        lines.append(f"  on one instance likely ${cost.usd_likely_one_instance:.2f}")
    return lines


def _next(planned: Plan, *, asked: bool) -> str:
    what = "created" if asked else "sent"
    if planned.failures:
        numbers = ", ".join(str(check.number) for check in planned.failures)
        return f"nothing was {what} or spent; to be set right before --submit: {numbers}"
    return f"nothing was {what} or spent; --submit --accept-eula submits it"


def _licence(draft: JumpStartDraft) -> list[str]:
    if draft.spec is None or draft.spec.licence is None:
        return []
    return [f"licence: {draft.spec.licence}"]


def _short(value: Any) -> str:
    text = "-" if value is None else value if isinstance(value, str) else repr(value)
    text = text.replace("\n", "\\n")
    return text if len(text) <= 22 else text[:19] + "..."
