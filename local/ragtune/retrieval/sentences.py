"""Sentences of texts whose scripts mark their ends otherwise than English does, or not at all.

llama-index's splitter finds the end of an English sentence by its mark and the space behind it.
Chinese and Japanese put no space there, Thai no mark, and both no spaces between words: such a text
was one sentence, cut wherever the chunk was full.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

from ragtune.retrieval import packages

LONGEST = 120
"""Characters of a piece of a script that marks no ends."""
MARKS = "\u3002\uff01\uff1f\uff1b\uff61\u0964\u0965\u061f\u06d4\u104b\u17d4"
"""What ends a sentence with no space behind it: East Asia, India, Arabic, Burma, Cambodia."""
CLOSING = re.escape("\u300d\u300f\u201d\u2019\uff09)\u3011]\u3009\u300b\"'")
"""What belongs to the sentence before it."""
_END = re.compile(f"(?<=[{MARKS}])(?![{MARKS}{CLOSING}])|(?<=[{MARKS}][{CLOSING}])")
_UNMARKED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]{4}")
_MARKED = re.compile(f"[{MARKS}]")

Split = Callable[[str], list[str]]


def sentences() -> Split:
    """What splits a text into sentences: as llama-index does, then at the marks of other scripts.

    Pieces together are the text. One without these marks and scripts is split as before.
    """
    utils = packages.module("llama_index.core.node_parser.text.utils")
    # What llama-index uses; it looks for lists of stop words as well, and imports all of NLTK.
    punkt = packages.module("nltk.tokenize.punkt").PunktSentenceTokenizer()

    def usual(text: str) -> list[str]:
        return list(utils.split_by_sentence_tokenizer_internal(text, punkt))

    def split(text: str) -> list[str]:
        found = usual(text)
        if text.isascii() or not (_MARKED.search(text) or _UNMARKED.search(text)):
            return found
        return [piece for part in found for end in _at_marks(part) for piece in _at_spaces(end)]

    return split


def _at_marks(text: str) -> list[str]:
    return [part for part in _END.split(text) if part]


def _at_spaces(text: str) -> Iterator[str]:
    """Pieces of Thai and its like: at their spaces, which divide phrases, else by length."""
    if not _UNMARKED.search(text):
        yield text
        return
    for part in re.findall(r"\s*\S+\s*$|\s*\S+", text) or [text]:
        start = 0
        while len(part) - start > LONGEST:
            end = start + LONGEST
            while end < len(part) and unicodedata.category(part[end]) in ("Mn", "Mc"):
                end += 1
            yield part[start:end]
            start = end
        yield part[start:]
