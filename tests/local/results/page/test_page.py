import html as entities
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.run_folder import RunFolder
from ragtune.results.page import document
from ragtune.results.schema import Training
from ragtune.sources.records import Record
from tests.local.results.made_up import PASSAGE, TRAINING, write_run

ARMS = ("base", "tuned", "rag", "tuned+rag")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)


def render(folder: Path, **changes: Any) -> str:
    return document.render(write_run(folder, **{"arms": ARMS, **changes}), RunFolder(folder))


class Outline(HTMLParser):
    """Headings in order, and labels, ids and tags that were left open."""

    VOID = ("meta", "link", "input", "br", "circle", "line", "polyline")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.headings, self.ids = list[str](), list[int](), list[str]()
        self.unlabelled, self.in_label = list[str](), 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag in ("input", "select") and "label" not in self.open:
            self.unlabelled.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_verdict_comes_first_and_every_arm_answers_every_question(tmp_path: Path) -> None:
    html = render(tmp_path)
    assert html.index("No verdict") < html.index("The arms side by side")
    assert "When &amp; &lt;where&gt;?" in html
    assert "at &lt;b&gt;six&lt;/b&gt;" in html
    assert html.count('<article class="question"') == 3
    (answers,) = re.findall(r"2\. When.*?</ul>", html, re.S)
    said = re.findall(
        r"<b>([^<]+)</b><span class=\"said\">(. \w+)</span></div><p>(.*?)</p>", answers
    )
    assert said == [
        ("base", "✓ right", "at six"),
        ("tuned", "✗ wrong", "at noon"),  # half of the words of "at six", another hour
        ("rag", "✓ right", "six"),
        ("tuned+rag", "✓ right", "at &lt;b&gt;six&lt;/b&gt;"),
    ]
    assert "[1] a.md, p. 2" in html
    assert "Ann &amp; co." in html
    assert "gold passage found, rank 1" in html
    assert "gold passage not found" in html


def test_every_claim_is_a_row_and_the_labels_needed_are_a_plot(tmp_path: Path) -> None:
    html = render(tmp_path, study={"arms": ARMS, "learning_curve": [0.25]})
    told = entities.unescape(re.sub(r"<[^>]+>", " ", html))
    for row in (
        "from a changed document to an answer by it",
        "grounded: words that are in the sources",
        "1,000 queries",
        "answers a second, in batches",
        "once: tuning + indexing",
    ):
        assert row in told
    assert "forgetting: general text 4.500 → 4.750" in told
    assert "“Who?” is now answered by  Zoë ." in told
    assert re.search(r"low initial cost\s+retrieval\s+retrieval\s+1.5 s of indexing", told)
    assert 'aria-label="Right by training records: tuned 0.50 with 50; ' in html


def test_the_page_asks_for_nothing_and_is_the_same_each_time(tmp_path: Path) -> None:
    html = render(tmp_path)
    assert not re.search(
        r"(src|srcset|action|@import|url\()\s*=?", html.split('<h2 id="answers"')[0]
    )
    assert not re.search(r"https?://|fetch\(|XMLHttpRequest|<link|<img|<iframe", html)
    assert re.findall(r'href="([^"]*)"', html) == ["#answers"] * html.count("href=")
    assert render(tmp_path) == html


@pytest.mark.parametrize("arms", [ARMS, ("base",)])
def test_the_page_is_well_formed_and_its_controls_have_labels(
    tmp_path: Path, arms: tuple[str, ...]
) -> None:
    outline = Outline(render(tmp_path, arms=arms))
    assert outline.open == []
    assert outline.unlabelled == []
    assert outline.headings[0] == 1
    assert all(b - a <= 1 for a, b in zip(outline.headings, outline.headings[1:], strict=False))
    assert len(set(outline.ids)) == len(outline.ids)


def test_plots_say_their_figures_in_words(tmp_path: Path) -> None:
    html = entities.unescape(render(tmp_path))
    assert re.search(r'aria-label="Right: base 0\.50, from 0\.\d\d to 0\.\d\d; tuned', html)
    assert 'aria-label="Latency in ms: base median 30, 95th percentile 39;' in html
    assert 'aria-label="Machine hours a month: base 0.0028 at 100 queries' in html
    assert "epoch 2: training 2.500, validation 2.750" in html


def test_a_long_study_is_shown_in_part_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = [Record(f"Question {n}?", "Ann", document="a.md") for n in range(30)]
    long = [{**PASSAGE, "text": "Ann & co. " * 200} for _ in range(4)]
    texts = {arm: ["Ann"] * 30 for arm in ARMS}
    results, folder = write_run(tmp_path, ARMS, questions, texts, long), RunFolder(tmp_path)
    assert "in the run folder" not in document.render(results, folder)
    monkeypatch.setattr(document, "MOST", 100_000)
    monkeypatch.setattr(document, "CUTS", (*document.CUTS[:2], (20, 200)))
    html = document.render(results, folder)
    assert len(html.encode()) < 100_000
    assert "The first 20 of 30 questions; the rest is in the run folder." in html
    assert "Texts are cut to 200 characters" in html


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_in_a_browser_the_filter_and_the_search_leave_what_fits(tmp_path: Path) -> None:
    html = render(tmp_path)
    probe = """<script>
    const form = document.getElementById("filter"), seen = [];
    const left = () => [...document.querySelectorAll(".question")]
      .flatMap((q, n) => q.hidden ? [] : [n + 1]).join("");
    const put = (name, value) => { form[name].value = value;
      form.dispatchEvent(new Event("input")); seen.push(left()); };
    put("words", "WHEN where"); put("words", ""); put("flip", "retrieval_fixed");
    put("verdict", "wrong-tuned"); put("words", "nothing like it");
    document.title = seen.join(",") + "|" + form.count.value;
    </script></body>"""
    path = tmp_path / "probed.html"
    path.write_text(html.replace("</body>", probe), encoding="utf-8")
    done = subprocess.run(
        [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         f"--user-data-dir={tmp_path / 'profile'}", path.as_uri()],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "<title>2,123,123,23,|0 of 3 questions</title>" in done.stdout


def test_what_was_refused_by_score_has_no_rate_and_no_prompt_without_room(tmp_path: Path) -> None:
    passages = [PASSAGE, {**PASSAGE, "id": "2"}]
    html = render(tmp_path, passages=passages, refusing="rag")
    assert "had room for the first" not in html
    (rates,) = re.findall(r"answers a second, in batches.*?</tr>", html, re.S)
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", rates)
    assert cells == ["10", "10", "-", "10"]


def test_the_page_says_what_was_tuned_otherwise_than_asked(tmp_path: Path) -> None:
    what = "micro-batches of 1 instead of 4: memory is short"
    results, folder = write_run(tmp_path, arms=ARMS), RunFolder(tmp_path)
    assert "Tuned otherwise" not in document.render(results, folder)
    tune = Training.model_validate({**TRAINING, "epochs": [], "substitutions": [what]})
    html = document.render(results.model_copy(update={"tune": tune}), folder)
    assert f"Tuned otherwise than asked: {what}." in html


def test_warnings_are_marked_as_such_whatever_they_say(tmp_path: Path) -> None:
    results, folder = write_run(tmp_path, arms=ARMS), RunFolder(tmp_path)
    leaked = results.data.model_copy(update={"questions_also_in_training": 2})
    html = document.render(results.model_copy(update={"data": leaked}), folder)
    assert re.findall(r'<p class="caution">(.*?)</p>', html) == [
        "2 held-out questions are word for word among the training rows.",
        "Only 2 questions: a hint, not a finding; mind the intervals.",
    ]
