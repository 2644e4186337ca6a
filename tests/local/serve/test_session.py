import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.arms.arm import Arm
from ragtune.core.errors import RecipeError, RunError
from ragtune.core.files import own
from ragtune.runs.open import open_run
from ragtune.serve.job import Declined, Done, Event, Failed, Limits, Piece
from ragtune.serve.session import Session
from tests.local.serve.conftest import Served

Wait = Callable[[Callable[[], Any]], Any]
QUESTION = "How often does the bell ring?"


def whole(events: list[Event]) -> bool:
    return bool(events) and isinstance(events[-1], Done | Failed)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The models wait in their first piece until this is set."""
    go = threading.Event()
    stream = Arm._stream

    def slowly(self: Arm, record: Any) -> Any:
        go.wait(20)
        return (yield from stream(self, record))

    monkeypatch.setattr(Arm, "_stream", slowly)
    return go


def test_streams_take_turns_and_each_has_its_own_answer(served: Served, wait: Wait) -> None:
    session = served.session
    order: list[str] = []
    events: dict[str, list[Event]] = {arm: [] for arm in ("base", "tuned", "rag", "tuned+rag")}

    def telling(arm: str) -> Callable[[Event], None]:
        def tell(event: Event) -> None:
            events[arm].append(event)
            order.append(arm)

        return tell

    for arm in events:
        session.submit(QUESTION, arm, telling(arm))
    wait(lambda: all(map(whole, events.values())))
    for arm, told in events.items():
        done = told[-1]
        assert isinstance(done, Done)
        pieces = [event.text for event in told if isinstance(event, Piece)]
        assert "".join(pieces).strip() == done.answer["text"] == session.ask(QUESTION, arm)["text"]
        assert done.answer["arm"] == arm
        assert 0 < done.answer["first_milliseconds"] <= done.answer["milliseconds"]
    assert order != sorted(order, key=list(events).index)  # a piece each, not an answer each


def test_a_full_queue_and_a_late_answer_are_declined_with_a_reason(
    served: Served, held: threading.Event, wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = served.session
    limits = Limits(queue=2, active=1, seconds=30)
    monkeypatch.setattr(session._worker, "limits", limits)
    events: list[list[Event]] = [[], [], []]
    session.submit("Who?", "base", events[0].append)
    wait(lambda: session._worker.active == 1)
    late = session.submit("Where?", "base", events[1].append)
    left = session.submit("When?", "base", events[2].append)
    with pytest.raises(Declined, match="2 questions are waiting already") as caught:
        session.submit("Why?", "base", lambda event: None)
    assert caught.value.why == "busy"
    with served.client() as client:
        answer = client.post("/v1/completions", json={"prompt": "Why?", "stream": True})
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert "waiting already" in answer.json()["error"]["message"]
    late.deadline = time.monotonic() - 1
    left.cancel()
    held.set()
    wait(lambda: whole(events[0]) and whole(events[1]))
    assert isinstance(events[0][-1], Done)
    (failed,) = events[1]
    assert isinstance(failed, Failed)
    assert "was not begun" in str(failed.error)
    assert events[2] == []
    assert session.ask("Why?", "base")["text"] is not None


def test_a_model_that_fails_fails_one_question(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(Arm, "retrieve", lambda self, records: 1 / 0)
        with pytest.raises(Declined, match="ZeroDivisionError"):
            served.session.ask(QUESTION, "rag")
        with served.client() as client:
            assert client.post("/v1/completions", json={"prompt": "x"}).status_code == 500
    assert served.session.ask(QUESTION, "rag")["sources"]


def test_a_model_that_never_answers_keeps_nobody_waiting(
    served: Served, held: threading.Event, wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ragtune.serve.api.LATE", 0.2)
    monkeypatch.setattr(served.session, "limits", Limits(seconds=0.2))
    with served.client() as client:
        answer = client.post("/v1/completions", json={"prompt": "Why?", "stream": True})
        assert answer.status_code == 503
        assert "held up" in answer.json()["error"]["message"]
    held.set()
    wait(lambda: served.session._worker.active == 0)


def test_an_index_that_cannot_be_read_is_said_and_the_one_of_before_searched(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> bool:
        raise OSError("disk full")

    said: list[str] = []
    monkeypatch.setattr(served.session.opened, "refresh", broken)
    monkeypatch.setattr(served.session.opened.watcher, "say", said.append)
    assert served.session.ask(QUESTION, "rag")["sources"]
    assert said == ["index: disk full"]


def test_what_cannot_be_asked_is_refused_at_once(served: Served) -> None:
    for question, arm, said in (
        ("  ", "rag", "empty"),
        ("x" * 4001, "rag", "4001"),
        ("x", "gpt", "gpt"),
    ):
        with pytest.raises(RecipeError, match=said):
            served.session.submit(question, arm, lambda event: None)
    with pytest.raises(RunError, match="ask again"):
        served.session.passage("unknown")


def test_a_source_is_shown_in_its_document_with_the_words_marked(served: Served) -> None:
    source = served.session.search(QUESTION)["passages"][0]
    shown = served.session.passage(source["key"], ["The bell rings 2 times.", "Nobody swims."])
    text = shown["text"]
    marked = [(text[start:end], sentence) for start, end, sentence in shown["marks"]]
    assert {("bell", 0), ("rings", 0)} <= set(marked)
    assert shown["document"] == "fog.md"
    assert 0 <= shown["at"] < 1
    assert not shown["changed"] and not shown["gone"]


def test_others_read_and_update_the_run_while_it_is_served(served: Served) -> None:
    with open_run(served.folder, alone=False) as beside:
        assert beside.ask(QUESTION, "rag")["index"] == served.session.state.to_json()  # type: ignore[union-attr]
        assert beside.search(QUESTION)[0].document == "fog.md"
    own(served.folder).close()
    own(served.folder / "index").close()
    copies = {path.name.partition("-")[0] for path in (served.folder / ".open").iterdir()}
    assert len(copies) == 1


def test_a_changed_document_is_said_indexed_and_answered_from(served: Served, wait: Wait) -> None:
    session, document = served.session, served.documents / "fog.md"
    before, text = session.ask(QUESTION, "rag"), document.read_text()
    old = before["sources"][0]
    assert session.status()["behind"] is None
    document.write_text(text.replace("twice", "nine times"))
    try:
        assert session.status()["behind"] == {
            "added": [],
            "changed": ["fog.md"],
            "removed": [],
            "unfinished": [],
        }
        assert session.ask(QUESTION, "rag")["index"] == before["index"]
        assert session.passage(old["key"])["changed"]
        with served.client() as client:
            made = client.post("/index", json={}).json()
        assert made["changes"]["changed"] == ["fog.md"]
        after = session.ask(QUESTION, "rag")
        assert "nine times" in after["sources"][0]["text"]
        assert after["index"] == made["index"] != before["index"]
        assert session.status()["behind"] is None
        assert "nine times" in session.search(QUESTION)["passages"][0]["text"]
        assert "twice" in session.passage(old["key"])["text"]
    finally:
        document.write_text(text)
        session.updates.index()
    assert session.ask(QUESTION, "rag")["index"]["id"] == before["index"]["id"]


def test_watching_indexes_what_changes(run: Path, served: Served, wait: Wait) -> None:
    updates = served.session.updates
    document = served.documents / "crane.md"
    watching = type(updates)(updates.opened, 0.05, updates.watcher)
    watching.start()

    def documents() -> int:
        state = served.session.state
        return state.documents if state else 0

    try:
        document.write_text("# Crane\n\nThe crane lifts forty barrels.\n")
        wait(lambda: documents() == 7)
        found = wait(
            lambda: [
                p
                for p in served.session.search("How many barrels does the crane lift?")["passages"]
                if p["document"] == "crane.md"
            ]
        )
        assert found
        document.unlink()
        wait(lambda: documents() == 6)
    finally:
        watching.close()
        document.unlink(missing_ok=True)
        updates.index()


def test_arms_that_a_run_does_not_have_are_not_served(run: Path) -> None:
    with pytest.raises(RecipeError, match="this run has"):
        Session(run, arms=["fewshot"])
