from typing import Any

from ragtune.runs.ask import show

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
    lines = show({**refused, "refused": True}).splitlines()
    assert lines[0] == "not in the documents"
    assert lines[1].startswith("refused without asking the model")
    assert len(lines) == 2
