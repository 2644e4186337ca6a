"""A drafted question as a line of a jsonl file, which ``records`` and ``study.questions`` read."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal[
    "figure", "date", "name", "code", "list", "definition", "reason", "phrase", "unanswerable"
]
"""What the answer is; ``unanswerable``: nothing that the documents say."""
KINDS: tuple[Kind, ...] = (
    "figure",
    "date",
    "name",
    "code",
    "list",
    "definition",
    "reason",
    "phrase",
    "unanswerable",
)
Part = Literal["test", "train"]


@dataclass(frozen=True)
class Row:
    """A question with its answer; of an unanswerable one all that says where it is is empty.

    ``response`` is word for word in ``evidence``, the sentence of ``document`` that holds it, and
    ``context`` is that sentence with its neighbours. Rows of one ``group`` ask for one fact in
    different words. ``split`` says what the row is for; ``reviewed``, whether a person kept it;
    ``drafted`` who wrote the question.
    """

    instruction: str
    response: str
    context: str = ""
    document: str = ""
    evidence: str = ""
    group: str = ""
    kind: Kind = "phrase"
    split: Part = "test"
    reviewed: bool = False
    drafted: str = ""

    def to_json(self) -> dict[str, Any]:
        """All fields by name, as a line of the file has them."""
        return asdict(self)

    @classmethod
    def from_json(cls, row: dict[str, Any]) -> "Row":
        """The row that `to_json` wrote; columns that others added are left out."""
        known = cls.__dataclass_fields__
        return cls(**{name: value for name, value in row.items() if name in known})
