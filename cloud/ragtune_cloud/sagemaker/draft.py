"""SageMaker's part of a plan: contract, request, cost, checks. Nothing is sent or spent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ragtune.core.errors import CloudError, RecipeError
from ragtune_cloud.sagemaker import contract, cost, spec
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.sagemaker.cost import Cost
from ragtune_cloud.sagemaker.names import Names, names
from ragtune_cloud.sagemaker.preflight import offline, online
from ragtune_cloud.sagemaker.request import job_tags, training_request
from ragtune_cloud.sagemaker.unwritten import measured
from ragtune_cloud.target import Draft, Promotion

OFFLINE = "asked of the account only with --online or --submit"


@dataclass(frozen=True, kw_only=True)
class JumpStartDraft(Draft):
    """A draft with the names of what would be made, and the model's spec where it is known."""

    names: Names
    spec: spec.Spec | None
    cost: Cost


def draft(promotion: Promotion, account: Account | None) -> JumpStartDraft:
    """Look at all of it, and ask the account where there is one.

    Raises RecipeError when the recipe names no JumpStart model, RunError when the run has no data.
    """
    recipe, run, choices = promotion.recipe, promotion.run, promotion.choices
    model = recipe.model.jumpstart
    if model is None:
        raise RecipeError(
            "model.jumpstart: missing; name the model to promote to, for example "
            "meta-textgeneration-llama-3-2-1b"
        )
    found = spec.find(model, recipe.cloud.model_version, recipe.cloud.region, run)
    named = names(recipe, run, choices.attempt)
    priced = cost.estimate(recipe, run, found.max_run if found else cost.UPPER)
    return JumpStartDraft(
        terms=contract.terms(recipe, found, measured(recipe, run)),
        offline=offline.checks(recipe, run, found, priced, eula=choices.eula),
        online=online.unchecked(OFFLINE)
        if account is None
        else online.checks(recipe, found, named, account, expected=choices.account),
        cost=priced,
        request=_request(promotion, found, named, priced),
        more=_more(promotion, model, found),
        names=named,
        spec=found,
    )


def _more(promotion: Promotion, model: str, found: spec.Spec | None) -> Mapping[str, Any]:
    return {
        "model": {
            "id": model,
            "version": found and found.version,
            "licence": found and found.licence,
        },
        "hyperparameters": contract.hyperparameters(promotion.recipe, found),
    }


def _request(
    promotion: Promotion, found: spec.Spec | None, named: Names, priced: Cost
) -> dict[str, Any] | None:
    if found is None:
        return None
    recipe = promotion.recipe
    tags = job_tags(recipe, found, promotion.hashes, promotion.choices.notes)
    try:
        eula = promotion.choices.eula
        return training_request(recipe, found, named, priced, tags, eula=eula)
    except CloudError:
        return None  # the preflight's check of the instance says why
