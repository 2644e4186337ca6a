"""The evaluation of a finished model, printed as JSON.

* `bits_per_byte`: `wikitext2_test.txt` as it stands, tokenised whole without BOS, cut into windows
  of the model's context, of 1,024 tokens at most; each window begins with BOS and is read alone.
  The sum of -log2 p over all tokens of the text, divided by the number of its bytes in UTF-8.
* `squad2`: the exact prompt with the context as the only passage; greedy decoding, the first line
  of the response. Token F1 and exact match against the best of the gold answers after SQuAD's
  normalisation, over the answerable questions; the share of the unanswerable ones that are
  refused, and of the answerable ones that are refused wrongly.
* `pages`: hand-written pages that training never uses (`pages.py`), and `generated`: made-up
  organisations of a seed that it never uses; three passages in the exact prompt.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from ragtune.models.engines.torch import TorchEngine
from ragtune.models.families.llama import Llama
from ragtune.prompts.base import Prompt

from .organisations import reading_task
from .pages import page_task
from .samples import REFUSAL, TEMPLATE, Task

HELD_OUT_SEED = "held-out organisations"
WINDOW = 1024


@dataclass(frozen=True)
class Case:
    """A prompt with its gold answers; none: it has to be refused."""

    prompt: str
    gold: tuple[str, ...]


def normalised(text: str) -> list[str]:
    """SQuAD's normalisation: small letters, no punctuation, no articles, single spaces."""
    bare = "".join(letter for letter in text.lower() if letter not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", bare).split()


def token_f1(response: str, gold: str) -> float:
    """F1 over the words of the normalised texts, 0 to 1."""
    left, right = normalised(response), normalised(gold)
    if not left or not right:
        return float(left == right)
    common = sum((Counter(left) & Counter(right)).values())
    return 2 * common / (len(left) + len(right))


def squad_cases(folder: Path) -> list[Case]:
    """The questions of `queries.json` with the answers of `ground_truth.json`."""
    queries = json.loads((folder / "queries.json").read_text(encoding="utf-8"))["queries"]
    truth = json.loads((folder / "ground_truth.json").read_text(encoding="utf-8"))
    cases = []
    for query in queries:
        gold = truth[query["id"]]
        prompt = TEMPLATE.question(query["question"], TEMPLATE.context("", [query["context"]]))
        cases.append(Case(prompt, () if gold["is_impossible"] else tuple(gold["answers"])))
    return cases


def made_cases(make: Callable[[Random], Task], count: int) -> list[Case]:
    """The first question of each of `count` made tasks."""
    cases = []
    for number in range(count):
        task = make(Random(f"{HELD_OUT_SEED}/{number}"))
        prompt = TEMPLATE.question(task.questions[0].text, TEMPLATE.context("", task.passages))
        answer = task.questions[0].answer
        cases.append(Case(prompt, () if answer == REFUSAL else (answer,)))
    return cases


def page(rng: Random) -> Task:
    """A question on three stretches of held-out pages."""
    return page_task(rng, 3, 0.25, 1, held_out=True)


def organisation(rng: Random) -> Task:
    """A question on three documents of made-up organisations."""
    return reading_task(rng, passages=3, refusals=0.25, most=1)


def respond(
    model: Any, tokenizer: Any, prompts: Sequence[str], batch: int = 16, most: int = 32
) -> list[str]:
    """The first line of the greedy response to each prompt; a prompt too long loses its start."""
    limit = model.config.max_position_embeddings - most
    bos = tokenizer.bos_token_id
    encoded = [[bos, *tokenizer(p, add_special_tokens=False)["input_ids"]] for p in prompts]
    encoded = [ids if len(ids) <= limit else [bos, *ids[1 - limit :]] for ids in encoded]
    asked = [Prompt(ids, text) for ids, text in zip(encoded, prompts, strict=True)]
    engine = TorchEngine(model, tokenizer, Llama(), fingerprint="")
    completions = engine.complete(asked, limit=most, batch_size=batch)
    return [one.text.split("\n")[0].strip() for one in completions]


def scores(cases: Sequence[Case], responses: Sequence[str]) -> dict[str, float]:
    """Means over the cases, in percent; F1 counts a refusal of an answerable question as 0."""
    answerable = [(case, text) for case, text in zip(cases, responses, strict=True) if case.gold]
    refused = [
        text == REFUSAL for case, text in zip(cases, responses, strict=True) if not case.gold
    ]
    f1 = [max(token_f1(text, gold) for gold in case.gold) for case, text in answerable]
    exact = [
        any(normalised(text) == normalised(gold) for gold in case.gold) for case, text in answerable
    ]

    def percent(values: Sequence[float]) -> float:
        return round(100 * sum(values) / max(1, len(values)), 2)

    return {
        "answerable": len(answerable),
        "token_f1": percent(f1),
        "exact_match": percent(exact),
        "refused_wrongly": percent([text == REFUSAL for _, text in answerable]),
        "unanswerable": len(refused),
        "refused_rightly": percent(refused),
    }


@torch.inference_mode()
def bits_per_byte(model: Any, tokenizer: Any, path: Path, characters: int | None = None) -> float:
    """See the head of this file; `characters`: only so many, for a quick look."""
    text = path.read_text(encoding="utf-8")[:characters]
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    window = min(model.config.max_position_embeddings, WINDOW) - 1
    nats = 0.0
    for start in range(0, len(ids), window):
        row = torch.tensor([[tokenizer.bos_token_id, *ids[start : start + window]]])
        logits = model(row[:, :-1]).logits.float()
        nats += float(torch.nn.functional.cross_entropy(logits[0], row[0, 1:], reduction="sum"))
    return nats / math.log(2) / len(text.encode("utf-8"))


def evaluate(
    folder: Path, wikitext: Path | None, squad: Path | None, generated: int, dtype: str
) -> dict[str, Any]:
    """All figures of the model in `folder`; what is not given is left out."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
    figures: dict[str, Any] = {"parameters": sum(weight.numel() for weight in model.parameters())}
    if wikitext:
        figures["bits_per_byte"] = round(bits_per_byte(model, tokenizer, wikitext), 4)
    for name, cases in (
        ("squad2", squad_cases(squad) if squad else []),
        ("pages", made_cases(page, generated)),
        ("generated", made_cases(organisation, generated)),
    ):
        if cases:
            responses = respond(model, tokenizer, [case.prompt for case in cases])
            figures[name] = scores(cases, responses)
            if name != "squad2":  # the others' texts are not ours to keep beside the model
                figures[name]["examples"] = [
                    {"gold": list(case.gold), "response": text}
                    for case, text in zip(cases[:8], responses, strict=False)
                ]
    return figures


def main() -> None:
    """Evaluate a model folder and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--wikitext", type=Path, help="wikitext2_test.txt")
    parser.add_argument("--squad", type=Path, help="folder of queries.json and ground_truth.json")
    parser.add_argument("--generated", type=int, default=300, help="how many generated cases")
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    given = parser.parse_args()
    print(
        json.dumps(
            evaluate(given.model, given.wikitext, given.squad, given.generated, given.dtype),
            indent=1,
            ensure_ascii=False,
        )
    )


if __name__ == "__main__":
    main()
