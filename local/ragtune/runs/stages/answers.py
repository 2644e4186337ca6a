"""An arm's answers to the held-out questions, and how long it takes for one alone."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ragtune.arms.arm import Arm
from ragtune.arms.ask_all import ask
from ragtune.core.files import write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.models.engines.base import Engine
from ragtune.recipe.arms import Arm as ArmName
from ragtune.recipe.schema import Recipe
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts
from ragtune.sources.records import Record

ASKED = (*parts.PROMPT, "study.max_new_tokens")


def reads(name: str, recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """Fields, materials and stages that asking an arm depends on."""
    fields: tuple[str, ...] = ASKED
    materials: tuple[str, ...] = ("base",)
    after: tuple[str, ...] = ("questions",)
    if "tuned" in name:
        after = (*after, "tune")
    if "rag" in name:
        fields = (*fields, *parts.SEARCH, "rag.refuse_below")
        materials = (*materials, *parts.SEARCHED)
        after = (*after, "index", "retrieval")
        if recipe.rag.refuse_below is not None:
            fields = (*fields, "study.refusal")
        if recipe.rag.refuse_below == "calibrated":
            after = (*after, "threshold")
    return {"fields": fields, "materials": materials, "after": after}


class Answers(Stage):
    """One arm, asked all questions in batches and some alone."""

    def __init__(self, arm: ArmName, recipe: Recipe) -> None:
        self.arm, self.name = arm, f"answers/{arm}"
        read = reads(arm, recipe)
        self.fields = (*read["fields"], "study.batch_size", "study.latency_questions")
        self.materials, self.after = read["materials"], read["after"]

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """Answers and latencies."""
        return [folder.answers(self.arm), folder.latency(self.arm)]

    def make(self, work: Work) -> None:
        """Ask."""
        questions = parts.questions(work)
        found = parts.found(work) if "rag" in self.arm else [[] for _ in questions]
        with opened(self.arm, work) as arm, work.watcher.progress(self.name) as advance:
            answers, latencies = ask(arm, questions, found, work.recipe.study, advance)
        lengths = [reference_tokens(work.materials.tokenizer, q) for q in questions]
        lines = [
            {**answer.to_json(), "reference_tokens": length}
            for answer, length in zip(answers, lengths, strict=True)
        ]
        write_jsonl(work.out.answers(self.arm), lines)
        write_jsonl(work.out.latency(self.arm), [asdict(t) for t in latencies])


def reference_tokens(tokenizer: Any, question: Record) -> int:
    """The tokens that the shortest reference takes, with the one that ends an answer."""
    encoded = tokenizer(list(question.references), add_special_tokens=False)
    return min(map(len, encoded["input_ids"])) + 1


@contextlib.contextmanager
def opened(name: str, work: Work, engine: Engine | None = None) -> Iterator[Arm]:
    """An arm over the run's adapter and index, or over an engine that is given."""
    engine = engine or parts.engine(work, work.run.adapter if "tuned" in name else None)
    if "rag" not in name:
        yield parts.arm(work, engine)
        return
    with parts.retriever(work) as retriever:
        yield parts.arm(work, engine, retriever)
