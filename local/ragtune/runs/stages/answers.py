"""An arm's answers to the held-out questions, and how long it takes for one alone."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ragtune.arms.arm import Arm, Search
from ragtune.arms.ask_all import ask
from ragtune.core.files import write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.models.engines.base import Engine
from ragtune.prompts.messages import estimated
from ragtune.recipe.arms import MAKEUP
from ragtune.recipe.arms import Arm as ArmName
from ragtune.recipe.model import VLLM
from ragtune.recipe.schema import Recipe
from ragtune.retrieval.passages import Passage
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts
from ragtune.sources.records import Record

ASKED = (*parts.PROMPT, "study.max_new_tokens")
KEPT = "completions.jsonl"
"""What a server has answered, while the stage is being made."""


def reads(name: ArmName, recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """Fields, materials and stages that asking an arm depends on."""
    remote = recipe.model.remote
    here = parts.IN_VLLM if recipe.model.engine == VLLM else parts.ANSWERS
    fields: tuple[str, ...] = (*ASKED, *(parts.SERVER if remote else here))
    materials: tuple[str, ...] = ("server" if remote else "base",)
    after: tuple[str, ...] = ("questions",)
    made = MAKEUP[name]
    if made.tuned and not remote:
        after = (*after, f"tune/{recipe.adapter(name)}")
    if made.examples:
        fields = (*fields, *parts.CHUNKS, "study.shots")
        materials = (*materials, "embedder", "records")
        after = (*after, "index-records", "examples")
    if made.passages == "records":
        fields = (*fields, *parts.CHUNKS, *parts.RANKING)
        materials = (*materials, *parts.SEARCHED)
        after = (*after, "index-records", "retrieval-records")
    if made.passages == "documents":
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
        self.arm, self.name, self.recipe = arm, f"answers/{arm}", recipe
        read = reads(arm, recipe)
        self.fields = (*read["fields"], "study.batch_size", "study.latency_questions")
        self.materials, self.after = read["materials"], read["after"]

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """Answers and latencies."""
        return [folder.answers(self.arm), folder.latency(self.arm)]

    def make(self, work: Work) -> None:
        """Ask."""
        questions, passages = parts.questions(work), found(work, self.arm)
        engine = parts.answering(work, self.recipe, self.arm, work.out.path / KEPT)
        with opened(self.arm, work, engine) as arm, work.watcher.progress(self.name) as advance:
            answers, latencies = ask(arm, questions, passages, work.recipe.study, advance)
        lengths = [reference_tokens(work.materials.tokenizer, q) for q in questions]
        lines = [
            {**answer.to_json(), "reference_tokens": length}
            for answer, length in zip(answers, lengths, strict=True)
        ]
        write_jsonl(work.out.answers(self.arm), lines)
        write_jsonl(work.out.latency(self.arm), [asdict(t) for t in latencies])


def reference_tokens(tokenizer: Any, question: Record) -> int:
    """The tokens that the shortest reference takes, with the one that ends an answer.

    Estimated where only a server has a tokenizer.
    """
    if tokenizer is None:
        return min(map(estimated, question.references)) + 1
    encoded = tokenizer(list(question.references), add_special_tokens=False)
    return min(map(len, encoded["input_ids"])) + 1


def found(work: Work, name: ArmName) -> list[list[Passage]]:
    """What the run found for each question and an arm; nothing for one that looks nothing up."""
    made = MAKEUP[name]
    if made.examples:
        return parts.found(work.run.examples)
    if made.passages == "records":
        return parts.found(work.run.retrieval_records)
    if made.passages == "documents":
        return parts.found(work.run.retrieval)
    return [[] for _ in parts.questions(work)]


@contextlib.contextmanager
def opened(
    name: ArmName, work: Work, engine: Engine, retriever: Search | None = None
) -> Iterator[Arm]:
    """An arm over an engine and what the run has to look up.

    ``retriever`` is the run's index of documents where it is open already.
    """
    made = MAKEUP[name]
    with contextlib.ExitStack() as stack:
        if made.examples:
            from ragtune.sources import documents

            nearest = stack.enter_context(parts.nearest_records(work))
            records = documents.named(work.materials.train)
            yield parts.arm(work, engine, nearest, examples=records)
        elif made.passages == "records":
            yield parts.arm(work, engine, stack.enter_context(parts.records_retriever(work)))
        elif made.passages == "documents":
            retriever = retriever or stack.enter_context(parts.retriever(work))
            yield parts.arm(work, engine, retriever, floor=parts.floor(work))
        else:
            yield parts.arm(work, engine)
