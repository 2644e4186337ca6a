"""ragtune against TRL: the same rows, model and LoRA, in turn within one run.

Each contender trains in a process of its own, so that its peak memory is its own.
"""

import argparse
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ragtune.models.hardware import probe
from ragtune.models.load import quiet_libraries
from ragtune.runs import environment
from scripts.bench.contender import TRL
from scripts.bench.task import SHAPES, Task, records, write_model, write_rows

ROWS = {"built-in": 256, "110m-32k": 24, "110m-128k": 24}
MICRO = {"built-in": 4, "110m-32k": 2, "110m-128k": 2}
CONFIGURATIONS = ["documented", "grouped", "grouped-bf16-eager"]
"""TRL's documented set-up, and those of ``contender.TRL`` that may be its best."""
HELD = 32


def measure(shape: str, names: list[str], rows: int, epochs: int, folder: Path) -> list[Any]:
    """Run the contenders in turn on one shape; figures in the order of ``names``."""
    files = write_rows(records(), rows, HELD, folder)
    task = Task(
        model=str(write_model(shape, folder)),
        rows=str(files[0]),
        held=str(files[1]),
        folder=str(folder / f"{shape}-work"),
        epochs=epochs,
        micro_batch=MICRO[shape],
    )
    Path(task.folder).mkdir()
    task_file = folder / f"{shape}.json"
    task_file.write_text(json.dumps(task.to_json()), encoding="utf-8")
    found = []
    for name in names:
        print(f"{shape}: {name}", file=sys.stderr, flush=True)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "scripts.bench.contender", name, str(task_file)],
            env={**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{shape}: {name} failed:\n{done.stderr[-2000:]}")
        found.append({"shape": shape, "rows": rows, **json.loads(done.stdout.splitlines()[-1])})
    return found


def table(figures: list[dict[str, Any]]) -> str:
    """A Markdown table; its last columns compare with ragtune: losses, and how much faster it is.

    The last is the ratio of processor seconds, which other work on the machine disturbs least.
    """
    lines = [
        "| shape | contender | tokens/s | wall s | peak GiB | held-out loss | apart | ragtune is "
        "| by processor |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for f in figures:
        own = next(o for o in figures if o["shape"] == f["shape"] and o["contender"] == "ragtune")
        apart = f["held_out_loss"] / own["held_out_loss"] - 1
        lines.append(
            f"| {f['shape']} | {f['contender']} | {f['tokens_a_second']:.0f} | {f['seconds']:.1f} "
            f"| {f['peak_gib']:.2f} | {f['held_out_loss']:.4f} | {apart:+.2%} "
            f"| {own['tokens_a_second'] / f['tokens_a_second']:.2f}x "
            f"| {f['cpu_seconds'] / own['cpu_seconds']:.2f}x |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run what the command line asks for; print the table, and write the JSON."""
    parser = argparse.ArgumentParser(prog="scripts/bench/tune", description=__doc__)
    parser.add_argument("--shape", choices=SHAPES, action="append", help="default: all")
    parser.add_argument(
        "--trl", choices=TRL, action="append", help=f"default: {', '.join(CONFIGURATIONS)}"
    )
    parser.add_argument("--rows", type=int, help="rows to train on, a multiple of 8")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument(
        "--json", type=Path, default=Path("bench-tune.json"), help="figures go there"
    )
    chosen = parser.parse_args()
    quiet_libraries()
    figures: list[Any] = []
    with tempfile.TemporaryDirectory() as scratch:
        for shape in chosen.shape or list(SHAPES):
            names = ["ragtune", *(f"trl-{c}" for c in chosen.trl or CONFIGURATIONS)]
            rows = chosen.rows or ROWS[shape]
            figures += measure(shape, names, rows, chosen.epochs, Path(scratch))
    kept = {
        "environment": environment.describe(probe()),
        "trl": importlib.metadata.version("trl"),
        "data": records().name,
        "runs": figures,
    }
    chosen.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(table(figures))


if __name__ == "__main__":
    main()
