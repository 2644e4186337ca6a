"""A promotion looked at whole, for nothing: the gate, the contract, the target's own checks."""

from collections.abc import Iterable
from pathlib import Path

from ragtune.core.errors import CloudError
from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune_cloud import gate
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.target import (
    FAILED,
    NO_EQUIVALENT,
    OK,
    WARNING,
    Check,
    Choices,
    Finding,
    Plan,
    Promotion,
    Target,
    Term,
)


def plan(
    target: Target, recipe: Recipe, run: RunFolder, choices: Choices, to: Path | None = None
) -> Plan:
    """The plan for a run on a target, written to ``cloud/plan.json``, or ``to`` another file, too.

    What is promoted is what was tuned here: the values of the adapter, which a search may have
    chosen, over the recipe's.

    Raises RunError where the run has no data, RecipeError where the recipe names no model for the
    target, CloudError where the target's notes in the run folder are broken.
    """
    recipe = gate.as_tuned(recipe, run)
    promotion = Promotion(recipe, run, choices, gate.data_hashes(recipe, run))
    draft = target.plan(promotion)
    findings = {
        "run": _run(recipe, run, choices),
        **draft.offline,
        "contract": _contract(draft.terms, choices.accepted, target.name),
        **draft.online,
    }
    checks = [Check(n, name, *found) for n, (name, found) in enumerate(findings.items(), 1)]
    planned = Plan(target.name, promotion, draft, checks)
    write_json(to or CloudFolder(run).plan, planned.to_json())
    return planned


def _run(recipe: Recipe, run: RunFolder, choices: Choices) -> Finding:
    against = "; ".join(gate.reasons_against(recipe, run))
    if not against:
        return Finding(OK, "finished, unchanged, proven")
    if choices.override_gate:
        return Finding(WARNING, f"{against}; overridden: {choices.override_gate}")
    return Finding(FAILED, against)


def _contract(terms: Iterable[Term], accepted: tuple[str, ...], there: str) -> Finding:
    try:
        refuse_differences(terms, accepted, there)
    except CloudError as error:
        return Finding(FAILED, str(error))
    told = f"accepted: {', '.join(accepted)}" if accepted else "every field travels"
    return Finding(OK, told)


def refuse_differences(terms: Iterable[Term], accepted: Iterable[str], there: str) -> None:
    """Raise CloudError where a field has no equivalent and was not accepted by name.

    A name that has nothing to accept is refused too: it would be a typing mistake. ``there`` is
    what the target is called.
    """
    missing = {term.field for term in terms if term.verdict == NO_EQUIVALENT}
    accepted = set(accepted)
    if unknown := sorted(accepted - missing):
        raise CloudError(
            f"--accept-difference {unknown[0]}: no such difference; "
            f"there is {', '.join(sorted(missing)) or 'none'}"
        )
    if left := sorted(missing - accepted):
        flags = " ".join(f"--accept-difference {name}" for name in left)
        raise CloudError(
            f"{', '.join(left)}: {there} has no equivalent, so the job would not be the recipe "
            f"that was measured; set the default, or accept it: {flags}"
        )
