"""Answers of a run's ``rag`` arm by ragtune's batches and by llama.cpp's server, in turn.

llama.cpp reads the same weights as GGUF in 16 bits and in 8 (q8_0), and is asked with several
numbers of slots; the same token ids are sent, answered greedily, at as many questions at once as
there are slots. Then answers of 100 tokens, one at a time, from each. The wheel of llama.cpp is
built without AVX-512 and AMX; a build for this processor is faster.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from ragtune.arms.arm import Arm
from ragtune.core import offline
from ragtune.core.files import read_jsonl
from ragtune.models.engines import decoding
from ragtune.models.engines.groups import Group
from ragtune.prompts.base import Prompt
from ragtune.runs.open import OpenRun, open_run
from ragtune.sources.records import Record
from scripts.bench.exporting import write_base
from tests.llama_cpp import LlamaServer, serving

LENGTH = 100
"""Tokens of a single answer."""
SLOTS = (1, 2, 4, 8)


def asked(
    server: LlamaServer, ids: Sequence[int], limit: int, *, ignore: bool = False
) -> list[int]:
    """The tokens of one answer."""
    body = {"prompt": list(ids), "n_predict": limit, "temperature": 0, "cache_prompt": True}
    told = server.post("/completion", {**body, "ignore_eos": ignore, "return_tokens": True})
    return list(told["tokens"])


@contextmanager
def timed(seconds: list[float]) -> Iterator[None]:
    """Append how long it took."""
    started = time.perf_counter()
    yield
    seconds.append(time.perf_counter() - started)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a finished run with an arm `rag`")
    parser.add_argument("--questions", type=int, help="only the first so many")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--singles", type=int, default=5, help="prompts of the single answer")
    parser.add_argument("--only-singles", action="store_true", help="leave the batches out")
    options = parser.parse_args()
    offline.go_offline()
    with tempfile.TemporaryDirectory() as name, open_run(options.run, alone=False) as run:
        files = {kind: Path(name) / f"{kind}.gguf" for kind in ("f16", "q8_0")}
        for kind, file in files.items():
            write_base(run, file, kind)
        arm = run.arm("rag")
        records = [Record(**r) for r in read_jsonl(run.folder.questions)[: options.questions]]
        prompts = [arm.prompt(r, p) for r, p in zip(records, arm.retrieve(records), strict=True)]
        if not options.only_singles:
            throughput(run, arm, prompts, files, options.threads)
        alone(run, prompts[: options.singles], files, options.threads)


def throughput(
    run: OpenRun, arm: Arm, prompts: Sequence[Prompt], files: dict[str, Path], threads: int
) -> None:
    """All prompts, by ragtune's batches and by each file with each number of slots."""
    size, ends = run.recipe.study.batch_size, run.materials.engine(None, "").ends
    arm.complete(prompts[:2], size)
    own: list[float] = []
    with timed(own):
        answers = [one.ids for one in arm.complete(prompts, size)]
    print("| what | seconds | ragtune is | answers equal |\n|---|---:|---:|---:|")
    print(f"| ragtune, batches of {size} | {own[0]:.2f} | | {len(prompts)} |", flush=True)
    for kind, file in files.items():
        for slots in SLOTS:
            with serving(file, slots=slots, context=2048, threads=threads) as server:
                asked(server, prompts[0].ids, 2)
                seconds, rows = together(server, prompts, arm.limit, slots)
            cut = [[token for token in row if token not in ends] for row in rows]
            equal = sum(a == b for a, b in zip(answers, cut, strict=True))
            what = f"llama.cpp {kind}, {slots} slots"
            print(f"| {what} | {seconds:.2f} | {seconds / own[0]:.2f} x | {equal} |", flush=True)


def together(
    server: LlamaServer, prompts: Sequence[Prompt], limit: int, slots: int
) -> tuple[float, list[list[int]]]:
    """Seconds for all prompts, ``slots`` at a time, and the answers' tokens."""
    seconds: list[float] = []
    with timed(seconds), ThreadPoolExecutor(slots) as pool:
        found = list(pool.map(lambda prompt: asked(server, prompt.ids, limit), prompts))
    return seconds[0], found


def alone(run: OpenRun, prompts: Sequence[Prompt], files: dict[str, Path], threads: int) -> None:
    """Answers of so many tokens, one after the other, in turn; seconds are of all.

    Drafts are what followed the last tokens before, so they help where a text repeats itself: a
    line without them says what they were worth here.
    """
    engine = run.materials.engine(None, "")
    engine.settle()
    endless(engine, prompts[0].ids, drafts=True)
    seconds: dict[str, list[float]] = {}
    for prompt in prompts:
        for drafts in (True, False):
            with timed(seconds.setdefault("ragtune" if drafts else "without drafts", [])):
                endless(engine, prompt.ids, drafts=drafts)
        for kind, file in files.items():
            with serving(file, context=2048, threads=threads) as server:
                asked(server, [*prompt.ids, 5], 1)
                with timed(seconds.setdefault(f"llama.cpp {kind}", [])):
                    asked(server, prompt.ids, LENGTH, ignore=True)
    own = sum(seconds["ragtune"])
    for what, taken in seconds.items():
        line = f"{what}, {len(prompts)} answers of {LENGTH} tokens, alone"
        print(f"| {line} | {sum(taken):.2f} | {sum(taken) / own:.2f} x | |")


def endless(engine: Any, ids: list[int], *, drafts: bool) -> None:
    """Write so many tokens, whatever they are."""
    steps = decoding.STEP if drafts else 1
    with patch.object(decoding, "STEP", steps):
        for _ in engine.decode([ids], [Group([0], 0)], LENGTH, frozenset()):
            pass


if __name__ == "__main__":
    main()
