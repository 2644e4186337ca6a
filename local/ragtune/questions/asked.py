"""A model that the user names, asked for questions in plain words."""

from collections.abc import Sequence

from ragtune.core.progress import Advance
from ragtune.models.engines.base import Engine, unwatched
from ragtune.prompts.base import PromptFormat
from ragtune.questions.drafters import cleaned
from ragtune.questions.facts import Fact

LIMIT = 120
"""Tokens of three questions."""
ASK = (
    "Write {count} different questions, in the passage's language, whose answer is exactly "
    "“{answer}” in the sentence “{sentence}”. Each question must be understood without seeing "
    "the passage: name its subject ({head}), use other words than the sentence, and do not contain "
    "the answer. Write one question a line and nothing else."
)
REWORD = "\nOne question is: {question}\nThe others must use other words."


class Asked:
    """A model that follows instructions in general, which the user names: a server, or one here."""

    at_once = 1

    def __init__(self, engine: Engine, prompts: PromptFormat, name: str, batch: int = 4) -> None:
        self.engine, self.prompts, self.name, self.batch = engine, prompts, name, batch

    @property
    def fingerprint(self) -> str:
        """Of the engine."""
        return self.engine.fingerprint

    def draft(self, facts: Sequence[Fact], advance: Advance = unwatched) -> list[list[str]]:
        """Three questions a fact, in one answer."""
        return self._ask([ASK.format(**_about(fact), count=3) for fact in facts], facts, advance)

    def reword(
        self, facts: Sequence[Fact], questions: Sequence[str], advance: Advance = unwatched
    ) -> list[list[str]]:
        """Two other wordings of each question."""
        asked = [
            ASK.format(**_about(fact), count=2) + REWORD.format(question=question)
            for fact, question in zip(facts, questions, strict=True)
        ]
        return self._ask(asked, facts, advance)

    def doubts(self, facts: Sequence[Fact], questions: Sequence[str]) -> list[float]:
        """None."""
        return [0.0] * len(questions)

    def _ask(
        self, asked: Sequence[str], facts: Sequence[Fact], advance: Advance
    ) -> list[list[str]]:
        prompts = [
            self.prompts.prompt(
                text, own=fact.passage.shown, limit=self.engine.context_length - 120
            )
            for text, fact in zip(asked, facts, strict=True)
        ]
        done = self.engine.complete(
            prompts, limit=LIMIT, stops=self.prompts.stops, batch_size=self.batch, advance=advance
        )
        return [
            [
                question
                for line in one.text.splitlines()
                if (question := cleaned(line)).endswith("?")
            ]
            for one in done
        ]


def _about(fact: Fact) -> dict[str, str]:
    sentence = fact.sentence
    return {"answer": fact.answer, "sentence": sentence.text, "head": sentence.head or "its topic"}
