"""Kills of a run: before and after renames, and at random moments; then the same command again.

``python -m scripts.campaign.kills [COUNT] [SEED]``: a series begins in an empty folder and is
killed up to five times, each time later in its work or wherever chance has it. What the last
command leaves must be what an undisturbed run left: answers, passages, figures, and every bit of
the adapter.
"""

import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.campaign import study
from scripts.campaign.tally import Tally, fault, scratch

SERIES = 5
"""Kills before a run is let go to its end."""


class Renames:
    """Counts the renames of this process, and kills it before or after one of them."""

    def __init__(self, number: int, *, after: bool) -> None:
        self.number, self.after, self.seen = number, after, 0

    def install(self) -> None:
        """Replace ``os.replace`` and ``os.rename``, which all else is built on."""
        for name in ("replace", "rename"):
            setattr(os, name, self._counting(getattr(os, name)))

    def _counting(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **options: Any) -> Any:
            self.seen += 1
            if self.seen == self.number and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = call(*arguments, **options)
            if self.seen == self.number:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return counting


def campaign(count: int = 200, seed: int = 1) -> Tally:
    """So many kills; every attempt is one kill, and fails where its series ends wrong."""
    study.warm()
    tally, chance, folder = Tally("kills", seed), random.Random(seed), scratch()
    try:
        recipe = study.write(folder / "project")
        started = time.monotonic()
        code, said = study.called(["run", recipe, "--runs", folder / "whole"])
        if code:
            raise RuntimeError(f"the undisturbed run failed: {said}")
        seconds = time.monotonic() - started
        reference = study.content(study.run_of(folder / "whole"))
        series = Series(["run", recipe, "--runs", folder / "runs"], seconds, chance)
        while tally.tried < count:
            shutil.rmtree(folder / "runs", ignore_errors=True)
            series.run(tally, min(SERIES, count - tally.tried), reference)
    finally:
        shutil.rmtree(folder)
    return tally


@dataclass
class Series:
    """Kills of one command in one folder, until it is let go; it takes ``seconds`` undisturbed."""

    command: list[object]
    seconds: float
    chance: random.Random

    def run(self, tally: Tally, most: int, reference: Mapping[str, Any]) -> None:
        """Kill up to ``most`` times, then run to the end and compare."""
        kills: list[str] = []
        for _ in range(most):
            name, (code, said) = self._kill()
            if code == 0:
                break  # it came to its end first, so nothing was killed
            kills.append(name)
            if code != -signal.SIGKILL:
                tally.add("; ".join(kills), fault(code, said) or f"{code}: {said[-300:]}")
                return
        code, said = study.called(self.command)
        wrong = fault(code, said, allowed=(0,))
        wrong = wrong or study.difference(study.run_of(Path(str(self.command[3]))), reference)
        for number in range(len(kills)):
            tally.add("; ".join(kills[: number + 1]), wrong)

    def _kill(self) -> tuple[str, study.Ended]:
        if self.chance.random() < 0.7:
            number, after = self.chance.randint(1, 40), self.chance.random() < 0.5
            renames = Renames(number, after=after)
            name = f"{'after' if after else 'before'} rename {number}"
            return name, study.called(self.command, renames.install)
        wait = self.chance.uniform(0.05, 1.0) * self.seconds
        return f"after {wait:.2f} s", study.called(self.command, kill_after=wait)


def main(arguments: list[str]) -> int:
    """Run it alone; the exit code."""
    return campaign(*(int(one) for one in arguments)).show()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
