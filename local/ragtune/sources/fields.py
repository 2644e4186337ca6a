"""The fields of a record as people write them: texts, lists of right answers, of documents.

What says that a question has no answer: an empty ``response``, no text in ``answers``, or
``unanswerable: true`` (SQuAD's ``is_impossible``).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ragtune.core.text import refuses

TEXTS = ("instruction", "context", "category", "evidence", "group")
_FLAGS = ("unanswerable", "is_impossible")


class NoRecord(ValueError):
    """Why a row is no record."""


def read(row: Mapping[str, Any], refusal: str) -> dict[str, Any]:
    """The fields of a `Record`; an unanswerable one responds with ``refusal``.

    Raises NoRecord.
    """
    texts = {name: _text(name, row.get(name)) for name in TEXTS}
    if not texts["instruction"].strip():
        raise NoRecord("instruction is missing or empty")
    response, *others = _responses(row, refusal)
    documents = _unique(
        text
        for name in ("document", "documents", "other_documents")
        for text in _listed(name, row.get(name))
    )
    return {
        **texts,
        "response": response,
        "other_responses": tuple(others),
        "document": documents[0] if documents else "",
        "other_documents": tuple(documents[1:]),
    }


def _responses(row: Mapping[str, Any], refusal: str) -> list[str]:
    """Every right answer, the first one first."""
    flag = next((row[name] for name in _FLAGS if row.get(name) is not None), None)
    if flag is not None and not isinstance(flag, bool):
        raise NoRecord("unanswerable is neither true nor false")
    found = _unique(
        [
            *_listed("response", row.get("response")),
            *_answers(row.get("answers")),
            *_listed("other_responses", row.get("other_responses")),
        ]
    )
    if flag:
        return [text for text in found[:1] if refuses(text, (refusal,))] or [refusal]
    if found:
        return found
    if row.get("response") is None and row.get("answers") is None:
        raise NoRecord('response is missing; write "" where a question has no answer')
    if flag is False:
        raise NoRecord("response is empty, but unanswerable is false")
    return [refusal]


def _answers(value: Any) -> list[str]:
    """SQuAD's ``{text: [...]}``, its list of ``{text: ...}``, or a list of texts."""
    if isinstance(value, Mapping):
        if "text" not in value:
            raise NoRecord("answers has no text")
        return _listed("answers.text", value["text"])
    if isinstance(value, list):
        value = [one.get("text") if isinstance(one, Mapping) else one for one in value]
    return _listed("answers", value)


def _listed(name: str, value: Any) -> list[str]:
    """The texts that say something, of one text or a list of them."""
    if isinstance(value, list | tuple):
        texts = [_text(name, text) for text in value]
    else:
        texts = [_text(name, value)]
    return [text for text in texts if text.strip()]


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise NoRecord(f"{name} is not text")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise NoRecord(f"{name} holds half a character (a lone surrogate)")
    return value


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
