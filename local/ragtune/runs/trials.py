"""The trials of a search: each an adapter trained and asked, and what is kept of them."""

import math
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from ragtune.arms.arm import Arm
from ragtune.core.errors import DivergedError
from ragtune.core.files import read_json, read_jsonl, write_json, write_jsonl
from ragtune.core.progress import Advance
from ragtune.models.engines.base import Engine, unwatched
from ragtune.recipe.tune import Tune
from ragtune.retrieval.passages import Passage
from ragtune.runs.stage import Work
from ragtune.runs.stages import parts
from ragtune.sources.records import Record
from ragtune.tuning.samples import Samples
from ragtune.tuning.search import Budget, Measured, Rung, Settings, Trial, applied

NOTED = 5.0
"""Seconds after which a trial under way notes what it has spent: a kill loses no more of it."""


class Ledger:
    """The trials of a search and the seconds it has spent, in its scratch folder."""

    def __init__(self, folder: Path) -> None:
        self._trials, self._spent = folder / "trials.jsonl", folder / "spent.json"
        self._noted = time.monotonic()
        found = read_jsonl(self._trials) if self._trials.exists() else []
        self.trials = [Trial(**row) for row in found]

    @property
    def spent(self) -> float:
        """Seconds, with those of a trial that a kill ended."""
        noted = float(read_json(self._spent)) if self._spent.exists() else 0.0
        return max(noted, sum(trial.seconds for trial in self.trials))

    def keep(self, trial: Trial) -> None:
        """Add a trial."""
        self.trials.append(trial)
        write_jsonl(self._trials, [kept.to_json() for kept in self.trials])

    def note(self, spent: float) -> None:
        """Take note, now and then, of what has been spent."""
        if time.monotonic() - self._noted > NOTED:
            self._noted = time.monotonic()
            write_json(self._spent, spent)


@dataclass(frozen=True)
class Way:
    """How the development questions are asked, and what is scored: as one arm of the run.

    ``found`` are the passages of each question, none in an arm without.
    """

    questions: Sequence[Record]
    found: Sequence[Sequence[Passage]]


class Scorer:
    """The metric that decides, by the references of the development questions."""

    def __init__(self, work: Work, questions: Sequence[Record], *, embeds: bool) -> None:
        """Choose the metric.

        Raises RecipeError where ``study.metric`` cannot decide.
        """
        from ragtune.results.metrics.base import Tools
        from ragtune.results.metrics.deciding import choose
        from ragtune.results.rightness import is_unanswerable

        def embed(texts: Sequence[str]) -> Sequence[Sequence[float]]:
            vectors: list[list[float]] = work.materials.embedder.embed_questions(texts)
            return vectors

        study = work.recipe.study
        self._refusals = (study.refusal, *study.refusals)
        self._tools = Tools(embedder=embed if embeds else None)
        answerable = [q.response for q in questions if not is_unanswerable(q, self._refusals)]
        references = answerable or [q.response for q in questions]
        self.metric = choose(study.metric, references, self._tools.offered).metric

    def mean(self, questions: Sequence[Record], answers: Sequence[str]) -> float:
        """The metric's mean over the answers, as the study takes it: of what has an answer."""
        from ragtune.results.metrics.registry import metrics, score
        from ragtune.results.rows import Answered
        from ragtune.results.scores import judged

        given = [Answered(question=q.id, text=a) for q, a in zip(questions, answers, strict=True)]
        cases = judged(questions, given, self._refusals)
        return fmean(score(metrics(self._tools)[self.metric], cases))


class Trials:
    """Makes trials: trains an adapter in a scratch folder, asks it, and throws it away."""

    def __init__(
        self,
        work: Work,
        spec: Tune,
        samples: Mapping[Rung, Samples],
        ways: Sequence[Way],
        *,
        scorer: Scorer,
        budget: Budget,
        ledger: Ledger,
    ) -> None:
        """Bind them; ``spec`` is what trials depart from, ``samples`` what each rung trains on."""
        self.spec = spec
        self.work, self.samples, self.ways, self.scorer = work, samples, ways, scorer
        self.budget, self.ledger = budget, ledger
        self.form = parts.form(work)
        self.advance: Advance = unwatched
        self._checked = False

    def __call__(self, settings: Settings, rung: Rung) -> Measured:
        """Train on the rung's rows and ask every way.

        Raises OutOfTime after the step in which the budget ended.
        """
        folder = self.work.out.path / "trial"
        shutil.rmtree(folder, ignore_errors=True)
        started = time.perf_counter()
        try:
            measured = self._measured(settings, rung, folder, started)
        except DivergedError:
            measured = Measured(0.0, None, time.perf_counter() - started)
        shutil.rmtree(folder, ignore_errors=True)
        return measured

    def _measured(self, settings: Settings, rung: Rung, folder: Path, started: float) -> Measured:
        from ragtune.tuning import trainer

        work = self.work
        trainer.tune(
            applied(self.spec, settings),
            work.materials.base,
            self.samples[rung],
            seed=work.recipe.seed,
            name=work.recipe.model.local,
            template_hash=self.form.hash,
            hardware=work.materials.hardware,
            folder=folder,
            checked=self._checked,
            advance=self._step,
        )
        self._checked = True
        trained = time.perf_counter() - started
        engine = parts.engine(work, folder / "adapter")
        self._step()
        both = [self._asked(engine, way) for way in self.ways]
        loss = fmean(loss for _, loss in both)
        return Measured(
            fmean(score for score, _ in both), loss if math.isfinite(loss) else None, trained
        )

    def _asked(self, engine: Engine, way: Way) -> tuple[float, float]:
        """The mean score of the answers, and the loss a token on the reference answers."""
        from ragtune.results.heldout import completion_loss

        study, shows = self.work.recipe.study, parts.shows_context(self.work)
        arm = Arm(engine, self.form, study.max_new_tokens, show_context=shows)
        answers = arm.ask_all(way.questions, way.found, study.batch_size, self._step)
        loss = completion_loss(
            engine,
            self.form,
            way.questions,
            [[passage.text for passage in found] for found in way.found],
            show_context=shows,
            advance=self._step,
        )
        return self.scorer.mean(way.questions, [a.text for a in answers]), loss.mean

    def _step(self, *_: Any) -> None:
        """Between two steps of a trial: how far the budget is spent."""
        self.advance(
            min(int(self.budget.spent), int(self.budget.seconds)), int(self.budget.seconds)
        )
        self.ledger.note(self.budget.spent)
        self.budget.check()
