"""An engine without a model: it answers with the first sentence of the first passage."""

import re
from collections.abc import Generator, Sequence

from ragtune.models.engines.base import Ability, Completion, Loss, unwatched
from ragtune.prompts.base import Prompt, Row


class QuotingEngine:
    """Reads the prompt's text alone; its tokens are words."""

    name = "quoting"
    can: frozenset[Ability] = frozenset({"answer"})
    fingerprint = "quoting-1"
    context_length = 2048

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        limit: int,
        stops: Sequence[int] = (),
        batch_size: int = 1,
        advance: object = unwatched,
    ) -> list[Completion]:
        texts = [self._quote(prompt.text, limit) for prompt in prompts]
        return [Completion(text, [], 0.01, 0.01, len(text.split())) for text in texts]

    def _quote(self, text: str, limit: int) -> str:
        found = re.search(r"^\[1\] (?:#.*\n\n)?(.+?[.!?])(?:\s|$)", text, re.MULTILINE)
        return " ".join(found[1].split()[:limit]) if found else "I do not know."

    def stream(self, *_: object, **__: object) -> Generator[str, None, Completion]:
        raise NotImplementedError(self.name)

    def loss(self, rows: Sequence[Row], **_: object) -> Loss:
        raise NotImplementedError(self.name)
