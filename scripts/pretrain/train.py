"""The training: steps over the stream until a budget of tokens or of minutes is spent, resumable
at every checkpoint.

The rate and the mixture follow the fraction of the budget that is spent (by tokens or by the
clock, whichever is further), so a slow machine sees less data but always finishes its schedule. It
knows nothing of evaluation.
"""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaForCausalLM

from .mixture import SHARES, Batch, Stream
from .model import Loss, make_loss, make_optimizer


@dataclass(frozen=True)
class Settings:
    """What a training is given; kept beside the model."""

    tokens: int = 20_000_000
    """Budget in tokens; 0: none."""
    minutes: float = 0.0
    """Budget in minutes of training time, all runs together; 0: none."""
    seed: int = 10
    batch_tokens: int = 2048
    """Tokens an update; README.md says what was measured."""
    peak_rate: float = 0.001
    warmup: float = 0.01
    """Fraction of the budget over which the rates rise."""
    decay_from: float = 0.45
    """Fraction of the budget from which the rates fall, in a straight line to 0."""
    clip: float = 1.0
    checkpoint_seconds: float = 240.0
    log_steps: int = 50
    compiled: bool = True


@dataclass
class Progress:
    """Where a training stands."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0

    def fraction(self, settings: Settings) -> float:
        """How much of the budget is spent, 0 to 1."""
        by_tokens = self.tokens / settings.tokens if settings.tokens else 0.0
        by_clock = self.seconds / (60 * settings.minutes) if settings.minutes else 0.0
        return min(1.0, max(by_tokens, by_clock))


def relative_rate(fraction: float, settings: Settings) -> float:
    """The learning rate relative to its peak."""
    rising = min(1.0, fraction / settings.warmup + 0.02)
    falling = min(1.0, (1.0 - fraction) / (1.0 - settings.decay_from))
    return max(0.0, min(rising, falling))


class Training:
    """A model on its way: everything that a checkpoint holds."""

    def __init__(
        self,
        model: LlamaForCausalLM,
        stream: Stream,
        settings: Settings,
        folder: Path,
        loss: Loss | None = None,
    ) -> None:
        """Bind a training of the weights that ask for gradients; `loss`: another than usual."""
        self.model, self.stream, self.settings, self.folder = model, stream, settings, folder
        self.optimizer = make_optimizer(model, settings.peak_rate)
        self.progress = Progress()
        self.loss = loss or make_loss(model, settings.compiled)
        self.log: list[dict[str, Any]] = []
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def path(self) -> Path:
        """The newest checkpoint."""
        return self.folder / "checkpoint.pt"

    def save(self) -> None:
        """Write the checkpoint under another name, then rename it."""
        trained = {name for name, one in self.model.named_parameters() if one.requires_grad}
        weights = self.model.state_dict()
        state = {
            "model": {name: one for name, one in weights.items() if name in trained},
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
            "random": torch.get_rng_state(),
            "settings": asdict(self.settings),
            "log": self.log,
        }
        fresh = self.path.with_suffix(".new")
        torch.save(state, fresh)
        fresh.rename(self.path)

    def resume(self) -> bool:
        """Take up the newest checkpoint, if there is one."""
        if not self.path.exists():
            return False
        state = torch.load(self.path, weights_only=False)
        self.model.load_state_dict(state["model"], strict=False)
        self.optimizer.load_state_dict(state["optimizer"])
        self.progress = Progress(**state["progress"])
        torch.set_rng_state(state["random"])
        self.log = state["log"]
        lines = "".join(json.dumps(line) + "\n" for line in self.log)
        (self.folder / "log.jsonl").write_text(lines, encoding="utf-8")
        return True

    def run(self, until_step: int | None = None) -> None:
        """Train until the budget is spent (or up to `until_step`), with checkpoints."""
        settings, progress = self.settings, self.progress
        saved = started = time.monotonic()
        before = progress.seconds
        window: list[tuple[Batch, np.ndarray[Any, Any]]] = []
        window_start = (progress.tokens, started)
        with ThreadPoolExecutor(1) as ahead:
            fraction = progress.fraction(settings)
            coming = ahead.submit(self.stream.batch, progress.step, fraction)
            while fraction < 1.0 and progress.step != until_step:
                batch = coming.result()
                spent = Progress(
                    progress.step + 1,
                    progress.tokens + batch.inputs.size,
                    before + time.monotonic() - started,
                )
                following = spent.fraction(settings)
                coming = ahead.submit(self.stream.batch, spent.step, following)
                window.append((batch, self._step(batch, fraction)))
                progress.step, progress.tokens = spent.step, spent.tokens
                progress.seconds = before + time.monotonic() - started
                if progress.step % settings.log_steps == 0:
                    now = time.monotonic()
                    speed = (progress.tokens - window_start[0]) / (now - window_start[1])
                    self._note(window, fraction, speed)
                    window, window_start = [], (progress.tokens, now)
                fraction = following
                if time.monotonic() - saved > settings.checkpoint_seconds:
                    self.save()
                    saved = time.monotonic()
        self.save()

    def _step(self, batch: Batch, fraction: float) -> np.ndarray[Any, Any]:
        """One update; the loss of every token."""
        scale = relative_rate(fraction, self.settings)
        mean, each = self.loss(
            torch.from_numpy(batch.inputs),
            torch.from_numpy(batch.targets),
            torch.from_numpy(batch.weights),
        )
        mean.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.peak_rate * scale
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return each.float().numpy()

    def _note(
        self, window: list[tuple[Batch, np.ndarray[Any, Any]]], fraction: float, speed: float
    ) -> None:
        """Keep one line: the mean loss of each source's answers in nats (text: of all tokens)."""
        each = np.concatenate([losses for _, losses in window])
        source = np.concatenate([batch.sources.ravel() for batch, _ in window])
        line: dict[str, Any] = {
            "step": self.progress.step,
            "tokens": self.progress.tokens,
            "seconds": round(self.progress.seconds, 1),
            "fraction": round(fraction, 4),
            "row": window[-1][0].inputs.shape[1],
            "tokens_per_second": round(speed),
        }
        for index, name in enumerate(SHARES):
            if (source == index).any():
                line[name] = round(float(each[source == index].mean()), 4)
        self.log.append(line)
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")
