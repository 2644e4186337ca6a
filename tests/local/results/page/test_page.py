import base64
import hashlib
import html as entities
import json
import re
import shutil
import subprocess
import zlib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from ragtune.core.run_folder import RunFolder
from ragtune.results import table
from ragtune.results.faults import FewSteps
from ragtune.results.page import document, parts
from ragtune.results.page.questions import ShownQuestion
from ragtune.results.schema import Training
from ragtune.results.verdict.reasons import StudyAtFault
from ragtune.sources.records import Record
from tests.local.results.made_up import PASSAGE, TRAINING, write_run

ARMS = ("base", "tuned", "rag", "tuned+rag")
ALL = ("base", "fewshot", "tuned", "rag-records", "rag", "tuned+rag")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
FLAGS = [
    str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-pdf-header-footer",
]  # fmt: skip


def render(folder: Path, **changes: Any) -> str:
    return document.render(write_run(folder, **{"arms": ARMS, **changes}), RunFolder(folder))


class Outline(HTMLParser):
    """Headings in order, and labels, ids and tags that were left open."""

    VOID = ("meta", "link", "input", "br", "circle", "line", "polyline", "rect")

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
    assert html.index("<h1") < html.index("Three of the answers") < html.index("Details</h2>")
    assert "When &amp; &lt;where&gt;?" in html
    assert "at &lt;b&gt;six&lt;/b&gt;" in html
    assert html.count('<article class="question"') == 3
    (answers,) = re.findall(r"2\. When.*?</ul>", html, re.S)
    said = re.findall(
        r"<b>([^<]+)</b><span class=\"said\">(. \w+)</span></div><p>(.*?)</p>", answers
    )
    assert said == [
        ("base", "✓ right", "at six"),
        ("tuned", "✗ wrong", "at noon"),
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
        "share of an answer's words that are in its sources",
        "1,000 queries",
        "answers a second, in batches",
        "once: tuning + indexing",
    ):
        assert row in told
    assert "forgetting: tuned: general text 4.500 → 4.750" in told
    assert "“Who?” is now answered by  Zoë ." in told
    assert re.search(r"low initial cost\s+retrieval\s+retrieval\s+1.5 s of indexing", told)
    assert 'aria-label="Right by training records: tuned 0.50 with 50; ' in html


def test_the_page_asks_for_nothing_and_is_the_same_each_time(tmp_path: Path) -> None:
    html = render(tmp_path)
    shown = re.sub(r"<meta http-equiv[^>]*>", "", html)
    assert not re.search(
        r"(src|srcset|action|@import|url\()\s*=?", shown.split('<h2 id="details"')[0]
    )
    assert not re.search(r"https?://|fetch\(|XMLHttpRequest|<link|<img|<iframe", html)
    assert re.findall(r'href="([^"]*)"', html) == ["#answers"] * html.count("href=")
    assert render(tmp_path) == html


def test_a_browser_lets_nothing_but_the_pages_own_style_and_script_apply(tmp_path: Path) -> None:
    html = render(tmp_path)
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    assert html.index("http-equiv") < html.index("<style")
    allowed = dict(part.split(" ", 1) for part in entities.unescape(policy).split("; "))
    assert allowed.pop("default-src") == "'none'"
    for kind in ("style", "script"):
        (text,) = re.findall(rf"<{kind}>(.*?)</{kind}>", html, re.S)
        known = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert allowed.pop(f"{kind}-src") == f"'sha256-{known}'"
    assert set(allowed.values()) == {"'none'"}
    assert not re.search(r"<[^>]* (style|on[a-z]+)=", html)


def test_six_arms_are_told_by_more_than_colour_and_the_fair_ones_explained(
    tmp_path: Path,
) -> None:
    html = render(tmp_path, arms=ALL)
    told = entities.unescape(re.sub(r"<[^>]+>", " ", html))
    assert "the same text that tuning saw: technique apart from corpus." in told
    assert "what the records can do without tuning." in told
    (cost,) = re.findall(r'aria-label="Machine hours a month.*?</svg>', html, re.S)
    lines = re.findall(r'<polyline class="(\w+)" stroke-dasharray="([^"]+)"', cost)
    assert len(dict(lines)) == len({dash for _, dash in lines}) == 6
    assert "1 training record, shown to rag-records" in told
    assert "base → fewshot" in told


def test_recall_and_the_spread_of_seeds_are_on_the_first_screen(tmp_path: Path) -> None:
    three = [["Ann", "at six", "because"], ["Ann", "at six", "not in the documents"]]
    html = render(tmp_path, seeds={"tuned": three, "tuned+rag": three}, learnt=46)
    first = html.split('<h2 id="examples"')[0]
    assert "tuned answers 46 of 50 of its own training questions, tuned+rag 46 of 50" in first
    assert "tuned 2 (1-3 over 3 seeds)" in first
    assert "answers, flips and causes those of the first." in first
    assert first.count('class="seed"') == 6
    assert "tuned arms are those of the first of 3 seeds." in html


@pytest.mark.parametrize("arms", [ARMS, ALL, ("base",)])
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
    assert "training from 3.500 at step 1 to 2.500 at step 64; validation 3.250 at step 32" in html
    assert re.search(r'aria-label="Right answers of 3: base 1, from 0 to 2; tuned 1', html)


def long_study(folder: Path, count: int = 250) -> str:
    """A page of so many questions, which has to pack most of them."""
    questions = [Record(f"Question {n}?", f"Ann {n}", document="a.md") for n in range(1, count + 1)]
    passages = [{**PASSAGE, "text": "Ann & <b>co.</b> " * 50} for _ in range(2)]
    texts = {arm: ["Ann 7", *[f"{arm} says {n}" for n in range(2, count + 1)]] for arm in ARMS}
    return render(folder, questions=questions, texts=texts, passages=passages)


def unpacked(html: str) -> list[str]:
    """The HTML of each packed part."""
    found = re.findall(r'<script type="application/octet-stream"[^>]*>([^<]*)</script>', html)
    return [zlib.decompress(base64.b64decode(one)).decode() for one in found]


def test_a_long_study_has_all_questions_and_most_of_them_packed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not unpacked(long_study(tmp_path / "whole"))
    monkeypatch.setattr(document, "MOST", 100_000)
    html = long_study(tmp_path)
    inside, packed = html.count('<article class="question"'), unpacked(html)
    assert inside == 100
    assert [part.count('<article class="question"') for part in packed] == [100, 50]
    assert "250. Question 250?" in packed[1]
    assert "tuned says 250" in packed[1]
    assert "Ann &amp; &lt;b&gt;co." in packed[1]
    marks = [of.split("|") for of in re.findall(r'class="part" data-marks="([^"]*)"', html)]
    assert [len(of) for of in marks] == [100, 50]
    assert "wrong-base" in marks[1][-1].split()
    assert "in the run folder" not in html
    assert "only the first 100 questions are shown" in html


def test_a_question_more_costs_its_own_packed_text_and_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "MOST", 100_000)
    lengths: list[int | None] = []

    def shortened(self: ShownQuestion, length: int | None) -> ShownQuestion:
        lengths.append(length)
        return self

    monkeypatch.setattr(ShownQuestion, "shortened", shortened)
    sizes = [len(long_study(tmp_path / str(count), count)) for count in (150, 250)]
    assert 0 < sizes[1] - sizes[0] < sizes[0] / 8
    assert lengths == [240, 240], "but for an example, no text is copied to be cut"


def test_very_long_texts_are_cut_and_very_many_questions_left_out_with_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "MOST", 100_000)
    monkeypatch.setattr(parts, "MOST", 200_000)
    monkeypatch.setattr(parts, "QUESTIONS", 220)
    html = long_study(tmp_path)
    assert "The first 220 of 250 questions; the rest is in the run folder." in html
    assert "Texts are cut to 300 characters" in html
    assert "[…]" in unpacked(html)[0]


def probed(html: str, folder: Path, script: str) -> list[str]:
    """What a script in the page has put into ``seen``; it alone runs beside the page's own."""
    html = html.replace("script-src ", "script-src 'nonce-probe' ")
    probe = """<script nonce="probe">
    const form = document.getElementById("filter"), seen = [];
    const left = () => [...document.querySelectorAll("#list .question")]
      .map((q) => parseInt(q.querySelector("h3").textContent));
    const until = async (test) => { while (!test()) await new Promise((go) => setTimeout(go, 5)); };
    const put = (name, value) => { form[name].value = value;
      form.dispatchEvent(new Event("input")); };
    (async () => { SCRIPT })().then(() => { document.title = JSON.stringify(seen); });
    </script></body>"""
    path = folder / "probed.html"
    path.write_text(html.replace("</body>", probe.replace("SCRIPT", script)), encoding="utf-8")
    done = subprocess.run(
        [*FLAGS, "--dump-dom", "--virtual-time-budget=20000",
         f"--user-data-dir={folder / 'profile'}", path.as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    (title,) = re.findall("<title>(.*?)</title>", done.stdout)
    found: list[str] = json.loads(entities.unescape(title))
    return found


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_in_a_browser_the_filter_and_the_search_leave_what_fits(tmp_path: Path) -> None:
    seen = probed(
        render(tmp_path),
        tmp_path,
        """
        const set = (name, value) => { put(name, value); seen.push(left().join("")); };
        set("words", "WHEN where"); set("words", ""); set("flip", "retrieval_fixed");
        set("verdict", "wrong-tuned"); set("words", "nothing like it");
        seen.push(form.count.value);
        """,
    )
    assert seen == ["2", "123", "123", "23", "", "0 of 3 questions"]


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
    assert "tuned otherwise" not in document.render(results, folder)
    tune = Training.model_validate({**TRAINING, "epochs": [], "substitutions": [what]})
    html = document.render(results.model_copy(update={"tune": {"tuned": tune}}), folder)
    assert f"tuned was tuned otherwise than asked: {what}." in html


@pytest.mark.parametrize(
    ("reviewed", "said"),
    [
        (None, ""),
        (0, "no person has reviewed any of the 3 questions"),
        (2, "a person has reviewed 2 of 3 questions"),
        (3, "a person has reviewed all 3 questions"),
    ],
)
def test_page_and_table_say_how_many_questions_a_person_reviewed(
    tmp_path: Path, reviewed: int | None, said: str
) -> None:
    results, folder = write_run(tmp_path, arms=ARMS), RunFolder(tmp_path)
    data = results.data.model_copy(update={"reviewed": reviewed, "test": 3})
    results = results.model_copy(update={"data": data})
    told = (document.render(results, folder), "\n".join(table.lines(results)))
    assert all(said in text for text in told)
    assert all(("reviewed:" in text) == (reviewed is not None) for text in told)


def test_warnings_and_faults_are_marked_as_such_whatever_they_say(tmp_path: Path) -> None:
    results, folder = write_run(tmp_path, arms=ARMS), RunFolder(tmp_path)
    leaked = results.data.model_copy(update={"questions_also_in_training": 2})
    html = document.render(results.model_copy(update={"data": leaked}), folder)
    warnings = re.findall(r'<p class="caution">(.*?)</p>', html)
    assert "2 held-out questions are word for word among the training rows." in warnings
    faults = re.findall(r'<p class="fault"><b>Fault of the study:</b> (.*?)</p>', html)
    assert "2 questions are too few; ask at least 30." in faults


def test_the_headline_is_amber_where_undecided_and_red_where_a_fault_forbids_a_verdict(
    tmp_path: Path,
) -> None:
    results, folder = write_run(tmp_path, arms=ARMS), RunFolder(tmp_path)
    assert '<h1 class="undecided">Undecided: ' in document.render(results, folder)
    choice = results.recommendation
    fault = FewSteps(severity="forbids", arms=("tuned", "tuned+rag"), steps=5)
    because = StudyAtFault(metric=choice.metric, leading="base", mean=0.1, faults=[fault])
    at_fault = choice.model_copy(update={"arm": None, "because": because})
    html = document.render(results.model_copy(update={"recommendation": at_fault}), folder)
    assert '<h1 class="forbidden">No verdict: ' in html
    assert "5 optimiser steps in all, where about 60 are needed" in html


def test_the_first_screen_has_model_date_sizes_and_training(tmp_path: Path) -> None:
    results, folder = write_run(tmp_path, arms=ARMS), RunFolder(tmp_path)
    finished = results.model_copy(update={"finished": "2026-11-26T10:54:46+00:00"})
    first = document.render(finished, folder).split('<h2 id="details"')[0]
    told = " ".join(entities.unescape(re.sub(r"<[^>]+>", " ", first)).split())
    assert "Model builtin, 100 thousand parameters" in told
    assert "Date 26 November 2026" in told
    assert "Data 200 records to learn from; 3 questions held out, 1 of them without" in told
    assert "Training 5 epochs, learning rate 0.0001; LoRA of rank 8 on q_proj, v_proj; " in told
    assert "tuned 64 steps of 16 samples, 50 s; tuned+rag 64 steps of" in told


def test_three_examples_show_the_difference_what_both_know_and_what_is_wrong(
    tmp_path: Path,
) -> None:
    questions = [Record(f"Question {n}?", f"Ann {n}", document="a.md") for n in range(40)]
    ann = [f"Ann {n}" for n in range(40)]
    texts = {
        "base": ["nobody"] * 40,
        "tuned": [*ann[:10], *["nobody"] * 30],
        "rag": [*ann[:35], *["nobody"] * 5],
        "tuned+rag": [*ann[:35], *["nobody"] * 5],
    }
    html = render(tmp_path, questions=questions, texts=texts)
    (shown,) = re.findall(r'<ul class="examples">(.*?)<h2', html, re.S)
    titles = re.findall(r'<h3>(.*?) <span class="soft">(.*?)</span></h3>', shown)
    assert titles == [
        ("Retrieval is right, tuning is wrong", "25 of 40"),
        ("Retrieval is right, tuning as well", "10 of 40"),
        ("Retrieval is wrong", "5 of 40"),
    ]


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_in_a_browser_the_answers_are_paged(tmp_path: Path) -> None:
    questions = [Record(f"Question {n}?", "Ann", document="a.md") for n in range(60)]
    texts = {arm: ["Ann"] * 60 for arm in ARMS}
    seen = probed(
        render(tmp_path, questions=questions, texts=texts),
        tmp_path,
        """
        const [back, on] = document.querySelectorAll("#pages button");
        const say = () => seen.push(left().length + ":" + left()[0] + ":" + where());
        const where = () => document.querySelector("#pages output").value;
        say(); on.click(); say(); on.click(); say();
        seen.push([back.disabled, on.disabled, document.activeElement.id].join());
        back.click(); say();
        put("words", "60. question"); say();
        """,
    )
    assert [told.replace("\u2013", "-") for told in seen] == [
        "25:1:1-25 of 60",
        "25:26:26-50 of 60",
        "10:51:51-60 of 60",
        "false,true,answers",
        "25:26:26-50 of 60",
        "1:60:1-1 of 1",
    ]


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_in_a_browser_packed_questions_are_paged_filtered_and_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "MOST", 100_000)
    seen = probed(
        long_study(tmp_path),
        tmp_path,
        """
        const [back, on] = document.querySelectorAll("#pages button");
        const say = () => seen.push(left().length + ":" + left()[0] + ":" + form.count.value);
        say();
        for (let n = 0; n < 4; n++) on.click();
        await until(() => left()[0] === 101); say();
        for (let n = 0; n < 5; n++) on.click();
        await until(() => left()[0] === 226); say();
        seen.push(document.querySelector("#list blockquote b").textContent);
        back.click(); back.click();
        await until(() => left()[0] === 176); say();
        put("words", "SAYS 243"); await until(() => left()[0] === 243); say();
        put("words", "says"); await until(() => left()[0] === 2); say();
        put("words", ""); put("verdict", "right-tuned"); await until(() => !left().length); say();
        """,
    )
    assert seen == [
        "25:1:250 of 250 questions",
        "25:101:250 of 250 questions",
        "25:226:250 of 250 questions",
        "[1] a.md, p. 2",
        "25:176:250 of 250 questions",
        "1:243:1 of 250 questions",
        "25:2:249 of 250 questions",
        "0:undefined:0 of 250 questions",
    ]


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_a_hundred_answers_are_printed_on_at_most_eight_sheets(tmp_path: Path) -> None:
    questions = [Record(f"What is number {n}?", f"answer {n}") for n in range(100)]
    texts = {arm: [f"answer {n} of about as many words" for n in range(100)] for arm in ARMS}
    passages = [{**PASSAGE, "id": str(n), "text": "about a word " * 75} for n in range(4)]
    path = tmp_path / "report.html"
    path.write_text(
        render(tmp_path, questions=questions, texts=texts, passages=passages), encoding="utf-8"
    )
    subprocess.run(
        [*FLAGS, f"--user-data-dir={tmp_path / 'profile'}",
         f"--print-to-pdf={tmp_path / 'report.pdf'}", path.as_uri()],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    document = pypdfium2.PdfDocument(tmp_path / "report.pdf")
    assert 2 <= len(document) <= 8
    document.close()
