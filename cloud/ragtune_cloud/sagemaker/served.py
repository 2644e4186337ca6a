"""The models of a run's job behind SageMaker's endpoints, as a study asks them."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from ragtune.core.errors import CloudError
from ragtune.core.files import read_json
from ragtune.core.run_folder import RunFolder
from ragtune.models.engines.base import Engine
from ragtune.recipe.schema import Recipe
from ragtune.results.full_size import Hosting
from ragtune_cloud.folder import UNTRAINED, CloudFolder
from ragtune_cloud.sagemaker import catalog, endpoints, spec
from ragtune_cloud.sagemaker.record import served_record
from ragtune_cloud.sagemaker.target import SageMaker
from ragtune_cloud.study.serving import Tuned
from ragtune_cloud.target import Side

Opening = Callable[[Sequence[Side]], AbstractContextManager[None]]
"""Puts endpoints into service for as long as the context lasts."""
Clearing = Callable[[], None]
"""Deletes what a study that was killed left."""


class EndpointServing:
    """A ``Serving`` of endpoints, each kept, and paid for, from its creation to its deletion."""

    def __init__(
        self,
        target: SageMaker,
        recipe: Recipe,
        run: RunFolder,
        opening: Opening,
        clearing: Clearing,
        *,
        instance_type: str | None = None,
    ) -> None:
        """Raises RecipeError where nothing was submitted and there is no name of the base model."""
        self._target, self._recipe, self._run = target, recipe, run
        self._opening, self._clearing, self._instance_type = opening, clearing, instance_type
        self._record = served_record(run, recipe)

    @property
    def name(self) -> str:
        """The target."""
        return self._target.name

    @property
    def model(self) -> str:
        """JumpStart's name of the model."""
        return self._record.model_id

    @property
    def key(self) -> str:
        """The job; without one the base model alone is studied."""
        return self._record.job if self._record.trained else UNTRAINED

    @property
    def end_token(self) -> str | None:
        """JumpStart's model's own, where the catalogue knows it."""
        return catalog.end_token(self.model)

    @property
    def tuned(self) -> Tuned | None:
        """What the job took, as it was watched."""
        path = CloudFolder(self._run).training
        if not path.exists() or not self._record.trained:
            return None
        noted = read_json(path)
        return Tuned(float(noted["seconds"]), noted.get("usd"))

    def hosting(self, side: Side) -> Hosting:
        """The instance of an endpoint, and its list price."""
        known = spec.find(
            self._record.model_id, self._record.model_version, self._record.region, self._run
        )
        if known is None:
            raise CloudError(f"{self.model}: `ragtune cloud resolve {self._run}` first")
        offered = endpoints.offer(self._record, known, side, self._instance_type, eula=True)
        return Hosting(
            machine=offered.instance_type, price_per_hour=offered.usd_per_hour, kept=True
        )

    def engine(self, side: Side) -> Engine:
        """An endpoint, which is not asked for before it is asked."""
        return self._target.engine(self._recipe, self._run, side)

    def deployed(self, sides: Sequence[Side]) -> AbstractContextManager[None]:
        """The endpoints, in service."""
        return self._opening(sides)

    def clear(self) -> None:
        """What is left of them."""
        self._clearing()
