"""The four-arm table for the terminal."""

from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ragtune.results.failures import FLIPS
from ragtune.results.latency import PARTS, brief

FEW = 30
"""Fewer judged questions than this are called few."""


def render(figures: dict[str, Any]) -> RenderableType:
    """The arms side by side, then what has no column, and the recommendation, a line each."""
    return Group(_arms(figures), _costs(figures), *(Text(line) for line in lines(figures)))


def _arms(figures: dict[str, Any]) -> Table:
    recipe, chosen = figures["recipe"], figures["recommendation"]["arm"]
    title = f"{recipe['name']}-{recipe['identity'][:8]}: {figures['questions']} held-out questions"
    unanswerable = bool(figures["unanswerable"])
    refused = ["refused*"] * unanswerable
    table = _table("F1", "95 %", "exact", "ROUGE-L", *refused, "p50/p95 ms", "tokens", title=title)
    for name, arm in figures["arms"].items():
        quality, tokens = arm["quality"], arm["tokens"]
        f1 = quality["token_f1"]
        rightly = arm["refusal"]["unanswerable_refused"]
        cells = [
            f"{f1['mean']:.2f}",
            f"{f1['ci95'][0]:.2f}-{f1['ci95'][1]:.2f}",
            f"{quality['exact_match']['mean']:.2f}",
            f"{quality['rouge_l']['mean']:.2f}",
            *([f"{rightly['mean']:.2f}"] if unanswerable else []),
            f"{arm['latency_ms']['p50']:.0f}/{arm['latency_ms']['p95']:.0f}",
            f"{tokens['prompt_mean']:.0f}+{tokens['completion_mean']:.0f}",
        ]
        table.add_row(name, *cells, style="green" if name == chosen else "")
    return table


def _costs(figures: dict[str, Any]) -> Table:
    """What each arm takes: once, for each query, and until it follows its documents."""
    chosen = figures["recommendation"]["arm"]
    costs = [arm["cost"] for arm in figures["arms"].values()]
    priced = ["price"] * (costs[0]["price_per_1000"] is not None)
    metered = ["Wh"] * (costs[0]["kwh_per_1000"] is not None)
    table = _table("find+read+write", "answers/s", "once s", "s/1000", *priced, *metered, "fresh s")
    for name, arm in figures["arms"].items():
        times, cost, fresh = arm["latency_ms"], arm["cost"], arm["freshness_seconds"]
        parts = (times[f"{part}_p50"] for part in PARTS)
        rate = arm["throughput"]["answers_per_second"]
        cells = [
            "+".join(f"{part:.0f}" for part in parts),
            "-" if rate is None else f"{rate:.3g}",
            brief(cost["tuning_seconds"] + cost["indexing_seconds"]),
            brief(cost["seconds_per_1000"]),
            *(f"{cost['price_per_1000']:.2g}" for _ in priced),
            *(f"{1000 * cost['kwh_per_1000']:.3g}" for _ in metered),
            "-" if fresh is None else brief(fresh),
        ]
        table.add_row(name, *cells, style="green" if name == chosen else "")
    return table


def _table(*columns: str, title: str | None = None) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
    )
    table.add_column("arm", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def lines(figures: dict[str, Any]) -> list[str]:
    """What the table has no column for."""
    found = [*_star(figures), *notes(figures), *failure_lines(figures["failures"])]
    if line := break_even_line(figures["break_even"]):
        found.append(line)
    return found + verdict_lines(figures["recommendation"])


def _star(figures: dict[str, Any]) -> list[str]:
    """What the table's asterisk means."""
    unanswerable = figures["unanswerable"]
    if not unanswerable:
        return []
    return [
        f"* share of the {unanswerable} unanswerable questions that were refused; quality is over "
        f"the other {figures['questions'] - unanswerable}"
    ]


def notes(figures: dict[str, Any]) -> list[str]:
    """What one has to know to read the figures."""
    found = []
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
    found += [*_by_category(figures), *_support(figures), *evidence_lines(figures)]
    leaked = figures["data"].get("questions_also_in_training")
    if leaked and figures["tune"]:
        found.append(
            f"warning: {leaked} held-out questions stand word for word in the training rows"
        )
    judged = figures["questions"] - figures["unanswerable"] or figures["questions"]
    if judged < FEW:
        found.append(f"only {judged} questions: a hint, not a finding; mind the intervals")
    return found


def _by_category(figures: dict[str, Any]) -> list[str]:
    """Token F1 by category, where there are several."""
    arms = figures["arms"]
    categories = next(iter(arms.values()))["categories"]
    if len(categories) < 2:
        return []
    told = [
        f"{name} ({category['questions']}) "
        + "/".join(f"{arm['categories'][name]['mean']:.2f}" for arm in arms.values())
        for name, category in categories.items()
    ]
    return [f"F1 by category, {'/'.join(arms)}: {', '.join(told)}"]


def _support(figures: dict[str, Any]) -> list[str]:
    told = ", ".join(
        f"{name} {arm['support']['mean']:.2f}"
        for name, arm in figures["arms"].items()
        if arm["support"]
    )
    return [f"support, the share of an answer's words that stand in its sources: {told}"] * bool(
        told
    )


def evidence_lines(figures: dict[str, Any]) -> list[str]:
    """What tuning forgot, how soon a changed document is answered by, how many labels it took."""
    found = []
    if lost := figures["forgetting"]:
        base, tuned = lost["base"], lost["tuned"]
        found.append(
            f"forgetting: general text {base['nats_per_token']:.3f} → "
            f"{tuned['nats_per_token']:.3f} nats a token ({base['bits_per_byte']:.3f} → "
            f"{tuned['bits_per_byte']:.3f} bits a byte); {lost['unchanged']:.0%} of "
            f"{lost['continuations']} continuations unchanged"
        )
    if fresh := figures["freshness"]:
        count = len(fresh["changes"])
        found.append(
            f"freshness: {count} documents changed, {brief(fresh['reindex_seconds'])} s each from "
            f"the change to an answer; the new fact stood in {fresh['shown']} prompts, "
            f"{fresh['followed']} answers changed to it"
        )
    if curve := figures["learning_curve"]:
        for arm, enough in curve["enough"].items():
            told = ", ".join(
                f"{point['arms'][arm]['mean']:.2f} with {point['records']:,}"
                for point in curve["points"]
            )
            least = next(p["records"] for p in curve["points"] if p["share"] == enough)
            found.append(
                f"labels needed: {arm} F1 {told} records; from {least:,} on not told apart from all"
            )
    return found


def failure_lines(failures: dict[str, Any]) -> list[str]:
    """Right answers and flips in one line, and where arms with passages went wrong in another."""
    right = ", ".join(f"{arm} {count}" for arm, count in failures["right"].items())
    flips = [f"{words} {failures['flips'][name]}" for name, words in FLIPS.items()]
    found = [f"right (token F1 from {failures['right_from']:g}): {right}"]
    if failures["steps"]:
        found.append(f"flips: {', '.join(flips)}")
    for arm, causes in failures["causes"].items():
        words = {"not_found": "gold not found", "left_out": "gold left out", "misread": "misread"}
        words |= {"refused": "refused by score", "not_refused": "not refused"}
        if told := ", ".join(f"{w} {causes[name]}" for name, w in words.items() if name in causes):
            found.append(f"{arm} wrong: {told}")
    return found


def break_even_line(break_even: dict[str, Any] | None) -> str:
    """From or up to how many queries a month tuning pays; empty where an arm is missing."""
    if break_even is None:
        return ""
    change, queries = break_even["documents_change"], break_even["queries_per_month"]
    given = f"(documents change: {change}; this machine's seconds)"
    if (most := break_even["up_to"]) is not None:
        return f"break-even: tuned costs less than rag up to {most:,.0f} queries a month {given}"
    if queries is None:
        return f"break-even: tuned costs more than rag at any number of queries {given}"
    if queries == 0:
        return f"break-even: tuned costs less than rag from the first query {given}"
    return f"break-even: tuned costs less than rag from {queries:,.0f} queries a month {given}"


def verdict_lines(recommendation: dict[str, Any]) -> list[str]:
    """The arm that fits, why each other does not, and what would change that."""
    found = [f"fits best: {recommendation['arm'] or 'none'} — {recommendation['because']}"]
    found += [
        f"  not {arm}: {reason['why']} [{reason['criterion']}]"
        for arm, reason in recommendation["out"].items()
    ]
    for side in ("tuning", "retrieval", None):
        told = [
            f"{line['criterion']} ({line['measured']})"
            for line in recommendation["criteria"]
            if line["speaks_for"] == side
        ]
        if told:
            found.append(f"speaks for {side or 'neither'}: {'; '.join(told)}")
    changes = [f"{c['change']} → {c['arm'] or 'none'}" for c in recommendation["sensitivity"]]
    if changes:
        found.append(f"would change it: {'; '.join(changes)}")
    return found
