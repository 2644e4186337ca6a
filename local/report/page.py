"""The HTML report: one self-contained file, no script from elsewhere, no request to anywhere."""

import base64
import io
from pathlib import Path
from typing import Any

import jinja2

from local.report.table import lines
from local.runs import read_jsonl
from local.study.metrics import exact_match

COLOURS = {"base": "#8a8f98", "tuned": "#b4690e", "rag": "#1f6feb", "tuned+rag": "#1a7f4b"}


def render(folder: Path, figures: dict[str, Any]) -> str:
    """The report of a run folder as HTML.

    Raises RunError where the answers are missing.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["equal"] = exact_match
    arms = figures["arms"]
    questions = read_jsonl(folder / "data" / "test.jsonl")
    answers = {arm: read_jsonl(folder / "answers" / f"{arm}.jsonl") for arm in arms}
    rows = [
        {"question": q, "answers": {arm: answers[arm][n] for arm in arms}}
        for n, q in enumerate(questions)
    ]
    return environment.get_template("page.html.jinja").render(
        figures=figures,
        arms=arms,
        rows=rows,
        notes=lines(figures),
        plot=_quality_plot(arms),
        curve=_loss_plot(figures["tune"]) if figures["tune"] else None,
    )


def _quality_plot(arms: dict[str, Any]) -> str:
    """Token F1 with its interval for each arm, as a data URI of SVG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 0.55 * len(arms) + 0.8), layout="constrained")
    axes = figure.subplots()
    for position, (name, arm) in enumerate(arms.items()):
        f1 = arm["quality"]["token_f1"]
        low, high = f1["ci95"]
        axes.barh(position, f1["mean"], color=COLOURS[name], height=0.6)
        axes.plot([low, high], [position, position], color="#222", linewidth=1.5)
    axes.set_yticks(range(len(arms)), list(arms))
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("token F1, with its 95 % interval")
    return _drawn(figure)


def _loss_plot(training: dict[str, Any]) -> str | None:
    """The loss of each step and of each epoch's validation; None where no step was kept."""
    from matplotlib.figure import Figure

    steps, epochs = training.get("steps"), training["epochs"]
    if not steps:
        return None
    figure = Figure(figsize=(6.4, 2.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([e["step"] for e in steps], [e["loss"] for e in steps], color="#8a8f98", label="step")
    validated = [e for e in epochs if "eval_loss" in e]
    if validated:
        places = [len(steps) * e["epoch"] / len(epochs) for e in validated]
        losses = [e["eval_loss"] for e in validated]
        axes.plot(places, losses, "o-", color=COLOURS["tuned"], label="validation")
    axes.set_xlabel("optimiser step")
    axes.set_ylabel("loss, nats a token")
    axes.legend(frameon=False)
    return _drawn(figure)


def _drawn(figure: Any) -> str:
    """A figure as a data URI of SVG; the same figure gives the same bytes."""
    import matplotlib as mpl

    mpl.rcParams["svg.hashsalt"] = "ragtune"
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()
