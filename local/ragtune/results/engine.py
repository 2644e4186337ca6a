"""What answered a run's questions where it was not the loop here: a server, or vLLM."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from ragtune.core.files import read_json
from ragtune.recipe.arms import Arm
from ragtune.results.parts import Part

ALIKE = 0.5
"""The share of equal answers below which another model, or another prompt, is likely."""


class Answering(Part):
    """What answered for an arm: the server's name for the model, and what it was sent.

    ``takes``: `messages`, the server puts its chat template around them; `ids`, the run's own
    tokens; `text`, the run's own text.
    """

    model: str
    takes: Literal["messages", "ids", "text"]
    context_length: int


class SameAnswers(Part):
    """How many answers of an arm are equal to those of the loop here to the same prompts."""

    arm: Arm
    questions: int
    equal: int


class EngineUsed(Part):
    """A server: its URL, its models as it lists them, and what answered for each arm.

    Of vLLM in this process, ``url`` is its name and version, and ``models`` how it was opened.
    ``agreement`` is None where the model cannot be run here.
    """

    url: str
    models: list[dict[str, JsonValue]]
    answered: dict[Arm, Answering]
    agreement: SameAnswers | None

    @property
    def elsewhere(self) -> bool:
        """Whether a server answered, which tunes nothing."""
        return self.url.startswith(("http://", "https://"))


def engine_used(path: Path) -> EngineUsed | None:
    """What the stage left; None where no server answered."""
    return EngineUsed.model_validate(read_json(path)) if path.exists() else None


def names(used: EngineUsed) -> str:
    """The models that answered, each with its arms where there are several."""
    by: dict[str, list[str]] = {}
    for arm, answering in used.answered.items():
        by.setdefault(answering.model, []).append(arm)
    if len(by) == 1:
        return next(iter(by))
    return ", ".join(f"{model} ({', '.join(arms)})" for model, arms in by.items())


def remarks(used: EngineUsed) -> Iterator[str]:
    """What is to be known of it."""
    same = used.agreement
    compared = (
        f"{same.equal} of {same.questions} answers of {same.arm} are equal to those of ragtune's "
        "own loop"
        if same
        else "not compared with ragtune's own loop, for the model is not on this machine"
    )
    yield f"answered by {used.url}: {names(used)}; {compared}; seconds are those of its requests"


def warnings(used: EngineUsed) -> Iterator[str]:
    """That it answers as another model would."""
    same = used.agreement
    if same and same.equal < ALIKE * same.questions:
        yield (
            f"only {same.equal} of {same.questions} answers of {used.url} are equal to those of "
            "ragtune's own loop: it has other weights, fewer bits, or another prompt"
        )
