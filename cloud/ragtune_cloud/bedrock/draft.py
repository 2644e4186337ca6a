"""Bedrock's part of a plan: contract, request, cost, checks. Nothing is sent or spent."""

from dataclasses import dataclass
from typing import Any

from ragtune.core.errors import CloudError, ModelError
from ragtune.core.progress import Watcher
from ragtune_cloud.bedrock import catalog, contract, cost, reading, rope
from ragtune_cloud.bedrock.cost import ImportCost
from ragtune_cloud.bedrock.model import Model
from ragtune_cloud.bedrock.names import ImportNames, import_names
from ragtune_cloud.bedrock.preflight import account as online
from ragtune_cloud.bedrock.preflight import files
from ragtune_cloud.bedrock.reading import Reading
from ragtune_cloud.bedrock.request import import_request
from ragtune_cloud.bedrock.rope import BOUND, RopeLoss
from ragtune_cloud.bedrock.source import LocalFiles, ModelFiles
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.target import FAILED, OK, WARNING, Draft, Finding, Promotion

OFFLINE = "asked of the account only with --online or --submit"
UNANSWERED = {
    "base": "an import has the tuned model alone",
    "rag": "it asks base",
    "fewshot": "it asks base",
    "rag-records": "it asks base",
}
"""Arms that cannot be asked of an imported model, and why."""


@dataclass(frozen=True, kw_only=True)
class ImportDraft(Draft):
    """A draft with the model that is imported and the names of what would be made."""

    names: ImportNames
    model: Model
    cost: ImportCost


def draft(
    promotion: Promotion, source: ModelFiles, account: Account | None, watcher: Watcher
) -> ImportDraft:
    """Look at all of it, and ask the account where there is one.

    What Bedrock's rope does to the model is measured here, once for the same files. Raises
    CloudError where the model's configuration or weights cannot be read at all.
    """
    recipe, choices = promotion.recipe, promotion.choices
    model = Model(source)
    named = import_names(recipe, model, choices.attempt)
    looked_at = files.checks(model)
    units = None if looked_at["weights"].status == FAILED else model.units
    priced = cost.estimate(recipe, units)
    measured, rope_finding = _rope(promotion, model, watcher)
    read = _reading(promotion, source)
    uri = named.uri if isinstance(source, LocalFiles) else source.place
    broken = looked_at["weights"].status == FAILED or looked_at["architecture"].status == FAILED
    return ImportDraft(
        terms=[] if broken else contract.terms(recipe, model, read, measured),
        offline={
            "region": _region(recipe.cloud.region),
            **looked_at,
            "rope": rope_finding,
            "prompts": _prompts(read),
            "cost": _cost(priced, recipe.cloud.max_cost_usd),
        },
        online=online.unchecked(OFFLINE)
        if account is None
        else online.checks(recipe, named, uri, account, expected=choices.account),
        cost=priced,
        request=import_request(recipe, named, uri, source.hash, choices.notes),
        more=_more(promotion, model),
        names=named,
        model=model,
    )


def _more(promotion: Promotion, model: Model) -> dict[str, Any]:
    arms = promotion.recipe.study.arms
    return {
        "model": {"place": model.files.place, "hash": model.files.hash},
        "not asked there": {arm: UNANSWERED[arm] for arm in arms if arm in UNANSWERED},
    }


def _region(region: str) -> Finding:
    if region not in catalog.regions():
        return Finding(
            FAILED,
            f"cloud.region: {region}: Bedrock imports no models there; allowed: "
            f"{', '.join(catalog.regions())}",
        )
    return Finding(OK, region)


def _cost(priced: ImportCost, limit: float) -> Finding:
    if priced.usd_per_window is None:
        known = [r for r in catalog.regions() if catalog.usd_per_unit_minute(r) is not None]
        return Finding(
            FAILED,
            "no price is known for a model of this size in this region; known for models up to "
            f"70 B in {', '.join(known)}: --set cloud.region=…",
        )
    if not priced.windows:
        return Finding(
            FAILED,
            f"the least that asking costs is ${priced.usd_per_window:.2f}, cloud.max_cost_usd is "
            f"${limit:.2f}; raise it",
        )
    return Finding(OK, f"${priced.usd_per_window:.2f} a window, at most {priced.windows} of them")


def _rope(promotion: Promotion, model: Model, watcher: Watcher) -> tuple[RopeLoss | None, Finding]:
    try:
        if (forced := model.forced_rope) is None:
            return None, Finding(OK, "read with the model's own scaling")
        measured = rope.known(promotion.run, model)
        if measured is None:
            measured = rope.measure(promotion.recipe, promotion.run, model, watcher)
    except (CloudError, ModelError) as error:
        return None, Finding(FAILED, str(error))
    if measured.rise <= BOUND:
        return measured, Finding(OK, str(measured))
    status = WARNING if contract.ROPE in promotion.choices.accepted else FAILED
    return measured, Finding(
        status,
        f"{measured}: Bedrock reads it with a factor of {forced['factor']:g} and would answer "
        f"worse; serve it with `ragtune cloud deploy`, or --accept-difference {contract.ROPE}",
    )


def _reading(promotion: Promotion, source: ModelFiles) -> Reading | None:
    try:
        tokenizer = reading.tokenizer_of(source)
    except ModelError:
        return None
    return reading.compare(promotion.recipe, promotion.run, tokenizer)


def _prompts(read: Reading | None) -> Finding:
    if read is None:
        return Finding(FAILED, "the tokenizer cannot be loaded; export the run again")
    return Finding(OK if read.same == read.prompts else WARNING, str(read))
