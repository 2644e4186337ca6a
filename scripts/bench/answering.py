"""ragtune's answers against transformers' text-generation pipeline, each question asked alone.

The same weights and precision, the same prompts and the same greedy search, arm by arm and in turn
within one run; the answers of both are compared token by token.
"""

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from ragtune.core import offline
from ragtune.core.files import read_jsonl
from ragtune.models.hardware import probe
from ragtune.prompts.base import Prompt
from ragtune.recipe.arms import Arm, is_tuned
from ragtune.runs import environment
from ragtune.runs.open import OpenRun, open_run
from ragtune.sources.records import Record


def measure(run: OpenRun, name: Arm, questions: int | None) -> dict[str, Any]:
    """One arm's seconds on both sides, and how many answers are the same."""
    arm = run.arm(name)
    rows = read_jsonl(run.folder.questions)[:questions]
    records = [Record(**row) for row in rows]
    found = arm.retrieve(records)
    prompts = [arm.prompt(r, p) for r, p in zip(records, found, strict=True)]
    size = run.recipe.study.batch_size
    arm.complete(prompts[:2], size)
    plain = plainly_loaded(run, name)
    started = time.perf_counter()
    ours = [c.ids for c in arm.complete(prompts, size)]
    between = time.perf_counter()
    theirs = asked_alone(plain, run.materials.tokenizer, arm.limit, prompts)
    ended = time.perf_counter()
    return {
        "arm": name,
        "questions": len(prompts),
        "pipeline_seconds": ended - between,
        "ragtune_seconds": between - started,
        "identical": sum(a == b for a, b in zip(ours, theirs, strict=True)),
    }


def plainly_loaded(run: OpenRun, name: Arm) -> Any:
    """The arm's model as transformers and PEFT load it."""
    import torch
    from peft import PeftModel
    from transformers import LlamaForCausalLM

    found = run.materials
    dtype = getattr(torch, found.hardware.load_dtype)
    model = LlamaForCausalLM.from_pretrained(found.base, dtype=dtype, local_files_only=True)
    if is_tuned(name):
        adapter = str(run.folder.adapter(run.recipe.adapter(name)))
        model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    return model.to(found.hardware.device).eval()


def asked_alone(model: Any, tokenizer: Any, limit: int, prompts: list[Prompt]) -> list[list[int]]:
    """The ids of each answer through the pipeline, EOS left out."""
    from transformers import pipeline

    ask = pipeline("text-generation", model=model, tokenizer=tokenizer)
    written = []
    for prompt in prompts:
        start = tokenizer.bos_token or ""
        text = prompt.text if prompt.text.startswith(start) else start + prompt.text
        (answer,) = ask(
            text,
            max_new_tokens=limit,
            do_sample=False,
            return_tensors=True,
            add_special_tokens=False,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
        ids = list(answer["generated_token_ids"])
        assert ids[: len(prompt.ids)] == prompt.ids, "the pipeline read another prompt"
        ids = ids[len(prompt.ids) :]
        eos = tokenizer.eos_token_id
        written.append(ids[: ids.index(eos)] if eos in ids else ids)
    return written


def table(figures: list[dict[str, Any]]) -> str:
    """A Markdown table, a line an arm and one for all."""
    summed = {k: sum(f[k] for f in figures) for k in figures[0] if k != "arm"}
    lines = [
        "| arm | questions | pipeline s | ragtune s | ragtune is | identical |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for f in [*figures, {"arm": "**all**", **summed}]:
        ratio = f["pipeline_seconds"] / f["ragtune_seconds"]
        lines.append(
            f"| {f['arm']} | {f['questions']} | {f['pipeline_seconds']:.2f} | "
            f"{f['ragtune_seconds']:.2f} | {ratio:.2f} x | {f['identical']} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure a run's arms and print the table, or all figures as JSON."""
    parser = argparse.ArgumentParser(prog="scripts/bench/answers", description=__doc__)
    parser.add_argument("run", type=Path, help="a finished run folder")
    parser.add_argument("--questions", type=int, help="only the first so many")
    parser.add_argument("--dtype", help="of the weights on both sides; else the recipe's own")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    offline.go_offline()
    hardware = probe()
    if options.dtype:
        hardware = replace(hardware, load_dtype=options.dtype)
    with open_run(options.run, alone=False) as run:
        run.materials.hardware = hardware
        figures = [measure(run, arm, options.questions) for arm in run.recipe.arms]
    if options.json:
        where = environment.describe(hardware)
        print(json.dumps({"figures": figures, "environment": where}, indent=1))
    else:
        print(table(figures))


if __name__ == "__main__":
    main()
