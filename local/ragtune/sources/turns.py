"""A conversation as people write it down → the fields of a record.

Chat messages (``role`` and ``content``) and ShareGPT's (``from`` and ``value``). The last exchange
is the record's question and response, those before it are its earlier turns.
"""

from collections.abc import Mapping, Sequence
from typing import Any

ROLES = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "model", "bot", "chatgpt"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
}
_ROLE = ("role", "from")
_CONTENT = ("content", "value", "text")


class NoConversation(ValueError):
    """Why a value is no conversation that can be learnt from."""


def is_conversation(value: Any) -> bool:
    """Whether a value is a list of turns."""
    return (
        isinstance(value, list)
        and bool(value)
        and isinstance(value[0], Mapping)
        and any(name in value[0] for name in _ROLE)
    )


def read(value: Any) -> dict[str, Any]:
    """``instruction``, ``response``, ``system`` and ``earlier`` of a conversation.

    Turns of one speaker that follow one another are one turn. What the assistant says before any
    question is part of ``system``. ``unanswered`` is what the user asks at the end without an
    answer.

    Raises NoConversation.
    """
    if not is_conversation(value):
        raise NoConversation("is no list of turns, each with its role and content")
    system: list[str] = []
    said: list[tuple[str, list[str]]] = []
    for number, turn in enumerate(value, 1):
        role, content = _turn(turn, number)
        if role == "system":
            if said:
                raise NoConversation(f"turn {number} is a system turn after the first question")
            system.append(content)
        elif not said and role == "assistant":
            system.append(f"Assistant: {content}")
        elif said and said[-1][0] == role:
            said[-1][1].append(content)
        else:
            said.append((role, [content]))
    texts = ["\n\n".join(parts) for _, parts in said]
    unanswered = texts.pop() if len(texts) % 2 else ""
    if not texts:
        raise NoConversation("has no turn of the assistant after one of the user")
    *earlier, instruction, response = texts
    return {
        "instruction": instruction,
        "response": response,
        "system": "\n\n".join(system),
        "earlier": tuple(earlier),
        "unanswered": unanswered,
    }


def pairs(value: Any) -> tuple[str, ...]:
    """The earlier turns of a ``history``: a list of pairs, each a question and its answer.

    Raises NoConversation.
    """
    if value is None or value in ("", []):
        return ()
    if not isinstance(value, list | tuple) or not all(
        isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(t, str) for t in pair)
        for pair in value
    ):
        raise NoConversation("is no list of pairs, each a question and its answer")
    return tuple(text for pair in value for text in pair)


def _turn(turn: Any, number: int) -> tuple[str, str]:
    if not isinstance(turn, Mapping):
        raise NoConversation(f"turn {number} is not an object with role and content")
    named = next((turn[name] for name in _ROLE if turn.get(name) is not None), None)
    role = ROLES.get(str(named).strip().lower())
    if role is None:
        allowed = "system, user (human), assistant (gpt)"
        raise NoConversation(f"turn {number} has the role {named}; allowed: {allowed}")
    content = _content(next((turn[n] for n in _CONTENT if turn.get(n) is not None), None), number)
    if not content.strip() and role != "system":
        raise NoConversation(f"turn {number} is empty")
    return role, content


def _content(value: Any, number: int) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        texts = [part.get("text") for part in value if isinstance(part, Mapping)]
        if len(texts) == len(value) and all(isinstance(text, str) for text in texts):
            return "\n".join(map(str, texts))
    raise NoConversation(f"turn {number} has a content that is not text")
