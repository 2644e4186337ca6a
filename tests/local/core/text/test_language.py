"""Which language a text is in."""

from collections.abc import Iterator

import pytest

from ragtune.core.text.language import codes_of, language_of, languages_of, named
from tests.local.retrieval.facts import LANGUAGES, facts


def texts(language: str) -> Iterator[str]:
    for fact in facts(language):
        yield from (fact.text, fact.question)


@pytest.mark.parametrize("language", LANGUAGES)
def test_short_texts_are_told_by_script_or_letters(language: str) -> None:
    found = [language_of(text) for text in texts(language)]
    assert sum(code == language for code in found) >= 0.9 * len(found)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("De hond is in de tuin en de kat is in het huis, zei hij.", "nl"),
        ("Il a dit que la porte de la mairie reste fermée le dimanche.", "fr"),
        ("Das war in der Stadt an dem Fluss, so man will.", "de"),
        ("How does the GPU 显卡 compare with the older model of the same maker?", "en"),
        ("这台 server 的 CPU 有八个核心", "zh"),
        ("7 + 12 = 19", None),
        ("…", None),
        ("", None),
    ],
)
def test_a_text_is_in_the_language_of_most_of_it(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_only_the_languages_that_are_asked_for_are_found() -> None:
    german = "Die Seilbahn ruht im November."
    assert language_of(german, ("en", "de")) == "de"
    assert language_of(german, ("zh", "ru")) is None
    assert language_of("缆车在十一月停运", ("en", "de")) is None


def test_a_folder_is_in_the_languages_of_a_tenth_of_its_texts() -> None:
    english = ["The harbour opens at six, and the ferry leaves from there."] * 19
    assert languages_of([*english, "Die Seilbahn ruht im November."]) == ["en"]
    german = [fact.text for fact in facts("de")]
    assert languages_of([*english, *german]) == ["en", "de"]
    assert languages_of(["42", ""]) == []


def test_codes_are_named() -> None:
    assert codes_of("de, en") == ["de", "en"]
    assert codes_of("auto") == codes_of("") == ["en"]
    assert named(["de", "zh"]) == "German and Chinese"
