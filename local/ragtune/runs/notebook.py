"""A run and its answers as HTML, for a notebook: no script, no style but a few of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from ragtune.results import wording
from ragtune.results.schema import Results
from ragtune.results.summary import summarise
from ragtune.results.wording import brief

HEAD = ("arm", "right", "95 %", "answer s", "1,000 answers s")


def run(name: str, results: Results) -> str:
    """The verdict and a row an arm."""
    rows = []
    for arm, figures in results.arms.items():
        low, high = (bound * results.questions for bound in figures.right.ci95)
        said = f"<b>{escape(arm)}</b>" if arm == results.recommendation.arm else escape(arm)
        rows.append(
            [
                Markup(said),
                f"{wording.right(figures, results.questions)} of {results.questions}",
                f"{low:.0f}-{high:.0f}",
                brief(figures.latency_ms.p50 / 1000),
                brief(figures.cost.seconds_per_1000),
            ]
        )
    lines = Markup("").join(Markup("<p>{}</p>").format(line) for line in summarise(results).lines)
    return Markup("<div><h3>{}</h3>{}{}</div>").format(name, lines, _table(HEAD, rows))


def answer(given: Mapping[str, Any]) -> str:
    """An answer with its sources, and what no source supports."""
    text = Markup("<p><b>{}</b>: {}</p>").format(given["arm"], given["text"])
    notes = [f"refused: {given['reason']}"] if given["refused"] else []
    if not given["refused"]:
        notes += [f"in no source: {s['sentence']}" for s in given["support"] if not s["supported"]]
    notes.append(
        f"{given['prompt_tokens']} + {given['completion_tokens']} tokens, {given['seconds']:.2f} s"
    )
    sources = Markup("").join(
        Markup("<li><details><summary>{} {}</summary>{}</details></li>").format(
            source["document"], source["locator"], source["text"]
        )
        for source in given["sources"]
    )
    said = Markup("").join(Markup("<p><small>{}</small></p>").format(note) for note in notes)
    return Markup("<div><p><i>{}</i></p>{}<ol>{}</ol>{}</div>").format(
        given["question"], text, sources, said
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> Markup:
    titles = Markup("").join(Markup("<th>{}</th>").format(title) for title in head)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(
            Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row)
        )
        for row in rows
    )
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(titles, body)
