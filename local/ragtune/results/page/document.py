"""The HTML report: one self-contained file that asks for nothing from anywhere.

It reads without its script, which filters and pages the questions. Of a long study the first are
in the page, and the others in packed parts that the script unpacks when they are wanted.
"""

import base64
import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import reads_documents
from ragtune.results import rows, search_table, wording
from ragtune.results.beside import beside, month_title
from ragtune.results.metrics.registry import title
from ragtune.results.notes import notes
from ragtune.results.page import bars, parts, plots, questions
from ragtune.results.page.examples import examples
from ragtune.results.page.facts import facts
from ragtune.results.page.questions import ShownQuestion
from ragtune.results.schema import Results
from ragtune.results.summary import summarise

ASSETS = Path(__file__).parent / "assets"
MOST = 1_900_000
"""Bytes that a page may have before its questions are packed."""
OWN = ("page.css", "page.js")
"""The page's style and its script, the only ones that may apply."""
PAGE, PRINTED = 25, 10
"""Questions that are shown at a time, and printed."""


def render(results: Results, folder: RunFolder) -> str:
    """The report of a run as HTML; of a long study most questions are packed (see `parts`).

    Raises RunError where the answers are missing from ``folder``.
    """
    environment = _environment()
    template = environment.get_template("page.html.jinja")
    asked = questions.read(results, folder)
    everything = {
        "results": results,
        "arms": results.arms,
        "needs": results.recipe.filled.needs,
        "classes": plots.CLASSES,
        "summary": summarise(results),
        "baseline": results.baselines.get(results.recommendation.metric),
        "facts": facts(results),
        "bars": bars.right(results.arms, results.questions, plots.CLASSES),
        "examples": examples(results, asked),
        "page": PAGE,
        "printed": PRINTED,
        "notes": notes(results),
        "plots": _plots(results, folder),
        "title": title,
        "wording": wording,
        "search": search_table,
        "beside": beside(results),
        "month": month_title(results),
        "capital": _capital,
        "spread": wording.spread(results),
        "reads_documents": reads_documents,
    }
    style, script = (Markup(environment.get_template(name).render(**everything)) for name in OWN)
    everything |= {"style": style, "script": script, "policy": _policy(style, script)}
    if sum(question.length for question in asked) <= MOST:
        html = template.render(**everything, **_shown(asked, asked))
        if len(html.encode()) <= MOST:
            return html
    some, length = parts.cut(asked)
    form = environment.get_template("questions.html.jinja")
    packed = parts.pack(some[parts.FIRST :], lambda few: form.render(**everything, questions=few))
    return template.render(**everything, **_shown(some, some[: parts.FIRST], packed, length))


@functools.cache
def _environment() -> jinja2.Environment:
    """Where the templates are; it keeps them compiled for the reports after the first."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(
    asked: Sequence[ShownQuestion],
    inside: Sequence[ShownQuestion],
    packed: Sequence[parts.Part] = (),
    length: int | None = None,
) -> dict[str, Any]:
    """What the template is told of the questions; those ``inside`` are not packed."""
    return {"questions": inside, "parts": packed, "shown": len(asked), "cut": length}


def _policy(style: str, script: str) -> str:
    """What a browser may do with the page: nothing but these two, known by their hashes.

    A text of the study that became markup by a mistake here would still not run, nor fetch.
    """
    digests = (hashlib.sha256(text.encode()).digest() for text in (style, script))
    styled, run = (base64.b64encode(digest).decode() for digest in digests)
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src 'sha256-{styled}'",
            f"script-src 'sha256-{run}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _plots(results: Results, folder: RunFolder) -> list[tuple[str, Markup]]:
    """Each plot with its caption."""
    arms, needs = results.arms, results.recipe.filled.needs
    seconds = {arm: [row.whole for row in rows.latencies(folder, arm)] for arm in arms}
    count = next(iter(arms.values())).latency_ms.questions
    metric = results.recommendation.metric
    named = _capital(title(metric))
    drawn = [
        (f"{named}, with its 95 % interval{_seeds(results)}", plots.quality(arms, metric, named)),
        (
            f"Latency in ms of {count} questions asked alone; lines at the median and the 95th "
            "percentile",
            plots.latency(seconds, arms),
        ),
        (
            f"Machine hours a month against queries a month; documents change: "
            f"{needs.documents_change}",
            plots.cost(arms, needs),
        ),
    ]
    for name, training in results.tune.items():
        if training.epochs:
            caption = (
                f"Loss a token at every step of training {name}, in nats: how surprised the model "
                "is by the answers that it learns; dots: by those of the validation sample"
            )
            drawn.append((caption, plots.losses(training)))
    if curve := results.learning_curve:
        named = _capital(title(curve.metric))
        caption = f"{named} against training records, with 95 % intervals"
        drawn.append((caption, plots.learning(curve, named)))
    return drawn


def _seeds(results: Results) -> str:
    """What the small circles of a plot are; nothing where there are none."""
    seeds = results.recipe.filled.study.seeds
    return f"; circles: each of {seeds} seeds" if seeds > 1 and results.tune else ""


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
