"""The LoRA training run, with the cloud container's schedule.

AdamW at a constant rate within an epoch, times 0.85 after each (llama-recipes' StepLR); no
warm-up, no clipping; whole batches only; the adapter of the best validation epoch is kept. A step
averages over all supervised tokens of its batch, however they are cut into micro-batches. Order
and dropout are drawn from the seed and the step, so a run that was stopped goes on from its
checkpoint as if it had not been, bitwise on a CPU.
"""

import math
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ragtune.core.errors import DivergedError
from ragtune.core.progress import Advance, Silent, Watcher
from ragtune.models.folder import family_at, read_config
from ragtune.models.hardware import Hardware, quantizes
from ragtune.models.load import load_base, quiet_libraries
from ragtune.recipe.tune import Tune
from ragtune.tuning import checkpoint, lora, memory
from ragtune.tuning.autograd import AutogradPasses
from ragtune.tuning.batches import epoch_steps, micro_batches
from ragtune.tuning.checkpoint import Progress
from ragtune.tuning.direct import passes as direct
from ragtune.tuning.direct.passes import DirectPasses
from ragtune.tuning.distributed import Team
from ragtune.tuning.interrupt import Interrupt
from ragtune.tuning.passes import Passes
from ragtune.tuning.samples import Sample, Samples
from ragtune.tuning.schedule import GAMMA

WEIGHT_DECAY = 0.1
"""As on the published job's command line."""
CHECKPOINT_SECONDS = 60.0
"""At most so much work is lost to a kill, beside what an epoch's end saves."""
PARTS = 8
"""Batches validated between two reports of progress."""


@dataclass(frozen=True)
class Tuned:
    """What a training run came to; losses are means a token, in nats.

    ``steps`` holds loss and rate of every optimiser step; ``seconds`` are those of training alone,
    over all the processes' starts; ``substitutions`` say what was done otherwise than asked.
    """

    epochs: list[dict[str, float]]
    steps: list[dict[str, float]]
    best_epoch: int | None
    trainable_parameters: int
    parameters: int
    seconds: float
    supervised_tokens_a_second: float
    resumed_from_step: int
    micro_batch: int
    substitutions: list[str]

    def to_json(self) -> dict[str, Any]:
        """The fields, for ``results.json``."""
        return asdict(self)


def tune(
    spec: Tune,
    base: Path,
    samples: Samples,
    *,
    seed: int,
    name: str,
    template_hash: str,
    hardware: Hardware,
    folder: Path,
    watcher: Watcher | None = None,
    team: Team | None = None,
    checked: bool = False,
    advance: Advance = lambda step, total: None,
) -> Tuned:
    """Train LoRA on the model in ``base``; write ``adapter/`` and ``checkpoint/`` into ``folder``.

    The adapter names its base model ``name``, and the template that its rows were made with.
    ``checked``: this process has trained on this model before, so the family is not held against
    it again.

    Raises ModelError where the target modules are not in the model or one sample does not fit into
    memory, DivergedError where the loss is not finite, RunError where a checkpoint cannot be
    written.
    """
    training = Training(
        spec,
        base,
        samples,
        seed=seed,
        hardware=hardware,
        folder=folder,
        watcher=watcher or Silent(),
        team=team or Team(),
        checked=checked,
    )
    training.run(advance)
    return training.finish(name, template_hash)


class Training:
    """A run in hand: the model, its optimiser, and how far it has come."""

    def __init__(
        self,
        spec: Tune,
        base: Path,
        samples: Samples,
        *,
        seed: int,
        hardware: Hardware,
        folder: Path,
        watcher: Watcher,
        team: Team,
        checked: bool = False,
        loaded: Any = None,
    ) -> None:
        """Load the model of ``base``, or take it where it is ``loaded`` as ``load_base`` does."""
        import transformers

        quiet_libraries()
        transformers.set_seed(seed)
        self.spec, self.samples, self.seed, self.hardware = spec, samples, seed, hardware
        self.folder, self.watcher, self.team = folder, watcher, team
        self.interrupt = Interrupt()
        quantized = spec.local.quantize is not None and quantizes(hardware)
        if loaded is None:
            loaded = load_base(base, hardware, training=True, quantized=quantized)
        family, config = family_at(base), read_config(base)
        self.model = lora.with_lora(loaded, spec, family, checked=checked)
        self.sizes = [int(count) for count in self.model.get_nb_trainable_parameters()]
        self.weights = lora.MasterWeights(self.model)
        self.passes: Passes
        if direct.knows(config, spec, family, hardware, quantized):
            self.passes = DirectPasses(self.model, self.weights, family, config)
        else:
            self.passes = AutogradPasses(self.model, self.weights, family, hardware.device)
        self.optimizer = torch.optim.AdamW(
            [self.weights.flat],
            lr=spec.learning_rate,
            weight_decay=WEIGHT_DECAY,
            fused=hardware.device != "mps",
        )
        self.progress = Progress(micro_batch=samples.micro_batch)
        self.best: checkpoint.Tensors = {}
        self.steps_an_epoch = samples.census.steps_an_epoch
        self.total = self.steps_an_epoch * spec.epoch
        self.resumed_from = self._resume()
        self._saved = time.monotonic()
        if spec.local.quantize and not quantized:
            self._substitute(
                f"weights in {hardware.train_dtype} instead of {spec.local.quantize}: "
                f"bitsandbytes does not compute on {hardware.device} here"
            )
        asked = spec.per_device_train_batch_size
        self.room = memory.Room(self.passes, self.progress, asked, self._substitute)
        self.room.fit(max(samples.train, key=lambda s: len(s.ids)), hardware.device)

    def run(self, advance: Advance = lambda step, total: None) -> None:
        """Train to the end; Ctrl-C keeps a checkpoint of the last whole step, then interrupts."""
        with self.interrupt, closing(self.passes):
            for epoch in range(len(self.progress.epochs), self.spec.epoch):
                order = epoch_steps(len(self.samples.train), self.samples.batch, self.seed, epoch)
                for chosen in order[self.progress.step - epoch * self.steps_an_epoch :]:
                    self._step(epoch, [self.samples.train[n] for n in chosen])
                    advance(self.progress.step, self.total)
                    if self._asked_to_stop():
                        self._stop()
                    if time.monotonic() - self._saved > CHECKPOINT_SECONDS:
                        self._save()
                self._end_epoch(epoch, advance)

    def _step(self, epoch: int, chosen: Sequence[Sample]) -> None:
        started = time.perf_counter()
        tokens = sum(s.supervised for s in chosen)
        rate = self.spec.learning_rate * GAMMA**epoch
        loss = self.gradients(chosen)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.weights.publish()
        self.weights.clear()
        now = self.progress
        now.step += 1
        now.summed_loss += loss * tokens
        now.tokens += tokens
        now.supervised += tokens
        now.seconds += time.perf_counter() - started
        now.steps.append({"step": now.step, "loss": loss, "learning_rate": rate})

    def gradients(self, chosen: Sequence[Sample]) -> float:
        """``accumulate``; where memory runs out, halve the micro-batch and begin the step again."""
        while True:
            try:
                return self.accumulate(chosen)
            except RuntimeError as error:
                if not memory.is_exhausted(error):
                    raise
            self.weights.clear()
            self.room.shrink()

    def accumulate(self, chosen: Sequence[Sample]) -> float:
        """Add up the gradients of the mean loss over a step's tokens; return that loss, in nats.

        Raises DivergedError, naming rows, where the loss or a gradient is not finite.
        """
        total, tokens = 0.0, max(1, sum(s.supervised for s in chosen))
        suspects: Sequence[Sample] = chosen
        for number, micro in enumerate(
            micro_batches(self._share(chosen), self.progress.micro_batch)
        ):
            total += self.passes.gradients(micro, tokens, self._seed(number))
            if not math.isfinite(total):
                suspects = micro
                break
        summed = torch.tensor([total], device=self.hardware.device)
        sums = [summed, self.weights.gradient]
        self.team.add(sums)
        if not all(map(_finite, sums)):
            raise self._diverged(suspects)
        return summed.item() / tokens

    def _share(self, samples: Sequence[Sample]) -> list[Sample]:
        """The process's samples: lengths are dealt out in turn, so shares are alike."""
        ordered = sorted(samples, key=lambda s: -len(s.ids))
        return ordered[self.team.rank :: self.team.size]

    def _seed(self, micro_batch: int) -> int:
        """A seed for dropout by where the run is, so that no state of it has to be kept."""
        place = (self.seed * 1_000_003 + self.progress.step) * 1_009 + micro_batch
        return place * self.team.size + self.team.rank

    def _asked_to_stop(self) -> bool:
        """Whether any of the processes was: they stop after the same step."""
        asked = torch.tensor([float(self.interrupt.asked)], device=self.hardware.device)
        self.team.add([asked])
        return bool(asked.item())

    def _diverged(self, samples: Sequence[Sample]) -> DivergedError:
        rows = sorted({n for s in samples for n in s.rows})
        named = ", ".join(map(str, rows[:20])) + (", …" if len(rows) > 20 else "")
        return DivergedError(
            f"tuning diverged at step {self.progress.step + 1}: the loss of data/train.jsonl, rows "
            f"{named}, is not finite; lower tune.learning_rate or mend these rows"
        )

    def _substitute(self, what: str) -> None:
        if what not in self.progress.substitutions:
            self.progress.substitutions.append(what)
        self.watcher.say(f"tune: {what}")

    def _end_epoch(self, epoch: int, advance: Advance) -> None:
        """Validate, keep the best weights, report in the container's words, and save."""
        now = self.progress
        entry = {
            "epoch": epoch + 1,
            "train_loss": now.summed_loss / max(1, now.tokens),
            "learning_rate": self.spec.learning_rate * GAMMA**epoch,
        }
        self.watcher.say(
            f"Epoch {epoch + 1}: train_perplexity={_perplexity(entry['train_loss']):.4f}, "
            f"train_epoch_loss={entry['train_loss']:.4f}"
        )
        if self.samples.validation:
            loss = entry["eval_loss"] = self._validate(advance)
            self.watcher.say(
                f"eval_ppl=tensor({_perplexity(loss):.4f}) eval_epoch_loss=tensor({loss:.4f})"
            )
            if all(loss < e["eval_loss"] for e in now.epochs):
                now.best_epoch, self.best = epoch + 1, self.weights.state()
        now.epochs.append(entry)
        now.summed_loss, now.tokens = 0.0, 0
        self._save()

    def _validate(self, advance: Advance) -> float:
        samples, size = self._share(self.samples.validation), self.spec.per_device_eval_batch_size
        total = 0.0
        for start in range(0, len(samples), size * PARTS):
            total += self.passes.losses(samples[start : start + size * PARTS], size)
            advance(self.progress.step, self.total)
        tokens = sum(s.supervised for s in samples)
        sums = torch.tensor([total, tokens], device=self.hardware.device)
        self.team.add([sums])
        return float(sums[0] / sums[1].clamp(min=1))

    def _save(self) -> None:
        self._saved = time.monotonic()
        if self.team.rank:
            return
        adam = self.optimizer.state_dict()["state"]
        state = checkpoint.State(self.weights.state(), self.best, adam.get(0, {}))
        checkpoint.save(self.folder / "checkpoint", self.progress, state)

    def _stop(self) -> None:
        self._save()
        self.watcher.say(f"tune: stopped after step {self.progress.step} of {self.total}")
        raise KeyboardInterrupt

    def _resume(self) -> int:
        """Take up the folder's checkpoint; return its step, or 0 where there is none."""
        found = checkpoint.load(self.folder / "checkpoint")
        if found is None:
            return 0
        self.progress, state = found
        self.weights.load(state.weights)
        self.best = state.best
        adam = {0: state.adam} if state.adam else {}
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": adam})
        self.watcher.say(f"tune: going on after step {self.progress.step} of {self.total}")
        return self.progress.step

    def finish(self, name: str, template_hash: str) -> Tuned:
        """Write the adapter of the best epoch, or of the last where nothing was validated."""
        if self.best:
            self.weights.load(self.best)
        if self.team.rank == 0:
            lora.write_adapter(
                self.model,
                self.weights.state(),
                self.folder / "adapter",
                base=name,
                template_hash=template_hash,
                seed=self.seed,
            )
        trainable, parameters = self.sizes
        now = self.progress
        return Tuned(
            epochs=now.epochs,
            steps=now.steps,
            best_epoch=now.best_epoch,
            trainable_parameters=trainable,
            parameters=parameters,
            seconds=now.seconds,
            supervised_tokens_a_second=now.supervised / now.seconds,
            resumed_from_step=self.resumed_from,
            micro_batch=now.micro_batch,
            substitutions=now.substitutions,
        )


def _finite(tensor: torch.Tensor) -> bool:
    """Whether all elements are finite, in one pass: the extremes are not where one is not."""
    return bool(torch.isfinite(torch.stack(tensor.aminmax())).all())


def _perplexity(loss: float) -> float:
    return math.exp(min(loss, 700.0))
