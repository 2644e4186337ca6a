"""The questions as the page shows them: every arm's answer, what went wrong, the passages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Arm
from ragtune.results import rows
from ragtune.results.page.plots import CLASSES
from ragtune.results.rows import AnswerRow
from ragtune.results.schema import Question, Results
from ragtune.retrieval.passages import Passage, gold_rank
from ragtune.sources.records import Record

SHOWN_PASSAGES = 10
"""Of a question, where the page had to be cut."""


@dataclass(frozen=True)
class ShownAnswer:
    """An answer, and how many of the passages were in its prompt; ``refused``: by score."""

    text: str
    shown: int
    refused: bool


@dataclass(frozen=True)
class ShownPassage:
    """A passage that was found, and whether it is a gold one."""

    passage: Passage
    gold: bool


@dataclass(frozen=True)
class ShownQuestion:
    """All that the page shows of a question; ``marks`` are what its filter looks for.

    ``records`` are the training records that rag-records was given.
    """

    number: int
    text: str
    input: str
    reference: str
    document: str
    judged: Question
    marks: str
    answers: dict[Arm, ShownAnswer]
    passages: list[ShownPassage]
    records: list[Passage]

    def shortened(self, length: int | None) -> "ShownQuestion":
        """The question with every text cut to ``length`` characters, and fewer passages."""
        if length is None:
            return self
        return replace(
            self,
            text=_cut(self.text, length),
            input=_cut(self.input, length),
            reference=_cut(self.reference, length),
            answers={
                arm: replace(answer, text=_cut(answer.text, length))
                for arm, answer in self.answers.items()
            },
            passages=[
                replace(p, passage=replace(p.passage, text=_cut(p.passage.text, length)))
                for p in self.passages[:SHOWN_PASSAGES]
            ],
            records=[replace(p, text=_cut(p.text, length)) for p in self.records[:SHOWN_PASSAGES]],
        )

    @property
    def length(self) -> int:
        """Characters of what was answered and found."""
        answers = sum(len(answer.text) for answer in self.answers.values())
        found = [*(p.passage for p in self.passages), *self.records]
        return answers + sum(len(passage.text) for passage in found)


def read(results: Results, folder: RunFolder) -> list[ShownQuestion]:
    """The questions of a run.

    Raises RunError where the answers are missing.
    """
    answers = {arm: rows.answers(folder, arm) for arm in results.arms}
    passages = rows.found(folder)
    with_input = results.recipe.filled.records.context == "input"
    both = zip(rows.questions(folder), results.failures.questions, strict=True)
    return [
        ShownQuestion(
            number=n + 1,
            text=record.instruction,
            input=record.own(with_context=with_input),
            reference=" or ".join([record.response, *record.other_responses]),
            document=record.document,
            judged=judged,
            marks=" ".join(_marks(judged)),
            answers={
                arm: ShownAnswer(_said(lines[n]), len(lines[n].sources), lines[n].refused)
                for arm, lines in answers.items()
            },
            passages=_passages(record, passages[n]) if passages else [],
            records=answers["rag-records"][n].sources if "rag-records" in answers else [],
        )
        for n, (record, judged) in enumerate(both)
    ]


def _said(answer: AnswerRow) -> str:
    return f"(error {answer.failed})" if answer.failed is not None else answer.text


def _passages(question: Record, found: Sequence[Passage]) -> list[ShownPassage]:
    return [ShownPassage(p, bool(question.document and gold_rank(question, [p]))) for p in found]


def _marks(judged: Question) -> list[str]:
    verdicts = [
        f"{'right' if right else 'wrong'}-{CLASSES[arm]}" for arm, right in judged.right.items()
    ]
    return [*judged.flips, *verdicts, *dict.fromkeys(judged.causes.values())]


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + " […]"
