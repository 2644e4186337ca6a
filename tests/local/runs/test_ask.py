from typing import Any

from ragtune.arms.answer import Answer
from ragtune.runs.ask import BY_MODEL, BY_SCORE, show, summary

ANSWER: dict[str, Any] = {
    "text": "Three crowns. The chef is Milo.",
    "sources": [{"document": "canteen.md", "locator": "Prices"}],
    "support": [
        {"sentence": "Three crowns.", "share": 1.0, "source": 1, "supported": True},
        {"sentence": "The chef is Milo.", "share": 0.0, "source": None, "supported": False},
    ],
    "retrieved": 3,
    "cut_tokens": 0,
    "refused": False,
    "reason": "",
}


def test_sources_are_numbered_and_what_is_unsupported_or_had_no_room_is_said() -> None:
    assert show(ANSWER).splitlines() == [
        "Three crowns. The chef is Milo.",
        "[1] canteen.md Prices",
        "in no source: The chef is Milo.",
        "left out: 2 of 3 passages had no room",
    ]
    assert show(ANSWER, with_text=False).startswith("[1]")


def test_an_answer_refused_unasked_says_so() -> None:
    refused = {**ANSWER, "text": "not in the documents", "sources": [], "support": []}
    assert show({**refused, "refused": True, "reason": BY_SCORE}).splitlines() == [
        "not in the documents",
        f"refused: {BY_SCORE}",
    ]


def test_whatever_is_a_refusal_is_one_in_json_with_its_reason() -> None:
    said = Answer("q", "I could not find this in the documents.", 9, 8, 0, 0.1)
    assert summary("rag", "Who?", said)["refused"]
    assert summary("rag", "Who?", said)["reason"] == BY_MODEL
    own = Answer("q", "Ask the front desk.", 9, 8, 0, 0.1)
    assert not summary("rag", "Who?", own)["refused"]
    assert summary("rag", "Who?", own, ["ask the front desk"])["reason"] == BY_MODEL
    unasked = Answer("q", "Ask the front desk.", 0, 0, 0, 0.0, refused=True)
    assert summary("rag", "Who?", unasked)["reason"] == BY_SCORE
