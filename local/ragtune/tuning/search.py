"""The search for settings of tuning: successive halving within a budget of seconds.

All candidates are trained on a small share of the rows, the better half of them on twice as many,
and so on to all rows (Jamieson & Talwalkar 2016). Each rung has an equal part of the budget, and
hands on what it leaves. A trial whose predicted time does not fit is not begun; one that is under
way when the budget ends is given up after its step. How a trial is made is the caller's.
"""

import math
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from pydantic import ValidationError

from ragtune.recipe.tune import PROJECTIONS, Tune

Settings = dict[str, Any]
"""Values of `SETTINGS` by their names."""

SETTINGS = ("learning_rate", "epoch", "lora_r", "target_modules")
"""Fields of ``tune`` that are searched.

``lora_alpha`` stays: LoRA's update is scaled by alpha / r, so the best rate hardly depends on r.
"""
RATES = (0.1, 0.3, 1, 3, 10)
EPOCHS = (0.5, 1, 2)
RANKS = (0.5, 1, 2, 4)
"""Factors on the recipe's own values, log-spaced."""
TARGETS = ("q_proj,v_proj", ",".join(PROJECTIONS[:4]), ",".join(PROJECTIONS))
MOST = 12
"""Candidates at most; more would each be seen on too little."""
SHARES = (0.25, 0.5, 1.0)
"""Of the training rows, rung by rung."""
ROWS = 32
"""The least rows on a rung below all: fewer say nothing of how settings do on more."""


class OutOfTime(Exception):
    """The budget ended in the middle of a trial."""


@dataclass(frozen=True)
class Rung:
    """Each trial of a rung is trained on so many rows, a ``share`` of all there are."""

    share: float
    rows: int


class Measured(NamedTuple):
    """What a trial came to: mean score and mean loss (nats a token) on the development questions.

    ``training`` are the seconds of training in it. A loss that is not finite is None.
    """

    score: float
    loss: float | None
    training: float


@dataclass(frozen=True)
class Trial:
    """One candidate on one rung; ``score`` is None where it was given up or interrupted."""

    candidate: int
    set: Settings
    rung: int
    share: float
    rows: int
    seconds: float = 0.0
    training_seconds: float = 0.0
    score: float | None = None
    loss: float | None = None

    @property
    def finished(self) -> bool:
        """Whether it came to a score."""
        return self.score is not None

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


@dataclass(frozen=True)
class Outcome:
    """All trials, and the settings to tune with.

    ``decided`` is the number of the rung whose best they are; None where no trial was finished,
    so that they are the recipe's own.
    """

    trials: list[Trial]
    winner: Settings
    decided: int | None


class Budget:
    """Seconds that may be spent; they pass only while something is ``running``."""

    def __init__(
        self, seconds: float, spent: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds, self._spent, self._clock = seconds, spent, clock
        self._since: float | None = None

    @property
    def spent(self) -> float:
        """Seconds so far."""
        return self._spent + (0.0 if self._since is None else self._clock() - self._since)

    @property
    def left(self) -> float:
        """Seconds that may still be spent."""
        return self.seconds - self.spent

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let the time pass that is spent in here."""
        self._since = self._clock()
        try:
            yield
        finally:
            self._spent, self._since = self.spent, None

    def check(self) -> None:
        """Raise OutOfTime where nothing is left; called after each step of a trial."""
        if self.left <= 0:
            raise OutOfTime


def candidates(tune: Tune, targets: Sequence[str], *, seed: int, promoted: bool) -> list[Settings]:
    """The recipe's own settings, and at most `MOST` - 1 others around them.

    Each field takes each of its values about equally often, in an order drawn from ``seed`` (Latin
    hypercube), so the first few are already spread out. ``targets`` are the projections that the
    model's family has. Values that the schema refuses are left out: its bounds are the
    container's. ``promoted``: target modules stay, because some of JumpStart's models know none.
    """
    own = {name: getattr(tune, name) for name in SETTINGS}
    modules = [own["target_modules"]]
    if not promoted:
        modules += [t for t in TARGETS if _projections(t) <= {*targets}] + [",".join(targets)]
    columns: dict[str, list[Any]] = {
        "learning_rate": [float(f"{tune.learning_rate * factor:.2g}") for factor in RATES],
        "epoch": [math.ceil(tune.epoch * factor) for factor in EPOCHS],
        "lora_r": [math.ceil(tune.lora_r * factor) for factor in RANKS],
        "target_modules": modules,
    }
    chooser = random.Random(seed)
    drawn = {name: _drawn(chooser, _distinct(values)) for name, values in columns.items()}
    found, seen = [own], {_key(own)}
    for n in range(10 * MOST):  # some are drawn twice, or refused
        one = {name: values[n] for name, values in drawn.items()}
        if len(found) < MOST and _key(one) not in seen and _allowed(tune, one):
            found.append(one)
            seen.add(_key(one))
    return found


def applied(tune: Tune, settings: Settings) -> Tune:
    """The section with these values over its own, checked again.

    Raises pydantic's ValidationError for values that it does not allow.
    """
    return Tune.model_validate({**tune.model_dump(), **settings})


def rungs(rows: int) -> list[Rung]:
    """The rungs for so many training rows: fewer where a share of them would be too few."""
    return [Rung(s, round(s * rows)) for s in SHARES if s == 1 or round(s * rows) >= ROWS]


def halve(
    tried: Sequence[Settings],
    steps: Sequence[Rung],
    budget: Budget,
    attempt: Callable[[Settings, Rung], Measured],
    *,
    kept: Sequence[Trial] = (),
    keep: Callable[[Trial], None] = lambda trial: None,
) -> Outcome:
    """Search; the best of the highest rung that decides something wins.

    A rung decides where its first trial was finished, which is of the best of the rung before (on
    the first rung, of the recipe's own settings, ``tried[0]``): whatever else was finished there
    was held against it on as many rows. ``attempt`` may raise OutOfTime. ``kept`` are the trials
    of an interrupted search, whose seconds are spent already; ``keep`` is told each new one, an
    interrupted one as well.
    """
    trials = list(kept)
    done = {(t.candidate, t.rung): t for t in kept if t.finished}
    alive, winner, decided = list(range(len(tried))), 0, None
    for number, rung in enumerate(steps):
        finished: list[Trial] = []
        until = budget.seconds * (number + 1) / len(steps)
        for place, candidate in enumerate(alive):
            if (known := done.get((candidate, number))) is None:
                limit = until if len(finished) > 1 else budget.seconds  # one alone decides nothing
                needed = _predicted(list(done.values()), tried[candidate], rung)
                if budget.left <= 0 or budget.spent + needed > limit:
                    if not place:
                        break
                    continue
                begun = Trial(candidate, tried[candidate], number, rung.share, rung.rows)
                known = _tried(begun, rung, budget, attempt, keep)
                trials.append(known)
                if not known.finished:
                    break
                done[candidate, number] = known
            finished.append(known)
        if not finished:
            break
        alive = [t.candidate for t in sorted(finished, key=_rank)]
        winner, decided = alive[0], number
        if len(alive) == 1:
            break
        alive = alive[: max(2, math.ceil(len(alive) / 2))]
    return Outcome(trials, tried[winner], decided)


def _tried(
    begun: Trial,
    rung: Rung,
    budget: Budget,
    attempt: Callable[[Settings, Rung], Measured],
    keep: Callable[[Trial], None],
) -> Trial:
    """A trial, made or given up when time was out; kept also where something interrupts it."""
    before, made = budget.spent, begun
    try:
        with budget.running():
            score, loss, training = attempt(begun.set, rung)
        made = replace(begun, training_seconds=training, score=score, loss=loss)
    except OutOfTime:
        pass
    finally:
        made = replace(made, seconds=budget.spent - before)
        keep(made)
    return made


def _predicted(measured: Sequence[Trial], settings: Settings, rung: Rung) -> float:
    """Seconds that a trial will take, by the slowest training and asking so far; 0 at first."""
    if not measured:
        return 0.0
    pace = max(t.training_seconds / (t.rows * t.set["epoch"]) for t in measured)
    beside = max(t.seconds - t.training_seconds for t in measured)
    return float(beside + pace * rung.rows * settings["epoch"])


def _rank(trial: Trial) -> tuple[float, float, tuple[int, int], int]:
    """Best first: by score, then loss, then the cheaper settings, then the earlier."""
    assert trial.score is not None
    loss = math.inf if trial.loss is None else trial.loss
    return -trial.score, loss, _cost(trial.set), trial.candidate


def _cost(settings: Settings) -> tuple[int, int]:
    """Epochs, then about how many weights are trained."""
    modules = _projections(settings["target_modules"])
    return int(settings["epoch"]), int(settings["lora_r"]) * len(modules)


def _drawn(chooser: random.Random, values: list[Any]) -> list[Any]:
    """Enough values: all of them in one order after another."""
    found: list[Any] = []
    while len(found) < 10 * MOST:
        found += chooser.sample(values, len(values))
    return found


def _distinct(values: Sequence[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def _projections(modules: str) -> frozenset[str]:
    return frozenset(modules.split(","))


def _key(settings: Settings) -> tuple[Any, ...]:
    """Equal for settings that are the same but for the order of their modules."""
    return tuple(_projections(v) if isinstance(v, str) else v for v in settings.values())


def _allowed(tune: Tune, settings: Settings) -> bool:
    try:
        applied(tune, settings)
    except ValidationError:
        return False
    return True
