"""The arms: the ways to answer that a study compares, and what each is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Arm = Literal["base", "fewshot", "tuned", "rag-records", "rag", "tuned+rag"]
Adapter = Literal["tuned", "tuned+rag"]
"""An adapter is named after the arm that it is tuned for; `tuned` may serve both."""
Corpus = Literal["documents", "records"]


@dataclass(frozen=True)
class Makeup:
    """What an arm adds to the model.

    ``passages``: where those in its prompt are searched for; ``examples``: whether training
    records stand in its prompt; ``tuned``: whether an adapter is on the model.
    """

    passages: Corpus | None = None
    examples: bool = False
    tuned: bool = False


MAKEUP: Mapping[Arm, Makeup] = {
    "base": Makeup(),
    "fewshot": Makeup(examples=True),
    "tuned": Makeup(tuned=True),
    "rag-records": Makeup(passages="records"),
    "rag": Makeup(passages="documents"),
    "tuned+rag": Makeup(passages="documents", tuned=True),
}
ARMS: tuple[Arm, ...] = tuple(MAKEUP)
"""In the order in which they are shown."""
USUAL: tuple[Arm, ...] = ("base", "tuned", "rag", "tuned+rag")
"""Asked where a recipe names none."""


def is_tuned(arm: Arm) -> bool:
    """Whether the arm has an adapter."""
    return MAKEUP[arm].tuned


def reads_documents(arm: Arm) -> bool:
    """Whether passages of the documents stand in the arm's prompt."""
    return MAKEUP[arm].passages == "documents"


def cites(arm: Arm) -> bool:
    """Whether the arm can name sources: passages stand in its prompt."""
    return MAKEUP[arm].passages is not None


def searches_records(arm: Arm) -> bool:
    """Whether the arm looks for training records: as examples, or as passages."""
    return MAKEUP[arm].examples or MAKEUP[arm].passages == "records"
