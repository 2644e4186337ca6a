import pytest

from ragtune.core.text.typography import joined, plain


@pytest.mark.parametrize(
    ("printed", "typed"),
    [
        ("\ufb01re o\ufb03ce", "fire office"),
        ("be\u00adhind \u00adit", "behind it"),
        ("light\u00ad\nhouse", "lighthouse"),
        ("director\u2019s \u201cred\u201d", 'director\'s "red"'),
        ("a\u00a0b\u2009c\u3000d", "a b c d"),
        ("in\u200bvisible\ufeff", "invisible"),
        ("\uff32\uff4f\uff4f\uff4d \uff11", "Room 1"),
        ("cafe\u0301", "caf\u00e9"),
        ("\u2f08\uf900", "\u4eba\u8c48"),
        ("\uff76\uff9e", "\u30ac"),
        ("\ufefb", "\u0644\u0627"),
    ],
)
def test_what_printing_does_to_letters_is_undone(printed: str, typed: str) -> None:
    assert plain(printed) == typed
    assert plain(typed) == typed


@pytest.mark.parametrize(
    "text",
    [
        "\u00bd cup, 3\u00bd", "x\u00b2 and 10\u00b2", "\u2460 first", "5\u33a1", "\u2122 \u00a9",
        "1914\u201318 \u2014 a war", "\u2163 and \u2167", "5\u2032 3\u2033", "H\u2082O", "\u2126",
        "\u4f60\u597d\uff0c\uff1f", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\U0001f469\u200d\U0001f680", "stra\u00dfe", "\u00b5m",
    ],
)  # fmt: skip
def test_what_has_a_meaning_of_its_own_stays(text: str) -> None:
    assert plain(text) in (text, text.replace("\u2126", "\u03a9"))


@pytest.mark.parametrize(
    ("broken", "whole"),
    [
        ("The emer-\ngency exit", "The emergency exit"),
        ("the har-\r\n  bour", "the harbour"),
        ("forward-\nlooking", "forward-looking"),
        ("up-to-\ndate", "up-to-date"),
        ("a long-\nterm plan", "a long-term plan"),
        ("Rolls-\nRoyce", "Rolls-Royce"),
        ("die K\u00fcndi-\ngungsfrist", "die K\u00fcndigungsfrist"),
        ("co-worker; our co-\nworker", "co-worker; our co-worker"),
        ("the quayplume, or quay-\nplume", "the quayplume, or quayplume"),
        ("HAR-\nBOUR", "HARBOUR"),
    ],
)
def test_words_that_lines_break_are_whole_again(broken: str, whole: str) -> None:
    assert plain(broken) == whole


@pytest.mark.parametrize(
    "text", ["- one\n- two", "a -\nb", "---\nb", "1-\n2", "x --\ny", "key: -\nvalue", "COVID-\n19"]
)
def test_other_hyphens_at_line_ends_stay(text: str) -> None:
    assert plain(text) == text


def test_known_words_can_be_given() -> None:
    assert joined("wasser-\nfall", lambda word: word in ("wasser", "fall")) == "wasser-fall"
    assert joined("wasser-\nfall", lambda word: False) == "wasserfall"
