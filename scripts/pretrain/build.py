"""From the text folder to the model folder, step by step; each finished step is kept in the work
folder.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

from .card import render_card
from .corpus import Corpus
from .evaluate import evaluate
from .initial import know_copying, know_words
from .mixture import Stream, tokenizer_texts
from .model import build, export
from .tokenizer import load_tokenizer, train_tokenizer
from .train import Settings, Training

VOCABULARY = 6144
CONTEXT = 1024
TOKENIZER_SAMPLES = 8000


def arguments() -> argparse.ArgumentParser:
    """What the command takes."""
    parser = argparse.ArgumentParser(prog="scripts/pretrain/run", description=__doc__)
    parser.add_argument(
        "--text", type=Path, required=True, help="folder of the texts, e.g. ../shared/data/text"
    )
    parser.add_argument("--output", type=Path, required=True, help="model folder to write")
    parser.add_argument(
        "--work", type=Path, default=Path("build/pretrain"), help="tokenizer, checkpoints and log"
    )
    parser.add_argument("--tokens", type=int, default=0, help="budget in tokens (0: none)")
    parser.add_argument(
        "--minutes", type=float, default=0.0, help="budget in minutes of training (0: none)"
    )
    parser.add_argument("--seed", type=int, default=10)
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint")
    parser.add_argument(
        "--export-only",
        action="store_true",
        help="export the newest checkpoint as it is, unfinished",
    )
    parser.add_argument("--squad", type=Path, help="folder of squad2_500, for the evaluation")
    return parser


def make_tokenizer(corpus: Corpus, folder: Path, seed: int) -> PreTrainedTokenizerBase:
    """The tokenizer in `folder`, trained first where there is none."""
    if not (folder / "tokenizer.json").exists():
        texts = tokenizer_texts(corpus, seed, TOKENIZER_SAMPLES)
        train_tokenizer(texts, VOCABULARY, CONTEXT).save_pretrained(folder)
    return load_tokenizer(folder)


def export_checkpoint(work: Path, output: Path) -> None:
    """The newest checkpoint as a model folder, without an evaluation."""
    tokenizer = load_tokenizer(work / "tokenizer")
    state = torch.load(work / "checkpoint.pt", weights_only=False)
    model = build(tokenizer, state["settings"]["seed"])
    model.load_state_dict(state["model"])
    progress = state["progress"]
    stand = f"{progress['tokens']:,} tokens, step {progress['step']}"
    note = f"An unfinished checkpoint of scripts/pretrain: {stand}.\n"
    export(model, tokenizer, output, {"README.md": note})


def finish(
    model: LlamaForCausalLM, training: Training, output: Path, text: Path, squad: Path | None
) -> dict[str, Any]:
    """Export, evaluate what was exported, and write card, curve and figures beside it."""
    tokenizer = training.stream.tokenizer
    export(model, tokenizer, output)
    figures = evaluate(output, text / "wikitext2_test.txt", squad, 300, "float32")
    (output / "evaluation.json").write_text(
        json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    thinned = training.log[:: max(1, len(training.log) // 60)] + training.log[-1:]
    lines = "".join(json.dumps(line) + "\n" for line in thinned)
    (output / "curve.jsonl").write_text(lines, encoding="utf-8")
    settings = asdict(training.settings) | {"model": model.config.to_diff_dict()}
    (output / "pretraining.json").write_text(
        json.dumps(settings, indent=1) + "\n", encoding="utf-8"
    )
    (output / "README.md").write_text(
        render_card(figures, training.log, asdict(training.settings)), encoding="utf-8"
    )
    return figures


def main() -> None:
    """Do it all."""
    given = arguments().parse_args()
    if given.export_only:
        export_checkpoint(given.work, given.output)
        return
    if not given.tokens and not given.minutes:
        raise SystemExit("give a budget: --tokens or --minutes")
    corpus = Corpus(given.text)
    tokenizer = make_tokenizer(corpus, given.work / "tokenizer", given.seed)
    settings = Settings(tokens=given.tokens, minutes=given.minutes, seed=given.seed)
    model = build(tokenizer, given.seed)
    know_copying(model, know_words(model, tokenizer, given.seed), given.seed)
    training = Training(
        model, Stream(corpus, tokenizer, given.seed, settings.batch_tokens), settings, given.work
    )
    if given.resume and training.resume():
        print(f"resumed at step {training.progress.step}, {training.progress.tokens:,} tokens")
    training.run()
    figures = finish(model, training, given.output, given.text, given.squad)
    print(json.dumps(figures, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
