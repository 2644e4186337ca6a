"""How an index searches where it lives: the held-out questions, beside the local index."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ragtune.core.files import read_json, write_json
from ragtune.core.progress import Advance
from ragtune.results.retrieval import quality
from ragtune.results.schema import Retrieval
from ragtune.retrieval.passages import Passage, gold_rank
from ragtune.retrieval.searcher import Searcher
from ragtune.sources.records import Record
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.index.base import Refused

if TYPE_CHECKING:
    from rich.table import Table

LOCAL = "local"
FORMAT = 1


@dataclass(frozen=True)
class Found:
    """What was found for each question, in order, in so many seconds, each asked alone.

    ``refused`` holds the service's words on questions that it did not take, by the record's id;
    for these nothing was found.
    """

    passages: list[list[Passage]]
    seconds: list[float]
    refused: dict[str, str] = field(default_factory=dict)


def ask(
    searcher: Searcher, records: Sequence[Record], *, with_context: bool, advance: Advance
) -> Found:
    """Search for every question alone; what is loaded at the first one is not in its time.

    Raises CloudError or RunError where the index cannot be searched at all.
    """
    found = Found([], [])
    for number, record in enumerate(records):
        asked = [record.query(with_context=with_context)]
        try:
            if number == 0:
                searcher.search(asked)
            start = time.perf_counter()
            (passages,) = searcher.search(asked)
        except Refused as error:
            found.refused[record.id] = str(error)
            found.passages.append([])
            continue
        found.seconds.append(time.perf_counter() - start)
        found.passages.append(passages)
        advance(number + 1, len(records))
    return found


def place(
    records: Sequence[Record], found: Found, local: Found, *, top_k: int, seed: int, own: bool
) -> dict[str, Any]:
    """The figures of one place.

    Times are milliseconds of one question. ``recall_minus_local`` is over the questions that name
    a gold document. ``same_passages`` is the mean share of the local passages that were found, and
    ``same_order`` the share of questions with the very same passages in order; both None where
    ``own`` chunks are not there.
    """
    figures = quality(records, found.passages, top_k, seed)
    return {
        "retrieval": figures.model_dump(mode="json") if figures else None,
        "recall_minus_local": _less(records, found, local, top_k),
        "same_passages": _shared(found, local, top_k) if own else None,
        "same_order": _alike(found, local, top_k) if own else None,
        "ms": _milliseconds(found.seconds),
        "refused": found.refused,
    }


def keep(cloud: CloudFolder, places: dict[str, Any], questions: int, top_k: int) -> dict[str, Any]:
    """Write figures into the run's ``cloud/index/results.json``; all that is there then.

    Figures of other homes stay where they are of as many questions and passages.
    """
    path = cloud.index_results
    old = read_json(path) if path.exists() else {}
    what = {"format": FORMAT, "questions": questions, "top_k": top_k}
    known = old.get("places", {}) if {k: old.get(k) for k in what} == what else {}
    kept = {**what, "places": {**known, **places}}
    write_json(path, kept)
    return kept


def table(results: dict[str, Any]) -> "Table":
    """The places beside each other, for the terminal."""
    from rich import box
    from rich.table import Table

    k = results["top_k"]
    title = f"{results['questions']} held-out questions, {k} passages each"
    shown = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left")
    shown.add_column("index", no_wrap=True)
    heads = (f"recall\n@{k}", "95 %", "MRR", f"nDCG\n@{k}", "same\nfound", "ms", "slowest\n5 % ms")
    for head in heads:
        shown.add_column(head, justify="right", no_wrap=True)
    for name, figures in results["places"].items():
        shown.add_row(name, *_row(figures))
    return shown


def _row(figures: dict[str, Any]) -> list[str]:
    measured = figures["retrieval"] and Retrieval.model_validate(figures["retrieval"])
    cells = ["-"] * 4
    if measured:
        low, high = measured.recall_at_k.ci95
        means = (measured.recall_at_k, measured.mrr, measured.ndcg_at_k)
        recall, mrr, ndcg = (f"{mean.mean:.2f}" for mean in means)
        cells = [recall, f"{low:.2f}-{high:.2f}", mrr, ndcg]
    same = figures["same_passages"]
    times = figures["ms"] or {"p50": None, "p95": None}
    return [
        *cells,
        "-" if same is None else f"{same:.2f}",
        *("-" if time is None else f"{time:.1f}" for time in (times["p50"], times["p95"])),
    ]


def _milliseconds(seconds: Sequence[float]) -> dict[str, float] | None:
    if not seconds:
        return None
    each = 1000 * np.asarray(seconds)
    return {
        "p50": round(float(np.median(each)), 3),
        "p95": round(float(np.percentile(each, 95)), 3),
        "questions": len(seconds),
    }


def _less(records: Sequence[Record], found: Found, local: Found, top_k: int) -> float | None:
    judged = [
        (gold_rank(record, there[:top_k]) is not None, gold_rank(record, here[:top_k]) is not None)
        for record, there, here in zip(records, found.passages, local.passages, strict=True)
        if record.gold
    ]
    if not judged:
        return None
    return round(float(np.mean([int(there) - int(here) for there, here in judged])), 6)


def _shared(found: Found, local: Found, top_k: int) -> float | None:
    shares = [
        len({p.id for p in there[:top_k]} & {p.id for p in here[:top_k]}) / len(here[:top_k])
        for there, here in zip(found.passages, local.passages, strict=True)
        if here
    ]
    return round(float(np.mean(shares)), 6) if shares else None


def _alike(found: Found, local: Found, top_k: int) -> float | None:
    pairs = zip(found.passages, local.passages, strict=True)
    alike = [[p.id for p in a[:top_k]] == [p.id for p in b[:top_k]] for a, b in pairs]
    return round(float(np.mean(alike)), 6) if alike else None
