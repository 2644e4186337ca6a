"""The fields of a record as people write them: texts, lists of right answers, of documents.

What says that a question has no answer: an empty ``response``, no text in ``answers``, or
``unanswerable: true`` (SQuAD's ``is_impossible``).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from ragtune.core.text import refuses

TEXTS = ("instruction", "context", "category", "evidence", "group", "system")
_FLAGS = ("unanswerable", "is_impossible")
_SAID = {
    **dict.fromkeys(("true", "1", "1.0", "yes"), True),
    **dict.fromkeys(("false", "0", "0.0", "no"), False),
}


_HALF = re.compile("[\ud800-\udfff]")


_FILLED = ("instruction", "response", "document")
_PLAIN = frozenset({*TEXTS, *_FILLED})


class NoRecord(ValueError):
    """Why a row is no record."""


def is_plain(row: Mapping[str, Any]) -> bool:
    """Whether a row is texts alone, as most rows of most sources are: `read` would change nothing.

    That is seen in a fifth of the time that `read` takes.
    """
    if not _PLAIN.issuperset(row):
        return False
    for value in row.values():
        if type(value) is not str or not (value.isascii() or _HALF.search(value) is None):
            return False
    if "instruction" not in row or "response" not in row:
        return False
    return all(row[name].strip() for name in _FILLED if name in row)


def read(row: Mapping[str, Any], refusal: str) -> dict[str, Any]:
    """The fields of a `Record`; an unanswerable one responds with ``refusal``.

    Raises NoRecord.
    """
    texts = {name: text(name, row.get(name)) for name in TEXTS}
    if not texts["instruction"].strip():
        raise NoRecord("instruction is missing or empty")
    response, *others = _responses(row, refusal)
    documents = _unique(
        one
        for name in ("document", "documents", "other_documents")
        for one in _listed(name, row.get(name))
    )
    turns = row.get("earlier")
    if not isinstance(turns, list | tuple | None):
        raise NoRecord("earlier is no list of texts, the user's and the assistant's by turns")
    earlier = tuple(text("earlier", turn) for turn in turns or ())
    if len(earlier) % 2:
        raise NoRecord("earlier is not pairs of a question and its answer")
    return {
        **texts,
        "response": response,
        "other_responses": tuple(others),
        "document": documents[0] if documents else "",
        "other_documents": tuple(documents[1:]),
        "earlier": earlier,
        "reviewed": _reviewed(row.get("reviewed")),
    }


def _responses(row: Mapping[str, Any], refusal: str) -> list[str]:
    """Every right answer, the first one first."""
    flag = _flag(next((row[name] for name in _FLAGS if row.get(name) is not None), None))
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
    if row.get("response") is None and row.get("answers") is None and not flag:
        raise NoRecord('response is missing; write "" where a question has no answer')
    if flag is False:
        raise NoRecord("response is empty, but unanswerable is false")
    return [refusal]


def _flag(value: Any) -> bool | None:
    """Whether it is said that there is no answer; None where nothing is said."""
    if isinstance(value, str) and not value.strip():
        return None
    said = value if isinstance(value, bool | None) else _SAID.get(str(value).strip().lower())
    if value is not None and said is None:
        raise NoRecord("unanswerable is neither true nor false")
    return said


def _reviewed(value: Any) -> bool | None:
    """Whether a person kept it; None for what is neither true nor false, which is no fault."""
    if isinstance(value, bool | None):
        return value
    return _SAID.get(str(value).strip().lower())


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
        texts = [text(name, one) for one in value]
    else:
        texts = [text(name, value)]
    return [one for one in texts if one.strip()]


def text(name: str, value: Any) -> str:
    """A value as text: numbers and booleans as they are written, nothing for None.

    Raises NoRecord for what has parts, and for half a character.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return str(value)
        raise NoRecord(f"{name} {_kind(name, value)}")
    if not value.isascii() and _HALF.search(value):
        raise NoRecord(f"{name} holds half a character (a lone surrogate)")
    return value


def _kind(name: str, value: Any) -> str:
    if isinstance(value, Mapping):
        keys = [str(key) for key in value][:5]
        first = keys[0] if keys else "KEY"
        named = f"records.fields: {{{name}: {name}.{first}}}"
        return f"is an object ({', '.join(keys)}), not text; name one of its values: {named}"
    what = "a list" if isinstance(value, list | tuple) else f"of the kind {type(value).__name__}"
    return f"is {what}, not text"


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))
