"""All campaigns, each in a process of its own, and one table of what was tried and survived.

``python -m scripts.campaign [--share N] [--seed N] [NAME…]``: a share of 1/N of each.
"""

import argparse
import importlib
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from scripts.campaign.tally import Tally, show

ROOT = Path(__file__).resolve().parents[2]
COUNTS = {
    "guard": 0,
    "kills": 200,
    "tampering": 75,
    "environments": 60,
    "inputs": 2000,
    "folders": 60,
}
"""The campaigns, and how many attempts each makes; the guard's ways are tried all."""


def one(name: str, count: int, seed: int) -> None:
    """Run a campaign in this process and print its tally as JSON."""
    found: Tally = importlib.import_module(f"scripts.campaign.{name}").campaign(count, seed)
    print(json.dumps(vars(found)))


def started(name: str, count: int, seed: int) -> Tally:
    """Run a campaign in a process of its own; its tally."""
    code = f"from scripts.campaign.__main__ import one; one({name!r}, {count}, {seed})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        tally = Tally(name, seed)
        tally.add("the campaign itself", f"ended with {done.returncode}")
        return tally
    return Tally(**json.loads(done.stdout.splitlines()[-1]))


def main() -> int:
    """Run what is asked for; 1 where something did not survive."""
    parser = argparse.ArgumentParser(prog="python -m scripts.campaign", description=__doc__)
    known = [name for name in COUNTS if find_spec(f"scripts.campaign.{name}")]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}; all")
    parser.add_argument("--share", type=int, default=1, help="one part in so many of each")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    tallies = [
        started(name, -(-COUNTS[name] // asked.share), asked.seed) for name in asked.names or known
    ]
    show(tallies)
    return 1 if any(tally.failures for tally in tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
