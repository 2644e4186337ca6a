"""What ``search/ADAPTER.json`` holds: the settings of tuning that were tried, and the winner."""

from typing import Literal

from ragtune.results.parts import Part


class SearchSettings(Part):
    """Values of fields of ``tune``."""

    learning_rate: float
    epoch: int
    lora_r: int
    target_modules: str


class SearchRung(Part):
    """Trials that were all trained on so many rows, a ``share`` of all."""

    share: float
    rows: int


class SearchTrial(Part):
    """One candidate, by its number from 0, on one rung.

    ``score`` is the mean of the search's metric and ``loss`` the nats a token on the development
    questions. Without a score the trial was not finished; without a loss it was not finite.
    """

    candidate: int
    set: SearchSettings
    rung: int
    share: float
    rows: int
    seconds: float
    training_seconds: float
    score: float | None
    loss: float | None


class SearchFigures(Part):
    """The search for one adapter.

    Of ``budget_seconds`` it spent ``seconds``, which may be fewer where every candidate had its
    turn. It trained on ``records`` and asked ``development`` questions of the training records,
    ``held_out`` by document, by question, or by wording: other wordings of the same facts were
    trained on. ``own`` are the recipe's settings, the first candidate. ``decided`` is the rung,
    from 0, whose best is the ``winner``; None where no trial was finished, so that it is ``own``.
    """

    budget_seconds: float
    seconds: float
    records: int
    development: int
    held_out: Literal["document", "question", "wording"]
    metric: str
    candidates: int
    rungs: list[SearchRung]
    trials: list[SearchTrial]
    own: SearchSettings
    winner: SearchSettings
    decided: int | None

    @property
    def tried(self) -> int:
        """Candidates of which at least one trial was finished."""
        return len({trial.candidate for trial in self.trials if trial.score is not None})

    def on(self, rung: int, settings: SearchSettings) -> SearchTrial | None:
        """The finished trial of these settings on a rung."""
        return next(
            (
                trial
                for trial in self.trials
                if trial.rung == rung and trial.set == settings and trial.score is not None
            ),
            None,
        )
