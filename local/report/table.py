"""The four-arm table for the terminal."""

from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text


def render(figures: dict[str, Any]) -> RenderableType:
    """The arms side by side, then retrieval, losses and the recommendation, a line each."""
    return Group(_arms(figures), *(Text(line) for line in lines(figures)))


def _arms(figures: dict[str, Any]) -> Table:
    recipe, chosen = figures["recipe"], figures["recommendation"]["arm"]
    title = f"{recipe['name']}-{recipe['identity'][:8]}: {figures['questions']} held-out questions"
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("arm", no_wrap=True)
    unanswerable = bool(figures["unanswerable"])
    for column in [
        "F1",
        "95 %",
        "exact",
        "ROUGE-L",
        *(["refused*"] * unanswerable),
        "p50/p95 ms",
        "tokens",
    ]:
        table.add_column(column, justify="right", no_wrap=True)
    for name, arm in figures["arms"].items():
        quality, tokens = arm["quality"], arm["tokens"]
        f1 = quality["token_f1"]
        refused = arm["refusal"]["unanswerable_refused"]
        cells = [
            f"{f1['mean']:.2f}",
            f"{f1['ci95'][0]:.2f}-{f1['ci95'][1]:.2f}",
            f"{quality['exact_match']['mean']:.2f}",
            f"{quality['rouge_l']['mean']:.2f}",
            *([f"{refused['mean']:.2f}"] if unanswerable else []),
            f"{arm['latency_ms']['p50']:.0f}/{arm['latency_ms']['p95']:.0f}",
            f"{tokens['prompt_mean']:.0f}+{tokens['completion_mean']:.0f}",
        ]
        table.add_row(name, *cells, style="green" if name == chosen else "")
    return table


def lines(figures: dict[str, Any]) -> list[str]:
    """What the table has no column for."""
    found = []
    if unanswerable := figures["unanswerable"]:
        found.append(
            f"* share of the {unanswerable} unanswerable questions that were refused; quality is "
            f"over the other {figures['questions'] - unanswerable}"
        )
    if retrieval := figures["retrieval"]:
        found.append(
            f"retrieval: recall@{retrieval['k']} {retrieval['recall_at_k']['mean']:.2f}, "
            f"MRR {retrieval['mrr']['mean']:.2f}, nDCG {retrieval['ndcg_at_k']['mean']:.2f} "
            f"over {retrieval['questions']} questions with a gold document"
        )
    for name, arm in figures["arms"].items():
        tokens = arm["tokens"]
        short = [("passages left out", tokens["cut_passages"])]
        short += [("questions cut", tokens["cut_prompts"])]
        if told := ", ".join(f"{count} {what}" for what, count in short if count):
            found.append(f"{name}: {told} for want of room in the model's context")
    if loss := figures["heldout_loss"]:
        found.append(
            f"held-out loss a token: base {loss['base']:.3f}, tuned {loss['tuned']:.3f} nats"
        )
    leaked = figures["data"].get("questions_also_in_training")
    if leaked and figures["tune"]:
        found.append(
            f"warning: {leaked} held-out questions stand word for word in the training rows"
        )
    recommendation = figures["recommendation"]
    found.append(f"fits best: {recommendation['arm'] or 'none'} — {recommendation['because']}")
    found += [f"  not {arm}: {why}" for arm, why in recommendation["out"].items()]
    return found
