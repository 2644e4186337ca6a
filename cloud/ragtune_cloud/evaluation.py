"""The held-out questions, asked of models that a target serves, by the arms of the local study.

The answers of a job's models are kept as a run keeps them, below ``cloud/study/<job>/``, so every
figure, table and page of the local study is made of them too.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ragtune.arms.arm import Arm
from ragtune.core.files import read_json, read_jsonl, write_jsonl, write_text
from ragtune.core.progress import Advance, Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.models.engines.base import Engine, unwatched
from ragtune.prompts.base import Tokenizer
from ragtune.prompts.instruct import InstructFormat
from ragtune.recipe.schema import Recipe
from ragtune.results.data import DataCounts
from ragtune.results.schema import Results, RunNotes, StageNote
from ragtune.runs.lock import Lock
from ragtune.sources.records import Record
from ragtune_cloud.folder import CloudFolder, noted_job
from ragtune_cloud.target import SIDES, Target


def evaluate(target: Target, recipe: Recipe, run: RunFolder, watcher: Watcher) -> Results:
    """Ask both models of the run's job, which are deployed already, and write the study's files.

    What was answered before is not asked again. Raises CloudError where a model is not deployed or
    answers in no known shape, ModelError where the run's tokenizer is missing.
    """
    from ragtune.models.find import model_folder
    from ragtune.models.load import load_tokenizer

    tokenizer = load_tokenizer(model_folder(recipe.model, recipe.path("")))
    study = CloudFolder(run).study(noted_job(run) or "")
    for side in SIDES:
        arm = served_arm(recipe, target.engine(recipe, run, side), tokenizer)
        with watcher.progress(f"ask {side}") as advance:
            ask(arm, run, study, side, advance)
    return figures(recipe, run, study)


def ask(
    arm: Arm, run: RunFolder, study: RunFolder, name: str, advance: Advance = unwatched
) -> None:
    """Ask an arm every question that it has not answered yet, one at a time.

    A line an answer, written as it comes, so that a killed evaluation goes on where it was; at the
    end they are in the order of the questions. An endpoint answers each question alone, so the
    time of the answer is its latency as well.
    """
    questions = [Record.from_json(row) for row in read_jsonl(run.questions)]
    path = study.answers(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {row["question"]: row for row in _whole_rows(path)}
    left = [question for question in questions if question.id not in known]
    with path.open("a", encoding="utf-8") as file:
        for number, question in enumerate(left, len(questions) - len(left) + 1):
            known[question.id] = arm.ask(question).to_json()
            file.write(json.dumps(known[question.id]) + "\n")
            file.flush()
            advance(number, len(questions))
    answers = [known[question.id] for question in questions]
    write_jsonl(path, answers)
    write_jsonl(study.latency(name), [_latency(answer) for answer in answers])


def figures(recipe: Recipe, run: RunFolder, study: RunFolder) -> Results:
    """The study's results and report, by the code of the local study; the results.

    Raises RunError where the run's lock is damaged.
    """
    from ragtune.results import page
    from ragtune.results.collect import collect

    write_jsonl(study.questions, read_jsonl(run.questions))
    found = collect(_asked(recipe), study, _notes(run))
    found.dump(study.results)
    write_text(study.report, page.render(found, study))
    return found


def served_arm(recipe: Recipe, engine: Engine, tokenizer: Tokenizer) -> Arm:
    """An arm without passages over a served model.

    The prompt is cut, if at all, by the run's own tokenizer, as in the local study.
    """
    form = InstructFormat(recipe.template.build(), tokenizer)
    context = recipe.records.context == "input"
    return Arm(engine, form, recipe.study.max_new_tokens, show_context=context)


def _notes(run: RunFolder) -> RunNotes:
    """What the run says of its data, and what tuning took in the cloud, where that is known."""
    training = CloudFolder(run).training
    stages = {}
    if training.exists():
        stages["tune/tuned"] = StageNote(seconds=read_json(training)["seconds"])
    return RunNotes(stages=stages, data=DataCounts.model_validate(Lock.load(run).data))


def _asked(recipe: Recipe) -> Recipe:
    """The recipe as it was asked here: by the served arms alone, with nothing tuned again."""
    asked = {"arms": list(SIDES), "learning_curve": [], "seeds": 1}
    study = recipe.study.model_copy(update=asked)
    return recipe.model_copy(update={"study": study})


def _latency(answer: Mapping[str, Any]) -> dict[str, float]:
    return {"retrieval": 0.0, "prefill": 0.0, "decode": answer["seconds"]}


def _whole_rows(path: Path) -> list[Any]:
    """The answers that are written; a last line that a kill broke off is removed."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    return read_jsonl(path)
