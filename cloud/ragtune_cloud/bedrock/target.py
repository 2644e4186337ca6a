"""Bedrock's Custom Model Import as a target."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ragtune.core.errors import CloudError
from ragtune.core.files import digest
from ragtune.core.progress import Say, Silent, Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune_cloud.bedrock import bill, catalog, contract, draft, imports, rope
from ragtune_cloud.bedrock.deletion import deleters
from ragtune_cloud.bedrock.engine import ImportedModelEngine
from ragtune_cloud.bedrock.folder import BedrockFolder
from ragtune_cloud.bedrock.meter import Meter
from ragtune_cloud.bedrock.model import Model
from ragtune_cloud.bedrock.names import import_names
from ragtune_cloud.bedrock.record import ImportRecord, read_record
from ragtune_cloud.bedrock.source import LocalFiles, ModelFiles, StoredFiles
from ragtune_cloud.folder import CloudFolder, noted_job
from ragtune_cloud.ledger import Delete, Entry, Ledger, clean_up
from ragtune_cloud.sagemaker import jobs
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.sagemaker.record import read_record as read_training_record
from ragtune_cloud.target import Item, Plan, Promotion, Side, Status, Term

KINDS = (imports.DATA, imports.JOB, imports.MODEL)
"""Kinds of ledger entries that are this target's."""
JOB, FETCHED, EXPORTED = "job", "fetched", "export"
"""Where the model may be taken from, beside a folder that is named."""


class Bedrock:
    """The tuned model of a run, imported and asked by a person's credentials.

    ``expected`` refuses any other account than the one of that number; a plan asks the account
    only where ``online``. ``source`` is ``job``, ``fetched``, ``export`` or a folder; None takes
    the first of fetched, exported, and what the training job left in S3.
    """

    name = "Bedrock"
    sides: tuple[Side, ...] = ("tuned",)
    """The models that can be asked there: an import has no base."""

    def __init__(
        self,
        profile: str | None = None,
        expected: str | None = None,
        *,
        online: bool = True,
        source: str | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._profile, self._expected, self._online = profile, expected, online
        self._source, self._watcher = source, watcher or Silent()
        self._accounts: dict[str, Account] = {}
        self._files: dict[Path, ModelFiles] = {}

    def account(self, region: str) -> Account:
        """The account in a region.

        Raises CloudError where it is another than expected.
        """
        if region not in self._accounts:
            from ragtune_cloud.sagemaker import account

            opened = account.Account(region, self._profile)
            opened.expect(self._expected)
            self._accounts[region] = opened
        return self._accounts[region]

    def opened(self, run: RunFolder) -> tuple[ImportRecord, Account]:
        """The run's import, and the account in its region."""
        record = read_record(run)
        return record, self.account(record.region)

    def contract(self, recipe: Recipe, run: RunFolder) -> Sequence[Term]:
        """What decides an answer, here and there."""
        model = Model(self.files(run))
        return contract.terms(recipe, model, None, rope.known(run, model))

    def plan(self, promotion: Promotion) -> draft.ImportDraft:
        """Contract, request, cost and checks of an import."""
        region = promotion.recipe.cloud.region
        opened = self.account(region) if self._online else None
        return draft.draft(promotion, self.files(promotion.run), opened, self._watcher)

    def attempt(self, recipe: Recipe, run: RunFolder, *, again: bool) -> int:
        """Which attempt a submission is; see `imports.find_attempt`."""
        names = import_names(recipe, Model(self.files(run)))
        return imports.find_attempt(names, self.account(recipe.cloud.region), again=again)

    def submit(self, plan: Plan, watcher: Watcher) -> str:
        """Create the import job, or attach to it; its name."""
        opened = self.account(plan.promotion.recipe.cloud.region)
        return imports.submit(plan, opened, watcher).job

    def watch(self, run: RunFolder, watcher: Watcher) -> Status:
        """Wait until the import has ended."""
        record, opened = self.opened(run)
        return imports.watch(run, record, opened, watcher)

    def status(self, run: RunFolder) -> Status:
        """How the import is doing now."""
        return imports.status(*self.opened(run))

    def fetch(self, recipe: Recipe, run: RunFolder, watcher: Watcher) -> Path:
        """Nothing: what was imported is here, or where the training job left it."""
        raise CloudError(
            "Bedrock gives no model back; `ragtune cloud fetch RUN` fetches the training job's"
        )

    def engine(
        self, recipe: Recipe, run: RunFolder, side: Side, say: Say | None = None
    ) -> ImportedModelEngine:
        """The imported model; raises CloudError for ``base``, which is not there."""
        from ragtune.models.find import model_folder
        from ragtune.models.load import load_tokenizer

        if side not in self.sides:
            raise CloudError(f"{side}: {draft.UNANSWERED['base']}; deploy it on SageMaker instead")
        record = read_record(run)

        def opened() -> tuple[Account, str]:
            account = self.account(record.region)
            return account, record.model_id(account.id)

        return ImportedModelEngine(
            opened,
            digest([record.job, record.region]),
            load_tokenizer(model_folder(recipe.model, recipe.path(""))),
            context_length=record.context,
            meter=Meter(record.usd_per_window, recipe.cloud.max_cost_usd),
            say=say or self._watcher.say,
        )

    def bill(self, runs: Sequence[RunFolder], region: str | None = None) -> list[Item]:
        """Imports, imported models and uploaded files, in every region that a run has used.

        A region that cannot be asked is a row of its own.
        """
        uploaded: dict[str, set[str]] = {}
        if region in catalog.regions():
            uploaded[str(region)] = set()
        for run in runs:
            for place, uri in _used(run):
                uploaded.setdefault(place, set()).update({uri} if uri else set())
        found: list[Item] = []
        for place, uris in sorted(uploaded.items()):
            try:
                found += bill.running(self.account(place), sorted(uris))
            except CloudError as error:
                found.append(bill.unchecked(f"Bedrock in {place}", error))
        return found

    def deleters(self, watcher: Watcher) -> Mapping[str, Delete]:
        """What deletes each kind of thing that an import makes."""
        return deleters(self.account, watcher)

    def delete(self, run: RunFolder, watcher: Watcher) -> list[Entry]:
        """Delete all that the run has in Bedrock, the files that were uploaded for it too.

        Returns what was deleted. Raises CloudError with a line for each thing that stays.
        """
        ledger = Ledger(run)
        path = BedrockFolder(run).job
        if path.exists():  # the record of a run folder whose ledger was lost says the same
            record, known = read_record(run), {entry.key for entry in ledger.open()}
            for kind, name in ((imports.DATA, record.uploaded), (imports.MODEL, record.job)):
                if name and (kind, name, record.region) not in known:
                    ledger.add(kind, name, record.region)
        mine = [entry for entry in ledger.open() if entry.kind in KINDS]
        clean_up(ledger, self.deleters(watcher), watcher, mine)
        return mine

    def files(self, run: RunFolder) -> ModelFiles:
        """The model that is imported.

        Raises CloudError where there is none, or the training job left it compressed.
        """
        if run.path not in self._files:  # so that its weights are hashed once
            self._files[run.path] = self._found(run)
        return self._files[run.path]

    def _found(self, run: RunFolder) -> ModelFiles:
        cloud, wanted = CloudFolder(run), self._source
        if wanted == FETCHED or (wanted is None and cloud.fetched_note.exists()):
            return LocalFiles(cloud.fetched_model)
        if wanted == EXPORTED or (wanted is None and run.merged.is_dir()):
            return LocalFiles(run.merged)
        if wanted == JOB or (wanted is None and noted_job(run)):
            return self._left_by_job(run)
        if wanted is None:
            raise CloudError(f"{run}: no tuned model to import; `ragtune export {run}` writes one")
        return LocalFiles(Path(wanted).expanduser())

    def _left_by_job(self, run: RunFolder) -> StoredFiles:
        if not self._online:
            raise CloudError(
                "the model lies where the training job left it, so the account has to be asked: "
                "--online; or `ragtune export RUN`, and import that"
            )
        record = read_training_record(run)
        opened = self.account(record.region)
        now = jobs.status(record, opened)
        jobs.check_ended_well(now)
        if now.artefact is None or now.artefact.endswith((".tar.gz", ".tgz")):
            raise CloudError(
                f"{record.job}: left its model compressed, and Bedrock imports folders; "
                "`ragtune cloud fetch RUN` unpacks it here, then import again"
            )
        return StoredFiles(now.artefact, opened)


def _used(run: RunFolder) -> list[tuple[str, str]]:
    """Each region that a run has used for imports, with the URI of what was uploaded there."""
    ledger, found = Ledger(run), list[tuple[str, str]]()
    recorded = BedrockFolder(run).job.exists()
    if recorded:
        record = read_record(run)
        found.append((record.region, record.uploaded))
    try:
        entries, regions = ledger.open(), ledger.regions
    except CloudError:  # a broken ledger is a row of the jobs already
        return found
    found += [
        (entry.region, entry.name if entry.kind == imports.DATA else "")
        for entry in entries
        if entry.kind in KINDS
    ]
    return found + [(place, "") for place in regions if recorded]
