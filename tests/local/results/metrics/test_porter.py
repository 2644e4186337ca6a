import re
from pathlib import Path

import pytest

from ragtune.results.metrics.porter import stem

ROOT = Path(__file__).resolve().parents[4]
STEMS = """
caresses caress      ponies poni          ties tie            cats cat             dies die
feed feed            agreed agre          plastered plaster   motoring motor       sing sing
hopping hop          falling fall         fizzed fizz         filing file          spied spi
happy happi          enjoy enjoy          they they           try tri              died die
relational relat     conditional condit   digitizer digit     radically radic      news news
technology technolog geology geolog       possibly possibl    successfully success day day
electrical electr    goodness good        hopeful hope        revival reviv        ones one
replacement replac   adjustment adjust    dependent depend    effective effect     ines ine
controlling control  roll roll            rate rate           cease ceas           skies sky
allowance allow      adoption adopt       opinion opinion     probate probat       dying die
"""


@pytest.mark.parametrize("pair", re.findall(r"(\w+) (\w+)", STEMS), ids="-".join)
def test_stems_are_those_that_rouge_score_takes(pair: tuple[str, str]) -> None:
    word, expected = pair
    assert stem(word) == expected


def test_every_word_of_the_documents_has_nltks_stem() -> None:
    nltk = pytest.importorskip("nltk.stem.porter").PorterStemmer()
    texts = [*ROOT.glob("data/*/docs/*.md"), *ROOT.glob("docs/*.md")]
    words = {
        word
        for path in texts
        for word in re.findall("[a-z0-9]+", path.read_text(encoding="utf-8").lower())
    }
    assert len(words) > 1000
    assert [word for word in words if stem(word) != nltk.stem(word)] == []
