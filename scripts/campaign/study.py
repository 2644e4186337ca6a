"""A tiny study that a campaign runs again and again, in processes forked from a warm one.

What takes seconds to import is imported once here; models are loaded in each process, as a user's
command loads them.
"""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

FACTS = (
    ("harbour.md", "The harbour opens at six.", "When does the harbour open?", "six"),
    ("ferry.md", "The ferry is called Petrel.", "What is the ferry called?", "Petrel"),
    ("canteen.md", "Soup costs three crowns.", "What does soup cost?", "three crowns"),
    ("keys.md", "Keys hang in room nine.", "Where do keys hang?", "room nine"),
    ("dogs.md", "A dog travels for one crown.", "What does a dog pay?", "one crown"),
    ("fog.md", "In fog the bell rings twice.", "How often does the bell ring?", "twice"),
)
LIMIT = 900
"""Seconds after which a command counts as hanging."""
HUNG = -1000
Ended = tuple[int, str]
"""An exit code, below zero a signal's number, and what was written on both streams."""


def write(folder: Path, **sections: Any) -> Path:
    """Write records, documents and recipe; the recipe's path."""
    (folder / "docs").mkdir(parents=True)
    rows = []
    for name, sentence, question, answer in FACTS:
        (folder / "docs" / name).write_text(f"# About\n\n{sentence}\n", encoding="utf-8")
        for asked in (question, f"Please tell me: {question.lower()}"):
            rows.append({"instruction": asked, "context": sentence, "response": answer,
                         "document": name, "evidence": sentence})  # fmt: skip
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    (folder / "records.jsonl").write_text(lines, encoding="utf-8")
    recipe = {
        "name": "tiny",
        "model": {"precision": "float32"},
        "records": {"source": "records.jsonl", "context": "passage", "test_fraction": 0.3},
        "documents": {"source": "docs"},
        "tune": {"epoch": 1, "max_input_length": 64, "per_device_train_batch_size": 1,
                 "gradient_accumulation_steps": 4, "lora_r": 2},
        "rag": {"chunk_tokens": 64, "top_k": 1},
        "study": {"arms": ["base", "tuned", "rag"], "max_new_tokens": 3, "latency_questions": 1},
        **sections,
    }  # fmt: skip
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe, sort_keys=False), encoding="utf-8")
    return path


def warm() -> None:
    """Import what a run imports, before there is a second thread."""
    import jinja2  # noqa: F401
    import llama_index.core.node_parser
    import peft  # noqa: F401
    import qdrant_edge  # noqa: F401
    import scipy.stats  # noqa: F401
    import sentence_transformers  # noqa: F401
    import torch
    import transformers

    import ragtune.cli.app
    import ragtune.runs.open
    import ragtune.runs.pipeline  # noqa: F401

    _ = (llama_index.core.node_parser.SentenceSplitter, transformers.LlamaForCausalLM)
    torch.set_num_threads(1)


def called(
    arguments: Sequence[object],
    before: Callable[[], object] = lambda: None,
    *,
    kill_after: float | None = None,
) -> Ended:
    """Run ``ragtune`` in a fork, ``before`` first; kill it after so many seconds."""
    read, write = os.pipe()  # no file: some attempts forbid to write any
    child = os.fork()
    if not child:
        os.close(read)
        _command(arguments, before, write)
    os.close(write)
    os.set_blocking(read, False)
    started, said = time.monotonic(), bytearray()
    try:
        code = _waited(child, kill_after if kill_after is not None else LIMIT, read, said)
    finally:
        os.close(read)
    hung = kill_after is None and time.monotonic() - started >= LIMIT
    return (HUNG if hung else code), said.decode(errors="replace")


def _command(arguments: Sequence[object], before: Callable[[], object], said: int) -> None:
    """The child's side; never returns."""
    code = 99
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for stream in (1, 2):
            os.dup2(said, stream)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
        before()
        sys.argv = ["ragtune", *map(str, arguments)]
        from ragtune.cli.app import main

        try:
            main()
            code = 0
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else 0 if stop.code is None else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 98
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _waited(child: int, seconds: float, read: int, said: bytearray) -> int:
    last = time.monotonic() + seconds
    while True:
        found, status = os.waitpid(child, os.WNOHANG)
        with contextlib.suppress(BlockingIOError):
            while piece := os.read(read, 65536):
                said += piece
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > last:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        time.sleep(0.005)


def content(run: Path) -> Mapping[str, Any]:
    """What two runs of the same recipe have in common: answers, passages, figures, weights."""
    from ragtune.core.files import file_hash, read_json, read_jsonl

    found: dict[str, Any] = {}
    for path in sorted((run / "answers").glob("*.jsonl")):
        found[path.name] = [row["text"] for row in read_jsonl(path)]
    retrieved = read_jsonl(run / "retrieval.jsonl")
    found["passages"] = [[passage["id"] for passage in row["passages"]] for row in retrieved]
    results = read_json(run / "results.json")
    found["quality"] = {name: arm["quality"] for name, arm in results["arms"].items()}
    found["weights"] = file_hash(run / "adapter" / "adapter_model.safetensors")
    return found


def run_of(runs: Path) -> Path:
    """The only finished run there; what an attempt put beside it is none."""
    (found,) = (path for path in runs.iterdir() if (path / "results.json").is_file())
    return found


def difference(run: Path, reference: Mapping[str, Any]) -> str:
    """In what a run differs from the reference; empty where in nothing."""
    try:
        found = content(run)
    except Exception as error:
        return f"cannot be read: {type(error).__name__}: {error}"
    other = [name for name in reference if found.get(name) != reference[name]]
    return f"differs in {', '.join(other)}" if other else ""
