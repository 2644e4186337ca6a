"""SageMaker JumpStart as a target."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.core.errors import CloudError, RagtuneError
from ragtune.core.files import digest
from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.models.engines.base import Engine
from ragtune.recipe.schema import Recipe
from ragtune_cloud import fetched
from ragtune_cloud.gate import as_tuned
from ragtune_cloud.ledger import Delete, Entry, Ledger
from ragtune_cloud.sagemaker import (
    account,
    artefact,
    bill,
    catalog,
    contract,
    deletion,
    draft,
    jobs,
    schedules,
    spec,
    submission,
    things,
    watch,
)
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.sagemaker.endpoints import endpoint_name
from ragtune_cloud.sagemaker.engine import EndpointEngine, served_length
from ragtune_cloud.sagemaker.record import Record, read_record, records, served_record
from ragtune_cloud.sagemaker.unwritten import measured
from ragtune_cloud.target import Item, Plan, Promotion, Side, Status, Term

DEFAULT_REGION = "us-east-1"


class SageMaker:
    """JumpStart's fine-tuning and SageMaker's endpoints, by a person's credentials.

    ``expected`` refuses any other account than the one of that number. A plan asks the account
    only where ``online``.
    """

    name = "JumpStart"
    kinds = frozenset({things.ENDPOINT, things.CONFIG, things.MODEL, schedules.KIND})
    """Kinds of ledger entries that are this target's."""

    def __init__(
        self, profile: str | None = None, expected: str | None = None, *, online: bool = True
    ) -> None:
        self._profile, self._expected, self._online = profile, expected, online
        self._accounts: dict[str, Account] = {}

    def account(self, region: str) -> Account:
        """The account in a region.

        Raises CloudError where it is another than expected.
        """
        if region not in self._accounts:
            opened = account.Account(region, self._profile)
            opened.expect(self._expected)
            self._accounts[region] = opened
        return self._accounts[region]

    def opened(self, run: RunFolder) -> tuple[Record, Account]:
        """The run's job, and the account in its region."""
        record = read_record(run)
        return record, self.account(record.region)

    def deleters(self, watcher: Watcher) -> dict[str, Delete]:
        """What deletes each kind of thing that this target creates."""
        return deletion.deleters(self.account, watcher)

    def contract(self, recipe: Recipe, run: RunFolder) -> Sequence[Term]:
        """Each field here and on JumpStart."""
        model, cloud = recipe.model.jumpstart or "", recipe.cloud
        found = spec.find(model, cloud.model_version, cloud.region, run)
        return contract.terms(as_tuned(recipe, run), found, measured(recipe, run))

    def plan(self, promotion: Promotion) -> draft.JumpStartDraft:
        """Contract, request, cost and checks of a JumpStart job."""
        region = promotion.recipe.cloud.region
        return draft.draft(promotion, self.account(region) if self._online else None)

    def submit(self, plan: Plan, watcher: Watcher) -> str:
        """Create the training job, or attach to it; its name."""
        opened = self.account(plan.promotion.recipe.cloud.region)
        return submission.submit(plan, opened, watcher).job

    def watch(self, run: RunFolder, watcher: Watcher) -> Status:
        """Wait until the training job has ended."""
        record, opened = self.opened(run)
        return watch.watch(record, run, opened, watcher)

    def fetch(self, recipe: Recipe, run: RunFolder, watcher: Watcher) -> Path:
        """Bring the merged model here; the recipe that studies it."""
        record, opened = self.opened(run)
        artefact.fetch(record, run, opened, watcher)
        return fetched.study_recipe(recipe, run)

    def engine(self, recipe: Recipe, run: RunFolder, side: Side) -> Engine:
        """A side's endpoint."""
        from ragtune.models.find import model_folder
        from ragtune.models.load import load_tokenizer

        record = served_record(run, recipe)
        if side == "tuned" and not record.trained:
            read_record(run)  # which says what is missing
        opened = self.account(record.region)
        version = record.model_version or recipe.cloud.model_version
        known = spec.find(record.model_id, version, record.region, run)
        # A job's name follows from recipe, data and the base model's version, and so does this.
        model = [record.job] if record.trained else [record.job, record.model_id, version]
        fingerprint = digest([*model, side])
        name = endpoint_name(record, side)

        def tokenizer() -> Any:
            return load_tokenizer(model_folder(recipe.model, recipe.path("")))

        end_token = catalog.end_token(record.model_id)
        length = served_length(known)
        return EndpointEngine(
            name, fingerprint, opened, length, tokenizer=tokenizer, end_token=end_token
        )

    def bill(self, runs: Sequence[RunFolder], region: str | None = None) -> list[Item]:
        """Jobs, endpoints and stored objects, in every region that a run has ever used."""
        noted, entries, found = list[Record](), list[Entry](), list[Item]()
        regions = {region} if region else set()
        for run in runs:
            try:
                ledger = Ledger(run)
                noted += records(run)
                entries += [e for e in ledger.open() if e.kind in self.kinds]
                regions |= {*ledger.regions}
            except RagtuneError as error:
                found.append(bill.unchecked(f"what {run} has", CloudError(str(error))))
        regions |= {record.region for record in noted}
        for place in sorted(regions) or [DEFAULT_REGION]:
            try:
                found += bill.running(
                    self.account(place),
                    [record for record in noted if record.region == place],
                    [entry for entry in entries if entry.region == place],
                )
            except CloudError as error:
                found.append(bill.unchecked(f"everything in {place}", error))
        return found

    def status(self, run: RunFolder) -> Status:
        """How the training job is doing now."""
        return jobs.status(*self.opened(run))
