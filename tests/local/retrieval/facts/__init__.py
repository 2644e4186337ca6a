"""Short documents in several languages, each with a question that only it answers."""

import json
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
LANGUAGES = sorted(path.stem for path in HERE.glob("*.jsonl"))


@dataclass(frozen=True)
class Fact:
    """A document and a question about it."""

    document: str
    text: str
    question: str


def facts(language: str) -> list[Fact]:
    """The facts in a language, 16 in Chinese and German."""
    lines = (HERE / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    return [Fact(**json.loads(line)) for line in lines]
