"""The figures of a study at full size, by the code of the study that was made here."""

import datetime
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import JsonValue

from ragtune.core.files import read_json, write_json, write_jsonl, write_text
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Adapter, Arm
from ragtune.recipe.schema import Recipe
from ragtune.results.data import DataCounts
from ragtune.results.full_size import ArmHere, FullSize, Hosting, Served
from ragtune.results.metrics.base import Tools
from ragtune.results.rates import Rates
from ragtune.results.schema import Results, RunNotes, StageNote
from ragtune.runs.lock import Lock
from ragtune_cloud.study.arms import ServedArm, side_of
from ragtune_cloud.study.serving import Serving
from ragtune_cloud.target import Side


def write_rows(arms: Sequence[ServedArm], run: RunFolder, study: RunFolder) -> None:
    """Answers and latencies, beside what the run knows of its questions.

    The run's loss, recall, forgetting and freshness are not taken over: they are of the model here.
    """
    kept = (run.questions, run.retrieval, run.gold, run.leaks, run.coverage)
    for path in (*kept, run.manifest, run.records_index / run.manifest.name):
        if path.exists():
            there = study.path / run.relative(path)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, there)
    if run.languages.exists():
        faults = [fault for fault in read_json(run.languages) if fault["reader"] == "embedder"]
        write_json(study.languages, faults)
    for arm in arms:
        write_jsonl(study.answers(arm.name), arm.answers)
        write_jsonl(study.latency(arm.name), arm.latencies())


def served(
    recipe: Recipe,
    serving: Serving,
    hosting: dict[Side, Hosting],
    here: Results,
    *,
    arms: Sequence[ServedArm],
    trained: Adapter | None,
) -> Served:
    """Where the models were served, what that costs, and the run that was made here."""
    needs = recipe.needs.full_size
    if needs.price_per_hour is not None:
        given = {"price_per_hour": needs.price_per_hour}
        hosting = {side: place.model_copy(update=given) for side, place in hosting.items()}
    full_size = FullSize(
        target=serving.name,
        model=serving.model,
        hosting=hosting,
        hours_per_month=needs.hours_per_month,
        in_dollars=needs.price_per_hour is None,
        adapter=trained,
        failed={arm.name: count for arm in arms if (count := arm.failures)},
        here={
            name: ArmHere(right=arm.right, p50_ms=arm.latency_ms.p50, p95_ms=arm.latency_ms.p95)
            for name, arm in here.arms.items()
        },
        here_model=here.recipe.filled.model.local,
        verdict_here=here.recommendation.arm,
    )
    return Served(full_size, {arm: _rates(recipe, serving, hosting, arm) for arm in recipe.arms})


def _rates(recipe: Recipe, serving: Serving, hosting: Mapping[Side, Hosting], arm: Arm) -> Rates:
    """What an arm's model costs there; without a price of each there is none to compare."""
    place, needs = hosting[side_of(arm)], recipe.needs.full_size
    known = all(of.price_per_hour is not None for of in hosting.values())
    spent = serving.tuned.usd if serving.tuned and side_of(arm) == "tuned" else None
    return Rates(
        price_per_hour=place.price_per_hour if known else None,
        kept_hours=needs.hours_per_month if place.kept else 0.0,
        tuning_price=spent or 0.0,
    )


def figures(
    recipe: Recipe, study: RunFolder, lock: Lock, of: Served, tools: Tools, *, serving: Serving
) -> Results:
    """The study's results and report; the results.

    Raises RecipeError where the metric that decides needs what is not here.
    """
    from ragtune.results import page
    from ragtune.results.collect import collect

    found = collect(_asked(recipe), study, _notes(recipe, study, lock, serving), tools, of)
    found.dump(study.results)
    write_text(study.report, page.render(found, study))
    return found


def _asked(recipe: Recipe) -> Recipe:
    """The recipe as it was asked there: nothing is tuned again, or searched for."""
    study = recipe.study.model_copy(update={"learning_curve": [], "seeds": 1})
    alike = recipe.tuned_with(recipe.tune.model_copy(update={"search": None}))
    return alike.model_copy(update={"study": study})


def _notes(recipe: Recipe, study: RunFolder, lock: Lock, serving: Serving) -> RunNotes:
    """What the run says of data and index, what tuning took there, and when it was asked."""
    stages = {
        name: StageNote(seconds=entry.seconds)
        for name, entry in lock.stages.items()
        if name in ("index", "index-records", "retrieval")
    }
    if (tuned := serving.tuned) is not None:
        stages |= {f"tune/{name}": StageNote(seconds=tuned.seconds) for name in recipe.adapters}
    stages["study"] = StageNote(seconds=0.0, finished=_finished(study))
    machines = dict.fromkeys(place.machine for place in _hosting(recipe, serving))
    environment: dict[str, JsonValue] = {"name": serving.name, "device": ", ".join(machines)}
    return RunNotes(
        stages=stages, data=DataCounts.model_validate(lock.data), environment=environment
    )


def _hosting(recipe: Recipe, serving: Serving) -> list[Hosting]:
    return [serving.hosting(side_of(arm)) for arm in recipe.arms]


def outcomes(study: RunFolder) -> Path:
    """Where what became of each question is noted."""
    return study.path / "outcomes.jsonl"


def _finished(study: RunFolder) -> str:
    """When the last answer came, in UTC; empty where no model was asked."""
    path = outcomes(study)
    if not path.exists():
        return ""
    return datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC).isoformat()
