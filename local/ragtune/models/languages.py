"""Which languages a model or an embedder knows: by its card, or by how its tokenizer takes them."""

import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import yaml

from ragtune.core.bundled import BUILTIN
from ragtune.core.text.language import ENGLISH, NAMES
from ragtune.models.multilingual import MULTILINGUAL

EVERY = frozenset(NAMES)
"""What a model knows whose card says `multilingual`."""
TOKENS = 0.9
"""Tokens a letter from which a tokenizer does not know a script: it spells it in bytes."""
EASTERN = 1.6
"""The same for Han, kana and Hangul, of which a letter says more."""
UNKNOWN = 0.1
"""The share of unknown tokens from which it does not."""
_FRONT = re.compile(r"\A---\s*\n(.*?)\n---\s*$", re.DOTALL | re.MULTILINE)
_EASTERN = frozenset({"zh", "ja", "ko"})


def card_languages(folder: Path) -> frozenset[str] | None:
    """The languages that the card in a model's folder names; None where it names none."""
    try:
        front = _FRONT.match((folder / "README.md").read_text(encoding="utf-8"))
        said = yaml.safe_load(front[1])["language"] if front else None
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return None
    codes = [said] if isinstance(said, str) else said
    if not isinstance(codes, list) or not codes:
        return None
    if MULTILINGUAL in codes:
        return EVERY
    return frozenset("no" if code is False else str(code).lower()[:2] for code in codes)


def embedder_languages(name: str, beside: Path) -> frozenset[str] | None:
    """The languages of what ``rag.embedder`` names; None where nothing here says so.

    Nothing is loaded, unpacked or downloaded for it.
    """
    if name == BUILTIN:
        return frozenset({ENGLISH})
    if name == MULTILINGUAL:
        return EVERY
    return card_languages(beside / Path(name).expanduser())


def unread(tokenizer: Any, texts: Sequence[str], language: str) -> bool:
    """Whether a tokenizer takes texts of a language to pieces, so its model cannot know it.

    Only foreign scripts show: an English tokenizer spells German in a few more tokens, too.
    """
    letters = sum(map(str.isalpha, "".join(texts)))
    if not letters:
        return False
    rows = tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    ids = [token for row in rows for token in row]
    unknown = getattr(tokenizer, "unk_token_id", None)
    if unknown is not None and sum(token == unknown for token in ids) > UNKNOWN * len(ids):
        return True
    return len(ids) > (EASTERN if language in _EASTERN else TOKENS) * letters


def not_known(languages: Sequence[str], known: Collection[str] | None) -> list[str]:
    """Those that are not known, where it is said which are."""
    return [] if known is None else [code for code in languages if code not in known]
