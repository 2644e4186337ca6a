"""What a study needs of a target: models to ask, when they are there, and what they cost."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from ragtune.models.engines.base import Engine
from ragtune.results.full_size import Hosting
from ragtune_cloud.target import Side


@dataclass(frozen=True)
class Tuned:
    """What tuning took there: seconds, and US dollars where the price is known."""

    seconds: float
    usd: float | None


class Serving(Protocol):
    """The models of a run where a target serves them. Every method may raise CloudError.

    All but ``deployed`` and an engine's answers cost nothing and send nothing, so that a study of
    which everything is answered needs no account.
    """

    @property
    def name(self) -> str:
        """The target."""

    @property
    def model(self) -> str:
        """The target's name of the model before tuning."""

    @property
    def key(self) -> str:
        """What the models follow from, such as the job: it names the folder of the answers."""

    @property
    def end_token(self) -> str | None:
        """What ends each example of a prompt, as text; None: what ended it in the run."""

    @property
    def tuned(self) -> Tuned | None:
        """What tuning took there; None where that is not known."""

    def hosting(self, side: Side) -> Hosting:
        """What serves a model, and its price."""

    def engine(self, side: Side) -> Engine:
        """A model, to be asked while it is deployed.

        It is asked from several threads at once. One prompt that cannot be answered is a
        ``Completion`` that says what ``failed``; an error ends the study, which goes on later.
        """

    def deployed(self, sides: Sequence[Side]) -> AbstractContextManager[None]:
        """The models, ready to be asked while the context lasts; afterwards nothing is left."""

    def clear(self) -> None:
        """Delete what a study that was killed left; sends nothing where there is nothing."""
