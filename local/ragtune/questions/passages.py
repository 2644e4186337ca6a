"""Chunks of an index → sentences with what is around them: what a question can be drafted from."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Any

from ragtune.sources.readers.table import BAR

TOGETHER = 6
"""Sentences of a passage, at most: what is asked about them reads it once."""
WORDS = (4, 45)
"""Words of a sentence that a question is asked about."""
_MARKER = re.compile(r"^\s*(?:[-*+•·\u2013]|\(?\d{1,2}[.)]|\(?[a-z][.)])\s+")
_LINE = re.compile(r"^[\w(][^:|]{1,60}: \S")


@dataclass(frozen=True)
class Sentence:
    """A sentence, a list item or a table's row, as it is in a chunk."""

    text: str
    document: str
    title: str
    heading: str
    place: int
    """Its number in the document."""
    is_line: bool = False
    """A row of a table, or a value behind its name."""

    @property
    def head(self) -> str:
        """The document's title, and the heading that it is under."""
        parts = [part for part in (self.title, self.heading) if part]
        return " > ".join(dict.fromkeys(parts))


@dataclass(frozen=True)
class Passage:
    """A sentence and its neighbours under the same heading."""

    sentence: Sentence
    text: str

    @property
    def shown(self) -> str:
        """The passage below its title and heading."""
        return f"{self.sentence.head}\n{self.text}" if self.sentence.head else self.text


def sentences_of(nodes: Iterable[Any], split: Callable[[str], list[str]]) -> list[Sentence]:
    """The sentences of chunks in order, each once a document; headings are left out.

    ``nodes`` are llama-index's, as `retrieval.chunks` makes them; ``split`` finds sentences.
    """
    found: list[Sentence] = []
    seen: set[tuple[str, str]] = set()
    places: dict[str, int] = {}
    headings: dict[str, set[str]] = defaultdict(set)
    chunks = list(nodes)
    for node in chunks:
        parts = str(node.metadata.get("locator") or "").split(" > ")
        parts.append(str(node.metadata.get("title") or ""))
        headings[str(node.metadata["document"])] |= {_plain(part) for part in parts}
    for node in chunks:
        document = str(node.metadata["document"])
        title = str(node.metadata.get("title") or "")
        heading = str(node.metadata.get("locator") or "")
        heads = headings[document]
        for text, is_line in _parts(node.text, split, heads):
            if (document, text) in seen or _plain(text) in heads:
                continue
            seen.add((document, text))
            place = places[document] = places.get(document, -1) + 1
            found.append(Sentence(text, document, title, heading, place, is_line))
    return found


def _plain(heading: str) -> str:
    """A heading as it compares with another, or with a file's name that stands for one."""
    return " ".join(re.sub(r"[-_]", " ", heading).casefold().split())


def _parts(
    text: str, split: Callable[[str], list[str]], heads: Set[str]
) -> Iterator[tuple[str, bool]]:
    """Sentences, and whether each is a line by itself; ``heads`` are no part of what follows."""
    for block in re.split(r"\n\s*\n", text):
        lines = [_MARKER.sub("", line).strip().lstrip("#").strip() for line in block.splitlines()]
        lines = [line for line in lines if line and _plain(line) not in heads]
        if any(BAR in line or _LINE.match(line) for line in lines) or _is_list(block):
            yield from ((line, BAR in line or bool(_LINE.match(line))) for line in lines)
            continue
        for part in split(" ".join(lines)):
            if part.strip():
                yield part.strip(), False


def _is_list(block: str) -> bool:
    lines = [line for line in block.splitlines() if line.strip()]
    return len(lines) > 1 and sum(bool(_MARKER.match(line)) for line in lines) >= len(lines) - 1


def passages(sentences: Sequence[Sentence]) -> list[Passage]:
    """Each sentence that can be asked about, with up to five neighbours under its heading.

    Sentences that are neighbours have the same passage, so that a model reads it once for all.
    """
    found: list[Passage] = []
    for _, under in groupby(sentences, key=lambda one: (one.document, one.heading)):
        section = list(under)
        parts = ceil(len(section) / TOGETHER)
        for n in range(parts):
            block = section[n * len(section) // parts : (n + 1) * len(section) // parts]
            lines = any(one.is_line for one in block)
            text = ("\n" if lines else " ").join(one.text for one in block)
            found += [Passage(one, text) for one in block if is_askable(one)]
    return found


def is_askable(one: Sentence) -> bool:
    """Whether a sentence states something: no fragment, no question, no heap of signs."""
    words = one.text.split()
    if one.is_line:
        return 2 <= len(words) <= WORDS[1]
    letters = sum(character.isalpha() or character == " " for character in one.text)
    return (
        WORDS[0] <= len(words) <= WORDS[1]
        and not one.text[0].islower()
        and one.text[-1] in ".!\"'”\u2019)。\uff01"
        and "?" not in one.text
        and letters >= 0.7 * len(one.text)
    )
