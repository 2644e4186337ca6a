"""The page in a real browser, asked as a person asks it."""

import json
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ragtune.models.engines.base import Completion
from tests.local.serve.browser import CHROMIUM, DRIVER, Browser
from tests.local.serve.conftest import Served, serving

pytestmark = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="no Chromium with its chromedriver here"
)
QUESTION = "How often does the bell ring?"
HOSTILE = "<img src=x onerror=\"window.hurt='answer'\"><script>window.hurt='script'</script>"
ANSWERED = "document.querySelector('.turn:last-child .answer') && !document.querySelector('.busy')"
Open = Callable[[str], Browser]


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def page(window: Browser, served: Served) -> Browser:
    window.go("about:blank")
    window.go(f"{served.url}/")
    window.until("document.querySelectorAll('#arms input').length === 5")
    window.log()
    return window


def ask(page: Browser, question: str, *arms: str) -> None:
    page.run(
        "for (const box of document.querySelectorAll('#arms input'))"
        " box.checked = arguments[1].includes(box.value);"
        "const box = document.getElementById('question'); box.value = arguments[0];"
        "box.form.requestSubmit();",
        question,
        arms,
    )
    page.until(ANSWERED)


def texts(page: Browser, selector: str) -> list[str]:
    script = "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText)"
    found: list[str] = page.run(script, selector)
    return found


def test_arms_answer_side_by_side_with_what_they_took_and_their_sources(
    page: Browser, served: Served
) -> None:
    ask(page, QUESTION, "base", "rag", "search")
    assert texts(page, ".turn h2") == [QUESTION]
    assert texts(page, ".answer h3") == ["base", "rag", "passages alone"]
    whole = served.session.ask(QUESTION, "rag")
    said = page.run("return document.querySelector('.answer.a-rag .text').textContent")
    assert whole["text"] in said or not whole["text"]
    figures = texts(page, ".answer.a-rag .figures")[-1]
    assert f"{whole['prompt_tokens']} + {whole['completion_tokens']} tokens" in figures
    assert "ms" in figures or " s" in figures
    names = texts(page, ".answer.a-rag .sources button")
    assert names[0].startswith("[1]") and "fog.md" in names[0]
    assert "rings twice" in texts(page, ".a-search .snippet")[0]
    assert "of 6 documents" in texts(page, ".by")[0]
    assert page.log() == []


def test_a_source_opens_in_its_document_and_closes_by_the_keyboard(page: Browser) -> None:
    ask(page, QUESTION, "rag")
    page.run("document.querySelector('.sources button').focus()")
    page.press("Enter")
    page.until("document.getElementById('passage').open")
    assert texts(page, "#where") == ["fog.md"]
    assert "rings twice" in texts(page, "#text .hit")[0]
    assert "of the document" in texts(page, "#position p")[0]
    page.press("Escape")
    page.until("!document.getElementById('passage').open")
    assert page.run("return document.activeElement.closest('.sources') !== null")


def test_words_appear_as_they_are_written(page: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(self: Any, prompt: Any, **settings: Any) -> Any:
        for word in ("one ", "two ", "three"):
            yield word
            time.sleep(0.3)
        return Completion("one two three", [1, 2, 3], 0.9, 0.3, 3)

    monkeypatch.setattr("ragtune.models.engines.local.LocalEngine.stream", slowly)
    page.run(
        "window.seen = new Set();"
        "new MutationObserver(() => { const t = document.querySelector('.busy .text');"
        " if (t) window.seen.add(t.textContent); })"
        ".observe(document.body, {subtree: true, childList: true, characterData: true})"
    )
    ask(page, "Count!", "base")
    assert {"one ", "one two "} <= set(page.run("return [...window.seen]"))
    assert texts(page, ".a-base .text") == ["one two three"]


def test_a_refusal_looks_like_one_and_what_no_source_supports_is_marked(
    page: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = {"base": "I could not find this in the documents.", "rag": "The captain is Zoë Quast."}

    def stream(self: Any, prompt: Any, **settings: Any) -> Any:
        text = said["rag" if prompt.passages else "base"]
        yield text
        return Completion(text, [1], 0.1, 0.1, 1)

    monkeypatch.setattr("ragtune.models.engines.local.LocalEngine.stream", stream)
    ask(page, "Who is the captain?", "base", "rag")
    assert texts(page, ".refused .badge") == ["Refused"]
    assert texts(page, ".refused h3") == ["base"]
    assert texts(page, ".nowhere") == ["The captain is Zoë Quast."]
    assert "No source supports this" in texts(page, ".a-rag .flag")[0]


def test_it_is_used_with_the_keyboard_alone(page: Browser) -> None:
    page.run("document.activeElement.blur()")
    page.press("/")
    assert page.run("return document.activeElement.id") == "question"
    page.press("Where do keys hang?", "Shift+Enter", "Which room?", "Enter")
    page.until(ANSWERED)
    assert texts(page, ".turn h2") == ["Where do keys hang?\nWhich room?"]
    page.press(*["Shift+Tab"] * 2)
    assert page.run("return document.activeElement.value") == "tuned+rag"
    page.press("Space")
    assert page.run("return document.activeElement.checked") is False
    page.run("document.activeElement.blur(); document.querySelector('.turn h2').focus()")
    seen = set()
    for _ in range(12):
        page.press("Tab")
        seen.add(page.run("return document.activeElement.className || document.activeElement.id"))
    assert {"cite", "question"} & seen


def test_an_example_is_asked_with_its_reference(page: Browser) -> None:
    assert page.run("return document.getElementById('verdict').className") != "decided"
    assert texts(page, ".chip .best") == []  # the study is too small to recommend anything
    page.run("document.querySelector('#examples button').click()")
    page.until(ANSWERED)
    assert texts(page, ".reference")[0].startswith("Reference: ")
    assert any("in the study" in study for study in texts(page, ".study"))


def test_a_conversation_is_kept_as_files(page: Browser) -> None:
    ask(page, QUESTION, "rag", "search")
    for name in ("json", "markdown"):
        page.run("document.getElementById(arguments[0]).click()", name)
    last = time.monotonic() + 20
    while len(files := [p for p in page.downloads.iterdir() if p.suffix in (".json", ".md")]) < 2:
        assert time.monotonic() < last, "no file came"
        time.sleep(0.05)
    by_kind = {path.suffix: path.read_text(encoding="utf-8") for path in files}
    (turn,) = json.loads(by_kind[".json"])["turns"]
    assert turn["question"] == QUESTION
    assert turn["answers"]["rag"]["sources"][0]["document"] == "fog.md"
    assert f"## {QUESTION}" in by_kind[".md"]
    assert "fog.md" in by_kind[".md"]


def test_nothing_that_is_shown_is_ever_run(
    page: Browser, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stream(self: Any, prompt: Any, **settings: Any) -> Any:
        yield HOSTILE[:20]
        yield HOSTILE[20:]
        return Completion(HOSTILE, [1], 0.1, 0.1, 1)

    monkeypatch.setattr("ragtune.models.engines.local.LocalEngine.stream", stream)
    hostile = served.documents / "<img src=x onerror=hurt=1>.md"
    hostile.write_text(f"# {HOSTILE}\n\nThe zeppelin {HOSTILE} lands at nine.\n")
    try:
        served.session.updates.index()
        ask(page, f"When does the zeppelin land? {HOSTILE}", "base", "rag", "search")
        assert HOSTILE in texts(page, ".turn h2")[0]
        assert texts(page, ".a-base .text")[0] == HOSTILE
        assert any(hostile.name in name for name in texts(page, ".sources button"))
        page.run(
            "[...document.querySelectorAll('.sources button')]"
            ".find((one) => one.innerText.includes('<img')).click()"
        )
        page.until("document.getElementById('passage').open")
        assert texts(page, "#where") == [hostile.name]
        inside = "#turns img, #turns script, #passage img, #passage script, #turns style"
        assert page.run("return document.querySelectorAll(arguments[0]).length", inside) == 0
        time.sleep(0.2)
        assert page.run("return window.hurt ?? null") is None
        assert page.log() == []
    finally:
        hostile.unlink()
        served.session.updates.index()


def test_it_asks_nobody_but_its_own_server(page: Browser, served: Served) -> None:
    ask(page, QUESTION, "rag")
    asked = page.run("return performance.getEntriesByType('resource').map((one) => one.name)")
    assert asked
    assert {url[: len(served.url) + 1] for url in asked} == {f"{served.url}/"}


def test_a_stale_index_is_said_and_brought_up_to_date_by_a_button(
    page: Browser, served: Served
) -> None:
    document = served.documents / "fog.md"
    text = document.read_text()
    document.write_text(text.replace("twice", "eleven times"))
    try:
        page.run("document.dispatchEvent(new Event('visibilitychange'))")  # it looks at once
        page.until("document.getElementById('update')")
        assert "behind its documents: 1 changed" in texts(page, "#state")[0]
        page.run("document.getElementById('update').click()")
        page.until("!document.getElementById('update')")
        ask(page, QUESTION, "rag", "search")
        assert "eleven times" in texts(page, ".a-search .snippet")[0]
    finally:
        document.write_text(text)
        served.session.updates.index()


def test_it_goes_on_when_the_server_is_back(window: Browser, run: Path) -> None:
    with serving(run, arms=["base"]) as first:
        window.go(f"{first.url}/")
        window.until("document.querySelectorAll('#arms input').length")
        port = int(first.url.rpartition(":")[2])
    ask(window, QUESTION, "base")
    assert "the server is not there" in texts(window, ".failed .text")[0]
    window.until("!document.getElementById('banner').hidden")
    with serving(run, arms=["base"], port=port):
        window.until("document.getElementById('banner').hidden")
        window.run("document.querySelector('.again').click()")
        window.until("!document.querySelector('.failed, .busy')")
        assert "tokens" in texts(window, ".figures")[-1]
        window.go("about:blank")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_nothing_serious(page: Browser, width: int, scheme: str) -> None:
    found = find_spec("axe_core_python")
    if found is None or found.origin is None:
        pytest.skip("no axe-core-python")
    axe = (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")
    page.devtools(
        "Emulation.setDeviceMetricsOverride",
        width=width, height=844, deviceScaleFactor=1, mobile=width < 600,
    )  # fmt: skip
    page.devtools(
        "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
    )
    try:
        for step in ("", "answers", "passage"):
            if step == "answers":
                ask(page, QUESTION, "base", "rag", "search")
            if step == "passage":
                page.run("document.querySelector('.sources button').click()")
                page.until("document.getElementById('passage').open")
            page.devtools("Runtime.evaluate", expression=axe)
            page.run(
                "window.looked = null;"
                "axe.run(document).then((found) => { window.looked = found.violations.map((one) =>"
                " ({id: one.id, impact: one.impact, where: one.nodes.map((node) => node.html)})) })"
            )
            looked = page.until("window.looked && {found: window.looked}")["found"]
            assert [one for one in looked if one["impact"] in ("serious", "critical")] == [], step
            assert page.run("return document.documentElement.scrollWidth <= innerWidth"), step
    finally:
        page.devtools("Emulation.clearDeviceMetricsOverride")
        page.devtools("Emulation.setEmulatedMedia", features=[])
