"""Tuning in several processes: the parent's side, and one process's.

A process is started as ``python -m ragtune.runs.worker``.
The parent has written the run's data already; each process reads it, trains its share, and the
first writes the adapter and ``tuned.json`` into the stage's scratch folder.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, cast

from ragtune.core import errors, machine, offline
from ragtune.core.errors import RagtuneError, RecipeError
from ragtune.core.files import read_json, read_jsonl, write_json
from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune.recipe import file as recipe_file
from ragtune.recipe.arms import Adapter
from ragtune.runs.lock import Lock
from ragtune.runs.materials import Materials
from ragtune.runs.stage import Work
from ragtune.runs.stages import parts

TUNED = "tuned.json"


def refuse_too_many(processes: int) -> None:
    """Raise RecipeError for more processes than this machine computes at once."""
    if processes == 1:
        return
    import torch

    cores = machine.cores()
    devices = torch.cuda.device_count()
    if processes > max(cores, devices):
        there = f"{cores} processor cores" + (f" and {devices} GPUs" if devices else "")
        raise RecipeError(
            f"--processes: {processes}, but this machine has {there}; "
            f"allowed: 1 to {max(cores, devices)}"
        )


def tune_together(
    run: RunFolder, work: RunFolder, adapter: Adapter, processes: int
) -> dict[str, Any]:
    """Start the processes and wait for them; what training came to.

    Raises what one of them raised, and KeyboardInterrupt once all have stopped after Ctrl-C.
    """
    from ragtune.tuning.distributed import environment

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    threads = max(1, machine.cores() // processes)
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "ragtune.runs.worker", str(run), str(work), adapter],
            env={"OMP_NUM_THREADS": str(threads), **environment(rank, processes, port)},
        )
        for rank in range(processes)
    ]
    try:
        _wait(started, work.path)
    except KeyboardInterrupt:
        for process in started:  # each keeps what it has after its step, on the same Ctrl-C
            process.wait()
        raise
    finally:
        for process in started:
            process.kill()
    found: dict[str, Any] = read_json(work.path / TUNED)
    return found


def _wait(started: "list[subprocess.Popen[bytes]]", work: Path) -> None:
    """Return when all have ended well; raise for the first that did not."""
    while any(codes := [process.poll() for process in started]) or None in codes:
        for rank, code in enumerate(codes):
            if code:
                raise _error(work / f"error-{rank}.json", code)
        time.sleep(0.1)


def _error(path: Path, code: int) -> BaseException:
    if code == errors.INTERRUPTED:
        return KeyboardInterrupt()
    if not path.exists():
        return errors.ModelError(f"a tuning process ended with code {code}")
    said = read_json(path)
    kind: type[RagtuneError] = getattr(errors, said["kind"])
    return kind(said["message"])


class _Stderr(Silent):
    """A watcher of the first process: lines on stderr, and no bar."""

    def __init__(self, speaks: bool) -> None:
        self._speaks = speaks

    def say(self, line: str) -> None:
        if self._speaks:
            print(line, file=sys.stderr, flush=True)


def main(run: RunFolder, out: RunFolder, adapter: Adapter) -> int:
    """Train one process's share of an adapter; the exit code."""
    from ragtune.tuning.distributed import Accelerated
    from ragtune.tuning.trainer import tune

    offline.go_offline()
    rank = int(os.environ["RANK"])
    try:
        recipe = recipe_file.load(run.recipe).at(run.path / Lock.load(run).recipe_folder)
        materials, watcher = Materials(recipe), _Stderr(speaks=rank == 0)
        work = Work(recipe, materials, run, out, watcher)
        team = Accelerated()
        tuned = tune(
            parts.settings(work, adapter),
            materials.base,
            parts.samples(work, read_jsonl(run.train_rows(adapter)), adapter),
            seed=recipe.seed,
            name=recipe.model.local,
            template_hash=parts.form(work).hash,
            hardware=materials.hardware,
            folder=out.path,
            watcher=watcher,
            team=team,
        )
        if rank == 0:
            write_json(out.path / TUNED, tuned.to_json())
        team.leave()
    except RagtuneError as error:
        said = {"kind": type(error).__name__, "message": str(error)}
        (out.path / f"error-{rank}.json").write_text(json.dumps(said), encoding="utf-8")
        return error.exit_code
    except KeyboardInterrupt:
        return errors.INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(
        main(RunFolder(Path(sys.argv[1])), RunFolder(Path(sys.argv[2])), cast(Adapter, sys.argv[3]))
    )
