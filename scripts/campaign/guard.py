"""Ways through the guard on connections: of Python's own hook, and of the kernel's filter.

``python -m scripts.campaign.guard`` prints each way that passed, and what was tried and survived.
"""

import json
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

from scripts.campaign.tally import Tally

ROOT = Path(__file__).resolve().parents[2]
FORMS = ("guard", "sealed")


def tried(form: str, without: Collection[str] = ()) -> tuple[str, dict[str, str]]:
    """What became of each way, and why the strong form cannot be had here; mostly empty."""
    done = subprocess.run(
        [sys.executable, "-m", "scripts.campaign.ways", form, *without],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "local", ROOT)))},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    said = json.loads(done.stdout)
    return str(said["missing"]), dict(said["outcomes"])


def campaign(_: int, seed: int) -> Tally:
    """Every way in both forms; neither count nor seed changes anything."""
    tally = Tally("guard", seed)
    for form in FORMS:
        missing, outcomes = tried(form)
        for way, outcome in outcomes.items():
            tally.add(f"{form}: {way}", "" if outcome == "refused" else outcome)
        if missing:
            tally.note(f"the strong form cannot be had here: {missing}")
    return tally


if __name__ == "__main__":
    sys.exit(campaign(0, 0).show())
