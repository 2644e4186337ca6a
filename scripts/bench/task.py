"""What every contender is given: a model's folder, rows of token ids, and the settings."""

import itertools
import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ragtune.core.bundled import builtin_model, data_folder
from ragtune.models.load import load_tokenizer
from ragtune.prompts.base import PromptFormat, Row
from ragtune.prompts.instruct import InstructFormat, Template
from ragtune.recipe.tune import Tune, TuneLocal
from ragtune.tuning.samples import TrainingRow

BATCH = 8
"""Rows an optimiser step: TRL's default."""
LENGTH = 512
SEED = 10
SHAPES: dict[str, dict[str, int]] = {
    "built-in": {},
    "110m-32k": {"vocab_size": 32_000},
    "110m-128k": {"vocab_size": 128_256},
}
"""The built-in model, and Llamas of random weights with the vocabularies of Llama 2 and 3."""


@dataclass(frozen=True)
class Task:
    """A benchmark's rows and settings; paths are those of the parent's scratch folder.

    ``micro_batch`` is ragtune's own, at ``BATCH`` rows a step in every contender.
    """

    model: str
    rows: str
    held: str
    folder: str
    epochs: int
    micro_batch: int
    learning_rate: float = 1e-3

    def tune(self) -> Tune:
        """The same settings as a recipe's section."""
        return Tune(
            epoch=self.epochs,
            learning_rate=self.learning_rate,
            max_input_length=LENGTH,
            per_device_train_batch_size=self.micro_batch,
            gradient_accumulation_steps=BATCH // self.micro_batch,
            validation_split_ratio=0.0,
            local=TuneLocal(layout="rows", loss="completion"),
        )

    def format(self) -> InstructFormat:
        """The template bound to the model's tokenizer."""
        return InstructFormat(Template(), load_tokenizer(Path(self.model)))

    def read(self, which: str) -> list[TrainingRow]:
        """The rows to train on, ``rows``, or those held out, ``held``."""
        text = Path(getattr(self, which)).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def rendered(self, which: str) -> list[Row]:
        """Those rows as token ids and labels."""
        format = self.format()
        return [_render(format, row) for row in self.read(which)]

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


def records() -> Path:
    """Dolly, where it lies beside the checkout; else the demo's records."""
    dolly = data_folder().parent.parent / "shared/data/dolly/databricks-dolly-15k.jsonl"
    return dolly if dolly.exists() else data_folder() / "demo/handbook/records.jsonl"


def write_rows(source: Path, count: int, held: int, folder: Path) -> tuple[Path, Path]:
    """Draw rows to train on and rows held out; Dolly's are its summarizations.

    Rows whose prompt alone fills ``LENGTH`` tokens are left out: nothing of them is trained on,
    and the contenders do not agree on whether they count.
    """
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    kept = [r for r in rows if r.get("category") == "summarization"] or rows
    random.Random(0).shuffle(kept)
    format = InstructFormat(Template(), load_tokenizer(builtin_model()))
    learnable = (r for r in kept if _render(format, r).supervised)
    drawn = list(itertools.islice(learnable, count + held))
    files = folder / f"rows-{count}.jsonl", folder / f"held-{count}.jsonl"
    usable = (len(drawn) - held) // BATCH * BATCH
    for file, part in zip(files, (drawn[:usable], drawn[usable : usable + held]), strict=True):
        file.write_text("".join(json.dumps(row) + "\n" for row in part), encoding="utf-8")
    return files


def _render(format: PromptFormat, row: TrainingRow) -> Row:
    return format.row(row["instruction"], row["context"], row["response"], LENGTH)


def write_model(shape: str, folder: Path) -> Path:
    """The folder of a shape's model; one of random weights has the built-in tokenizer."""
    if not SHAPES[shape]:
        return builtin_model()
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        **SHAPES[shape],
        hidden_size=768,
        intermediate_size=2048,
        num_hidden_layers=12,
        num_attention_heads=12,
        num_key_value_heads=12,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    target = folder / shape
    LlamaForCausalLM(config).to(torch.bfloat16).save_pretrained(target)
    load_tokenizer(builtin_model()).save_pretrained(target)
    return target
