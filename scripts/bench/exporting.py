"""How far an exported run is from ours in the hands of its readers: transformers 4 and llama.cpp.

Prints a table: the largest difference of any logit, the greedy answers that are equal, and, where
an answer parts from ours, by how many nats the one token was likelier than the other.
"""

import argparse
import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ragtune.core.errors import ModelError
from ragtune.models.adapter import load_tuned
from ragtune.models.hardware import Hardware
from ragtune.models.load import load_base, quiet_libraries
from ragtune.runs.open import OpenRun, open_run
from ragtune.runs.stages import parts


def prompts_of(opened: OpenRun, count: int) -> list[tuple[str, list[int]]]:
    """The first held-out questions: as a user's turn, and as the run's prompt."""
    from ragtune.tuning.handover.dialogue import dialogue_of

    work = opened._work
    form, shown = parts.form(work), parts.shows_context(work)
    dialogue = dialogue_of(work.recipe.template.build(), work.materials.tokenizer)
    assert dialogue is not None
    found = []
    for question in parts.questions(work)[:count]:
        own = question.context if shown else ""
        turn = dialogue.words.turn(question.instruction, form.context(own, []))
        found.append((turn, form.prompt(question.instruction, own).ids))
    return found


def greedy(model: Any, prompt: Sequence[int], ends: Sequence[int], limit: int) -> list[int]:
    """Our own answer, in fp32, less its end token."""
    asked = torch.tensor([list(prompt)])
    with torch.inference_mode():
        told = model.generate(
            asked,
            attention_mask=torch.ones_like(asked),
            max_new_tokens=limit,
            do_sample=False,
            eos_token_id=list(ends),
            pad_token_id=ends[0],
        )
    return [token for token in told[0, len(prompt) :].tolist() if token not in ends]


def parted(ours: Sequence[int], theirs: Sequence[Any]) -> float | None:
    """Nats between the two tokens where the answers part; None where they are equal."""
    for mine, step in zip(ours, theirs, strict=False):
        if mine != step.id:
            return float(step.likeliest[step.id] - step.likeliest.get(mine, -np.inf))
    if len(ours) == len(theirs):
        return None
    return float(theirs[-1].gap) if theirs else float("inf")


@contextmanager
def model_at(folder: Path) -> Iterator[Any]:
    """A folder's model in fp32."""
    yield load_base(folder, Hardware("cpu", "cpu", 1, "float32", "float32"), training=True).eval()


def older(python: Path, folder: Path, prompts: Sequence[tuple[str, list[int]]], note: Any) -> None:
    """Compare with transformers 4."""
    with tempfile.TemporaryDirectory() as name, model_at(folder) as model:
        rows = [ids for _, ids in prompts]
        rows_file, out = Path(name) / "rows.json", Path(name) / "logits.npy"
        rows_file.write_text(json.dumps({"rows": rows, "turns": [turn for turn, _ in prompts]}))
        script = Path(__file__).parent / "older_logits.py"
        ran = subprocess.run(
            [python, "-W", "ignore", script, folder, rows_file, out],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        said = json.loads(ran.stdout.strip().split("\n")[-1])
        with torch.inference_mode():
            ours = [model(torch.tensor([row])).logits[0].numpy() for row in rows]
        largest = float(np.abs(np.concatenate(ours) - np.load(out)).max())
        same = sum(mine == theirs for mine, theirs in zip(rows, said["prompts"], strict=True))
        note(f"transformers {said['version']}", f"logits {largest:.2g} at most")
        note("", f"prompt by chat template {same} of {len(rows)} equal; theta {said['theta']}")


def main() -> None:
    """Export, read, compare, print."""
    from tests.llama_cpp import serving

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--older", type=Path, help="a Python with transformers 4")
    parser.add_argument("--questions", type=int, default=20)
    given = parser.parse_args()
    quiet_libraries()

    def note(reader: str, found: str) -> None:
        print(f"{reader:24}{found}", flush=True)

    with tempfile.TemporaryDirectory() as name, open_run(given.run) as opened:
        where = Path(name)
        prompts = prompts_of(opened, given.questions)
        note("exported", str(opened.export(where / "merged", "bfloat16")))
        if given.older:
            older(given.older, where / "merged", prompts, note)
        drift = {}
        for kind in ("f16", "q8_0"):
            try:
                drift[kind] = opened.export(where / kind, "", gguf=kind)
            except ModelError as error:  # it drifts too far
                note(kind, str(error))
        opened.export(where / "lora", "", gguf="lora")
        adapter = opened.folder.adapter(opened._exported(""))
        found = opened.materials
        model: Any = load_tuned(found.base, adapter, parts.form(opened._work).hash, found.hardware)
        limit = opened.recipe.study.max_new_tokens
        ends = sorted(parts.engine(opened._work, None).ends)  # type: ignore[attr-defined]
        answers = [greedy(model.float(), ids, ends, limit) for _, ids in prompts]
        base = where / "base.gguf"
        write_base(opened, base)
        files: dict[str, tuple[Path, Path | None]] = {
            **{kind: (next((where / kind).glob("*.gguf")), None) for kind in drift},
            "base + lora": (base, next((where / "lora").glob("*.gguf"))),
        }
        for kind, (file, lora) in files.items():
            with serving(file, lora=lora, context=2048) as server:
                told = [server.complete(ids, limit, likeliest=10) for _, ids in prompts]
            gaps = [parted(mine, theirs) for mine, theirs in zip(answers, told, strict=True)]
            same = sum(gap is None for gap in gaps)
            rest = [f"{gap:.3f}" for gap in gaps if gap is not None]
            where_not = f"; parted by {', '.join(rest)} nats" if rest else ""
            note(f"llama.cpp {kind}", f"{same} of {len(gaps)} greedy answers equal{where_not}")
            if kind in drift:
                note("", str(drift[kind]))


def write_base(opened: OpenRun, path: Path, kind: str = "f16") -> None:
    """The run's base as GGUF, its matrices as ``kind`` says."""
    from ragtune.tuning.handover.llama_cpp.model import About, write_model
    from ragtune.tuning.handover.llama_cpp.vocabulary import vocabulary_of

    folder, tokenizer = opened.materials.base, opened.materials.tokenizer
    with tempfile.TemporaryDirectory() as name, model_at(folder) as model:
        tokenizer.save_pretrained(name)
        vocabulary = vocabulary_of(Path(name), model.config.vocab_size)
        bos = tokenizer.bos_token_id
        special = {} if bos is None else {"bos": bos}
        about = About("base", "base", "", (tokenizer.eos_token_id,), special, bos is not None)
        write_model(model, vocabulary, about, path, kind)


if __name__ == "__main__":
    main()
