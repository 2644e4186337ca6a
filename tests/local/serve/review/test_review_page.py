"""The page of a review in a real browser, used with the keyboard alone."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from ragtune.questions.review.session import Review
from ragtune.serve.listening import access, bound, serving
from ragtune.serve.review.app import application
from tests.local.questions.review.rows_of import drafted, lines, write
from tests.local.serve.browser import CHROMIUM, DRIVER, Browser

browsing = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="no Chromium with its chromedriver here"
)
HOSTILE = '<img src=x onerror="window.hurt=1"><script>window.hurt=1</script>{{7*7}}'


@contextmanager
def reviewing(file: Path) -> Iterator[str]:
    review = Review(file)
    review.take_up()
    taken = bound("127.0.0.1", 0)
    running = serving(application(review, access("127.0.0.1", "")))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [taken]}, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join(20)
        taken.close()


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


def go(window: Browser, url: str) -> None:
    window.go("about:blank")
    window.go(f"{url}/")
    window.until("document.getElementById('counts').textContent !== ''")
    window.log()


def text(page: Browser, name: str) -> str:
    found: str = page.run("return document.getElementById(arguments[0]).innerText", name)
    return found


def press(page: Browser, key: str, told: str) -> None:
    """Press a key, and wait for what the counts say after it."""
    page.press(key)
    page.until("document.getElementById('counts').textContent.includes(arguments[0])", told)


@browsing
def test_twenty_questions_are_reviewed_with_the_keyboard_alone(
    window: Browser, tmp_path: Path
) -> None:
    file = write(tmp_path / "questions.jsonl", [drafted(n) for n in range(20)])
    with reviewing(file) as url:
        go(window, url)
        assert text(window, "where").split("\n")[0].startswith("1 of 20")
        assert window.run("return document.querySelector('mark').innerText").startswith("Soup")
        assert window.run("return document.querySelector('mark strong').innerText") == "3 crowns"
        for n in range(10):
            window.until(
                "document.getElementById('question').textContent === arguments[0]",
                drafted(n)["instruction"],
            )
            if n % 3 == 2:
                press(window, "n", f"{n + 1} of 20 reviewed")
            elif n % 3 == 1:
                window.press("e")
                window.until("document.activeElement.id === 'new-question'")
                window.press(f"(Number {n}) ", "Tab")
                assert window.run("return document.activeElement.id") == "new-answer"
                press(window, "Enter", f"{n + 1} of 20 reviewed")
            else:
                press(window, "y", f"{n + 1} of 20 reviewed")
        assert len(lines(file)) == 17
    with reviewing(file) as url:
        go(window, url)
        assert text(window, "counts") == "10 of 20 reviewed: 7 kept, 3 dropped, 10 open"
        assert text(window, "question") == drafted(10)["instruction"]
        for n in range(10, 20):
            press(window, "y" if n % 2 else "n", f"{n + 1} of 20 reviewed")
        assert "No question is left" in text(window, "empty")
        press(window, "u", "19 of 20 reviewed")
        assert text(window, "question") == drafted(19)["instruction"]
        press(window, "n", "20 of 20 reviewed: 11 kept, 9 dropped, 0 open")
        assert window.log() == []
    with reviewing(file) as url:
        go(window, url)
        assert text(window, "counts") == "20 of 20 reviewed: 11 kept, 9 dropped, 0 open"
        for key, place in (("j", 2), ("Down", 3), ("Up", 2), ("k", 1), ("k", 1)):
            window.press(key)
            assert text(window, "where").startswith(f"{place} of 20")
        window.press("j")
        assert "As drafted: What does soup number 1 cost?" in text(window, "before")
    kept = lines(file)
    assert len(kept) == 11
    assert {row["reviewed"] for row in kept} == {True}
    asked = [row["instruction"] for row in kept if "(Number" in row["instruction"]]
    assert len(asked) == 3


@browsing
def test_escape_leaves_a_question_as_it_was(window: Browser, tmp_path: Path) -> None:
    file = write(tmp_path / "q.jsonl", [drafted(n) for n in range(2)])
    with reviewing(file) as url:
        go(window, url)
        window.press("e")
        window.until("document.activeElement.id === 'new-question'")
        window.press("yn", "Escape")
        window.until("document.getElementById('edit').hidden")
        assert text(window, "question") == drafted(0)["instruction"]
        window.press("e")
        window.run("document.getElementById('new-question').value = ''")
        window.press("Enter")
        window.until("!document.getElementById('banner').hidden")
        assert "the question is empty" in text(window, "banner")
    assert lines(file) == [drafted(0), drafted(1)]


@browsing
def test_filters_show_a_part_and_are_reached_by_the_keyboard(
    window: Browser, tmp_path: Path
) -> None:
    file = write(tmp_path / "q.jsonl", [drafted(n) for n in range(12)])
    with reviewing(file) as url:
        go(window, url)
        window.run("document.getElementById('kind').focus()")
        window.press("n")  # of the list, and no decision
        window.until("document.getElementById('kind').value === 'name'")
        assert text(window, "where").startswith("1 of 3")
        window.press("Escape")
        press(window, "y", "1 of 12 reviewed")
        assert text(window, "question") == drafted(6)["instruction"]
        assert text(window, "where").startswith("1 of 2")
        window.run("document.getElementById('state').focus()")
        window.press("k")
        window.until("document.getElementById('state').value === 'kept'")
        assert text(window, "question") == drafted(2)["instruction"]
        options = "return [...document.getElementById('document').options].map((o) => o.value)"
        assert window.run(options) == ["", "canteen-0.md", "canteen-1.md", "canteen-2.md"]


@browsing
def test_no_text_of_a_question_is_ever_run(window: Browser, tmp_path: Path) -> None:
    names = ("instruction", "response", "document", "context", "kind", "drafted", "evidence")
    hostile = drafted(0, **dict.fromkeys(names, HOSTILE))
    file = write(tmp_path / "<img src=x onerror=hurt=1>.jsonl", [hostile, drafted(1)])
    with reviewing(file) as url:
        go(window, url)
        assert text(window, "question") == HOSTILE
        assert text(window, "answer") == HOSTILE
        assert text(window, "title") == HOSTILE
        assert file.name in text(window, "run")
        window.press("e")
        window.until("document.activeElement.id === 'new-question'")
        window.press("Also ")
        press(window, "Enter", "1 of 2 reviewed")
        window.run("document.getElementById('state').value = ''")
        window.press("k")
        window.until("document.getElementById('before').textContent.includes('<script>')")
        inside = "#card img, #card script, header script, header #run img, select img"
        assert window.run("return document.querySelectorAll(arguments[0]).length", inside) == 0
        time.sleep(0.2)
        assert window.run("return window.hurt ?? null") is None
        assert window.log() == []
        asked = window.run("return performance.getEntriesByType('resource').map((e) => e.name)")
        assert {one[: len(url) + 1] for one in asked} == {f"{url}/"}


@browsing
def test_what_is_not_stored_is_said_and_not_passed_over(window: Browser, tmp_path: Path) -> None:
    file = write(tmp_path / "q.jsonl", [drafted(n) for n in range(2)])
    with reviewing(file) as url:
        go(window, url)
        write(file, [drafted(0)])
        window.press("y")
        window.until("!document.getElementById('banner').hidden")
        assert "changed elsewhere" in text(window, "banner")
        assert text(window, "question") == drafted(0)["instruction"]
    window.press("y")
    window.until("document.getElementById('banner').textContent.includes('Not stored')")
    assert text(window, "counts").startswith("0 of 2")


@browsing
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_serious(
    window: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    found = find_spec("axe_core_python")
    if found is None or found.origin is None:
        pytest.skip("no axe-core-python")
    axe = (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    rows = [drafted(n, document=f"{'long/' * 30}{n}.md") for n in range(3)]
    file = write(tmp_path / "q.jsonl", rows)
    window.devtools(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=844, deviceScaleFactor=1, mobile=width < 600,
    )  # fmt: skip
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    window.devtools("Emulation.setEmulatedMedia", features=features)
    try:
        with reviewing(file) as url:
            go(window, url)
            for step in ("open", "kept", "edit"):
                if step == "kept":
                    window.run("document.getElementById('state').value = ''")
                    press(window, "n", "1 of 3 reviewed")
                    press(window, "y", "2 of 3 reviewed")
                    window.press("k")
                if step == "edit":
                    window.press("e")
                window.devtools("Runtime.evaluate", expression=axe)
                window.run(
                    "window.looked = null; axe.run(document).then((found) => { window.looked ="
                    " found.violations.map((one) => ({id: one.id, impact: one.impact,"
                    " where: one.nodes.map((node) => node.html)})) })"
                )
                looked = window.until("window.looked && {found: window.looked}")["found"]
                assert [o for o in looked if o["impact"] in ("serious", "critical")] == [], step
                assert window.run("return document.documentElement.scrollWidth <= innerWidth")
    finally:
        window.devtools("Emulation.clearDeviceMetricsOverride")
        window.devtools("Emulation.setEmulatedMedia", features=[])


def post(url: str, address: str, body: Any, **headers: str) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.post(url + address, json=body, headers=headers)


def test_other_sites_and_other_names_decide_nothing(tmp_path: Path) -> None:
    file = write(tmp_path / "q.jsonl", [drafted(0)])
    with reviewing(file) as url:
        name = httpx.get(f"{url}/rows", trust_env=False).json()["rows"][0]["id"]
        body = {"id": name, "state": "dropped"}
        assert post(url, "/decide", body, origin="http://evil.example").status_code == 403
        assert post(url, "/decide", body, host="evil.example").status_code == 421
        assert post(url, "/decide", {**body, "state": "gone"}).status_code == 400
        assert post(url, "/decide", {**body, "id": "q0"}).status_code == 400
        assert post(url, "/undo", {}).json()["error"]["message"] == "nothing to undo"
        page = httpx.get(f"{url}/", trust_env=False)
        assert "require-trusted-types-for 'script'" in page.headers["content-security-policy"]
        assert httpx.get(f"{url}/review/..%2fapp.py", trust_env=False).status_code == 404
    assert lines(file) == [drafted(0)]
