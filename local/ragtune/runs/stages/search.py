"""The search for an adapter's settings, on a part of the training records.

The test questions are no material of it. Its trials are kept one by one in the scratch folder, so
a search that was interrupted goes on with what is left of its budget. The budget is for trials:
training, asking, scoring. What the adapter needs anyhow, such as finding passages, is not in it.
"""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.core.errors import RecipeError, RecordsError
from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Adapter, reads_documents
from ragtune.recipe.schema import Recipe
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import data, parts
from ragtune.sources.development import Development, develop
from ragtune.sources.records import Record
from ragtune.tuning import search as halving
from ragtune.tuning.samples import Samples, TrainingRow

FIELDS = (
    *data.FIELDS,
    *parts.ANSWERS,
    *("tune", "model.local", "model.jumpstart", "records.split"),
    *("study.questions", "study.max_new_tokens", "study.batch_size"),
    *("study.metric", "study.refusal", "study.refusals"),
)


class Search(Stage):
    """Trials of settings for one adapter, and the best of them."""

    fields: tuple[str, ...] = FIELDS
    materials: tuple[str, ...] = ("records", "base")

    def __init__(self, adapter: Adapter, recipe: Recipe) -> None:
        self.adapter, self.name = adapter, f"search/{adapter}"
        self.asks = sorted({reads_documents(arm) for arm in recipe.served(adapter)})
        """With passages or without, or both for an adapter that serves two arms."""
        self.passages = recipe.trains_with_passages(adapter)
        self.searches = self.passages or True in self.asks
        self.embeds = self.searches or _embeds(recipe.study.metric)
        if self.searches:
            self.fields = (*FIELDS, *data.PASSAGES)
            self.materials = (*self.materials, *parts.SEARCHED)
            self.after = ("index",)
        elif self.embeds:
            self.materials = (*self.materials, "embedder")

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file."""
        return [folder.search(self.adapter)]

    def make(self, work: Work) -> None:
        """Search with what is left of the budget.

        Raises RecipeError where the records are too few to be divided once more.
        """
        from ragtune.runs import trials

        recipe, search = work.recipe, work.recipe.tune.search
        assert search is not None
        parted = development(
            work.materials.train, recipe.seed, recipe.records.split, recipe.study.questions
        )
        opened = parts.retriever(work) if self.searches else contextlib.nullcontext()
        with opened as retriever:
            inside = retriever if self.passages else None
            rows = parts.training_rows(work, parted.train, inside)
            ways = [_way(work, parted.questions, retriever if w else None) for w in self.asks]
        samples = _samples(work, rows, self.adapter)
        spec = recipe.tune.of(self.adapter)
        tried = halving.candidates(
            spec,
            parts.targets(work),
            seed=recipe.seed,
            promoted=recipe.model.jumpstart is not None,
        )
        ledger = trials.Ledger(work.out.path)
        budget = halving.Budget(60 * search.minutes, ledger.spent)
        scorer = trials.Scorer(work, parted.questions, embeds=self.embeds)
        attempt = trials.Trials(
            work, spec, samples, ways, scorer=scorer, budget=budget, ledger=ledger
        )
        kept = tuple(ledger.trials)

        def keep(trial: halving.Trial) -> None:
            ledger.keep(trial)
            work.watcher.say(f"{self.name}: {_said(trial, len(tried))}")

        with work.watcher.progress(self.name) as attempt.advance:
            found = halving.halve(tried, list(samples), budget, attempt, kept=kept, keep=keep)
        work.watcher.say(f"{self.name}: {_ending(found)}")
        write_json(
            work.out.search(self.adapter),
            {
                "budget_seconds": budget.seconds,
                "seconds": round(budget.spent, 3),
                "records": len(parted.train),
                "development": len(parted.questions),
                "held_out": parted.held_out,
                "metric": scorer.metric,
                "candidates": len(tried),
                "rungs": [{"share": rung.share, "rows": rung.rows} for rung in samples],
                "trials": [trial.to_json() for trial in found.trials],
                "own": tried[0],
                "winner": found.winner,
                "decided": found.decided,
            },
        )


def development(records: Sequence[Record], seed: int, by: Any, questions: str) -> Development:
    """`sources.development.develop`.

    Raises RecipeError where it is not possible.
    """
    try:
        return develop(records, seed, by, questions)
    except RecordsError as error:
        raise RecipeError(f"tune.search: no development questions: {error}") from None


def _embeds(metric: str) -> bool:
    """Whether the metric that decides needs the embedder, or may."""
    from ragtune.results.metrics.deciding import AUTO
    from ragtune.results.metrics.registry import needs

    return metric == AUTO or "embedder" in needs(metric)


def _way(work: Work, questions: Sequence[Record], retriever: Any) -> Any:
    """The questions with what is found for each, as the arm will ask them."""
    from ragtune.runs.trials import Way

    if retriever is None:
        return Way(questions, [[] for _ in questions])
    shows = parts.shows_context(work)
    return Way(questions, retriever.search([q.query(with_context=shows) for q in questions]))


def _samples(
    work: Work, rows: Sequence[TrainingRow], adapter: Adapter
) -> dict[halving.Rung, Samples]:
    """What each rung trains on; rungs whose rows leave nothing to train on are left out.

    Raises RecipeError where all of them do.
    """
    found: dict[halving.Rung, Samples] = {}
    for rung in halving.rungs(len(rows)):
        try:
            found[rung] = parts.samples(work, rows[: rung.rows], adapter)
        except RecordsError as error:
            if rung.share == 1:
                raise RecipeError(f"tune.search: too few records: {error}") from None
    return found


def _said(trial: halving.Trial, candidates: int) -> str:
    """A trial in a line."""
    came = "not finished" if trial.score is None else f"score {trial.score:.3f}"
    if trial.loss is not None:
        came += f", loss {trial.loss:.3f}"
    values = ", ".join(f"{name} {value}" for name, value in trial.set.items())
    return (
        f"{trial.candidate + 1} of {candidates} on {trial.rows} rows, {values}: {came}, "
        f"{trial.seconds:.1f} s"
    )


def _ending(found: halving.Outcome) -> str:
    if found.decided is None:
        return "no trial was finished, so the recipe's own settings stay"
    return f"taken: {', '.join(f'{name} {value}' for name, value in found.winner.items())}"
