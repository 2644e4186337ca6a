r"""The asking adapter of the small SmolLM2: questions to facts, the reading tasks turned round.

A LoRA adapter like the reader's (reader.py) on SmolLM2-135M-Instruct learns to write a question for
a stretch of a sentence, with the passage and its title in sight. Reads nothing of the demos.
SMOLLM2 is the folder that ``model.local: smollm2`` is unpacked to.

    python -m scripts.pretrain.asker --text ../shared/data/text \
        --output build/asker-1 --model SMOLLM2 --minutes 42
    python -m scripts.pretrain.asker --text ../shared/data/text \
        --output data/models/smollm2-questions --model SMOLLM2 --minutes 14 --rate 5e-4 --seed 32 \
        --adapter build/asker-1 --near
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from random import Random

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from .asking import country_asked, organisation_asked, page_asked, table_asked
from .corpus import Corpus
from .mixture import SHARES as ALL
from .mixture import Sources
from .reader import RATE, ReadingStream, adapted, answers_loss, history, keep
from .samples import Sample, Task, prompts
from .train import Settings, Training

SHARES = {
    **dict.fromkeys(ALL, 0.0),
    "page": 0.77,
    "generated": 0.11,
    "country": 0.04,
    "format": 0.07,
    "text": 0.01,
}
"""Share of the tokens of the reader's sources, turned round; ``format``: rows of tables."""
NEAR = {**SHARES, "page": 0.62, "generated": 0.24, "format": 0.09}
"""Where page questions are only those that name what their sentence names: these are fewer."""
LONGEST = 5
"""Wordings that share one passage in training, at most."""


class AskingSources(Sources):
    """The sources whose tasks can be turned round, under the names that they have there."""

    def __init__(self, corpus: Corpus, near: bool) -> None:
        super().__init__(corpus)
        self.makers |= {
            "page": lambda rng, _: laid_out(page_asked(rng, _most(rng), near=near)),
            "generated": lambda rng, _: laid_out(organisation_asked(rng, _most(rng))),
            "country": lambda rng, _: laid_out(country_asked(corpus, rng, _most(rng))),
            "format": lambda rng, _: laid_out(table_asked(rng, _most(rng))),
        }


def _most(rng: Random) -> int:
    return rng.randint(1, LONGEST)


def laid_out(task: Task | None) -> Sample | None:
    """The prompts of a task, one after the other."""
    return prompts(task) if task else None


class AskingStream(ReadingStream):
    """The turned tasks, in the same shares from the first step to the last."""

    def __init__(
        self,
        corpus: Corpus,
        tokenizer: PreTrainedTokenizerBase,
        seed: int,
        tokens: int,
        near: bool,
    ) -> None:
        super().__init__(corpus, tokenizer, seed, tokens)
        self.sources, self.near = AskingSources(corpus, near), near

    def shares(self, fraction: float) -> dict[str, float]:
        """The share of each source."""
        return NEAR if self.near else SHARES


def main() -> None:
    """Train the adapter, or go on training it, and write it beside its settings and its curve."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of the converted model")
    parser.add_argument("--text", type=Path, required=True, help="folder of the texts")
    parser.add_argument("--output", type=Path, required=True, help="adapter folder to write")
    parser.add_argument("--work", type=Path, default=Path("build/asker"), help="checkpoints")
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--adapter", type=Path, help="adapter folder to go on from")
    parser.add_argument("--rate", type=float, default=RATE, help="peak learning rate")
    parser.add_argument("--near", action="store_true", help="no far-fetched questions")
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    tokenizer = AutoTokenizer.from_pretrained(given.model)
    settings = Settings(
        tokens=0,
        minutes=given.minutes,
        seed=given.seed,
        peak_rate=given.rate,
        warmup=0.03,
        decay_from=0.3,
        checkpoint_seconds=180.0,
        log_steps=20,
        compiled=False,
    )
    model = adapted(given.model, given.seed, given.adapter)
    stream = AskingStream(
        Corpus(given.text), tokenizer, given.seed, settings.batch_tokens, given.near
    )
    training = Training(model, stream, settings, given.work, answers_loss(model))
    training.resume()
    training.run()
    stages, curve = history(given.adapter)
    lines = [{"stage": len(stages) + 1, **line} for line in training.log[::2]]
    model.to(torch.bfloat16).save_pretrained(given.output)
    keep(given.output, [*stages, asdict(settings)], [*curve, *lines])


if __name__ == "__main__":
    main()
