"""A way to answer: question → answer, with sources, tokens and seconds."""

import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Protocol

from ragtune.arms.answer import Answer, AnswerStream, Latency, ScoreFloor
from ragtune.arms.attribution import support
from ragtune.core.progress import Advance
from ragtune.models.engines.base import Completion, Engine, unwatched
from ragtune.prompts.base import Example, Prompt, PromptFormat, takes_turns
from ragtune.retrieval.passages import Passage
from ragtune.sources.records import Record


class Search(Protocol):
    """What is used of a retriever."""

    def search(self, questions: Sequence[str], /) -> list[list[Passage]]:
        """The passages for each question, best first."""


class Arm:
    """One way to answer: an engine, how it is asked, and a retriever where passages are used."""

    def __init__(
        self,
        engine: Engine,
        format: PromptFormat,
        limit: int,
        *,
        retriever: Search | None = None,
        show_context: bool = True,
        floor: ScoreFloor | None = None,
        examples: Mapping[str, Record] | None = None,
    ) -> None:
        """Bind an arm.

        ``limit`` is how many tokens an answer may have; the prompt has what the engine's context
        leaves. ``show_context`` says whether a record's own context is part of its question;
        ``floor`` when no model is asked, for an arm that retrieves. ``examples`` are records by the
        names under which ``retriever`` finds them: they are then shown as examples of questions
        and answers, the nearest last, not as passages.
        """
        self.engine, self.format, self.retriever = engine, format, retriever
        self.limit = limit
        self.show_context, self.floor, self.examples = show_context, floor, examples

    def ask(self, record: Record) -> Answer:
        """Answer one question, as a server with one user would."""
        (found,) = self.retrieve([record])
        (answer,) = self.ask_all([record], [found])
        return answer

    def stream(self, record: Record) -> AnswerStream:
        """Answer one question: an iterator over its text, which keeps the ``answer``.

        The text comes in one piece from an engine that cannot stream, or where none is asked. It
        is what the model writes; ``answer.text`` is without the words around each response.
        """
        return AnswerStream(self._stream(record))

    def ask_all(
        self,
        records: Sequence[Record],
        found: Sequence[Sequence[Passage]],
        batch_size: int = 1,
        advance: Advance = unwatched,
    ) -> list[Answer]:
        """Answer all questions in batches, in the order given, from what was found for each."""
        both = list(zip(records, found, strict=True))
        asked = [(r, p, self.prompt(r, p)) for r, p in both if not self._refuses(p)]
        prompts = [prompt for *_, prompt in asked]
        completions = self.complete(prompts, batch_size, advance)
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
        (completion,) = self.complete([prompt])
        prefill = rendered - retrieved + completion.prefill
        return Latency(retrieved - started, prefill, time.perf_counter() - retrieved - prefill)

    def prompt(self, record: Record, passages: Sequence[Passage]) -> Prompt:
        """What the model is given for a question with these passages."""
        room = self.engine.context_length - self.limit
        turns = takes_turns(self.format)
        own = self._own(record, turns=turns)
        earlier = [Example(asked, "", said) for asked, said in record.exchanges] if turns else []
        texts, examples = [p.text for p in passages], list[Example]()
        if self.examples is not None:
            shown = [self.examples[passage.document] for passage in reversed(passages)]
            examples = [Example(e.instruction, self._own(e), e.response) for e in shown]
            texts = []
        if not earlier:
            return self.format.prompt(record.instruction, own, texts, room, examples)
        prompt = self.format.prompt(record.instruction, own, texts, room, [*examples, *earlier])
        return replace(prompt, examples=max(0, prompt.examples - len(earlier)))

    def _own(self, record: Record, *, turns: bool = False) -> str:
        return record.own(with_context=self.show_context, turns=turns)

    def complete(
        self, prompts: Sequence[Prompt], batch_size: int = 1, advance: Advance = unwatched
    ) -> list[Completion]:
        """What the engine writes after prompts of this arm."""
        return self.engine.complete(
            prompts,
            limit=self.limit,
            stops=self.format.stops,
            batch_size=batch_size,
            advance=advance,
        )

    def _stream(self, record: Record) -> Generator[str, None, Answer]:
        (found,) = self.retrieve([record])
        if self._refuses(found):
            refused = self._refused(record, found)
            yield refused.text
            return refused
        prompt = self.prompt(record, found)
        if "stream" not in self.engine.can:
            (completion,) = self.complete([prompt])
            yield completion.text
        else:
            completion = yield from self.engine.stream(
                prompt, limit=self.limit, stops=self.format.stops
            )
        return self._answer(record, found, prompt, completion)

    def _refuses(self, found: Sequence[Passage]) -> bool:
        return self.floor is not None and self.floor.refuses(found)

    def _refused(self, record: Record, found: Sequence[Passage]) -> Answer:
        assert self.floor is not None
        return Answer(record.id, self.floor.refusal, 0, 0, 0, 0.0, len(found), refused=True)

    def _answer(
        self, record: Record, found: Sequence[Passage], prompt: Prompt, completion: Completion
    ) -> Answer:
        text = self.format.response(completion.text)
        shown, read = prompt.shown(found), completion.prompt_tokens
        return Answer(
            question=record.id,
            text=text,
            prompt_tokens=prompt.length if read is None else read,
            completion_tokens=completion.tokens,
            cut_tokens=prompt.cut,
            seconds=completion.seconds,
            retrieved=0 if self.examples is not None else len(found),
            sources=[asdict(p) for p in shown],
            support=support(text, [p.text for p in shown]) if shown else [],
            failed=completion.failed,
        )
