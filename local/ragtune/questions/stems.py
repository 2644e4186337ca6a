"""The words of questions and texts as they are compared: without endings."""

import re
from functools import lru_cache

from ragtune.core.text.content import is_content, stem
from ragtune.core.text.words import tokens

_VAGUE = """
person people thing name place time day date year number amount sum price cost
kind sort type way reason part piece much many long often far big large high new first last
use used using make made give given need needed keep kept take taken put find found happen
called known say said tell ask asked go going done doing must allowed let long colour word
somebody someone something anything one two show see want wish become work
"""
VAGUE = frozenset(stem(word) for word in _VAGUE.split())
"""Words that name no subject by themselves."""


@lru_cache(maxsize=8192)
def content(text: str) -> tuple[str, ...]:
    """The stems of a text's content words, in order."""
    return tuple(stem(token.text) for token in tokens(text) if is_content(token))


def stems(text: str) -> set[str]:
    """The stems of a text's words, small ones as well."""
    return {stem(word) for word in re.findall(r"[a-z]+", text.lower())}
