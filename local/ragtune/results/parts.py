"""What the parts of the results have in common, and the means that many of them hold."""

from typing import Any

from pydantic import BaseModel, ConfigDict

Bounds = tuple[float, float]


class Part(BaseModel):
    """A part of the results; fields that are not named here are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def to_json(self) -> dict[str, Any]:
        """The fields as JSON values."""
        return self.model_dump(mode="json", by_alias=True)


class Mean(Part):
    """A mean over questions, and its 95 % interval; both rounded to six places."""

    mean: float
    ci95: Bounds


class Paired(Mean):
    """The mean of ``left - right``, paired by question, and whether it differs from zero.

    ``p`` is for this pair alone, ``p_holm`` corrected for all pairs that were compared.
    ``more_questions`` is about how many further ones would show a difference, were the true one
    the one measured; None where the two are significantly different already, or the means equal.
    ``smallest`` is the smallest difference that this many questions show four times in five; None
    where they are too few to show any.
    """

    left: str
    right: str
    p: float
    p_holm: float
    different: bool
    more_questions: int | None
    smallest: float | None = None
