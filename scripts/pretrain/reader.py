r"""The reading adapter of the small SmolLM2: the instruction stage of a model that exists already.

SmolLM2-135M-Instruct answers in sentences of its own and makes up what a passage does not say.
A LoRA adapter on its upper layers learns, from the mixture's reading tasks, to answer in the
passage's words, to stop, and to refuse. Reads nothing of the demos. SMOLLM2 is the folder that
``model.local: smollm2`` is unpacked to.

    python -m scripts.pretrain.reader --text ../shared/data/text \
        --output build/reader-1 --model SMOLLM2 --minutes 55
    python -m scripts.pretrain.reader --text ../shared/data/text \
        --output build/reader-2 --model SMOLLM2 --minutes 42 --rate 5e-4 --seed 12 \
        --adapter build/reader-1
    python -m scripts.pretrain.reader --text ../shared/data/text \
        --output build/reader-3 --model SMOLLM2 --minutes 11 --rate 3e-4 --seed 13 \
        --adapter build/reader-2
    python -m scripts.pretrain.reader --text ../shared/data/text \
        --output build/reader-4 --model SMOLLM2 --minutes 70 --rate 5e-4 --seed 14 \
        --adapter build/reader-3
    python -m scripts.pretrain.reader --text ../shared/data/text \
        --output data/models/smollm2-reader --model SMOLLM2 --minutes 28 --rate 4e-4 --seed 15 \
        --adapter build/reader-4
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor
from transformers import AutoTokenizer, LlamaForCausalLM

from ragtune.tuning.kernels import attention

from .corpus import Corpus
from .mixture import Batch, Stream
from .model import Loss
from .train import Settings, Training

FRACTION = 0.5
"""The point of the mixture's course at which samples are drawn: rows of 512, several questions to
most prompts, questions of natural words."""
SHARES = {
    "recall": 0.01,
    "asked": 0.03,
    "generated": 0.04,
    "generated_rag": 0.10,
    "page": 0.12,
    "page_rag": 0.45,
    "paragraph": 0.04,
    "paragraph_rag": 0.13,
    "country": 0.02,
    "closed_book": 0.0,
    "format": 0.04,
    "summary": 0.01,
    "text": 0.01,
}
"""Share of the tokens: above all reading among distractors, which is what retrieval asks of it."""
FIRST_LAYER = 8
"""The layers below are left as they are, which spares a quarter of the backward pass."""
RANK, ALPHA, RATE = 16, 32, 8e-4


class ReadingStream(Stream):
    """The same sources and shares from the first step to the last."""

    def shares(self, fraction: float) -> dict[str, float]:
        """The share of each source."""
        return SHARES

    def batch(self, step: int, fraction: float) -> Batch:
        """The rows of one step."""
        return super().batch(step, FRACTION)


def adapted(folder: Path, seed: int, adapter: Path | None = None) -> PeftModel:
    """The model with a new adapter, or with one to go on from; only the adapter is trained."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    if adapter:
        return PeftModel.from_pretrained(model, str(adapter), is_trainable=True)
    layers = list(range(FIRST_LAYER, model.config.num_hidden_layers))
    config = LoraConfig(
        r=RANK,
        lora_alpha=ALPHA,
        target_modules=[
            "q_proj",
            "k_proj",
            "v_proj",
            "o_proj",
            "gate_proj",
            "up_proj",
            "down_proj",
        ],
        layers_to_transform=layers,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def answers_loss(model: PeftModel) -> Loss:
    """The loss on answers and plain text alone: the head is 49,152 wide, so few rows go there.

    Each sample is attended to by itself, as at use, from its BOS to the next one.
    """
    base = model.get_base_model()
    attention.use(base)
    bos = base.config.bos_token_id

    def loss(inputs: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
        ids, taught = inputs.reshape(1, -1), weights.flatten() >= 1.0
        segments = lengths(ids[0], bos)
        positions = torch.cat([torch.arange(length) for length in segments])[None]
        with torch.autocast("cpu", torch.bfloat16):
            hidden = base.model(
                input_ids=ids, position_ids=positions, segments=segments, use_cache=False
            ).last_hidden_state
            logits = base.lm_head(hidden[0, taught])
        each = torch.nn.functional.cross_entropy(
            logits.float(), targets.flatten()[taught], reduction="none"
        )
        share = weights.flatten()[taught]
        spread = torch.zeros(targets.numel()).masked_scatter(taught, each.detach())
        return (each * share).sum() / share.sum(), spread

    return loss


def lengths(ids: Tensor, bos: int) -> list[int]:
    """The lengths of the samples in `ids` (tokens), each of which begins with BOS."""
    starts = (ids == bos).nonzero().flatten().tolist()
    return [end - start for start, end in pairwise([*starts, len(ids)])]


def main() -> None:
    """Train the adapter, or go on training it, and write it beside its settings and its curve."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="folder of the converted model")
    parser.add_argument("--text", type=Path, required=True, help="folder of the texts")
    parser.add_argument("--output", type=Path, required=True, help="adapter folder to write")
    parser.add_argument("--work", type=Path, default=Path("build/reader"), help="checkpoints")
    parser.add_argument("--minutes", type=float, default=45.0)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--adapter", type=Path, help="adapter folder to go on from")
    parser.add_argument("--rate", type=float, default=RATE, help="peak learning rate")
    given = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(given.model)
    settings = Settings(
        tokens=0,
        minutes=given.minutes,
        seed=given.seed,
        peak_rate=given.rate,
        warmup=0.03,
        decay_from=0.3,
        log_steps=20,
        compiled=False,
    )
    model = adapted(given.model, given.seed, given.adapter)
    stream = ReadingStream(Corpus(given.text), tokenizer, given.seed, settings.batch_tokens)
    training = Training(model, stream, settings, given.work, answers_loss(model))
    training.resume()
    training.run()
    stages, curve = history(given.adapter)
    lines = [{"stage": len(stages) + 1, **line} for line in training.log[::2]]
    model.to(torch.bfloat16).save_pretrained(given.output)
    keep(given.output, [*stages, asdict(settings)], [*curve, *lines])


Rows = list[dict[str, Any]]


def history(adapter: Path | None) -> tuple[Rows, Rows]:
    """The settings of the stages that an adapter went through, and the lines of their curve."""
    if adapter is None:
        return [], []
    lines = (adapter / "curve.jsonl").read_text(encoding="utf-8").splitlines()
    stages = json.loads((adapter / "training.json").read_text(encoding="utf-8"))
    return stages, [json.loads(line) for line in lines]


def keep(adapter: Path, stages: Rows, curve: Rows) -> None:
    """Write down beside an adapter how it was trained."""
    lines = "".join(json.dumps(line) + "\n" for line in curve)
    (adapter / "curve.jsonl").write_text(lines, encoding="utf-8")
    (adapter / "training.json").write_text(json.dumps(stages, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
