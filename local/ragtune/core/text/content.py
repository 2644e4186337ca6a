"""Which words say something of their own, and what is left of them without endings."""

import re
from functools import lru_cache

from ragtune.core.text.token import Token


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


LIGHT = _set("""
i you he she it we they me him her us them my your his its our their this that these those is
are was were the be been being am do does did done has have had having can could will would shall
should may might must of in on at to for from by with about as into onto upon than then and or
but if so also just only there here who whom which what when where why how some any all such
very too both each other another more most yes please well actually sorry correction rather mean
answer reference question document text passage version isbn tel every allowed permitted thus
therefore hence indeed around approximately roughly circa exactly within during per via up out
off over under after before until till since between among through while because due according
located called named someone else anyone get take o'clock oclock one ones costs cost price total
amount number der die das den dem des ein eine einen einem einer und oder ist sind war waren im
um zu zum zur von vom mit fur auf bei nach es er sie wird werden hat haben le la les un une de
du et ou est sont dans pour par sur avec au aux en il elle ce cette qui que el los las una unos
del y o son por para con se su al lo bis zwischen entre desde hasta environ etwa ungefahr zirka ca
aproximadamente
""")
"""Words of grammar and of small talk, which say nothing of their own."""
LIGHT_CHARACTERS = frozenset("的了是在和与及与のはがをにでともへやですますねよ、是有为於于")
"""Particles of Chinese and Japanese."""
NAMES_IN_CAPITALS = _set("""
it us who or in me am la ca un o b c d e f g h
""")
"""Small words that are names in capitals: the IT department, the WHO, group O."""
SPELLINGS = dict(
    pair.split("/")
    for pair in _set("""
grey/gray colour/color centre/center metre/meter litre/liter theatre/theater licence/license
okay/ok men/man women/woman children/child people/person feet/foot teeth/tooth mice/mouse
knives/knife wolves/wolf loaves/loaf thieves/thief wives/wife lives/life calves/calf
scarves/scarf geese/goose leaves/leaf shelves/shelf halves/half
""")
)
"""Other spellings and irregular plurals, and the word that they count as."""


@lru_cache(maxsize=16384)
def stem(word: str) -> str:
    """An English word without the endings of number, tense and British spelling.

    Few letters are cut, and none of a short word: vitamins and vitamin, smoking and smoke. A
    stemmer with rules for whole families (Porter) makes one word of university and universe.
    """
    word = SPELLINGS.get(word, word)
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return word
    word = re.sub(r"our$", "or", word) if len(word) > 4 else word
    word = re.sub(r"is(e|es|ed|ing|ation)$", r"iz\1", word) if len(word) > 6 else word
    if word.endswith("ies"):
        word = word[:-3] + "y"
    elif re.search(r"(?:ss|sh|ch|x|z)es$", word):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for ending in ("ing", "ed"):
        if (
            word.endswith(ending)
            and len(word) > len(ending) + 2
            and re.search("[aeiouy]", word[: -len(ending)])
        ):
            word = word[: -len(ending)]
            word = (
                word[:-1]
                if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz"
                else word
            )
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def is_content(token: Token) -> bool:
    """Whether a token says something of its own; IT and May in capitals do."""
    if token.kind == "word":
        return (token.upper and token.text in NAMES_IN_CAPITALS) or (
            token.text not in LIGHT and token.text not in LIGHT_CHARACTERS
        )
    return token.kind in ("value", "symbol")
