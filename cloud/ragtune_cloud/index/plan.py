"""A move of an index looked at whole, for nothing: run, contract, limits, cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from ragtune.core.errors import CloudError, DataError, RunError
from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import reads_documents
from ragtune.recipe.schema import Recipe
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.index.base import Home
from ragtune_cloud.index.prices import IndexCost, load
from ragtune_cloud.index.stock import Stock
from ragtune_cloud.plan import refuse_differences
from ragtune_cloud.target import (
    FAILED,
    OK,
    WARNING,
    Check,
    Choices,
    Draft,
    Finding,
    Plan,
    Promotion,
    Term,
)


def plan(
    home: Home,
    stock: Stock,
    found: Finding,
    *,
    recipe: Recipe,
    run: RunFolder,
    choices: Choices,
    online: bool,
) -> Plan:
    """The plan of moving a run's index, written to ``cloud/index/plan.json`` too.

    ``found`` is what `run_finding` says of the run, which is looked at before its index is opened.
    The account is asked only where ``online``. Raises CloudError or RunError where it is and cannot
    be reached.
    """
    measures = stock.measures()
    cost, terms = home.cost(measures), home.terms()
    draft = Draft(
        terms,
        home.offline(measures),
        home.online() if online else {},
        cost,
        home.request(measures),
        {"index": measures.to_json()},
    )
    findings = {
        "run": found,
        "documents": documents_finding(stock, own=home.own_chunks),
        **draft.offline,
        "contract": contract(terms, choices, home.name),
        "price": price(cost, recipe),
        **draft.online,
    }
    checks = [Check(n, name, *found) for n, (name, found) in enumerate(findings.items(), 1)]
    promotion = Promotion(recipe, run, choices, {"index": stock.content})
    planned = Plan(home.name, promotion, draft, checks)
    write_json(CloudFolder(run).index_plan, planned.to_json())
    return planned


def run_finding(run: RunFolder, choices: Choices) -> Finding:
    """Whether the run is whole and unchanged, and whether what it recommends retrieves."""
    from ragtune.runs.open import open_run

    try:
        with open_run(run.path) as opened:
            figures = opened.figures
    except RunError as error:
        if choices.override_gate:
            return Finding(WARNING, f"{error}; overridden: {choices.override_gate}")
        return Finding(FAILED, str(error))
    arm = figures.recommendation.arm
    if arm is not None and not reads_documents(arm):
        return Finding(WARNING, f"the run recommends {arm}, which searches no documents")
    return Finding(OK, "finished, unchanged" + (f", recommends {arm}" if arm else ""))


def documents_finding(stock: Stock, *, own: bool) -> Finding:
    """Whether the documents are those that the index holds; they are read again unless ``own``."""
    try:
        changed = stock.changed()
    except DataError as error:
        return Finding(WARNING if own else FAILED, str(error))
    if not changed:
        return Finding(OK, f"{len(stock.documents)}, as the index holds them")
    what = f"{len(changed)} changed since they were indexed: {changed[0]}"
    return Finding(WARNING if own else FAILED, f"{what}; `ragtune index RUN` first")


def contract(terms: Sequence[Term], choices: Choices, there: str) -> Finding:
    """Whether each field travels, or what does not was accepted; what differs is told."""
    try:
        refuse_differences(terms, choices.accepted, there)
    except CloudError as error:
        return Finding(FAILED, str(error))
    differing = [term.field for term in terms if term.verdict.startswith("differs")]
    if differing:
        return Finding(WARNING, f"other than here: {', '.join(differing)}; measured after --submit")
    return Finding(OK, "every field travels")


def price(cost: IndexCost, recipe: Recipe) -> Finding:
    """Whether it may cost what it will."""
    if cost.usd_likely is None:
        return Finding(OK, "the server's own; it is not known here")
    dated, most = load(), recipe.cloud.max_cost_usd
    told = (
        f"{_usd(cost.usd_once)} once, {_usd(cost.usd_per_month)} a month, "
        f"{_usd(cost.usd_per_million_searches)} a million questions "
        f"(list prices of {dated['region']} as of {dated['dated']})"
    )
    if recipe.cloud.region != dated["region"]:
        return Finding(WARNING, f"{told}; those of {recipe.cloud.region} are not known here")
    if cost.usd_likely > most:
        return Finding(FAILED, f"{told}; more than cloud.max_cost_usd: {most}")
    return Finding(OK, told)


def show(planned: Plan, *, submitted: bool = False) -> str:
    """The contract, the checks, what is created, and unless ``submitted`` what to do next."""
    draft, promotion = planned.draft, planned.promotion
    lines = [
        f"index of {promotion.recipe.name}-{promotion.recipe.identity[:8]} → {planned.target}",
        "",
        f"{'field':18} {'here':22} {'there':34} compared",
        *(
            f"{t.field:18} {_short(t.local, 22):22} {_short(t.wire, 34):34} {t.verdict}"
            for t in draft.terms
        ),
        "",
        *map(str, planned.checks),
        "",
        *(f"creates: {line}" for line in _created(draft.request or {})),
        f"plan: {CloudFolder(promotion.run).index_plan}",
    ]
    failed = ", ".join(str(check.number) for check in planned.failures)
    last = f"to be set right before --submit: {failed}" if failed else "--submit does it"
    return "\n".join(lines if submitted else [*lines, f"nothing was sent or spent; {last}"])


def _created(request: Mapping[str, Any]) -> list[str]:
    named = ("name", "vectorBucketName", "indexName", "collection")
    lines = []
    for what, content in request.items():
        if isinstance(content, str):
            lines.append(f"{what} {content}")
        elif name := next((content[key] for key in reversed(named) if key in content), None):
            lines.append(f"{what} {name}")
    return lines


def _usd(amount: float | None) -> str:
    if amount is None:
        return "$?"
    return f"${amount:.2f}" if amount >= 0.01 or not amount else "under $0.01"


def _short(value: Any, width: int) -> str:
    text = "-" if value is None else str(value).replace("\n", "\\n")
    return text if len(text) <= width else text[: width - 3] + "..."
