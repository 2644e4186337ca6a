"""The natural texts: articles with their title and paragraphs, and sentences of them.

Reads `wikipedia_en_2018.txt.xz`, `wikipedia_en_2013.txt.xz`, `openstax_ccby.txt.xz` and
`worldfactbook.txt.xz` from the text folder: articles divided by a blank line, the first line the
title.
"""

from __future__ import annotations

import lzma
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

PROSE = ("wikipedia_en_2018.txt.xz", "wikipedia_en_2013.txt.xz", "openstax_ccby.txt.xz")
FACTBOOK = "worldfactbook.txt.xz"
SENTENCE_END = re.compile(r"(?<=[a-z0-9)\]\"”%][.!?])\s+(?=[A-Z\"“'])")
EMPTY_BRACKETS = re.compile(r"\s*\((?:[\s;,:]*|[;,]\s*)\)")
BRACKET_START = re.compile(r"\(\s*[;,]\s*")


@dataclass(frozen=True)
class Article:
    """A title and its paragraphs, headings included."""

    title: str
    paragraphs: tuple[str, ...]

    def prose(self) -> list[str]:
        """The paragraphs of 25 words or more."""
        return [text for text in self.paragraphs if text.count(" ") >= 24]


def clean(text: str) -> str:
    """The text without what the extraction from the wiki left behind."""
    return BRACKET_START.sub("(", EMPTY_BRACKETS.sub("", text)).replace(" ,", ",").strip()


def read_articles(path: Path) -> Iterator[Article]:
    """The articles of one file, in its order."""
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        block: list[str] = []
        for line in lines:
            if line.strip():
                block.append(clean(line))
            elif block:
                yield Article(block[0], tuple(block[1:]))
                block = []
        if block:
            yield Article(block[0], tuple(block[1:]))


class Corpus:
    """All natural text in memory (about 200 MB), drawn from at random by article length."""

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        """`limit`: at most so many articles a file, for a quick trial."""
        self.articles: list[Article] = []
        for name in PROSE:
            for number, article in enumerate(read_articles(folder / name)):
                if limit is not None and number >= limit:
                    break
                self.articles.append(article)
        self.readable = [article for article in self.articles if article.prose()]
        self.countries = list(read_articles(folder / FACTBOOK))[:limit]

    def text(self, rng: Random) -> str:
        """One whole article as it stands; now and then a country of the Factbook."""
        if rng.random() < 0.03:
            article = rng.choice(self.countries)
        else:
            article = max(
                rng.sample(self.articles, 2), key=lambda one: sum(map(len, one.paragraphs))
            )
        return "\n".join((article.title, *article.paragraphs))


def sentences(paragraph: str) -> list[str]:
    """The paragraph cut at its sentence ends (initials and most abbreviations do not end one)."""
    return [part.strip() for part in SENTENCE_END.split(paragraph) if part.strip()]


def cut(paragraph: str, rng: Random, shortest: int, longest: int) -> list[str]:
    """Neighbouring sentences of `shortest` to `longest` words in all; empty if that cannot be."""
    parts = sentences(paragraph)
    start = 0 if rng.random() < 0.5 else rng.randrange(len(parts))
    target = rng.randint(shortest, longest)
    chosen: list[str] = []
    words = 0
    for part in parts[start:]:
        size = part.count(" ") + 1
        if words + size > longest:
            break
        chosen.append(part)
        words += size
        if words >= target:
            break
    return chosen if words >= shortest else []
