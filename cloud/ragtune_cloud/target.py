"""A place where a promoted recipe runs, as this package sees it, and what passes through it.

A promotion has a contract for each field, a plan that costs nothing, one submission, a watch until
the job has ended, the tuned model fetched or asked where it is, and a bill of what still costs
money. A target keeps its own notes below ``cloud/`` of the run folder, so each step works in a
process of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from ragtune.core.errors import CloudError
from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.models.engines.base import Engine
from ragtune.recipe.schema import Recipe

SAME, NO_EQUIVALENT = "same", "no equivalent"
NOT_KNOWN = "not known"
"""How the target does it is published nowhere, so it is neither the same nor a difference."""
OK, FAILED, WARNING, UNCHECKED = "ok", "failed", "warning", "not checked"

Side = Literal["base", "tuned"]
"""Of the models that a target serves: what the job started from, or what it left."""
SIDES: tuple[Side, ...] = ("base", "tuned")


@dataclass(frozen=True)
class Term:
    """A field of the contract: its value here, its value there (text), and how they compare.

    ``verdict`` is ``same``, ``differs: why``, ``not known: why`` or ``no equivalent``; ``wire`` is
    None in the last.
    """

    field: str
    local: Any
    wire: str | None
    verdict: str = SAME

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


class Finding(NamedTuple):
    """What a check found: ``ok``, ``failed``, ``warning`` or ``not checked``, and what to do."""

    status: str
    detail: str


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
class Promotion:
    """What is promoted: a finished run's recipe and folder, and what the person chose.

    ``hashes`` are SHA-256, in hexadecimal, of the files that become the training data.
    """

    recipe: Recipe
    run: RunFolder
    choices: Choices
    hashes: Mapping[str, str]


@dataclass(frozen=True)
class Price:
    """What a job will cost in US dollars; None where it is not known.

    ``usd_ceiling`` is what the job cannot exceed: there it is stopped.
    """

    usd_likely: float | None
    usd_ceiling: float | None

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


@dataclass(frozen=True)
class Draft:
    """A target's own part of a plan.

    ``offline`` are checks that need no account, ``online`` those that only the account can
    answer. ``request`` is what would be sent, None while it cannot be written; ``more`` is what
    the plan's file holds of the target besides.
    """

    terms: Sequence[Term]
    offline: Mapping[str, Finding]
    online: Mapping[str, Finding]
    cost: Price
    request: dict[str, Any] | None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """A numbered check of a plan."""

    number: int
    name: str
    status: str
    detail: str

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.number:2} {self.status:11} {self.name}: {self.detail}"


@dataclass(frozen=True)
class Plan:
    """What promotion would do, whole: the gate's checks and the target's draft."""

    target: str
    promotion: Promotion
    draft: Draft
    checks: Sequence[Check]

    @property
    def failures(self) -> list[Check]:
        """What has to be set right before the job can be submitted."""
        return [check for check in self.checks if check.status == FAILED]

    def refuse_failures(self) -> None:
        """Raise CloudError, with a line for each failed check, where there is one."""
        if self.failures:
            raise CloudError("\n".join(f"error: {check}" for check in self.failures))

    def to_json(self) -> dict[str, Any]:
        """The content of ``cloud/plan.json``."""
        recipe, draft = self.promotion.recipe, self.draft
        return {
            "target": self.target,
            "recipe": {"name": recipe.name, "identity": recipe.identity},
            "data": dict(self.promotion.hashes),
            "contract": [term.to_json() for term in draft.terms],
            **draft.more,
            "cost": draft.cost.to_json(),
            "recorded": self.promotion.choices.notes,
            "preflight": [check.to_json() for check in self.checks],
            "request": draft.request,
        }


@dataclass(frozen=True)
class Status:
    """How a job is doing: its state and stage there, seconds and US dollars so far.

    ``reason`` is why it failed, ``artefact`` where the model is that it left; None without one.
    """

    job: str
    status: str
    stage: str
    seconds: int
    usd: float | None
    reason: str | None = None
    artefact: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)

    def __str__(self) -> str:
        spent = "" if self.usd is None else f", ${self.usd:.2f} so far"
        return f"{self.job}: {self.status}, {self.stage}, {self.seconds} s{spent}"


@dataclass(frozen=True)
class Item:
    """One thing that costs money: what it is, US dollars an hour and so far (None: unknown).

    Of the kind ``not checked`` is what could not be asked; ``remedy`` says why.
    """

    kind: str
    name: str
    usd_per_hour: float | None
    usd_so_far: float | None
    remedy: str

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)

    def __str__(self) -> str:
        if self.kind == UNCHECKED:
            return f"{self.kind}: {self.name}: {self.remedy}"
        hourly = "?" if self.usd_per_hour is None else f"{self.usd_per_hour:.4f}"
        spent = "" if self.usd_so_far is None else f", ${self.usd_so_far:.2f} so far"
        return f"{self.kind} {self.name}: ${hourly} an hour{spent}; {self.remedy}"


class Target(Protocol):
    """Where a recipe can be promoted to. Every method may raise CloudError."""

    name: str

    def contract(self, recipe: Recipe, run: RunFolder) -> Sequence[Term]:
        """How each field that shapes the training is done there; costs nothing."""

    def plan(self, promotion: Promotion) -> Draft:
        """The target's part of a plan; creates nothing and spends nothing."""

    def submit(self, plan: Plan, watcher: Watcher) -> str:
        """Create the job, or attach to the one that is there already; the job's name.

        A plan with failures is refused, unless the job is there already.
        """

    def watch(self, run: RunFolder, watcher: Watcher) -> Status:
        """Wait until the run's job has ended; an end that is no success is an error."""

    def fetch(self, recipe: Recipe, run: RunFolder, watcher: Watcher) -> Path:
        """Bring the tuned model here; the path of a recipe with which it can be studied."""

    def engine(self, recipe: Recipe, run: RunFolder, side: Side) -> Engine:
        """A model of the run's job, served there; it has to be deployed already."""

    def bill(self, runs: Sequence[RunFolder], region: str | None = None) -> Sequence[Item]:
        """All that still costs money there: of these runs, and whatever else is ours."""
