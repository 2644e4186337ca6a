"""The words of a text as a sparse vector, the same in every store.

English is split at what is no letter and no digit, and stemmed. In other languages that is not
enough: words are inflected in more ways, compounded (*Rathausuhr*), or not divided at all. So
beside its words a text has parts of words: runs of four letters where words are divided, one or two
characters where they are not (McNamee and Mayfield, "Character N-Gram Tokenization for European
Language Text Retrieval", 2004). A question's parts count less than its words.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import qdrant_edge as qdrant

from ragtune.core.text.language import ENGLISH, NAMES, codes_of, language_of

WORDS, PARTS = 64, 256
"""Words, and parts of words, of a text of usual length."""
LETTERS = 4
"""Of a part of a word."""
SHARE = 0.3
"""What a part counts in a question, against a word."""
MARK = "\x01"
"""Before a part, so that it is not a word of the same letters."""
STEMMERS = {
    **{code: NAMES[code] for code in ("ar", "da", "de", "el", "en", "es", "fi", "fr", "hu", "hy")},
    **{code: NAMES[code] for code in ("it", "nl", "no", "pt", "ro", "ru", "sv", "ta", "tr")},
}
STOP_WORDS = {
    **{code: name for code, name in STEMMERS.items() if code not in ("hy", "ta")},
    **{code: NAMES[code] for code in ("az", "bn", "ca", "eu", "he", "id", "ja", "kk", "ne", "sl")},
    **{"hi": "Hinglish", "tg": "Tajik", "zh": "Chinese"},
}
"""Languages that the engine has a stemmer, and a list of stop words of, and its names for them."""
UNDIVIDED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u9fff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003134f]+"
)
"""Scripts that do not divide words: Thai, Lao, Burmese, Khmer, kana, Han."""
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")
_HANGUL = re.compile("[\uac00-\ud7a3]+")
_WORD = re.compile(r"[^\W_]+")
GRAMMAR = frozenset(
    "的了是在和与也都而及就把被这那个有没们吗呢吧啊什么哪谁几多少怎样"  # simplified
    "為這個們嗎與沒麼誰幾樣"  # traditional
)
"""Chinese characters of grammar, which alone say nothing."""


class Words:
    """BM25 for documents in some languages.

    A text is encoded in the one of them that it is in, a question in each: so it finds names and
    figures in all, and inflected words in its own language.
    """

    def __init__(self, languages: Sequence[str] = (ENGLISH,)) -> None:
        self.languages = tuple(languages) or (ENGLISH,)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Words":
        """The words of an index that was made with these settings."""
        return cls(codes_of(settings.get("language", "")))

    def document(self, text: str) -> Any:
        """The engine's sparse vector of a text that can be found."""
        language = self._language(text) or self.languages[0]
        divided, runs = _divided(text)
        words = _encoder(language).embed_document(divided)
        if not runs and language == ENGLISH:
            return words
        return _vector(
            {**_read(_parts().embed_document(_said(divided, runs, language))), **_read(words)}
        )

    def query(self, text: str) -> Any:
        """The engine's sparse vector of a question."""
        own = self._language(text)
        divided, runs = _divided(text)
        if not runs and self.languages == (ENGLISH,):
            return _encoder(ENGLISH).embed_query(text)
        found: dict[int, float] = {}
        for language in self.languages:
            encoder = _encoder(language, () if own is None else (own,))
            found |= _read(encoder.embed_query(divided))
        said = _said(divided, [], ENGLISH if own == ENGLISH else self._other)
        parts = dict.fromkeys(_read(_parts().embed_query(said)), SHARE)
        whole = _read(_parts().embed_query(_said("", runs, ENGLISH)))
        return _vector({**parts, **whole, **found})

    @property
    def _other(self) -> str:
        return next((code for code in self.languages if code != ENGLISH), ENGLISH)

    def _language(self, text: str) -> str | None:
        if len(self.languages) == 1:
            return self.languages[0]
        return language_of(text, self.languages)


def _divided(text: str) -> tuple[str, list[str]]:
    """The text without the runs of scripts that do not divide words, and these runs."""
    if text.isascii():
        return text, []
    runs = UNDIVIDED.findall(text)
    return (UNDIVIDED.sub(" ", text), runs) if runs else (text, [])


def _said(divided: str, runs: Iterable[str], language: str) -> str:
    """All parts of words of a text, as the encoder of parts takes them."""
    parts = [part for run in runs for part in _of_a_run(run)]
    if language != ENGLISH:
        parts += [part for word in _WORD.findall(divided.lower()) for part in _of_a_word(word)]
    return " ".join(f"{MARK}{part}" for part in parts)


def _of_a_run(run: str) -> Iterator[str]:
    """Pairs of characters, and characters alone where one is mostly a word."""
    yield from (c for c in _HAN.findall(run) if c not in GRAMMAR)
    yield from (run[i : i + 2] for i in range(len(run) - 1))


def _of_a_word(word: str) -> Iterator[str]:
    size = 2 if _HANGUL.match(word) else LETTERS
    yield from (word[i : i + size] for i in range(len(word) - size + 1))


@functools.cache
def _encoder(language: str, beside: tuple[str, ...] = ()) -> Any:
    """The encoder of a language's words; stop words of those ``beside`` are left out, too."""
    if language == ENGLISH and set(beside) <= {ENGLISH}:
        return qdrant.Bm25(qdrant.Bm25Config(language="english", avg_len=WORDS))
    listed = {
        getattr(qdrant.Language, STOP_WORDS[code])
        for code in (language, *beside)
        if code in STOP_WORDS
    }
    stemmer = (
        qdrant.SnowballParams(getattr(qdrant.SnowballLanguage, STEMMERS[language]))
        if language in STEMMERS
        else qdrant.DisabledStemmer()
    )
    return qdrant.Bm25(
        qdrant.Bm25Config(
            avg_len=WORDS, stemmer=stemmer, stopwords=qdrant.StopwordsSet(languages=listed)
        )
    )


@functools.cache
def _parts() -> Any:
    return qdrant.Bm25(
        qdrant.Bm25Config(
            tokenizer=qdrant.TokenizerType.Whitespace,
            stemmer=qdrant.DisabledStemmer(),
            stopwords=qdrant.StopwordsSet(),
            avg_len=PARTS,
        )
    )


def _read(vector: Any) -> dict[int, float]:
    return dict(zip(vector.indices, vector.values, strict=True))


def _vector(found: dict[int, float]) -> Any:
    return qdrant.SparseVector(list(found), list(found.values()))
