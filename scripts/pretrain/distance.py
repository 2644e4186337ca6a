r"""The last stage of the asking adapter: questions in words of their own, and checks of them.

It goes on from the adapter of asker.py, on the rows of wordings.py, in the product's own training
passes (``ragtune.tuning.direct``), which read a passage once for all its rows. Reads nothing of the
demos. SMOLLM2 is the folder that ``model.local: smollm2`` is unpacked to.

    python -m scripts.pretrain.distance --text ../shared/data/text --model SMOLLM2 \
        --adapter build/asker-2 --output data/models/smollm2-questions --minutes 70
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from ragtune.models.families.registry import family_of
from ragtune.models.folder import read_config
from ragtune.prompts.base import IGNORED
from ragtune.tuning.direct.passes import DirectPasses
from ragtune.tuning.direct.tree import Row as Read
from ragtune.tuning.lora import MasterWeights

from .corpus import Corpus
from .reader import adapted, history, keep
from .train import Progress, Settings, relative_rate
from .wordings import Row, drawn, page_drawn, rows

PASSAGES = 3
"""Passages an update: about 2,400 tokens."""
HELD_OUT = 8
"""Passages of pages kept aside, on which the curve is measured."""
LONGEST = 1024
"""Tokens of a row, at most."""
Group = list[tuple[Read, str]]
"""Rows of one passage, and their kinds."""


def encoded(given: Sequence[Row], tokenizer: PreTrainedTokenizerBase) -> Group:
    """Rows as tokens; what is written is supervised, and its end."""
    bos, eos = int(tokenizer.bos_token_id), int(tokenizer.eos_token_id)
    texts = [text for row in given for text in (row.prompt, row.answer)]
    ids = tokenizer(texts, add_special_tokens=False)["input_ids"] if texts else []
    found: Group = []
    for row, prompt, answer in zip(given, ids[::2], ids[1::2], strict=True):
        before, after = [bos, *prompt], [*answer, eos]
        if len(before) + len(after) <= LONGEST:
            read = Read([*before, *after], [IGNORED] * len(before) + after)
            found.append((read, row.kind))
    return found


class Distance:
    """A training in hand: the adapter, the optimiser, and how far it has come."""

    def __init__(  # noqa: PLR0917 - each is named where it is given
        self,
        model: PeftModel,
        folder: Path,
        corpus: Corpus,
        tokenizer: PreTrainedTokenizerBase,
        settings: Settings,
        work: Path,
    ) -> None:
        self.model, self.corpus, self.tokenizer = model, corpus, tokenizer
        self.settings, self.work = settings, work
        self.weights = MasterWeights(model)
        config = read_config(folder)
        self.passes = DirectPasses(model, self.weights, family_of(config), config)
        self.optimizer = torch.optim.AdamW(
            self.weights.weights, lr=settings.peak_rate, betas=(0.9, 0.99), weight_decay=0.0,
            fused=True,
        )  # fmt: skip
        self.progress = Progress()
        self.log: list[dict[str, Any]] = []
        rng = Random(f"{settings.seed}/held out")
        aside = [page_drawn(rng, held_out=True) for _ in range(HELD_OUT)]
        self.aside = [encoded(rows(one, rng), tokenizer) for one in aside]
        work.mkdir(parents=True, exist_ok=True)

    def run(self) -> None:
        """Train until the minutes are spent, with checkpoints."""
        settings, now = self.settings, self.progress
        started = saved = time.monotonic()
        before, window = now.seconds, [0.0, 0.0]
        with closing(self.passes), ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(self.batch, now.step)
            while (fraction := now.fraction(settings)) < 1.0:
                batch = coming.result()
                coming = ahead.submit(self.batch, now.step + 1)
                total, tokens = self.step(batch, relative_rate(fraction, settings))
                window = [window[0] + total, window[1] + tokens]
                now.step += 1
                now.tokens += sum(_unique(group) for group in batch)
                now.seconds = before + time.monotonic() - started
                if now.step % settings.log_steps == 0:
                    self.note(window[0] / window[1], fraction)
                    window = [0.0, 0.0]
                if time.monotonic() - saved > settings.checkpoint_seconds:
                    self.save()
                    saved = time.monotonic()
        self.save()

    def batch(self, step: int) -> list[Group]:
        """The passages of a step: a function of the seed and the step alone."""
        rng = Random(f"{self.settings.seed}/{step}")
        found: list[Group] = []
        while len(found) < PASSAGES:
            one = drawn(self.corpus, rng)
            group = encoded(rows(one, rng), self.tokenizer) if one else []
            if group:
                found.append(group)
        return found

    def step(self, batch: Sequence[Group], scale: float) -> tuple[float, int]:
        """One update; the summed loss in nats, and the tokens that it is over."""
        tokens = sum(_supervised(read) for group in batch for read, _ in group)
        total = self.passes.groups([[read for read, _ in group] for group in batch], tokens, 0)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # some hundred small tensors: threads would wait for each other
        torch.nn.utils.clip_grad_norm_(self.weights.weights, self.settings.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.peak_rate * scale
        self.optimizer.step()
        self.weights.publish()
        self.weights.clear()
        torch.set_num_threads(threads)
        return total, tokens

    @torch.inference_mode()
    def note(self, loss: float, fraction: float) -> None:
        """Keep one line of the curve: nats a token, of the last steps and of pages kept aside."""
        line: dict[str, Any] = {
            "step": self.progress.step,
            "tokens": self.progress.tokens,
            "seconds": round(self.progress.seconds, 1),
            "fraction": round(fraction, 4),
            "loss": round(loss, 4),
        }
        for kind in ("near", "distant", "need", "check"):
            total = tokens = 0.0
            for group in self.aside:
                own = [read for read, one in group if one == kind]
                total += self.passes.decoder.loss(own) if own else 0.0
                tokens += sum(_supervised(read) for read in own)
            line[kind] = round(total / max(1.0, tokens), 4)
        self.log.append(line)
        with (self.work / "log.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")

    def save(self) -> None:
        """Write a checkpoint under another name, then rename it."""
        state = {
            "weights": self.weights.state(),
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
            "log": self.log,
        }
        fresh = self.work / "checkpoint.new"
        torch.save(state, fresh)
        fresh.rename(self.work / "checkpoint.pt")

    def resume(self) -> None:
        """Take up the newest checkpoint, if there is one."""
        path = self.work / "checkpoint.pt"
        if path.exists():
            state = torch.load(path, weights_only=True)
            self.weights.load(state["weights"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.progress, self.log = Progress(**state["progress"]), state["log"]

    def write(self, output: Path) -> None:
        """Write the adapter, in 16 bits."""
        weights = {name: one.to(torch.bfloat16) for name, one in self.weights.state().items()}
        self.model.save_pretrained(str(output), state_dict=weights, save_embedding_layers=False)


def _supervised(read: Read) -> int:
    return sum(label != IGNORED for label in read.labels)


def _unique(group: Group) -> int:
    """About how many tokens a group is, what its rows share counted once."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for read, _ in group:
        value = 0
        for token in read.ids:
            value = hash((value, token))
            total += (value, token) not in seen
            seen.add((value, token))
    return total


def main() -> None:
    """Go on training the adapter, and write it beside its settings and its curve."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of the converted model")
    parser.add_argument("--text", type=Path, required=True, help="folder of the texts")
    parser.add_argument("--adapter", type=Path, required=True, help="adapter to go on from")
    parser.add_argument("--output", type=Path, required=True, help="adapter folder to write")
    parser.add_argument("--work", type=Path, default=Path("build/distance"), help="checkpoints")
    parser.add_argument("--minutes", type=float, default=70.0)
    parser.add_argument("--seed", type=int, default=33)
    parser.add_argument("--rate", type=float, default=5e-4, help="peak learning rate")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    settings = Settings(
        tokens=0, minutes=given.minutes, seed=given.seed, batch_tokens=0, peak_rate=given.rate,
        warmup=0.03, decay_from=0.3, checkpoint_seconds=120.0, log_steps=20, compiled=False,
    )  # fmt: skip
    stages, curve = history(given.adapter)
    training = Distance(
        adapted(given.model, given.seed, given.adapter), given.model, Corpus(given.text),
        AutoTokenizer.from_pretrained(given.model), settings, given.work,
    )  # fmt: skip
    training.resume()
    training.run()
    training.write(given.output)
    lines = [{"stage": len(stages) + 1, **line} for line in training.log]
    keep(given.output, [*stages, asdict(settings)], [*curve, *lines])


if __name__ == "__main__":
    main()
