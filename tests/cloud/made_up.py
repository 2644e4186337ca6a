"""A finished run of the published recipe, made up; and what every test does with it."""

import re
from pathlib import Path
from typing import Any

import pytest

from ragtune.arms.answer import Answer
from ragtune.core.files import content_hash, digest, write_json, write_jsonl, write_text
from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune.recipe import file as recipe_file
from ragtune.recipe.schema import Recipe
from ragtune.runs.lock import Entry, Lock, record
from ragtune.runs.materials import Materials
from ragtune.runs.plan import named, plan
from ragtune.runs.stage import Stage, Work, inputs
from ragtune.runs.stages.figures import Figures
from ragtune.sources.leaks import Leaks
from ragtune.sources.records import Record
from ragtune_cloud import plan as promotions
from ragtune_cloud.sagemaker import jobs, submission, watch
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.sagemaker.endpoints import endpoint_name
from ragtune_cloud.sagemaker.record import read_record
from ragtune_cloud.sagemaker.target import SageMaker
from ragtune_cloud.target import SIDES, Choices, Plan, Status
from tests.cloud.fake import FakeSageMaker
from tests.conftest import ROOT

PUBLISHED = ROOT / "tests" / "data" / "jumpstart"
"""Invented specs, in the place of those that JumpStart publishes."""
LLAMA = "meta-textgeneration-llama-2-7b"
ROW = {"instruction": "When?", "context": "The harbour opens at six.", "response": "six"}
HOURS = ("six", "seven", "eight", "nine")
"""The references of the questions, in turn; tuned gives them, and base says no."""
LICENSED = Choices(eula=True)
QUESTIONS = 40
"""Enough for a verdict."""
TRAINING = {
    "epochs": [{"epoch": 1, "train_loss": 2.5, "eval_loss": 2.25, "learning_rate": 1e-4}],
    "steps": [{"step": n, "loss": 2.5, "learning_rate": 1e-4} for n in range(1, 81)],
    "best_epoch": 1,
    "trainable_parameters": 1000,
    "parameters": 100_000,
    "seconds": 1.0,
    "supervised_tokens_a_second": 400.0,
    "substitutions": [],
}


def hour(prompt: str) -> str:
    """The right answer to the question that a prompt asks."""
    (day,) = re.findall(r"on day (\d+)", prompt)
    return HOURS[int(day) % len(HOURS)]


class Ear(Silent):
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)


def recipe(**sections: Any) -> Recipe:
    """The published run as a recipe, sections replaced or completed."""
    data: dict[str, Any] = {
        "name": "published",
        "model": {"jumpstart": LLAMA},
        "records": {"source": "records.jsonl"},
        "tune": {"epoch": 5, "max_input_length": 1024},
        "study": {"arms": ["base", "tuned"]},
        "cloud": {"role": "ragtune", "max_cost_usd": 30},
    }
    for name, section in sections.items():
        data[name] = {**data.get(name, {}), **section} if isinstance(section, dict) else section
    return Recipe.model_validate(data)


class Elsewhere(Materials):
    """What a recipe points at, of which nothing is here but its fingerprints."""

    def fingerprint(self, name: str) -> str:
        return f"fingerprint of {name}"


def make_run(folder: Path, made_from: Recipe, rows: int = 30, count: int = QUESTIONS) -> RunFolder:
    """A run folder as a finished, proven run leaves it; only no model has made it."""
    run = RunFolder(folder)
    questions = [
        Record.from_json(
            {**ROW, "instruction": f"When, on day {n}?", "response": HOURS[n % len(HOURS)]}
        )
        for n in range(count)
    ]
    write_text(run.recipe, recipe_file.dump(made_from))
    write_jsonl(run.train_rows("tuned"), [ROW] * rows)
    write_jsonl(run.questions, [question.to_json() for question in questions])
    write_json(run.template, made_from.template.build().jumpstart)
    write_json(run.training("tuned"), TRAINING)
    write_json(run.heldout, {"tuned": {"base": 2.5, "tuned": 2.25, "tokens": 8}})
    write_json(run.forgetting, {})
    write_jsonl(run.recall("tuned"), [])
    write_json(run.leaks, Leaks().to_json([], []))
    write_json(run.coverage, {"by": "question", "inside": [True] * count})
    write_json(run.languages, [])
    for arm in made_from.arms:
        answers = [
            Answer(q.id, "no" if arm == "base" else q.response, 9, 1, 0, 0.1) for q in questions
        ]
        write_jsonl(run.answers(arm), [answer.to_json() for answer in answers])
        write_jsonl(run.latency(arm), [{"retrieval": 0.0, "prefill": 0.1, "decode": 0.1}])
    enter_stages(run, made_from, {"train": 30, "test": count})
    return run


def enter_stages(run: RunFolder, made_from: Recipe, data: dict[str, int]) -> None:
    """Enter every stage in ``lock.json``, the figures too, as if it had just been made."""
    lock = Lock(
        identity=made_from.identity,
        recipe=content_hash(run.recipe),
        recipe_folder="..",
        data=dict(data),
    )
    stages = plan(made_from)
    for stage in stages:
        _enter(stage, made_from, run, lock)
    figures = Figures(made_from, lock, named(stages), run)
    _figures(figures, run)
    _enter(figures, made_from, run, lock)
    lock.save(run)


def _enter(stage: Stage, made_from: Recipe, run: RunFolder, lock: Lock) -> None:
    wanted = inputs(stage, made_from, Elsewhere(made_from), lock)
    left = record(run, stage.outputs(run))
    lock.stages[stage.name] = Entry(
        inputs=wanted,
        outputs=left,
        outcome=stage.outcome(wanted, left),
        seconds=1.0,
        finished="2026-01-01T00:00:00+00:00",
        environment="",
    )


_FIGURES: dict[str, tuple[str, str]] = {}
"""Results and report by the recipe: computing them takes most of the time."""


def _figures(stage: Figures, run: RunFolder) -> None:
    told = "".join(run.answers(arm).read_text() for arm in stage.recipe.arms)
    known = digest([stage.recipe.model_dump_json(), told])
    if known not in _FIGURES:
        stage.make(Work(stage.recipe, Elsewhere(stage.recipe), run, run, Silent()))
        _FIGURES[known] = run.results.read_text(), run.report.read_text()
    for path, text in zip((run.results, run.report), _FIGURES[known], strict=True):
        write_text(path, text)


def target(account: Account) -> SageMaker:
    """SageMaker by an account that is open already."""
    made = SageMaker()
    made._accounts[account.region] = account
    return made


def planned(
    run: RunFolder,
    account: Account | None = None,
    choices: Choices = LICENSED,
    **sections: Any,
) -> Plan:
    """A plan for the published recipe, sections replaced; offline without an account."""
    place = target(account) if account else SageMaker(online=False)
    return promotions.plan(place, recipe(**sections), run, choices)


def finding(made: Plan, name: str) -> str:
    """A check of a plan: its status and what it says."""
    (check,) = [c for c in made.checks if c.name == name]
    return f"{check.status}: {check.detail}"


def submit(run: RunFolder, account: Account, *, again: bool = False, **sections: Any) -> list[str]:
    """What ``ragtune promote --submit`` does; the lines that it says."""
    ear = Ear()
    attempt = submission.find_attempt(recipe(**sections), run, account, again=again)
    made = planned(run, account, Choices(eula=True, attempt=attempt), **sections)
    submission.submit(made, account, ear)
    return ear.said


def watched(
    run: RunFolder, account: Account, ear: Ear | None = None, sleep: Any = lambda seconds: None
) -> Status:
    """Watch the run's job to its end, without waiting."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "sleep", sleep)
        return watch.watch(read_record(run), run, account, ear or Ear())


def to_the_end(run: RunFolder, account: Account) -> Status:
    """Look at the run's job until it has ended, however."""
    for _ in range(10):
        now = jobs.status(read_record(run), account)
    return now


def serve(run: RunFolder, fake: FakeSageMaker) -> None:
    """Endpoints of the run's job, in service."""
    for side in SIDES:
        fake.put_in_service(endpoint_name(read_record(run), side))
