"""What promotion would do: contract, request, cost, preflight. Nothing is sent or spent."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragtune.core.errors import RecipeError
from ragtune.core.files import write_json
from ragtune.recipe.schema import Recipe
from ragtune_cloud import catalog, contract, cost, gate, preflight, spec
from ragtune_cloud.account import Account
from ragtune_cloud.contract import Term
from ragtune_cloud.cost import Cost
from ragtune_cloud.errors import CloudError
from ragtune_cloud.names import Names, names
from ragtune_cloud.preflight import FAILED, Check
from ragtune_cloud.request import job_tags, training_request

PLAN = Path("cloud") / "plan.json"
OFFLINE = "asked of the account only with --online or --submit"


@dataclass(frozen=True)
class Choices:
    """What the person said on the command line."""

    accepted: tuple[str, ...] = ()
    eula: bool = False
    override_gate: str | None = None
    account: str | None = None
    attempt: int = 1

    @property
    def notes(self) -> dict[str, str]:
        """What of it is recorded with the job."""
        told = {"accepted-difference": " ".join(self.accepted), "gate": self.override_gate or ""}
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True)
class Plan:
    """A whole plan; ``request`` is None while the model's artefacts are not known."""

    recipe: Recipe
    run_folder: Path
    spec: spec.Spec | None
    terms: list[Term]
    hashes: dict[str, str]
    cost: Cost
    names: Names
    request: dict[str, Any] | None
    checks: list[Check]
    choices: Choices

    @property
    def failures(self) -> list[Check]:
        """What has to be set right before the job can be submitted."""
        return [check for check in self.checks if check.status == FAILED]

    def to_json(self) -> dict[str, Any]:
        """The content of ``plan.json``."""
        return {
            "recipe": {"name": self.recipe.name, "identity": self.recipe.identity},
            "model": {
                "id": self.recipe.model.jumpstart,
                "version": self.spec and self.spec.version,
            },
            "data": self.hashes,
            "contract": [term.to_json() for term in self.terms],
            "hyperparameters": contract.hyperparameters(self.recipe, self.spec),
            "cost": {**self.cost.to_json(), "prices_dated": catalog.load()["dated"]},
            "recorded": self.choices.notes,
            "preflight": [check.to_json() for check in self.checks],
            "request": self.request,
        }


def plan(
    recipe: Recipe,
    run_folder: Path,
    choices: Choices = Choices(),
    account: Account | None = None,
) -> Plan:
    """Look at all of it, ask the account where there is one, and write ``cloud/plan.json``.

    Raises RecipeError when the recipe names no JumpStart model, CloudError when an accepted
    difference is none, RunError when the run has no data.
    """
    model = recipe.model.jumpstart
    if model is None:
        raise RecipeError(
            "model.jumpstart: missing; name the model to promote to, for example "
            "meta-textgeneration-llama-3-2-1b"
        )
    hashes = gate.data_hashes(run_folder)
    found = spec.find(model, recipe.cloud.model_version, recipe.cloud.region, run_folder)
    terms = contract.terms(recipe, found)
    named = names(recipe, run_folder, found, choices.attempt)
    priced = cost.estimate(recipe, run_folder, found.max_run if found else cost.UPPER)
    checks = _checks(recipe, run_folder, choices, found=found, priced=priced, terms=terms)
    start = len(checks) + 1
    if account is None:
        checks += preflight.unchecked(start, OFFLINE)
    else:
        checks += preflight.account_checks(
            recipe, found, named, account, expected=choices.account, start=start
        )
    planned = Plan(
        recipe=recipe,
        run_folder=run_folder,
        spec=found,
        terms=terms,
        hashes=hashes,
        cost=priced,
        names=named,
        request=_request(recipe, choices, found=found, named=named, priced=priced, hashes=hashes),
        checks=checks,
        choices=choices,
    )
    write_json(run_folder / PLAN, planned.to_json())
    return planned


def _checks(
    recipe: Recipe,
    run_folder: Path,
    choices: Choices,
    *,
    found: spec.Spec | None,
    priced: Cost,
    terms: list[Term],
) -> list[Check]:
    against = gate.reasons_against(recipe, run_folder)
    overridden = against and choices.override_gate
    checks = preflight.local_checks(
        recipe,
        run_folder,
        found,
        priced,
        against=[] if overridden else against,
        eula=choices.eula,
    )
    if overridden:
        told = f"{'; '.join(against)}; overridden: {choices.override_gate}"
        checks[0] = Check(1, "run", preflight.WARNING, told)
    number = len(checks) + 1
    try:
        contract.refuse_differences(terms, choices.accepted)
    except CloudError as error:
        return [*checks, Check(number, "contract", FAILED, str(error))]
    told = f"accepted: {', '.join(choices.accepted)}" if choices.accepted else "every field travels"
    return [*checks, Check(number, "contract", preflight.OK, told)]


def _request(
    recipe: Recipe,
    choices: Choices,
    *,
    found: spec.Spec | None,
    named: Names,
    priced: Cost,
    hashes: dict[str, str],
) -> dict[str, Any] | None:
    if found is None:
        return None
    tags = job_tags(recipe, found, hashes, choices.notes)
    try:
        return training_request(recipe, found, named, priced, tags)
    except CloudError:
        return None  # the preflight's check of the instance says why
