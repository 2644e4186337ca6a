"""ragtune against llama-index's documented set-up on qdrant-client's local mode.

Same documents, same splitter, same embedder, in turn within one run; each contender works in a
process of its own, so that its peak memory is its own. The store is measured apart, on made-up
vectors, at sizes that would take too long to embed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CONTENDERS = ("ragtune", "llama-index")
HEADS = {
    "ingest": [
        "chunks",
        "chunks/s",
        "of raw",
        "query p50 ms",
        "query p95 ms",
        "ingestion's peak MiB",
        "peak MiB",
    ],
    "store": ["chunks", "chunks/s", "open ms", "p50 ms", "p95 ms", "recall@10", "peak MiB"],
    "change": ["chunks", "full s", "one changed s", "share"],
}


def measure(part: str, contender: str, size: int, options: argparse.Namespace) -> dict[str, Any]:
    """One contender's figures for one part, measured in a process of its own."""
    print(f"{part} {size}: {contender}", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        done = subprocess.run(
            [
                *(sys.executable, "-W", "ignore", "-m", "scripts.bench.retriever"),
                *(part, contender, str(size), str(options.queries), folder, str(options.records)),
            ],
            env={**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{part} {size}: {contender} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"part": part, "contender": contender, **found}


def table(part: str, figures: list[dict[str, Any]]) -> str:
    """A Markdown table with ragtune's and llama-index's rows in turn, and ragtune's advantage.

    What only ragtune can do, changing one document, is a row alone.
    """
    heads = HEADS[part]
    lines = [
        f"| {part} | " + " | ".join(heads) + " |",
        "|---" + "|---:" * len(heads) + "|",
    ]
    rows = [f for f in figures if f["part"] == part]
    for n, one in enumerate(rows):
        cells = [_shown(one.get(head)) for head in heads]
        lines.append(f"| {one['contender']} | " + " | ".join(cells) + " |")
        if one["contender"] == CONTENDERS[1]:
            cells = [_ratio(head, rows[n - 1].get(head), one.get(head)) for head in heads]
            lines.append("| **ragtune is** | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _ratio(head: str, ours: float | None, theirs: float | None) -> str:
    """How many times better: more chunks a second, or less time or memory."""
    if not ours or not theirs or head in ("chunks", "recall@10", "of raw"):
        return ""
    return f"{(ours / theirs if head == 'chunks/s' else theirs / ours):.2f} x"


def main() -> None:
    """Measure what was asked for and print the tables, or all figures as JSON."""
    parser = argparse.ArgumentParser(prog="scripts/bench/rag", description=__doc__)

    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",") if part]

    parser.add_argument(
        "--ingest", type=numbers, default=[1000], help="documents to ingest, a comma list"
    )
    parser.add_argument(
        "--change", type=int, default=10000, help="short documents, of which one changes; 0: none"
    )
    parser.add_argument(
        "--sizes",
        type=numbers,
        default=[1000, 10000, 100000],
        help="chunks in the store, a comma list",
    )
    parser.add_argument("--queries", type=int, default=200, help="questions timed in each part")
    parser.add_argument(
        "--records",
        type=Path,
        default="",
        help="a jsonl file whose contexts are the documents; else texts are made up",
    )
    parser.add_argument("--folder", type=Path, default=None, help="where the indexes are written")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    figures = [
        measure(part, contender, size, options)
        for part, sizes in (
            ("ingest", options.ingest),
            ("store", options.sizes),
            ("change", [options.change]),
        )
        for size in sizes
        if size
        for contender in (CONTENDERS if part != "change" else CONTENDERS[:1])
    ]
    if options.json:
        print(json.dumps(figures, indent=1))
        return
    parts = [part for part in HEADS if any(f["part"] == part for f in figures)]
    print("\n\n".join(table(part, figures) for part in parts))


if __name__ == "__main__":
    main()
