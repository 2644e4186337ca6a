"""What is written beside weights: how the model is asked, what it is, and how it was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ragtune.tuning.handover.dialogue import Dialogue


@dataclass(frozen=True)
class Companions:
    """What a run knows of the model that it exports.

    ``dialogue`` is None for a prompt format that no chat template can write. ``stops`` are the
    tokens by which the format ends an answer. ``figures`` are sentences. ``question`` and
    ``context`` are an example, as a user's turn has them. ``with_context``: the run's prompts have
    a context. ``limit`` is how many tokens an answer had at most, ``positions`` how many there are.
    """

    name: str
    arm: str
    base: str
    licence: str
    dialogue: Dialogue | None
    stops: tuple[int, ...] = ()
    figures: tuple[str, ...] = ()
    question: str = ""
    context: str = ""
    with_context: bool = False
    limit: int = 256
    positions: int = 2048

    @property
    def turn(self) -> str:
        """The example as a user's turn."""
        words = self.dialogue and self.dialogue.words
        return words.turn(self.question, self.context) if words else self.question


def ends_of(*named: int | Sequence[int] | None) -> tuple[int, ...]:
    """The tokens that end an answer, from whatever names one or several; each once, in order."""
    found = [n for one in named for n in (one if isinstance(one, list | tuple) else [one])]
    return tuple(dict.fromkeys(n for n in found if isinstance(n, int)))


def licence_of(folder: Path) -> str:
    """The licence that the card in a model's folder names; empty where it names none."""
    try:
        lines = (folder / "README.md").read_text(encoding="utf-8").split("\n")
    except OSError:
        return ""
    if lines[:1] != ["---"]:
        return ""
    for line in lines[1:]:
        if line == "---":
            break
        name, _, value = line.partition(":")
        if name == "license":
            return value.strip()
    return ""
