"""The report in a real browser, looked over by axe-core."""

import html
import json
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.run_folder import RunFolder
from ragtune.results.page import render
from ragtune.sources.records import Record
from tests.local.results.made_up import PASSAGE, write_run

BROWSER = next(filter(None, map(shutil.which, ("chromium", "google-chrome", "chrome"))), None)
ARMS = ("base", "tuned", "rag", "tuned+rag")
ALL = ("base", "fewshot", "tuned", "rag-records", "rag", "tuned+rag")
SERIOUS = {"serious", "critical"}
PROBE = """
<script>
for (const part of document.querySelectorAll("details")) part.open = true;
axe.run(document).then(found => {
  const said = document.createElement("pre");
  said.id = "said";
  said.textContent = JSON.stringify({
    passes: found.passes.map(rule => rule.id),
    violations: found.violations.map(rule =>
      ({id: rule.id, impact: rule.impact, where: rule.nodes.map(node => node.html)})),
    requests: performance.getEntriesByType("resource").map(entry => entry.name),
  });
  document.body.append(said);
});
</script></body>"""


@pytest.fixture(scope="module")
def axe() -> str:
    found = find_spec("axe_core_python")
    if BROWSER is None or found is None or found.origin is None:
        pytest.skip("no Chromium here, or no axe-core-python")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def looked_over(text: str, axe: str, folder: Path, *flags: str) -> dict[str, Any]:
    """What axe finds in a page: rules passed and violated, and what the page asked for."""
    path = folder / "probed.html"
    text = re.sub(r"<meta http-equiv[^>]*>", "", text)  # it would not let axe run
    path.write_text(text.replace("</body>", f"<script>{axe}</script>{PROBE}"), encoding="utf-8")
    done = subprocess.run(
        [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
         "--no-first-run", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--virtual-time-budget=60000", *flags,
         f"--user-data-dir={folder / 'profile'}", "--dump-dom", path.as_uri()],
        capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    (said,) = re.findall(r'<pre id="said">(.*?)</pre>', done.stdout, re.S)
    found: dict[str, Any] = json.loads(html.unescape(said))
    return found


@pytest.mark.parametrize(
    "flags",
    [
        ("--window-size=1280,900", "--blink-settings=preferredColorScheme=1"),
        ("--window-size=390,800", "--blink-settings=preferredColorScheme=0"),
    ],
    ids=["wide and light", "a phone's and dark"],
)
def test_axe_finds_nothing_serious_and_the_page_asks_for_nothing(
    axe: str, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    seeds = {arm: [["Ann", "at six", "because"]] for arm in ("tuned", "tuned+rag")}
    results = write_run(tmp_path, arms=ALL, seeds=seeds, learnt=46)
    html = render(results, RunFolder(tmp_path))
    found = looked_over(html, axe, tmp_path, *flags)
    assert [v for v in found["violations"] if v["impact"] in SERIOUS] == []
    assert "color-contrast" in found["passes"]
    assert found["requests"] == []


def test_axe_would_say_so(axe: str, tmp_path: Path) -> None:
    text = (
        '<!doctype html><html lang="en"><title>t</title><body><img src="data:,">'
        '<p style="color:#ddd;background:#fff">pale</p></body></html>'
    )
    found = looked_over(text, axe, tmp_path)
    assert {"image-alt", "color-contrast"} <= {v["id"] for v in found["violations"]}


def test_the_page_of_three_hundred_questions_is_under_two_megabytes(tmp_path: Path) -> None:
    questions = [Record(f"What is number {n}?", "an answer of a few words") for n in range(300)]
    texts = {arm: ["an answer of about as many words"] * len(questions) for arm in ARMS}
    passages = [{**PASSAGE, "id": str(n), "text": "about a word " * 75} for n in range(4)]
    results = write_run(tmp_path, ARMS, questions, texts, passages)
    assert len(render(results, RunFolder(tmp_path)).encode()) < 2_000_000
