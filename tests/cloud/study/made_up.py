"""A finished run of every arm, made up, and served models that answer from their prompts."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ragtune.arms.answer import Answer
from ragtune.core.files import write_json, write_jsonl, write_text
from ragtune.core.run_folder import RunFolder
from ragtune.models.engines.base import Ability, Completion
from ragtune.prompts.base import Prompt
from ragtune.recipe import file as recipe_file
from ragtune.recipe.arms import ARMS, MAKEUP, Arm
from ragtune.recipe.schema import Recipe
from ragtune.results.full_size import Hosting
from ragtune.sources.leaks import Leaks
from ragtune.sources.records import Record
from ragtune_cloud.study.serving import Tuned
from ragtune_cloud.target import Side
from tests.cloud.made_up import HOURS, LLAMA, TRAINING, enter_stages

QUESTIONS = 40
"""Enough for a verdict."""
RETRIEVAL = 0.02
"""Seconds that each search took here."""
Says = Callable[[Side, str], str]
"""What a model answers to a prompt; an error where it begins with 424."""


def hour(day: int) -> str:
    """When the harbour opens on a day."""
    return HOURS[day % len(HOURS)]


def record(day: int, asked: str = "When does it open on day {}?") -> Record:
    """A question with the document that answers it."""
    return Record.from_json(
        {
            "instruction": asked.format(day),
            "response": f"at {hour(day)}",
            "document": f"day-{day}.md",
        }
    )


def passage(day: int) -> dict[str, Any]:
    """What retrieval finds for a question, as its stage writes it down."""
    text = f"On day {day} the harbour opens at {hour(day)}."
    return {"id": f"p{day}", "document": f"day-{day}.md", "locator": "", "text": text, "score": 0.9}


def recipe_of_every_arm(model: Path, **sections: Any) -> Recipe:
    """The recipe of the run, sections completed."""
    data: dict[str, Any] = {
        "name": "harbour",
        "model": {"local": str(model), "jumpstart": LLAMA},
        "records": {"source": "records.jsonl", "with_passages": 0.5},
        "documents": {"source": "docs"},
        "study": {
            "arms": list(ARMS),
            "questions": "questions.jsonl",
            "max_new_tokens": 12,
            "latency_questions": 20,
            "shots": 1,
        },
        "cloud": {"role": "ragtune", "max_cost_usd": 30},
    }
    for name, section in sections.items():
        data[name] = {**data.get(name, {}), **section}
    return Recipe.model_validate(data)


def rag_wins(arm: Arm, question: Record) -> str:
    """Answers of a run in which retrieval is all it takes."""
    return question.response if MAKEUP[arm].passages == "documents" else "I do not know"


def tuned_rag_wins(arm: Arm, question: Record) -> str:
    """Answers of a run in which retrieval helps in half of the questions, and tuning in all."""
    right = arm == "tuned+rag" or (arm == "rag" and int(question.id, 16) % 2 == 0)
    return question.response if right else "I do not know"


def make_run(
    folder: Path, recipe: Recipe, says: Callable[[Arm, Record], str] = rag_wins
) -> RunFolder:
    """A run folder as a finished run of every arm leaves it; only no model has made it."""
    run, questions = RunFolder(folder), [record(day) for day in range(QUESTIONS)]
    records = [record(day, "On day {}, when?") for day in range(QUESTIONS)]
    write_jsonl(folder.parent / "records.jsonl", [r.to_json() for r in records])
    write_jsonl(folder.parent / "questions.jsonl", [q.to_json() for q in questions])
    for day in range(QUESTIONS):
        write_text(folder.parent / "docs" / f"day-{day}.md", passage(day)["text"])
    write_text(run.recipe, recipe_file.dump(recipe))
    write_jsonl(run.questions, [question.to_json() for question in questions])
    write_json(run.template, recipe.template.build().jumpstart)
    _write_tuning(run, recipe, records)
    _write_found(run, questions, records)
    for arm in recipe.arms:
        answers = [Answer(q.id, says(arm, q), 9, 1, 0, 0.1) for q in questions]
        write_jsonl(run.answers(arm), [answer.to_json() for answer in answers])
        times = {"retrieval": RETRIEVAL, "prefill": 0.1, "decode": 0.1}
        write_jsonl(run.latency(arm), [times] * recipe.study.latency_questions)
    enter_stages(run, recipe, {"train": QUESTIONS, "test": QUESTIONS})
    return run


def _write_tuning(run: RunFolder, recipe: Recipe, records: Sequence[Record]) -> None:
    losses = {"base": 2.5, "tuned": 2.25, "tokens": 8}
    write_json(run.heldout, dict.fromkeys(recipe.adapters, losses))
    write_json(run.forgetting, {})
    for rows in recipe.adapters or ["tuned"]:
        write_jsonl(run.train_rows(rows), [r.to_json() for r in records])
    for adapter in recipe.adapters:
        write_json(run.training(adapter), TRAINING)
        write_jsonl(run.recall(adapter), [])


def _write_found(run: RunFolder, questions: Sequence[Record], records: Sequence[Record]) -> None:
    """What was searched for each question, of documents and of training records."""
    examples = [{**passage(day), "document": f"record-{one.id}"} for day, one in enumerate(records)]
    kept = [
        {"id": f"r{day}", "document": f"record-{one.id}", "locator": "", "score": 0.5}
        | {"text": f"{one.instruction} {one.response}"}
        for day, one in enumerate(records)
    ]
    for path, passages in (
        (run.retrieval, [passage(day) for day in range(QUESTIONS)]),
        (run.retrieval_records, kept),
        (run.examples, examples),
    ):
        rows = zip(questions, passages, strict=True)
        write_jsonl(path, [{"question": q.id, "passages": [p]} for q, p in rows])
    manifest = {"documents": {f"day-{n}.md": "" for n in range(QUESTIONS)}, "skipped": {}}
    for index in (run.index, run.records_index):
        write_json(index / run.manifest.name, {**manifest, "points": QUESTIONS, "seconds": 3.0})
    write_json(run.gold, {"unknown": [], "absent": []})
    write_json(run.freshness, None)
    write_json(run.languages, [])
    write_json(run.leaks, Leaks().to_json([], []))
    write_json(run.coverage, {"by": "question", "inside": [True] * QUESTIONS})


def from_passages(side: Side, prompt: str) -> str:
    """What a passage in the prompt says of the day that is asked for; else a guess at nothing."""
    asked = re.findall(r"open on day (\d+)\?", prompt)[-1]
    found = re.findall(rf"On day {asked} the harbour opens at (\w+)\.", prompt)
    return f"at {found[0]}" if found else "I do not know"


class Model:
    """An engine of a made-up model, which notes what it is asked, and how many at once."""

    can: frozenset[Ability] = frozenset({"answer"})
    context_length = 700

    def __init__(self, side: Side, says: Says) -> None:
        self.name, self.fingerprint = f"made-up {side}", side
        self.side, self.says = side, says
        self.asked = list[str]()
        self.limits = set[tuple[int, tuple[int, ...]]]()
        self.seconds, self.at_once, self.most = 0.0, 0, 0
        self._lock = threading.Lock()

    def complete(
        self, prompts: Sequence[Prompt], *, limit: int, stops: Sequence[int] = (), **_: Any
    ) -> list[Completion]:
        (prompt,) = prompts
        with self._lock:
            self.asked.append(prompt.text)
            self.limits.add((limit, tuple(stops)))
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        try:
            time.sleep(self.seconds)
            text = self.says(self.side, prompt.text)
        finally:
            with self._lock:
                self.at_once -= 1
        if text.startswith("424"):
            return [Completion("", [], 0.5, 0.0, 0, failed=text)]
        return [Completion(text, [], 0.5, 0.0, len(text.split()))]

    def stream(self, prompt: Prompt, **_: Any) -> Any:
        raise NotImplementedError

    def loss(self, rows: Any, **_: Any) -> Any:
        raise NotImplementedError


class MadeUp:
    """A ``Serving`` of two made-up models, which notes what was deployed."""

    name, model, key = "Made up", "made-up-70b", "job-1"

    def __init__(self, says: Says = from_passages) -> None:
        self.says = says
        self.models: dict[Side, Model] = {
            "base": Model("base", self._say),
            "tuned": Model("tuned", self._say),
        }
        self.prices: dict[Side, float | None] = {"base": 1.5, "tuned": 1.5}
        self.kept, self.tuned = True, Tuned(seconds=600, usd=7.0)
        self.end_token: str | None = None
        self.deployments: list[tuple[Side, ...]] = []
        self.there = 0

    def _say(self, side: Side, prompt: str) -> str:
        assert self.there, "asked while nothing is deployed"
        return self.says(side, prompt)

    def hosting(self, side: Side) -> Hosting:
        return Hosting(machine="a large one", price_per_hour=self.prices[side], kept=self.kept)

    def engine(self, side: Side) -> Model:
        return self.models[side]

    @contextmanager
    def deployed(self, sides: Sequence[Side]) -> Iterator[None]:
        self.deployments.append(tuple(sides))
        self.there += 1
        try:
            yield
        finally:
            self.there -= 1

    def clear(self) -> None:
        assert not self.there

    @property
    def asked(self) -> int:
        """How many prompts both models were asked."""
        return sum(len(model.asked) for model in self.models.values())
