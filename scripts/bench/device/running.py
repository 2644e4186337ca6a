"""Tuning and answering on one card at the shapes of Llama 3.2 1B and 3.1 8B, with random weights.

Nothing is downloaded but packages. Each part runs in a process of its own with a limit on its
time; figures are written after each, so that one that fails loses nothing but itself.
"""

import argparse
import datetime
import importlib.metadata
import importlib.util
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from scripts.bench.device.parts import Part, alone, chosen
from scripts.bench.device.report import report

BUDGET = 460.0
"""Seconds for all parts; under 8 minutes with what comes before and after them."""
LEAST = 15.0
"""Seconds that a part is not worth starting in."""
LIBRARIES = ("torch", "transformers", "peft", "trl", "bitsandbytes", "vllm", "ragtune")


def version(name: str) -> str | None:
    """The version of an installed package; None where there is none."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def installed(name: str) -> bool:
    """Whether a package can be imported, without doing it."""
    return importlib.util.find_spec(name) is not None


def figures(
    parts: Sequence[Part],
    budget: float,
    run: Callable[[Part, float], dict[str, Any]] = alone,
    has: Callable[[str], bool] = installed,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[dict[str, Any]]:
    """What each part found, as it comes; one that was left out says why under ``failed``."""
    ends = clock() + budget
    for part in parts:
        left = ends - clock()
        why = None
        if part.needs and not has(part.needs):
            why = f"{part.needs} is not installed"
        elif left < LEAST:
            why = f"no time was left of {budget:.0f} s"
        if why:
            yield {"kind": part.kind, "name": part.name, "failed": why}
        else:
            yield run(part, min(part.limit, left))


def environment(device: str) -> dict[str, Any]:
    """The card, the versions and the day."""
    import torch

    from scripts.bench.device import meter

    return {
        "card": meter.card(device),
        "date": datetime.date.today().isoformat(),
        "versions": {name: version(name) for name in LIBRARIES},
        "cuda": torch.version.cuda if device == "cuda" else None,
    }


def main() -> None:
    """Run what the command line asks for; print the tables, write the JSON.

    Exits with 1 where a part failed that was not left out, with 2 where there is no such device.
    """
    parser = argparse.ArgumentParser(prog="scripts/bench/gpu", description=__doc__)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--size", choices=["full", "tiny"], default="full")
    parser.add_argument("--only", metavar="WORD", help="parts whose names have this word")
    parser.add_argument("--seconds", type=float, default=BUDGET, help="for all parts together")
    parser.add_argument("--json", type=Path, default=Path("bench-gpu.json"), help="figures go here")
    parser.add_argument("--python", help="the Python to use; read by the script around this one")
    asked = parser.parse_args()
    import torch

    if asked.device == "cuda" and not torch.cuda.is_available():
        print(
            "scripts/bench/gpu: PyTorch sees no CUDA device; try --device cpu --size tiny",
            file=sys.stderr,
        )
        raise SystemExit(2)
    parts = [p for p in chosen(asked.size, asked.device) if (asked.only or "") in p.name]
    if not parts:
        names = ", ".join(p.name for p in chosen(asked.size, asked.device))
        parser.error(f"--only {asked.only}: no part is named so; there are {names}")
    where, found = environment(asked.device), list[dict[str, Any]]()
    for one in figures(parts, asked.seconds):
        found.append(one)
        text = json.dumps({"environment": where, "parts": found}, indent=1)
        asked.json.write_text(text + "\n", encoding="utf-8")
        took = f"{one['took']:.0f} s" if "took" in one else "left out"
        print(f"{one['name']}: {one.get('failed', 'done')} ({took})", file=sys.stderr, flush=True)
    print(report(where, found))
    raise SystemExit(any("failed" in one and "took" in one for one in found))


if __name__ == "__main__":
    main()
