"""Answers as OpenAI's API writes them: chat completions and completions, whole or in pieces."""

import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any


class Form(ABC):
    """How answers are written: as chat completions, or as completions."""

    kind = ""
    chunk = ""
    name = ""

    def __init__(self, arm: str, ignored: int) -> None:
        self.arm, self.ignored = arm, ignored
        self.id, self.created = f"{self.name}-{uuid.uuid4().hex}", int(time.time())

    @abstractmethod
    def message(self, text: str) -> dict[str, Any]:
        """A whole answer in a choice."""

    @abstractmethod
    def delta(self, text: str, *, first: bool = False) -> dict[str, Any]:
        """A piece in a choice."""

    @abstractmethod
    def end(self) -> dict[str, Any]:
        """No piece, in the last choice."""

    def whole(self, answers: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The answers in one piece."""
        choices = [
            {
                "index": number,
                **self.message(answer["text"]),
                "finish_reason": _reason(answer),
                "logprobs": None,
                "sources": answer["sources"],
            }
            for number, answer in enumerate(answers)
        ]
        told = [self.told(answer) for answer in answers]
        return {
            **self._head(self.kind),
            "choices": choices,
            "usage": _usage(answers),
            "ragtune": told[0] if len(told) == 1 else told,
        }

    def piece(self, text: str, *, first: bool = False) -> dict[str, Any]:
        """A piece of a stream."""
        choice = {"index": 0, **self.delta(text, first=first), "finish_reason": None}
        return {**self._head(self.chunk), "choices": [choice]}

    def last(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The end of a stream, with what stands beside the message."""
        choice = {
            "index": 0,
            **self.end(),
            "finish_reason": _reason(answer),
            "sources": answer["sources"],
        }
        told = self.told(answer)
        return {**self._head(self.chunk), "choices": [choice], "ragtune": told}

    def usage(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The tokens, after the end of a stream."""
        return {**self._head(self.chunk), "choices": [], "usage": _usage([answer])}

    def told(self, answer: dict[str, Any]) -> dict[str, Any]:
        """All of an answer that OpenAI's API has no place for."""
        left = {k: v for k, v in answer.items() if k not in ("question", "sources", "full")}
        return {**left, "ignored": self.ignored}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.arm}


class ChatForm(Form):
    """Chat completions."""

    kind, chunk, name = "chat.completion", "chat.completion.chunk", "chatcmpl"

    def message(self, text: str) -> dict[str, Any]:
        """A whole answer in a choice."""
        return {"message": {"role": "assistant", "content": text}}

    def delta(self, text: str, *, first: bool = False) -> dict[str, Any]:
        """A piece in a choice."""
        role = {"role": "assistant"} if first else {}
        return {"delta": {**role, "content": text}}

    def end(self) -> dict[str, Any]:
        """No piece, in the last choice."""
        return {"delta": {}}


class TextForm(Form):
    """Completions."""

    kind = chunk = "text_completion"
    name = "cmpl"

    def message(self, text: str) -> dict[str, Any]:
        """A whole answer in a choice."""
        return {"text": text}

    def delta(self, text: str, *, first: bool = False) -> dict[str, Any]:
        """A piece in a choice."""
        return {"text": text}

    def end(self) -> dict[str, Any]:
        """No piece, in the last choice."""
        return {"text": ""}


def _reason(answer: dict[str, Any]) -> str:
    return "length" if answer["full"] else "stop"


def _usage(answers: Sequence[dict[str, Any]]) -> dict[str, int]:
    prompt = sum(answer["prompt_tokens"] for answer in answers)
    written = sum(answer["completion_tokens"] for answer in answers)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
    }
