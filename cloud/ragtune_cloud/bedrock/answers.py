"""What an imported model answers with: one of three shapes, whole or in pieces."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ragtune.core.errors import CloudError

METRICS = "amazon-bedrock-invocationMetrics"
SHOWN = 120
"""Characters of an answer of no known shape that a message shows."""


@dataclass
class Reply:
    """An answer as it comes: its text, and what Bedrock counted, None where it did not.

    ``finish`` is why it ended, ``length`` where the limit was met.
    """

    pieces: list[str] = field(default_factory=list)
    tokens: int | None = None
    prompt_tokens: int | None = None
    finish: str | None = None

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self.pieces)

    def add(self, content: bytes) -> str:
        """Take in a whole answer or a piece of one; the text that is new in it.

        Raises CloudError for a shape that is not known.
        """
        try:
            found = json.loads(content)
        except ValueError:
            found = None
        text = _text(found) if isinstance(found, Mapping) else None
        if text is None:
            shown = content[:SHOWN].decode(errors="replace")
            raise CloudError(
                "the imported model answered neither choices nor generation nor outputs: "
                f"{' '.join(shown.split())}"
            )
        self._count(found)
        self.pieces.append(text)
        return text

    def _count(self, found: Mapping[str, Any]) -> None:
        usage, metrics = found.get("usage") or {}, found.get(METRICS) or {}
        self.tokens = _number(
            usage.get("completion_tokens"),
            found.get("generation_token_count"),
            metrics.get("outputTokenCount"),
            self.tokens,
        )
        self.prompt_tokens = _number(
            usage.get("prompt_tokens"),
            found.get("prompt_token_count"),
            metrics.get("inputTokenCount"),
            self.prompt_tokens,
        )
        one = _one(found)
        ended = one.get("finish_reason") or one.get("stop_reason") or found.get("stop_reason")
        self.finish = ended or self.finish


def reply_of(content: bytes) -> Reply:
    """A whole answer; raises CloudError for a shape that is not known."""
    reply = Reply()
    reply.add(content)
    return reply


def _one(found: Mapping[str, Any]) -> Mapping[str, Any]:
    listed = found.get("choices") or found.get("outputs") or [{}]
    return listed[0] if isinstance(listed[0], Mapping) else {}


def _text(found: Mapping[str, Any]) -> str | None:
    """The text: OpenAI's ``choices``, Llama's ``generation``, Mistral's ``outputs``."""
    if isinstance(text := found.get("generation"), str):
        return text
    if "choices" not in found and "outputs" not in found:
        counted = "usage" in found or METRICS in found
        return "" if counted else None
    one = _one(found)
    if isinstance(text := one.get("text"), str):
        return text
    part = one.get("delta") or one.get("message") or {}
    content = part.get("content") if isinstance(part, Mapping) else None
    if isinstance(content, str):
        return content
    return "" if not one or "finish_reason" in one or "delta" in one else None


def _number(*values: Any) -> int | None:
    return next((int(value) for value in values if isinstance(value, int)), None)
