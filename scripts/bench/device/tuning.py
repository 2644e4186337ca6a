"""LoRA on random tokens, through ragtune and through TRL: tokens a second, MFU, peak memory."""

import contextlib
import math
import tempfile
from pathlib import Path
from typing import Any

from ragtune.core.bundled import builtin_model
from ragtune.core.progress import Silent
from ragtune.models.hardware import Hardware
from ragtune.models.load import quiet_libraries
from ragtune.recipe.tune import Tune, TuneLocal
from ragtune.tuning.samples import Samples
from scripts.bench.device import flops, meter, shapes
from scripts.bench.device.meter import Meter
from scripts.bench.device.shapes import SEED, Shape

STEPS = 40
"""Steps at most; ``Meter`` ends a part that has measured long enough."""
TRAINED_IN = "bfloat16"
TRL: dict[str, dict[str, Any]] = {"documented": {}, "plain": {"gradient_checkpointing": False}}
"""Configurations of ``SFTTrainer`` beyond its defaults: as documented, and what may be its best.

Blocks are of one length, so that nothing is gained by grouping them.
"""


class _Enough(BaseException):
    """Ends training from within, as a kill would."""


def lora(
    shape: Shape, device: str, seconds: float, *, contender: str, quantize: bool
) -> dict[str, Any]:
    """Train on blocks for ``seconds``; ``contender``: ``ragtune``, or a configuration of TRL's."""
    sizes = [shape.length] * (STEPS * shape.micro_batch)
    data = shapes.samples(shape, sizes, shape.micro_batch)
    found, measured, tokens = (
        _ragtune(shape, device, data, seconds, quantize=quantize)
        if contender == "ragtune"
        else _trl(shape, device, data, seconds, contender, quantize=quantize)
    )
    a_second = tokens / measured.spent
    a_token = flops.lora_flops(shape.config, found["trained"], shape.length)
    peak = flops.peak(meter.card(device))
    return {
        **found,
        "steps": measured.counted,
        "blocks": shape.micro_batch,
        "tokens_a_second": a_second,
        "tflops": a_second * a_token / flops.TERA,
        "mfu": None if peak is None else flops.utilisation(a_second, a_token, peak),
        "peak_gib": meter.peak_gib(device),
    }


def rows(shape: Shape, device: str, seconds: float, *, segments: bool) -> dict[str, Any]:
    """Train through ragtune on rows of many lengths, side by side or padded; real tokens count."""
    from ragtune.models.families.llama import Llama

    Llama.segments = segments
    sizes = shapes.lengths(STEPS * shape.micro_batch, shape.length)
    data = shapes.samples(shape, sizes, shape.micro_batch)
    found, measured, tokens = _ragtune(shape, device, data, seconds, quantize=False)
    return {
        **found,
        "steps": measured.counted,
        "tokens_a_second": tokens / measured.spent,
        "peak_gib": meter.peak_gib(device),
    }


def spec(shape: Shape, *, quantize: bool = False) -> Tune:
    """JumpStart's defaults, in blocks or rows of random tokens."""
    return Tune(
        epoch=1,
        per_device_train_batch_size=shape.micro_batch,
        gradient_accumulation_steps=1,
        validation_split_ratio=0.0,
        max_input_length=shape.length,
        local=TuneLocal(quantize="nf4" if quantize else None),
    )


def _ragtune(
    shape: Shape, device: str, data: Samples, seconds: float, *, quantize: bool
) -> tuple[dict[str, Any], Meter, int]:
    """What was found, the meter, and the tokens of the counted steps."""
    from ragtune.tuning.batches import epoch_steps
    from ragtune.tuning.distributed import Team
    from ragtune.tuning.trainer import Training

    model = _model(shape, device, quantize=quantize)
    measured = Meter(device, seconds)

    def advance(done: int, total: int) -> None:
        if measured.step():
            raise _Enough

    with tempfile.TemporaryDirectory() as scratch:
        training = Training(
            spec(shape, quantize=quantize),
            shapes.write_config(shape, Path(scratch) / "model"),
            data,
            seed=SEED,
            hardware=Hardware(device, meter.card(device), 1, TRAINED_IN, TRAINED_IN),
            folder=Path(scratch) / "run",
            watcher=Silent(),
            team=Team(),
            checked=True,
            loaded=model,
        )
        with contextlib.suppress(_Enough):
            training.run(advance)
    trained, _ = training.model.get_nb_trainable_parameters()
    order = epoch_steps(len(data.train), data.batch, SEED, 0)[: len(measured.ends)]
    losses = [step["loss"] for step in training.progress.steps]
    found = {
        "contender": "ragtune",
        "trained": int(trained),
        "notes": training.progress.substitutions,
        "loss": _finite(losses[-1]),
    }
    read = [sum(len(data.train[n].ids) for n in step) for step in order]
    return found, measured, sum(read[meter.WARM :])


def _trl(
    shape: Shape, device: str, data: Samples, seconds: float, name: str, *, quantize: bool
) -> tuple[dict[str, Any], Meter, int]:
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoTokenizer, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    measured = Meter(device, seconds)

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> Any:
            control.should_training_stop = measured.step()
            return control

    same = spec(shape, quantize=quantize)
    with tempfile.TemporaryDirectory() as scratch:
        config = SFTConfig(
            output_dir=scratch,
            max_steps=STEPS,
            per_device_train_batch_size=shape.micro_batch,
            gradient_accumulation_steps=1,
            learning_rate=same.learning_rate,
            lr_scheduler_type="constant",
            weight_decay=0.1,
            max_grad_norm=0.0,
            max_length=shape.length,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            logging_strategy="no",
            seed=SEED,
            use_cpu=device == "cpu",
            bf16=True,
            **TRL[name],
        )
        trainer = SFTTrainer(
            model=_model(shape, device, quantize=quantize),
            args=config,
            train_dataset=Dataset.from_list([{"input_ids": s.ids} for s in data.train]),
            # it pads, and nothing is padded
            processing_class=AutoTokenizer.from_pretrained(builtin_model(), local_files_only=True),
            peft_config=LoraConfig(
                r=same.lora_r,
                lora_alpha=same.lora_alpha,
                lora_dropout=same.lora_dropout,
                target_modules=same.target_modules.split(","),
                task_type="CAUSAL_LM",
            ),
            callbacks=[Watch()],
        )
        loss = trainer.train().training_loss
    trained, _ = trainer.model.get_nb_trainable_parameters()
    found = {"contender": f"trl-{name}", "trained": int(trained), "notes": [], "loss": loss}
    return found, measured, measured.counted * shape.micro_batch * shape.length


def _model(shape: Shape, device: str, *, quantize: bool) -> Any:
    quiet_libraries()
    model = shapes.random_model(shape, device, TRAINED_IN)
    if quantize:
        model = shapes.in_nf4(model)
        meter.forget_peak(device)  # of the 16 bits that were packed
    return model


def _finite(loss: float) -> float:
    if not math.isfinite(loss):
        raise ValueError(f"the loss is {loss}")
    return loss
