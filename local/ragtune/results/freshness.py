"""Freshness: seconds from a changed document to a changed answer, measured with real changes.

A few documents are changed one after the other in a copy of the index: a fact that a question
asks for gets another value. Each time the documents are listed, the index is brought up to date,
opened, and the question is asked; that is what a user would wait for. What is tuned has to be
tuned again instead, and takes the measured seconds of the run's own tuning.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING

from ragtune.arms.arm import Arm
from ragtune.core.errors import DocumentsError
from ragtune.core.text import normalised
from ragtune.recipe.arms import Arm as ArmName
from ragtune.recipe.arms import is_tuned, reads_documents
from ragtune.results.metrics.answers import token_f1
from ragtune.results.rightness import is_right, is_unanswerable
from ragtune.results.schema import DocumentChange, Freshness
from ragtune.sources.documents import Corpus, Document, from_documents
from ragtune.sources.records import Record

if TYPE_CHECKING:
    from ragtune.retrieval.index import Retriever

CHANGES = 5
"""Documents that are changed, one after the other."""

Open = Callable[[Corpus], "Retriever"]
"""Bring the copy of the index up to date with a corpus, and open it."""


@dataclass(frozen=True)
class Change:
    """A document's new text, and the question whose answer it changes to ``fact``."""

    question: Record
    document: str
    fact: str
    parts: list[Document]


def by_rightness(questions: Sequence[Record], texts: Sequence[str], refusal: str) -> list[Record]:
    """The answerable questions, those that were answered rightly first."""
    refusals = (refusal,)
    both = [q for q in zip(questions, texts, strict=True) if not is_unanswerable(q[0], refusals)]
    ordered = sorted(both, key=lambda pair: not is_right(pair[0], pair[1], refusals))
    return [question for question, _ in ordered]


def changes(corpus: Corpus, questions: Sequence[Record], *, with_context: bool) -> list[Change]:
    """Up to `CHANGES` changes to different documents, by the order of the questions.

    Where a question's response is in its gold document, another question's takes its place:
    one of similar length, without a word in common. Where there is no such question, a document is
    given a last paragraph that states a question and its response, as if nobody had written on
    the matter before.
    """
    found: dict[str, Change] = {}
    for question in questions:
        if len(found) == CHANGES:
            break
        name = question.document
        if name in found or name not in corpus.hashes:
            continue
        if change := _replaced(question, _read(corpus, name), questions):
            found[name] = change
    return list(found.values()) or _stated(corpus, questions, with_context)


def measure(
    made: Sequence[Change],
    listing: Callable[[], Corpus],
    opened: Open,
    arm: "Callable[[Retriever], Arm]",
    *,
    refusal: str,
    advance: Callable[[int, int], None] = lambda done, total: None,
) -> list[DocumentChange]:
    """Apply the changes one after the other, each on top of those before.

    ``listing`` lists the documents as they are, ``opened`` and ``arm`` make what answers. Nothing
    is timed before the unchanged index has answered once.
    """
    retriever = opened(listing())
    before = [arm(retriever).ask(change.question).text for change in made]
    retriever.close()
    done = []
    for number, change in enumerate(made):
        started = time.perf_counter()
        retriever = opened(_overlaid(listing(), made[: number + 1]))
        indexed = time.perf_counter()
        after = arm(retriever).ask(change.question)
        answered = time.perf_counter()
        retriever.close()
        now = replace(change.question, response=change.fact, other_responses=())
        done.append(
            DocumentChange(
                document=change.document,
                question=change.question.instruction,
                fact=change.fact,
                before=before[number],
                after=after.text,
                shown=any(_holds(s["text"], change.fact) for s in after.sources),
                followed=after.text != before[number] and is_right(now, after.text, (refusal,)),
                index_seconds=round(indexed - started, 4),
                answer_seconds=round(answered - indexed, 4),
            )
        )
        advance(number + 1, len(made))
    return done


def _holds(text: str, fact: str) -> bool:
    """Whether a text has a fact's words in a row, numbers by value."""
    return f" {normalised(fact)} " in f" {normalised(text)} "


def summary(measured: Sequence[DocumentChange]) -> Freshness:
    """The changes, the median of their seconds, in how many the fact was shown, and followed."""
    seconds = median(m.index_seconds + m.answer_seconds for m in measured)
    return Freshness(
        reindex_seconds=round(seconds, 4),
        shown=sum(m.shown for m in measured),
        followed=sum(m.followed for m in measured),
        changes=list(measured),
    )


def arm_seconds(
    arm: ArmName, stages: Mapping[str, float], fresh: Freshness | None, p50_ms: float
) -> float | None:
    """Seconds until an arm answers by a changed document; None where it never does or is unknown.

    A tuned arm that does not read them is tuned again: its rows, its adapter, then an answer at the
    median. One that searches the records knows nothing of the documents.
    """
    if reads_documents(arm):
        return fresh.reindex_seconds if fresh else None
    if is_tuned(arm) and "tune/tuned" in stages:
        again = stages.get("data/tuned", 0.0) + stages["tune/tuned"]
        return round(again + p50_ms / 1000, 4)
    return None


def _replaced(
    question: Record, parts: list[Document], questions: Sequence[Record]
) -> Change | None:
    """The question's document with another fact in place of its response."""
    old = question.response
    text = "\n".join(part.text for part in parts)
    value = re.compile(rf"(?<!\w){re.escape(old)}(?!\w)")
    others = [q.response for q in questions if not token_f1(q.response, old)]
    if not value.search(text) or not others:
        return None
    new = min(others, key=lambda r: (_digits(r) != _digits(old), abs(len(r) - len(old))))
    changed = [replace(part, text=value.sub(lambda _: new, part.text)) for part in parts]
    return Change(question, question.document, new, changed)


def _stated(corpus: Corpus, questions: Sequence[Record], with_context: bool) -> list[Change]:
    readable = ((name, _read(corpus, name)) for name in corpus.hashes)
    documents = [(name, parts) for name, parts in readable if parts][:CHANGES]
    return [
        Change(q, name, q.response, [*parts[:-1], _with_paragraph(parts[-1], q, with_context)])
        for q, (name, parts) in zip(questions, documents, strict=False)
    ]


def _with_paragraph(part: Document, question: Record, with_context: bool) -> Document:
    stated = f"{question.query(with_context=with_context)}\n{question.response}"
    return replace(part, text=f"{part.text}\n\n{stated}\n")


def _overlaid(corpus: Corpus, made: Sequence[Change]) -> Corpus:
    """The corpus with the changed documents in place of their own."""
    new = from_documents([part for change in made for part in change.parts])

    def read(name: str) -> list[Document]:
        return new.read(name) if name in new.hashes else corpus.read(name)

    return Corpus({**corpus.hashes, **new.hashes}, corpus.skipped, read)


def _read(corpus: Corpus, name: str) -> list[Document]:
    try:
        return corpus.read(name)
    except DocumentsError:
        return []


def _digits(text: str) -> bool:
    return any(c.isdigit() for c in text)
