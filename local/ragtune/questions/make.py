"""A folder of documents → two files of questions: for the test, and for training."""

import random
import shlex
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ragtune.core.errors import DocumentsError
from ragtune.core.files import own, read_jsonl, write_jsonl
from ragtune.core.progress import Watcher
from ragtune.core.text.language import ENGLISH, languages_of
from ragtune.questions.collection import Collection
from ragtune.questions.drafters import Drafter
from ragtune.questions.drafting import Drafting, selected
from ragtune.questions.journal import FILE as JOURNAL
from ragtune.questions.journal import Drafted, Journal
from ragtune.questions.near_misses import near_misses, unanswered
from ragtune.questions.passages import sentences_of
from ragtune.questions.plan import Plan, choose
from ragtune.questions.reading import Reader
from ragtune.questions.review.journal import decided
from ragtune.questions.row import Row
from ragtune.questions.rules import is_new
from ragtune.questions.specialist import Specialist
from ragtune.questions.templates import Templates

TEST, TRAIN = "questions.jsonl", "records.jsonl"
"""The files of a drafting: what ``study.questions`` and what ``records.source`` name."""
VERSION = 4
"""Of the rules: drafts of another version are not gone on with."""
AT_ONCE = 40
"""Near misses that are checked together."""


@dataclass(frozen=True)
class Made:
    """What a drafting came to; ``dropped`` counts facts without a question by the usual reason."""

    folder: Path
    test: int
    train: int
    unanswerable: int
    documents: int
    without: tuple[str, ...]
    kinds: dict[str, int]
    facts: int
    kept: int
    dropped: dict[str, int]
    drafted: str
    read_back: bool
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """All of it, for ``--json``."""
        return {**asdict(self), "folder": str(self.folder)}

    def summary(self, following: str = "") -> str:
        """What is there, what was left out and why, and what to do next.

        ``following`` is what follows the review; empty, it is to name the files in a recipe.
        """
        reasons = sorted(self.dropped.items(), key=lambda pair: -pair[1])
        why = ", ".join(f"{count} {reason}" for reason, count in reasons)
        lines = list(self.notes)
        lines.append(
            f"{self.kept} of {self.facts} facts have a question"
            + (f"; of the others {why}" if why else "")
        )
        if self.without:
            some = ", ".join(self.without[:3]) + (" …" if len(self.without) > 3 else "")
            lines.append(f"{len(self.without)} of {self.documents} documents have none: {some}")
        lines.append(
            f"{self.test} test questions ({self.unanswerable} without an answer) and {self.train} "
            f"training rows in {self.folder}, by {self.drafted}"
        )
        naming = (
            f"name them in the recipe: study.questions: {self.folder / TEST}, "
            f"records.source: {self.folder / TRAIN}, records.context: passage"
        )
        review = shlex.join(["ragtune", "review", str(self.folder / TEST)])
        lines.append(f"next: read them with `{review}`, then {following or naming}")
        return "\n".join(lines)


def make(
    nodes: Sequence[Any],
    split: Callable[[str], list[str]],
    plan_for: Callable[[int], Plan],
    folder: Path,
    *,
    drafter: Drafter,
    reader: Reader | None,
    watcher: Watcher,
    documents: str,
    again: bool = False,
) -> Made:
    """Draft from chunks, and write the two files into ``folder``.

    ``split`` finds sentences, ``plan_for`` says how many questions so many documents are asked
    for, ``documents`` identifies them.

    Raises DocumentsError where nothing can be asked about them, where drafting began in ``folder``
    with other settings, and where it holds questions that a person reviewed; RunError where another
    process drafts into it.
    """
    refuse_reviewed(folder)
    collection = Collection(sentences_of(nodes, split))
    if not collection.documents:
        raise DocumentsError("documents: no sentence in them that a question could be asked about")
    plan = plan_for(len(collection.documents))
    owner = own(folder)
    try:
        drafted, test, train, missed = _written(
            collection, plan, folder, drafter, reader, watcher, documents, again
        )
    finally:
        owner.close()
    held = {row.document for row in (*test, *train)}
    return Made(
        folder=folder,
        test=len(test),
        train=len(train),
        unanswerable=len(missed),
        documents=len(collection.documents),
        without=tuple(name for name in collection.documents if name not in held),
        kinds=dict(Counter(row.kind for row in test)),
        facts=_facts(drafted),
        kept=len({row.group for one in drafted for row in one.rows}),
        dropped=dict(sum((Counter(one.dropped) for one in drafted), Counter())),
        drafted=drafter.name,
        read_back=reader is not None,
        notes=tuple(_notes(collection, drafter, reader, plan, len(test), len(train))),
    )


def _written(  # noqa: PLR0917 - what `make` was given
    collection: Collection,
    plan: Plan,
    folder: Path,
    drafter: Drafter,
    reader: Reader | None,
    watcher: Watcher,
    documents: str,
    again: bool,
) -> tuple[list[Drafted], list[Row], list[Row], list[Row]]:
    """Draft, choose and write in a folder that is owned: all drafts, and the rows of the files."""
    chosen = choose(collection, plan)
    if again:
        (folder / JOURNAL).unlink(missing_ok=True)
    journal = Journal(
        folder,
        {"version": VERSION, "documents": documents, "drafter": drafter.fingerprint,
         "reader": reader is not None, **asdict(plan)},
    )  # fmt: skip
    drafted = Drafting(collection, plan, drafter, reader, watcher).run(chosen, journal)
    test, train = selected(drafted, plan)
    if not test:
        raise DocumentsError(f"documents: none of {_facts(drafted)} facts in them has a question")
    missed = _unanswerable(test, train, collection, plan, reader)
    test = _mixed(test, missed, plan.seed)
    write_jsonl(folder / TRAIN, [row.to_json() for row in train])
    write_jsonl(folder / TEST, [row.to_json() for row in test])
    return drafted, test, train, missed


def refuse_reviewed(folder: Path) -> None:
    """Raise DocumentsError where the folder holds questions that a person reviewed."""
    for name in (TEST, TRAIN):
        path = folder / name
        if not path.is_file():
            continue
        count = sum(bool(row.get("reviewed")) for row in read_jsonl(path) if isinstance(row, dict))
        count = max(count, decided(path))
        if count:
            raise DocumentsError(
                f"{path}: {count} of its questions were reviewed by a person, and are not written "
                "over; name another folder with --output"
            )


def _facts(drafted: Sequence[Drafted]) -> int:
    return sum(one.facts for one in drafted)


def _unanswerable(
    test: Sequence[Row],
    train: Sequence[Row],
    collection: Collection,
    plan: Plan,
    reader: Reader | None,
) -> list[Row]:
    """As many near misses of test questions as are wanted and pass the checks."""
    if reader is None:
        return []
    rng = random.Random(f"{plan.seed}/unanswerable")
    left = near_misses(test, collection, rng)
    asked = [row.instruction for row in (*test, *train)]
    found: list[Row] = []
    while left and len(found) < plan.unanswerable:
        batch, left = left[:AT_ONCE], left[AT_ONCE:]
        for row in unanswered(batch, collection, reader):
            if len(found) < plan.unanswerable and is_new(row.instruction, asked):
                asked.append(row.instruction)
                found.append(row)
    return found


def _mixed(test: Sequence[Row], missed: Sequence[Row], seed: int) -> list[Row]:
    rows = [*test, *missed]
    random.Random(f"{seed}/order").shuffle(rows)
    return rows


def _notes(  # noqa: PLR0917 - each is named where it is given
    collection: Collection,
    drafter: Drafter,
    reader: Reader | None,
    plan: Plan,
    test: int,
    train: int,
) -> list[str]:
    """What the user has to know of how they were drafted."""
    notes: list[str] = []
    written = languages_of([one.text for one in collection.sentences[:200]])
    if isinstance(drafter, Specialist | Templates) and written and written[0] != ENGLISH:
        notes.append(
            f"the documents are in {written[0]}; {drafter.name} writes English alone: name a model "
            "that knows the language with --engine"
        )
    if isinstance(drafter, Templates):
        notes.append(
            "the model that drafts is not installed, so the questions are made by rules and repeat "
            "the words of the documents; `ragtune init` says how to install it, or name one with "
            "--engine"
        )
    if reader is None:
        notes.append("nothing read the questions back: the reader is not installed")
    if test < plan.test or train < plan.train:
        notes.append(f"wanted were {plan.test} test questions and {plan.train} training rows")
    return notes
