"""The LoRA training run, through transformers' Trainer, with the cloud container's schedule.

AdamW at a constant rate within an epoch, times 0.85 after each (llama-recipes' StepLR); no
warm-up, no clipping; whole batches only; the adapter of the best validation epoch is kept. A run
that was stopped goes on from its last complete checkpoint.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.errors import ModelError
from local.models import Hardware, load_base, quiet_libraries
from local.recipe import Recipe
from local.template import IGNORED
from local.tune.samples import Sample, Samples
from local.watch import Advance

if TYPE_CHECKING:
    import torch

GAMMA = 0.85
WEIGHT_DECAY = 0.1
"""As on the published job's command line."""


@dataclass(frozen=True)
class Tuned:
    """What a training run came to; losses are means a token, in nats."""

    epochs: list[dict[str, float]]
    best_epoch: int | None
    trainable_parameters: int
    parameters: int
    seconds: float
    resumed_from_step: int

    def to_json(self) -> dict[str, Any]:
        """The fields, for ``results.json``."""
        return asdict(self)


class WholeBatches:
    """A sampler: each epoch a new order by seed and epoch, cut to whole batches."""

    def __init__(self, count: int, batch: int, seed: int) -> None:
        self.count, self.batch, self.seed, self.epoch = count, batch, seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order comes next."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count // self.batch * self.batch

    def __iter__(self) -> Iterator[int]:
        import torch

        generator = torch.Generator().manual_seed(self.seed * 100_003 + self.epoch)
        order = torch.randperm(self.count, generator=generator).tolist()
        return iter(order[: len(self)])


def tune(
    recipe: Recipe,
    base: Path,
    samples: Samples,
    *,
    pad: int,
    hardware: Hardware,
    folder: Path,
    advance: Advance = lambda step, total: None,
) -> Tuned:
    """Train the recipe's LoRA; write ``adapter/`` and ``checkpoints/`` into ``folder``.

    Raises ModelError where the target modules are not in the model or the loss is not finite.
    """
    import torch
    import transformers

    quiet_libraries()
    transformers.set_seed(recipe.seed)
    model = _with_lora(load_base(base, hardware, training=True), recipe)
    trainer = _trainer(
        recipe, model, samples, pad=pad, hardware=hardware, folder=folder, advance=advance
    )
    last = _last_checkpoint(folder / "checkpoints")
    started = time.perf_counter()
    trainer.train(resume_from_checkpoint=None if last is None else str(last))
    seconds = time.perf_counter() - started
    epochs = _epochs(trainer.state.log_history)
    if any(not torch.isfinite(torch.tensor(e.get("train_loss", 0.0))) for e in epochs):
        raise ModelError("tuning diverged: the loss is not finite; lower tune.learning_rate")
    adapter = folder / "adapter"
    trainer.model.save_pretrained(str(adapter))
    (adapter / "README.md").unlink(missing_ok=True)  # PEFT's empty model card
    note = {"template_hash": recipe.template.build().hash, "seed": recipe.seed}
    (adapter / "ragtune.json").write_text(json.dumps(note, indent=1), encoding="utf-8")
    trainable, total = trainer.model.get_nb_trainable_parameters()
    validated = [e for e in epochs if "eval_loss" in e]
    best = min(validated, key=lambda e: e["eval_loss"], default=None)
    return Tuned(
        epochs=epochs,
        best_epoch=round(best["epoch"]) if best else None,
        trainable_parameters=int(trainable),
        parameters=int(total),
        seconds=seconds,
        resumed_from_step=int(last.name.rpartition("-")[2]) if last else 0,
    )


def _with_lora(model: Any, recipe: Recipe) -> Any:
    from peft import LoraConfig, get_peft_model

    spec = recipe.tune
    config = LoraConfig(
        r=spec.lora_r,
        lora_alpha=spec.lora_alpha,
        lora_dropout=spec.lora_dropout,
        target_modules=spec.target_modules.split(","),
        bias="none",
        task_type="CAUSAL_LM",
    )
    try:
        with_lora = get_peft_model(model, config)
    except ValueError as error:
        raise ModelError(f"tune.target_modules: {str(error).splitlines()[0]}") from None
    with_lora.peft_config["default"].base_model_name_or_path = recipe.model.local
    return with_lora


def _trainer(
    recipe: Recipe,
    model: Any,
    samples: Samples,
    *,
    pad: int,
    hardware: Hardware,
    folder: Path,
    advance: Advance,
) -> Any:
    import torch
    from transformers import Trainer, TrainerCallback, TrainingArguments
    from transformers.trainer_callback import PrinterCallback

    spec = recipe.tune
    steps = samples.census.steps_an_epoch
    validate = bool(samples.validation)
    arguments = TrainingArguments(
        output_dir=str(folder / "checkpoints"),
        num_train_epochs=spec.epoch,
        learning_rate=spec.learning_rate,
        weight_decay=WEIGHT_DECAY,
        max_grad_norm=0.0,
        per_device_train_batch_size=samples.micro_batch,
        gradient_accumulation_steps=samples.accumulation,
        per_device_eval_batch_size=spec.per_device_eval_batch_size,
        eval_strategy="epoch" if validate else "no",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=validate,
        metric_for_best_model="eval_loss" if validate else None,
        logging_strategy="epoch",
        bf16=hardware.train_dtype == "bfloat16",
        fp16=hardware.train_dtype == "float16",
        use_cpu=hardware.device == "cpu",
        seed=recipe.seed,
        data_seed=recipe.seed,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=hardware.device == "cuda",
    )

    class LoraTrainer(Trainer):  # type: ignore[misc]
        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return WholeBatches(len(samples.train), samples.batch, recipe.seed)

        def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
            if getattr(self, "lr_scheduler", None) is None:
                self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
                    optimizer or self.optimizer, lambda step: GAMMA ** (step // steps)
                )
            return self.lr_scheduler

    class Progress(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            advance(state.global_step, state.max_steps)

    trainer = LoraTrainer(
        model=model,
        args=arguments,
        train_dataset=samples.train,
        eval_dataset=samples.validation or None,
        data_collator=lambda batch: collate(batch, pad),
        callbacks=[Progress()],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def collate(batch: Sequence[Sample], pad: int) -> dict[str, "torch.Tensor"]:
    """Stack samples, padded on the right; a mask is given only where something was padded."""
    import torch

    width = max(len(s.ids) for s in batch)
    gaps = [width - len(s.ids) for s in batch]
    tensors = {
        "input_ids": torch.tensor([s.ids + [pad] * g for s, g in zip(batch, gaps, strict=True)]),
        "labels": torch.tensor(
            [s.labels + [IGNORED] * g for s, g in zip(batch, gaps, strict=True)]
        ),
    }
    if any(gaps):
        tensors["attention_mask"] = torch.tensor(
            [[1] * len(s.ids) + [0] * g for s, g in zip(batch, gaps, strict=True)]
        )
    return tensors


def _last_checkpoint(folder: Path) -> Path | None:
    """The latest complete checkpoint: ``trainer_state.json`` is what Trainer writes last."""
    complete = []
    for path in folder.glob("checkpoint-*"):
        try:
            json.loads((path / "trainer_state.json").read_text(encoding="utf-8"))
            complete.append(path)
        except (OSError, ValueError):
            continue
    return max(complete, key=lambda p: int(p.name.rpartition("-")[2]), default=None)


def _epochs(log: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """One entry an epoch: training loss, validation loss, learning rate."""
    names = {"loss": "train_loss", "eval_loss": "eval_loss", "learning_rate": "learning_rate"}
    epochs: dict[int, dict[str, float]] = {}
    for entry in log:
        values = {names[k]: float(v) for k, v in entry.items() if k in names}
        if values:
            number = round(entry["epoch"])
            epochs.setdefault(number, {"epoch": number}).update(values)
    return [epochs[n] for n in sorted(epochs)]
