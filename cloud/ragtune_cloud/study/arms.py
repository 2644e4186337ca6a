"""The arms of a run over served models: the run's own prompts, passages, limits and stops.

Passages travel in the prompts; the index stays here, and how long it was searched is taken from the
run, which timed the very same questions.
"""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from ragtune.arms.answer import Latency
from ragtune.arms.arm import Arm
from ragtune.arms.ask_all import spread
from ragtune.core.errors import RecipeError
from ragtune.core.files import read_jsonl
from ragtune.core.progress import Advance
from ragtune.models.engines.base import Completion, Engine, unwatched
from ragtune.prompts.base import Prompt, PromptFormat
from ragtune.prompts.instruct import InstructFormat
from ragtune.recipe.arms import MAKEUP, is_tuned
from ragtune.recipe.arms import Arm as ArmName
from ragtune.recipe.schema import Recipe
from ragtune.retrieval.passages import Passage
from ragtune.runs.stage import Work
from ragtune.runs.stages import answers, parts
from ragtune.sources import documents
from ragtune.sources.records import Record
from ragtune_cloud.study.asking import Request
from ragtune_cloud.study.outcomes import Outcomes
from ragtune_cloud.target import Side


def chosen(recipe: Recipe, names: Sequence[str]) -> Recipe:
    """The recipe with some of its arms, in its own order.

    Raises RecipeError for one that the run does not have.
    """
    if unknown := [name for name in names if name not in recipe.arms]:
        raise RecipeError(
            f"--arms {unknown[0] or '(empty)'}: the run has no such arm; "
            f"allowed: {', '.join(recipe.arms)}"
        )
    arms = [arm for arm in recipe.arms if arm in names]
    study = recipe.study.model_copy(update={"arms": arms})
    return recipe.model_copy(update={"study": study}).at(recipe.path(""))


def side_of(arm: ArmName) -> Side:
    """The model that answers for an arm."""
    return "tuned" if is_tuned(arm) else "base"


class ServedArm(Arm):
    """An arm whose answers are the outcomes of what a served model was asked.

    Each prompt is made once; ``requests`` are what has to have an outcome before the arm answers.
    """

    def __init__(
        self,
        name: ArmName,
        work: Work,
        engine: Engine,
        outcomes: Outcomes,
        end_token: str | None = None,
    ) -> None:
        """Bind an arm; ``end_token`` ends the examples of a model that has another than the run."""
        made = MAKEUP[name]
        alike = parts.arm(
            work,
            engine,
            floor=parts.floor(work) if made.passages == "documents" else None,
            examples=documents.named(work.materials.train) if made.examples else None,
        )
        super().__init__(
            engine,
            _ended(alike.format, end_token),
            alike.limit,
            show_context=alike.show_context,
            floor=alike.floor,
            examples=alike.examples,
        )
        self.name, self.side = name, side_of(name)
        self.records, self.found = parts.questions(work), answers.found(work, name)
        self.searched = [row["retrieval"] for row in read_jsonl(work.run.latency(name))]
        self._tokenizer = work.materials.tokenizer
        self._timed = work.recipe.study.latency_questions
        self._outcomes = outcomes
        self._prompts: dict[str, Prompt] = {}

    @property
    def requests(self) -> Iterator[Request]:
        """What the arm asks: every question, and some of them alone."""
        for record, found in zip(self.records, self.found, strict=True):
            if not self._refuses(found):
                yield self._request(self.prompt(record, found))
        for record, passages in self.timed:
            if not self._refuses(passages):
                yield self._request(self.prompt(record, passages), alone=True)

    @property
    def timed(self) -> list[tuple[Record, Sequence[Passage]]]:
        """The questions that are asked alone, with what was found for them."""
        return spread(list(zip(self.records, self.found, strict=True)), self._timed)

    @functools.cached_property
    def answers(self) -> list[dict[str, Any]]:
        """The lines of the arm's answers, in the order of the questions."""
        given = self.ask_all(self.records, self.found)
        lengths = [answers.reference_tokens(self._tokenizer, record) for record in self.records]
        return [
            {**answer.to_json(), "reference_tokens": length}
            for answer, length in zip(given, lengths, strict=True)
        ]

    def latencies(self) -> list[dict[str, float]]:
        """The lines of the arm's latencies; those of failures only where all have failed."""
        rows = []
        for (record, found), searched in zip(self.timed, self.searched, strict=True):
            if self._refuses(found):
                rows.append((False, Latency(searched, 0.0, 0.0)))
                continue
            one = self._outcomes[self._request(self.prompt(record, found), alone=True).key]
            times = Latency(searched, one.prefill, one.seconds - one.prefill)
            rows.append((one.failed is not None, times))
        answered = [times for failed, times in rows if not failed]
        return [asdict(times) for times in answered or [times for _, times in rows]]

    @property
    def failures(self) -> int:
        """How many of the questions the model failed to answer."""
        return sum(answer["failed"] is not None for answer in self.answers)

    def prompt(self, record: Record, passages: Sequence[Passage]) -> Prompt:
        """What the model is given for a question of the study."""
        if record.id not in self._prompts:
            self._prompts[record.id] = super().prompt(record, passages)
        return self._prompts[record.id]

    def complete(
        self, prompts: Sequence[Prompt], batch_size: int = 1, advance: Advance = unwatched
    ) -> list[Completion]:
        """The outcomes of these prompts."""
        return [self._outcomes[self._request(prompt).key] for prompt in prompts]

    def _request(self, prompt: Prompt, *, alone: bool = False) -> Request:
        stops = tuple(self.format.stops)
        return Request(self.side, prompt, self.limit, stops, self.engine.fingerprint, alone)


def _ended(form: PromptFormat, end_token: str | None) -> PromptFormat:
    """The format with the served model's end token after each example; a chat's is its template's.

    Another model's end token is letters to it, and no end.
    """
    if end_token is None or not isinstance(form, InstructFormat):
        return form
    return InstructFormat(form.template, form.tokenizer, end_token)
