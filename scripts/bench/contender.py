"""One contender, in a process of its own: train a task's rows, and say what it took.

``python -m scripts.bench.contender NAME TASK.json`` prints a line of JSON last.
"""

import json
import platform
import resource
import sys
import time
from pathlib import Path
from typing import Any

from ragtune.models.hardware import probe
from ragtune.prompts.base import IGNORED
from ragtune.tuning.samples import prepare
from scripts.bench.task import BATCH, LENGTH, SEED, Task

TRL: dict[str, dict[str, Any]] = {
    "documented": {},
    "plain": {"gradient_checkpointing": False},
    "grouped": {
        "gradient_checkpointing": False,
        "train_sampling_strategy": "group_by_length",
    },
    "grouped-bf16": {
        "gradient_checkpointing": False,
        "train_sampling_strategy": "group_by_length",
        "model_init_kwargs": {"dtype": "bfloat16"},
    },
    "grouped-bf16-eager": {
        "gradient_checkpointing": False,
        "train_sampling_strategy": "group_by_length",
        "model_init_kwargs": {"dtype": "bfloat16", "attn_implementation": "eager"},
    },
    "grouped-bf16-pairs": {
        "gradient_checkpointing": False,
        "train_sampling_strategy": "group_by_length",
        "model_init_kwargs": {"dtype": "bfloat16"},
        "per_device_train_batch_size": 2,
        "gradient_accumulation_steps": BATCH // 2,
    },
    "packed": {"gradient_checkpointing": False, "packing": True},
    "compiled": {
        "gradient_checkpointing": False,
        "train_sampling_strategy": "group_by_length",
        "torch_compile": True,
    },
}
"""Configurations of ``SFTTrainer``, beyond its defaults."""


class Spent:
    """The wall and processor seconds between its opening and its end."""

    def __enter__(self) -> "Spent":
        self.wall, self.cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        self.wall, self.cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu


def ragtune(task: Task, adapter: Path) -> "Spent":
    """Train through this project; return what training took."""
    from ragtune.core.progress import Silent
    from ragtune.tuning.distributed import Team
    from ragtune.tuning.trainer import Training

    spec = task.tune()
    samples = prepare(task.read("rows"), spec, task.format(), LENGTH)
    training = Training(
        spec,
        Path(task.model),
        samples,
        seed=SEED,
        hardware=probe(),
        folder=adapter.parent,
        watcher=Silent(),
        team=Team(),
    )
    with Spent() as spent:
        training.run()
    training.finish(task.model, task.format().template.hash)
    return spent


def trl(task: Task, adapter: Path, options: dict[str, Any]) -> "Spent":
    """Train through TRL's SFTTrainer; return what training took."""
    from datasets import Dataset
    from peft import LoraConfig
    from torch.optim.lr_scheduler import LambdaLR
    from transformers import AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    from ragtune.tuning.schedule import GAMMA
    from ragtune.tuning.trainer import WEIGHT_DECAY

    spec, hardware = task.tune(), probe()
    data = Dataset.from_list(
        [
            {"input_ids": r.ids, "completion_mask": [int(n != IGNORED) for n in r.labels]}
            for r in task.rendered("rows")
        ]
    )
    settings = {"per_device_train_batch_size": BATCH, **options}
    config = SFTConfig(
        output_dir=str(adapter.parent / "trl"),
        num_train_epochs=task.epochs,
        learning_rate=task.learning_rate,
        weight_decay=WEIGHT_DECAY,
        max_grad_norm=0.0,
        max_length=LENGTH,
        completion_only_loss=True,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        logging_strategy="no",
        seed=SEED,
        use_cpu=hardware.device == "cpu",
        bf16=hardware.train_dtype == "bfloat16",
        **settings,
    )
    lora = LoraConfig(
        r=spec.lora_r,
        lora_alpha=spec.lora_alpha,
        lora_dropout=spec.lora_dropout,
        target_modules=spec.target_modules.split(","),
        task_type="CAUSAL_LM",
    )
    trainer = SFTTrainer(
        model=task.model,
        args=config,
        train_dataset=data,
        processing_class=AutoTokenizer.from_pretrained(task.model, local_files_only=True),
        peft_config=lora,
    )
    trainer.create_optimizer()
    steps = len(data) // BATCH
    trainer.lr_scheduler = LambdaLR(trainer.optimizer, lambda step: GAMMA ** (step // steps))
    with Spent() as spent:
        trainer.train()
    trainer.save_model(str(adapter))
    return spent


def held_out(task: Task, adapter: Path) -> float:
    """Mean loss a completion token of the held-out rows, in nats, in fp32 through plain PEFT."""
    import torch
    from peft import PeftModel
    from transformers import LlamaForCausalLM

    base = LlamaForCausalLM.from_pretrained(task.model, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, str(adapter)).eval()
    total, tokens = 0.0, 0
    for row in task.rendered("held"):
        with torch.inference_mode():
            loss = model(torch.tensor([row.ids]), labels=torch.tensor([row.labels])).loss
        total, tokens = total + float(loss) * row.supervised, tokens + row.supervised
    return total / tokens


def main(name: str, task_file: str) -> None:
    """Run one contender."""
    task = Task(**json.loads(Path(task_file).read_text(encoding="utf-8")))
    adapter = Path(task.folder) / name / "adapter"
    adapter.parent.mkdir()
    kind, _, options = name.partition("-")
    spent = ragtune(task, adapter) if kind == "ragtune" else trl(task, adapter, TRL[options])
    unit = 1 if platform.system() == "Darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    supervised = sum(row.supervised for row in task.rendered("rows"))
    figures = {
        "contender": name,
        "seconds": spent.wall,
        "cpu_seconds": spent.cpu,
        "supervised_tokens": supervised * task.epochs,
        "tokens_a_second": supervised * task.epochs / spent.wall,
        "peak_gib": peak / 2**30,
        "held_out_loss": held_out(task, adapter),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
