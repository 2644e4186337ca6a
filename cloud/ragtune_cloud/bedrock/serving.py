"""An imported model, as a study at full size asks it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ragtune.core.errors import CloudError
from ragtune.core.files import read_json
from ragtune.core.progress import Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.models.engines.base import Engine
from ragtune.recipe.arms import is_tuned
from ragtune.recipe.schema import Recipe
from ragtune.results.full_size import Hosting
from ragtune_cloud.bedrock import catalog
from ragtune_cloud.bedrock.draft import UNANSWERED
from ragtune_cloud.bedrock.engine import ImportedModelEngine
from ragtune_cloud.bedrock.record import read_record
from ragtune_cloud.bedrock.target import Bedrock
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.study.arms import chosen
from ragtune_cloud.study.serving import Tuned
from ragtune_cloud.target import Side


def answerable(recipe: Recipe, watcher: Watcher) -> Recipe:
    """The recipe with those of its arms that an imported model answers; the others are said.

    Raises CloudError where none is left.
    """
    arms = [arm for arm in recipe.study.arms if is_tuned(arm)]
    for arm in recipe.study.arms:
        if arm not in arms:
            watcher.say(f"{arm}: not asked: {UNANSWERED[arm]}")
    if not arms:
        raise CloudError(
            "study.arms has no tuned arm, and an import has the tuned model alone; study it on "
            "SageMaker: ragtune cloud study RUN"
        )
    return chosen(recipe, arms)


class ImportServing:
    """A ``Serving`` of an imported model: it is there already, and billed while it answers."""

    def __init__(self, target: Bedrock, recipe: Recipe, run: RunFolder, watcher: Watcher) -> None:
        """Raises CloudError where nothing was imported from the run."""
        self._target, self._recipe, self._run, self._watcher = target, recipe, run, watcher
        self._record = read_record(run)
        self._engine: ImportedModelEngine | None = None
        if self._record.arn is None:
            raise CloudError(
                f"{self._record.job}: not imported yet; `ragtune cloud bedrock watch {run}`"
            )

    @property
    def name(self) -> str:
        """The target."""
        return self._target.name

    @property
    def model(self) -> str:
        """What was tuned, as the recipe names it."""
        return self._recipe.model.jumpstart or self._recipe.model.local

    @property
    def key(self) -> str:
        """The import."""
        return self._record.job

    @property
    def end_token(self) -> str | None:
        """The run's own: the tokenizer was imported with the model."""
        return None

    @property
    def tuned(self) -> Tuned | None:
        """What the training job took; None where the model was tuned here, or not watched."""
        path = CloudFolder(self._run).training
        if not path.exists() or not self._record.trained_there:
            return None
        noted = read_json(path)
        return Tuned(float(noted["seconds"]), noted.get("usd"))

    def hosting(self, side: Side) -> Hosting:
        """One copy of the model, while it answers; idle it costs nothing."""
        units, price = self._record.units, catalog.usd_per_unit_minute(self._record.region)
        hourly = None if units is None or price is None else 60 * units * price
        machine = f"{units or '?'} custom model units"
        return Hosting(machine=machine, price_per_hour=hourly, kept=False)

    def engine(self, side: Side) -> Engine:
        """The imported model; nothing is sent before it is asked."""
        self._engine = self._target.engine(self._recipe, self._run, side, self._watcher.say)
        return self._engine

    @contextmanager
    def deployed(self, sides: Sequence[Side]) -> Iterator[None]:
        """The model, which is there; afterwards it costs its storage until it is deleted.

        Raises CloudError where it was deleted.
        """
        now = self._target.status(self._run)
        if now.status != "Completed":
            raise CloudError(f"{now.job}: {now.status}: {now.reason or now.stage}")
        try:
            yield
        finally:
            if self._engine is not None and (spent := self._engine.meter.usd) is not None:
                windows = self._engine.meter.windows
                self._watcher.say(f"asking cost about ${spent:.2f}: {windows} windows of one copy")
            if (units := self._record.units) is not None:
                self._watcher.say(
                    f"{self.key}: idle from now on, stored for ${catalog.usd_per_month(units):.2f} "
                    f"a month until `ragtune cloud bedrock delete {self._run}`"
                )

    def clear(self) -> None:
        """Nothing: an import is there until it is deleted, and idle it is not paid by the hour."""
