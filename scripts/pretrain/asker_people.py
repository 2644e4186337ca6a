r"""The third stage of the asking adapter: questions that people asked, and the pages as before.

It goes on from the adapter of asker.py with people.py's samples of Databricks Dolly 15k (CC BY-SA
3.0), in the product's own training passes (``ragtune.tuning.direct``). Reads nothing of the demos.
DOLLY is the folder of ``databricks-dolly-15k.jsonl``, SMOLLM2 the one that ``model.local: smollm2``
is unpacked to.

    python -m scripts.pretrain.asker_people --dolly DOLLY --text ../shared/data/text \
        --model SMOLLM2 --adapter build/asker-2 --output data/models/smollm2-questions
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import torch
from peft import PeftModel
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from ragtune.core.files import read_jsonl, write_jsonl
from ragtune.models.families.registry import family_of
from ragtune.models.folder import read_config
from ragtune.models.hardware import probe
from ragtune.prompts.base import IGNORED
from ragtune.questions.models import reader
from ragtune.retrieval.sentences import sentences
from ragtune.tuning.direct.passes import DirectPasses
from ragtune.tuning.lora import MasterWeights
from ragtune.tuning.samples import Sample as Row

from .asker import NEAR, AskingSources
from .asking import page_asked
from .corpus import Corpus
from .people import Asked, apart, asked, from_json, records, sample, to_json
from .reader import adapted, history, keep
from .samples import WEIGHTS, Sample, encode, prompts
from .train import Progress, Settings, relative_rate

PEOPLE, PAGES = 6, 2
"""Samples of people's questions, and of the sources before, in an update: two tokens to one."""
ASIDE = 12
"""Pages kept aside on which the curve is measured."""
LONGEST = 640
"""Tokens of a sample, at most."""


def row(made: Sample, tokenizer: PreTrainedTokenizerBase) -> Row | None:
    """A sample as tokens, the questions supervised; None where it is too long."""
    ids, weights = encode(made, tokenizer)
    if len(ids) > LONGEST:
        return None
    taught = WEIGHTS["answer"]
    labels = [n if w == taught else IGNORED for n, w in zip(ids, weights, strict=True)]
    return Row(ids, labels)


class Stream:
    """The samples of each update: a function of the seed and the step alone."""

    def __init__(
        self, every: Sequence[Asked], corpus: Corpus, tokenizer: PreTrainedTokenizerBase, seed: int
    ) -> None:
        self.train, held = apart(every)
        self.corpus, self.tokenizer, self.seed = corpus, tokenizer, seed
        self.sources = AskingSources(corpus, near=True)
        rng = Random(f"{seed}/aside")
        pages = [page_asked(rng, 4, near=True, held_out=True) for _ in range(ASIDE)]
        self.aside = {
            "people": self._rows([sample(one, rng) for one in held]),
            "page": self._rows([prompts(one) for one in pages if one]),
        }

    def batch(self, step: int) -> list[Row]:
        """People's questions in the order of their pass, and samples of the sources before."""
        rng = Random(f"{self.seed}/{step}")
        places = range(step * PEOPLE, (step + 1) * PEOPLE)
        found = self._rows([sample(self._at(place), rng) for place in places])
        names = [name for name, share in NEAR.items() if share and name != "text"]
        odds = [NEAR[name] for name in names]
        before: list[Row] = []
        while len(before) < PAGES:
            made = self.sources.makers[rng.choices(names, odds)[0]](rng, 1.0)
            before += self._rows([made] if made else [])
        return found + before

    def _at(self, place: int) -> Asked:
        number, index = divmod(place, len(self.train))
        order = list(range(len(self.train)))
        Random(f"{self.seed}/pass/{number}").shuffle(order)
        return self.train[order[index]]

    def _rows(self, samples: Sequence[Sample]) -> list[Row]:
        made = (row(one, self.tokenizer) for one in samples)
        return [one for one in made if one]


class People:
    """A training in hand: the adapter, the optimiser, and how far it has come."""

    def __init__(
        self, model: PeftModel, folder: Path, stream: Stream, settings: Settings, work: Path
    ) -> None:
        self.model, self.stream, self.settings, self.work = model, stream, settings, work
        self.weights = MasterWeights(model)
        config = read_config(folder)
        self.passes = DirectPasses(model, self.weights, family_of(config), config)
        self.optimizer = torch.optim.AdamW(
            self.weights.weights, lr=settings.peak_rate, betas=(0.9, 0.99), weight_decay=0.0,
            fused=True,
        )  # fmt: skip
        self.progress = Progress()
        self.log: list[dict[str, Any]] = []
        self.best = math.inf
        work.mkdir(parents=True, exist_ok=True)

    def run(self) -> None:
        """Train until the minutes are spent, with checkpoints."""
        settings, now = self.settings, self.progress
        started = saved = time.monotonic()
        before, window = now.seconds, [0.0, 0.0]
        with closing(self.passes):
            if not self.log:
                self.note(0.0, 0.0)
            while (fraction := now.fraction(settings)) < 1.0:
                batch = self.stream.batch(now.step)
                tokens = sum(one.supervised for one in batch)
                window[0] += self.step(batch, tokens, relative_rate(fraction, settings))
                window[1] += tokens
                now.step += 1
                now.tokens += sum(len(one.ids) for one in batch)
                now.seconds = before + time.monotonic() - started
                if now.step % settings.log_steps == 0:
                    self.note(window[0] / window[1], fraction)
                    window = [0.0, 0.0]
                if time.monotonic() - saved > settings.checkpoint_seconds:
                    self.save()
                    saved = time.monotonic()
            self.note(window[0] / max(1.0, window[1]), 1.0)
        self.save()

    def step(self, batch: Sequence[Row], tokens: int, scale: float) -> float:
        """One update; the summed loss in nats."""
        total = self.passes.gradients(batch, tokens, 0)
        torch.nn.utils.clip_grad_norm_(self.weights.weights, self.settings.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.peak_rate * scale
        self.optimizer.step()
        self.weights.publish()
        self.weights.clear()
        return total

    def note(self, loss: float, fraction: float) -> None:
        """Keep one line of the curve, in nats a token: the last steps, and what is kept aside.

        The weights with the lowest loss on people's questions kept aside are written as well.
        """
        now = self.progress
        line: dict[str, Any] = {
            "step": now.step,
            "tokens": now.tokens,
            "seconds": round(now.seconds, 1),
            "fraction": round(fraction, 4),
            "loss": round(loss, 4),
        }
        for kind, rows in self.stream.aside.items():
            total = self.passes.losses(rows, PEOPLE)
            line[f"{kind}_aside"] = round(total / max(1, sum(one.supervised for one in rows)), 4)
        self.log.append(line)
        if line["people_aside"] < self.best:
            self.best = line["people_aside"]
            self.write(self.work / "best")
        with (self.work / "log.jsonl").open("a", encoding="utf-8") as out:
            out.write(json.dumps(line) + "\n")

    def save(self) -> None:
        """Write a checkpoint under another name, then rename it."""
        state = {
            "weights": self.weights.state(),
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
            "log": self.log,
            "best": self.best,
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
            self.best = state["best"]

    def write(self, output: Path) -> None:
        """Write the adapter, in 16 bits."""
        weights = {name: one.to(torch.bfloat16) for name, one in self.weights.state().items()}
        self.model.save_pretrained(str(output), state_dict=weights, save_embedding_layers=False)


def found(folder: Path, path: Path) -> list[Asked]:
    """The questions of Dolly's records, as ``path`` has them: to find them takes minutes."""
    if not path.exists():
        every = asked(records(folder), sentences(), reader(probe()))
        write_jsonl(path, [to_json(one) for one in every])
    return [from_json(line) for line in read_jsonl(path)]


def main() -> None:
    """Go on training the adapter, and write the best of it beside its settings and its curve."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of the converted model")
    parser.add_argument("--dolly", type=Path, required=True, help="folder of Dolly's records")
    parser.add_argument("--text", type=Path, required=True, help="folder of the texts")
    parser.add_argument("--adapter", type=Path, required=True, help="adapter to go on from")
    parser.add_argument("--output", type=Path, required=True, help="adapter folder to write")
    parser.add_argument("--work", type=Path, default=Path("build/people"), help="checkpoints")
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--seed", type=int, default=33)
    parser.add_argument("--rate", type=float, default=4e-4, help="peak learning rate")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    settings = Settings(
        tokens=0, minutes=given.minutes, seed=given.seed, batch_tokens=0, peak_rate=given.rate,
        warmup=0.04, decay_from=0.3, checkpoint_seconds=180.0, log_steps=20, compiled=False,
    )  # fmt: skip
    stages, curve = history(given.adapter)
    tokenizer = AutoTokenizer.from_pretrained(given.model)
    every = found(given.dolly, given.work / "asked.jsonl")
    stream = Stream(every, Corpus(given.text), tokenizer, given.seed)
    model = adapted(given.model, given.seed, given.adapter)
    training = People(model, given.model, stream, settings, given.work)
    training.resume()
    training.run()
    training.write(given.work / "last")
    given.output.mkdir(parents=True, exist_ok=True)
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copyfile(given.work / "best" / name, given.output / name)
    lines = [{"stage": len(stages) + 1, **line} for line in training.log]
    keep(given.output, [*stages, asdict(settings)], [*curve, *lines])


if __name__ == "__main__":
    main()
