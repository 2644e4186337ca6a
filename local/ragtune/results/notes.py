"""What one has to know to read the figures: remarks, and warnings among them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ragtune.results import engine, search_table, wording
from ragtune.results.metrics.registry import title
from ragtune.results.schema import Results
from ragtune.results.wording import brief

MEANS = {
    "reviewed:": "a person kept or edited them with `ragtune review`; others are as drafted",
    "retrieval:": "recall@k: how often a gold passage is among the k found; MRR and nDCG: how high "
    "it is ranked, 1 where always first",
    "held-out": "how surprised the model is by the reference answers; a nat is 1.44 bits, and less "
    "is better",
    "forgetting:": "the same on text that has nothing to do with the records; more is worse",
    "labels": "how good the tuned arms are after tuning on a part of the records",
}
"""What a remark's terms mean, by its first word."""


@dataclass(frozen=True)
class Note:
    """A sentence for table and page.

    A warning says that the figures deserve less trust, a caution that some of them do, a fault that
    they allow no verdict against some arms.

    ``means`` explains its terms, for the page.
    """

    kind: Literal["remark", "caution", "warning", "fault"]
    text: str
    means: str = ""

    def __str__(self) -> str:
        said = {"remark": "", "caution": "warning: "}.get(self.kind, f"{self.kind}: ")
        return f"{said}{self.text}"


def notes(results: Results) -> list[Note]:
    """All notes on a run, remarks first, faults last."""
    severe = sorted(results.faults, key=lambda what: what.severity == "forbids")
    return [
        *(Note("remark", text, MEANS.get(text.split()[0], "")) for text in _remarks(results)),
        *(Note("warning", text) for text in _warnings(results)),
        *(
            Note("fault" if what.severity == "forbids" else "caution", wording.fault(what))
            for what in severe
        ),
    ]


def _warnings(results: Results) -> Iterator[str]:
    leaked = results.data.questions_also_in_training
    if leaked and results.tune:
        yield f"{leaked} held-out questions are word for word among the training rows"
    if (near := results.data.near_duplicates) and near.total > near.equal:
        counts = {
            "with a few other words": near.similar,
            "with the same answer and rare words": near.same_fact,
            "with near-equal embeddings": near.close or 0,
        }
        kinds = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
        total = near.total - near.equal
        yield f"{total} held-out questions are nearly asked by training records: {kinds}"
    if (gold := results.data.gold) and gold.questions:
        yield (
            f"{len(gold.unknown)} questions name a gold document that does not exist, "
            f"{len(gold.absent)} evidence that is not in it; they are not in retrieval's figures"
        )
    if results.engine:
        yield from engine.warnings(results.engine)
    yield from search_table.cautions(results.search)
    if (split := results.data.division) and split.by == "question":
        yield "the questions were split off by question: training records are about their documents"


def _remarks(results: Results) -> Iterator[str]:
    if line := wording.reviewed(results.data):
        yield line
    if found := results.retrieval:
        yield (
            f"retrieval: recall@{found.k} {found.recall_at_k.mean:.2f}, MRR {found.mrr.mean:.2f}, "
            f"nDCG {found.ndcg_at_k.mean:.2f} over {found.questions} questions with a gold document"
        )
    if used := results.engine:
        yield from engine.remarks(used)
    if left_out := results.recipe.filled.left_out:
        yield f"left out: {', '.join(left_out)}: the server has no model for it in model.served"
    yield from _cut(results)
    if losses := results.heldout_loss:
        told = "; ".join(
            f"base {loss.base:.3f}, {name} {loss.tuned:.3f} nats" for name, loss in losses.items()
        )
        yield f"held-out loss a token: {told}"
    yield from _by_category(results)
    grounded = ", ".join(
        f"{name} {arm.grounded.mean:.2f}" for name, arm in results.arms.items() if arm.grounded
    )
    if grounded:
        yield f"grounded, the share of an answer's words that are in its sources: {grounded}"
    yield from _measured_beside(results)


def _cut(results: Results) -> Iterator[str]:
    for name, arm in results.arms.items():
        counts = {
            "passages left out": arm.tokens.cut_passages,
            "questions cut": arm.tokens.cut_prompts,
        }
        if told := ", ".join(f"{count} {what}" for what, count in counts.items() if count):
            yield f"{name}: {told}: no room in the model's context"


def _by_category(results: Results) -> Iterator[str]:
    """The deciding metric by category, where there are several."""
    categories = next(iter(results.arms.values())).categories
    if len(categories) < 2:
        return
    told = [
        f"{name} ({category.questions}) "
        + "/".join(f"{arm.categories[name].mean:.2f}" for arm in results.arms.values())
        for name, category in categories.items()
    ]
    metric = title(results.recommendation.metric)
    yield f"{metric} by category, {'/'.join(results.arms)}: {', '.join(told)}"


def _measured_beside(results: Results) -> Iterator[str]:
    """What tuning forgot, how soon a changed document is answered by, how many labels it took."""
    for name, lost in results.forgetting.items():
        base, tuned = lost.base, lost.tuned
        yield (
            f"forgetting: {name}: general text {base.nats_per_token:.3f} → "
            f"{tuned.nats_per_token:.3f} nats a token ({base.bits_per_byte:.3f} → "
            f"{tuned.bits_per_byte:.3f} bits a byte); "
            f"{lost.unchanged:.0%} of {lost.continuations} continuations unchanged"
        )
    if fresh := results.freshness:
        yield (
            f"freshness: {len(fresh.changes)} documents changed, {brief(fresh.reindex_seconds)} s "
            f"each from the change to an answer; the new fact was in {fresh.shown} prompts, "
            f"{fresh.followed} answers changed to it"
        )
    if curve := results.learning_curve:
        for arm, enough in curve.enough.items():
            told = ", ".join(f"{p.arms[arm].mean:.2f} with {p.records:,}" for p in curve.points)
            least = next(p.records for p in curve.points if p.share == enough)
            yield (
                f"labels needed: {arm} {title(curve.metric)} {told} records; from {least:,} on not "
                "significantly different from all"
            )
