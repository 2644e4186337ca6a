"""The four arms: question → answer, with sources, tokens and seconds."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from local.generate import Completion, Generator
from local.rag.passages import Passage
from local.records import Record
from local.template import Prompt, Renderer

if TYPE_CHECKING:
    from local.rag.index import Retriever


@dataclass(frozen=True)
class Answer:
    """An answer to a question and what it took.

    ``sources`` are the passages that stood in the prompt, best first, so a citation is right by
    construction; ``retrieved`` counts those found, before the prompt's limit. ``seconds`` is the
    answer's share of the batch it was computed in; latency is measured apart.
    """

    question: str
    text: str
    prompt_tokens: int
    completion_tokens: int
    cut_tokens: int
    seconds: float
    retrieved: int = 0
    sources: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The fields, for a line of ``answers/<arm>.jsonl``."""
        return asdict(self)


@dataclass(frozen=True)
class Latency:
    """Seconds that one question alone took.

    ``prefill`` is from the passages found to the first token: the prompt rendered and read;
    ``decode`` the rest of the answer, to its text.
    """

    retrieval: float
    prefill: float
    decode: float


class Arm:
    """One way to answer: a generator, the renderer, and a retriever where passages are used."""

    def __init__(
        self,
        renderer: Renderer,
        generator: Generator,
        limit: int,
        *,
        retriever: "Retriever | None" = None,
        show_context: bool = True,
    ) -> None:
        """Bind an arm.

        ``limit`` is the model's context in tokens, prompt and completion together;
        ``show_context`` says whether a record's own context is part of its question.
        """
        self.renderer, self.generator, self.retriever = renderer, generator, retriever
        self.limit = limit - generator.max_new_tokens
        self.show_context = show_context

    def ask(self, record: Record) -> Answer:
        """Answer one question."""
        return self.ask_all([record], self.retrieve([record]), batch_size=1)[0]

    def ask_all(
        self,
        records: Sequence[Record],
        found: Sequence[Sequence[Passage]],
        batch_size: int,
        advance: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[Answer]:
        """Answer all questions in batches, in the order given, from what was found for each."""
        prompts = [self.prompt(r, p) for r, p in zip(records, found, strict=True)]
        completions = self.generator.many([p.ids for p in prompts], batch_size, advance)
        return [
            self._answer(*parts) for parts in zip(records, found, prompts, completions, strict=True)
        ]

    def retrieve(self, records: Sequence[Record]) -> list[list[Passage]]:
        """The passages for each question, best first; none in an arm that has no retriever."""
        if self.retriever is None:
            return [[] for _ in records]
        return self.retriever.search([r.query(with_context=self.show_context) for r in records])

    def latency(self, record: Record) -> Latency:
        """Time one question alone, from text to text."""
        started = time.perf_counter()
        passages = self.retrieve([record])[0]
        retrieved = time.perf_counter()
        prompt = self.prompt(record, passages)
        rendered = time.perf_counter()
        completion = self.generator.one(prompt.ids)
        self.generator.text(completion)
        prefill = rendered - retrieved + completion.prefill
        return Latency(retrieved - started, prefill, time.perf_counter() - retrieved - prefill)

    def prompt(self, record: Record, passages: Sequence[Passage]) -> Prompt:
        """What the model is given for a question with these passages."""
        own = record.context if self.show_context else ""
        texts = [p.text for p in passages]
        return self.renderer.prompt(record.instruction, own, texts, self.limit)

    def _answer(
        self, record: Record, found: Sequence[Passage], prompt: Prompt, completion: Completion
    ) -> Answer:
        return Answer(
            question=record.id,
            text=self.generator.text(completion),
            prompt_tokens=len(prompt.ids),
            completion_tokens=len(completion.ids),
            cut_tokens=prompt.cut,
            seconds=completion.seconds,
            retrieved=len(found),
            sources=[asdict(p) for p in found[: prompt.passages]],
        )
