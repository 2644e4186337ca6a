"""How well passages are found on Dolly's contexts, by search mode, chunk size and k.

Questions are those of closed_qa and information_extraction, their own context being gold. Half of
them, by document, are held out; the other half is for choosing settings, and the weight in
`ragtune.retrieval.fusion` was chosen on it.
"""

import argparse
import hashlib
import json
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ragtune.core import offline
from ragtune.core.bundled import builtin_embedder
from ragtune.models.hardware import probe
from ragtune.recipe.rag import Rag
from ragtune.results.retrieval import quality
from ragtune.retrieval.chunks import Chunker
from ragtune.retrieval.embedder import Embedder
from ragtune.retrieval.index import Retriever, update
from ragtune.retrieval.passages import Passage
from ragtune.retrieval.section import Mode
from ragtune.sources.documents import context_name, from_contexts, with_context_names
from ragtune.sources.readers import Document
from ragtune.sources.records import Record

ASKED = ("closed_qa", "information_extraction")
MODES: tuple[Mode, ...] = ("dense", "keyword", "hybrid")
SEED = 10
TOP_K = 10


def load(path: Path) -> list[Record]:
    """Dolly's records that have a context, each with its document's name."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    fields = ("instruction", "response", "context", "category")
    return with_context_names(Record(*(r[f] for f in fields)) for r in rows if r["context"].strip())


def half(records: Sequence[Record], *, held_out: bool) -> list[Record]:
    """The questions of one half; all those of a document are in the same."""
    chosen = [r for r in records if r.category in ASKED]
    digests = [hashlib.md5(r.document.encode(), usedforsecurity=False) for r in chosen]
    return [r for r, d in zip(chosen, digests, strict=True) if d.digest()[-1] % 2 == int(held_out)]


def sweep(
    records: Sequence[Record], asked: Sequence[Record], sizes: Sequence[int], ks: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Recall, MRR and nDCG with their intervals for each chunk size, mode, k and category."""
    embedder = Embedder(builtin_embedder(), probe())
    corpus = from_contexts(records)
    for size in sizes:
        rag = Rag(chunk_tokens=size)
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "index"
            update(corpus, rag, embedder, fingerprint="f", folder=place)
            retriever = Retriever(place, rag, embedder, "f")
            for mode in MODES:
                found = retriever.search([r.instruction for r in asked], max(ks), mode=mode)
                head = {"chunk_tokens": size, "mode": mode}
                for k, category in product(ks, ("all", *ASKED)):
                    if measured := _of(category, asked, found, k):
                        yield {**head, "category": category, **measured}
            retriever.close()


def _of(
    category: str, asked: Sequence[Record], found: Sequence[Sequence[Passage]], k: int
) -> dict[str, Any] | None:
    both = [(r, p) for r, p in zip(asked, found, strict=True) if category in ("all", r.category)]
    measured = quality([r for r, _ in both], [p for _, p in both], k, SEED)
    return measured.model_dump() if measured else None


def against_exact(records: Sequence[Record], asked: Sequence[Record]) -> dict[str, float]:
    """nDCG@10 of dense search, and of exact search over vectors that were made in fp32."""
    embedder = Embedder(builtin_embedder(), probe())
    rag = Rag(search="dense", top_k=TOP_K)
    texts = {context_name(r.context): r.context for r in records}
    nodes = Chunker(rag, embedder).split([Document(n, t) for n, t in texts.items()])
    names = np.array([n.metadata["document"] for n in nodes])
    plain: Any = embedder.model
    held, wanted = (
        plain.encode(list(some), batch_size=64, normalize_embeddings=True)
        for some in (
            [n.get_content(metadata_mode="embed") for n in nodes],
            [r.instruction for r in asked],
        )
    )
    best = np.argsort(-(wanted @ held.T), axis=1, kind="stable")[:, :TOP_K]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "index"
        update(from_contexts(records), rag, embedder, fingerprint="f", folder=place)
        retriever = Retriever(place, rag, embedder, "f")
        found = retriever.search([r.instruction for r in asked])
        retriever.close()
    ours = [_ndcg([p.document for p in ps], r.document) for ps, r in zip(found, asked, strict=True)]
    exact = [_ndcg(names[row].tolist(), r.document) for row, r in zip(best, asked, strict=True)]
    return {
        "chunks": len(nodes),
        "questions": len(asked),
        "ndcg@10": float(np.mean(ours)),
        "exact fp32": float(np.mean(exact)),
    }


def _ndcg(names: Sequence[str], gold: str) -> float:
    """1 / log2(1 + rank) of the first gold passage, as `ragtune.results.retrieval` takes it."""
    return 1 / math.log2(2 + names.index(gold)) if gold in names else 0.0


def _row(one: dict[str, Any]) -> str:
    cells = [
        "{mean:.3f} ({low:.3f}-{high:.3f})".format(
            mean=one[name]["mean"], low=one[name]["ci95"][0], high=one[name]["ci95"][1]
        )
        for name in ("recall_at_k", "mrr", "ndcg_at_k")
    ]
    head = [str(one[name]) for name in ("chunk_tokens", "mode", "k", "category", "questions")]
    return "| " + " | ".join([*head, *cells]) + " |"


def main() -> None:
    """Print a Markdown table, and how near dense search comes to exact search in fp32."""

    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",")]

    parser = argparse.ArgumentParser(prog="python -m scripts.bench.quality", description=__doc__)
    parser.add_argument("records", type=Path, help="databricks-dolly-15k.jsonl")
    parser.add_argument("--contexts", type=int, default=None, help="only the first so many rows")
    parser.add_argument("--chunk-tokens", type=numbers, default=[256], help="a comma list")
    parser.add_argument("--top-k", type=numbers, default=[5], help="a comma list")
    parser.add_argument("--development", action="store_true", help="the half to choose settings on")
    parser.add_argument("--exact", type=int, default=600, help="rows compared with fp32; 0: none")
    options = parser.parse_args()
    offline.go_offline()
    records = load(options.records)[: options.contexts]
    asked = half(records, held_out=not options.development)
    print("| chunk tokens | mode | k | category | questions | recall@k | MRR | nDCG@k |")
    print("|---:|---|---:|---|---:|---|---|---|")
    for one in sweep(records, asked, options.chunk_tokens, options.top_k):
        print(_row(one), flush=True)
    if options.exact:
        few = records[: options.exact]
        found = against_exact(few, half(few, held_out=not options.development))
        print(", ".join(f"{name} {value:.4g}" for name, value in found.items()), file=sys.stderr)


if __name__ == "__main__":
    main()
