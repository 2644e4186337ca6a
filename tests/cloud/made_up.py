"""A finished run of the published recipe, made up; and what every test does with it."""

from pathlib import Path
from typing import Any

import pytest

from ragtune.arms.arm import Answer
from ragtune.core.files import digest, file_hash, read_json, write_json, write_jsonl, write_text
from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune.recipe import file as recipe_file
from ragtune.recipe.schema import Recipe
from ragtune.results.collect import collect
from ragtune.sources.records import Record
from ragtune_cloud.plan import plan
from ragtune_cloud.sagemaker import jobs, submission, watch
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.sagemaker.endpoints import endpoint_name
from ragtune_cloud.sagemaker.record import read_record
from ragtune_cloud.sagemaker.target import SageMaker
from ragtune_cloud.target import SIDES, Choices, Plan, Status
from tests.cloud.fake import FakeSageMaker
from tests.conftest import ROOT

PUBLISHED = ROOT / "tests" / "data" / "jumpstart"
LLAMA = "meta-textgeneration-llama-2-7b"
ROW = {"instruction": "When?", "context": "The harbour opens at six.", "response": "six"}
TEXTS = {"base": "no", "tuned": "six"}
"""What the local arms answer: tuned is right and base is not."""
LICENSED = Choices(eula=True)
QUESTIONS = 8
"""Enough for the difference between the two to be significant."""


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


def make_run(folder: Path, made_from: Recipe, rows: int = 30) -> RunFolder:
    """A run folder as a finished, proven run leaves it, as far as promotion reads it."""
    run = RunFolder(folder)
    questions = [Record(**{**ROW, "instruction": f"When, on day {n}?"}) for n in range(QUESTIONS)]
    write_text(run.recipe, recipe_file.dump(made_from))
    write_jsonl(run.train_rows, [ROW] * rows)
    write_jsonl(run.questions, [vars(question) for question in questions])
    write_json(run.template, made_from.template.build().jumpstart)
    sums = {path.name: file_hash(path) for path in sorted(run.data.iterdir())}
    write_json(run.data / "sha256.json", sums)
    epoch = {"epoch": 1, "train_loss": 2.5, "eval_loss": 2.25}
    write_json(run.training, {"epochs": [epoch]})
    for arm in made_from.arms:
        answers = [Answer(question.id, TEXTS[arm], 9, 1, 0, 0.1) for question in questions]
        write_jsonl(run.answers(arm), [answer.to_json() for answer in answers])
        write_jsonl(run.latency(arm), [{"retrieval": 0.0, "prefill": 0.1, "decode": 0.1}])
    write_json(run.lock, {"recipe_folder": "..", **_lock(run, made_from)})
    write_json(run.results, _results(made_from.model_dump_json(), run))
    return run


def _lock(run: RunFolder, made_from: Recipe) -> dict[str, Any]:
    data = {"records": file_hash(run.train_rows), "questions": file_hash(run.questions)}
    tune = {"data": digest(data)}
    asked = {"questions": data["questions"], "tune": digest(tune)}
    inputs = {"data": data, "tune": tune, **{f"answers/{arm}": asked for arm in made_from.arms}}
    stages = {name: {"inputs": made, "seconds": 1.0} for name, made in inputs.items()}
    return {"stages": stages, "data": {"questions_also_in_training": 0}}


_FIGURES: dict[str, dict[str, Any]] = {}


def _results(recipe_json: str, run: RunFolder) -> dict[str, Any]:
    """The figures, computed once for all runs of one recipe: they take most of the time."""
    if recipe_json not in _FIGURES:
        made_from = Recipe.model_validate_json(recipe_json)
        _FIGURES[recipe_json] = collect(made_from, run.path, read_json(run.lock))
    return _FIGURES[recipe_json]


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
    return plan(place, recipe(**sections), run, choices)


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
        fake.things["Endpoint"][endpoint_name(read_record(run), side)] = {}
