"""The four arms: question → answer, with sources, tokens and seconds."""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ragtune.arms.attribution import support
from ragtune.models.engines.torch import Completion, Generator
from ragtune.prompts.instruct import Prompt, Renderer
from ragtune.retrieval.passages import Passage
from ragtune.sources.records import Record

if TYPE_CHECKING:
    from ragtune.retrieval.index import Retriever


@dataclass(frozen=True)
class Answer:
    """An answer to a question and what it took.

    ``sources`` are the passages that stood in the prompt, best first, so a citation is right by
    construction; ``retrieved`` counts those found, before the prompt's limit. ``seconds`` is the
    answer's share of the batch it was computed in; latency is measured apart. ``refused`` says
    that nothing found was good enough, so that no model was asked. ``support`` says of each
    sentence which source holds its words (`ragtune.arms.attribution`).
    """

    question: str
    text: str
    prompt_tokens: int
    completion_tokens: int
    cut_tokens: int
    seconds: float
    retrieved: int = 0
    sources: list[dict[str, Any]] = field(default_factory=list)
    refused: bool = False
    support: list[dict[str, Any]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The fields, for a line of ``answers/<arm>.jsonl``."""
        return asdict(self)


@dataclass(frozen=True)
class Refusal:
    """What an arm answers where the best passage's score is ``below``."""

    below: float
    text: str

    def holds(self, found: Sequence[Passage]) -> bool:
        """Whether nothing that was found is good enough."""
        return not found or found[0].score < self.below


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
        refusal: Refusal | None = None,
    ) -> None:
        """Bind an arm.

        ``limit`` is the model's context in tokens, prompt and completion together;
        ``show_context`` says whether a record's own context is part of its question;
        ``refusal`` when the model is not asked, for an arm that retrieves.
        """
        self.renderer, self.generator, self.retriever = renderer, generator, retriever
        self.limit = limit - generator.max_new_tokens
        self.show_context, self.refusal = show_context, refusal

    def ask(self, record: Record, say: Callable[[str], None] | None = None) -> Answer:
        """Answer one question; ``say`` is given the text piece by piece, as it is written."""
        found = self.retrieve([record])[0]
        if self._refuses(found):
            return self._refused(record, found)
        prompt = self.prompt(record, found)
        return self._answer(record, found, prompt, self.generator.one(prompt.ids, say))

    def ask_all(
        self,
        records: Sequence[Record],
        found: Sequence[Sequence[Passage]],
        batch_size: int,
        advance: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[Answer]:
        """Answer all questions in batches, in the order given, from what was found for each."""
        both = list(zip(records, found, strict=True))
        asked = [(r, p, self.prompt(r, p)) for r, p in both if not self._refuses(p)]
        completions = self.generator.many([p.ids for *_, p in asked], batch_size, advance)
        written = iter([self._answer(*a, c) for a, c in zip(asked, completions, strict=True)])
        return [self._refused(r, p) if self._refuses(p) else next(written) for r, p in both]

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
        if self._refuses(passages):
            return Latency(retrieved - started, 0.0, 0.0)
        prompt = self.prompt(record, passages)
        rendered = time.perf_counter()
        completion = self.generator.one(prompt.ids)
        self.generator.text(completion)
        prefill = rendered - retrieved + completion.prefill
        return Latency(retrieved - started, prefill, time.perf_counter() - retrieved - prefill)

    def _refuses(self, found: Sequence[Passage]) -> bool:
        return self.refusal is not None and self.refusal.holds(found)

    def _refused(self, record: Record, found: Sequence[Passage]) -> Answer:
        assert self.refusal is not None
        return Answer(record.id, self.refusal.text, 0, 0, 0, 0.0, len(found), refused=True)

    def prompt(self, record: Record, passages: Sequence[Passage]) -> Prompt:
        """What the model is given for a question with these passages."""
        own = record.context if self.show_context else ""
        texts = [p.text for p in passages]
        return self.renderer.prompt(record.instruction, own, texts, self.limit)

    def _answer(
        self, record: Record, found: Sequence[Passage], prompt: Prompt, completion: Completion
    ) -> Answer:
        text = self.renderer.template.response(self.generator.text(completion))
        shown = found[: prompt.passages]
        return Answer(
            question=record.id,
            text=text,
            prompt_tokens=len(prompt.ids),
            completion_tokens=len(completion.ids),
            cut_tokens=prompt.cut,
            seconds=completion.seconds,
            retrieved=len(found),
            sources=[asdict(p) for p in shown],
            support=support(text, [p.text for p in shown]) if shown else [],
        )
