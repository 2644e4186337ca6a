"""What every source of training data hands on, and how it becomes token ids with a weight for
each.

A sample is a list of pieces. A piece ends with EOS where the model is to stop there. Prompts come
from the one prompt format, `ragtune.prompts.instruct`.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Literal

from transformers import PreTrainedTokenizerBase

from ragtune.prompts.instruct import Template

Kind = Literal["text", "prompt", "answer"]
WEIGHTS: dict[Kind, float] = {"text": 1.0, "prompt": 0.25, "answer": 4.0}
"""Loss weight of a token: made-up passages are noise, the answers are the point."""
REFUSAL = "not in the documents"
TEMPLATE = Template(prompt="### Input:\n{context}\n\n### Instruction:\n{instruction}")
"""The passages before the question: a small model that has read the question last finds its words
again; README.md says what was measured."""
JUMPSTART = Template()
"""The default prompt of the container, the question first: seen now and then."""


@dataclass(frozen=True)
class Piece:
    """A stretch of text of one kind."""

    text: str
    kind: Kind
    ends: bool = False


@dataclass(frozen=True)
class Question:
    """A question with the response that is wanted."""

    text: str
    answer: str


@dataclass(frozen=True)
class Task:
    """Passages (or an own context, or neither) and the questions about them."""

    questions: list[Question]
    passages: tuple[str, ...] = ()
    own: str = ""


Sample = list[Piece]

LAYOUTS = (
    ("Q: {q}\nA:", "{a}\n"),
    ("Question: {q}\nAnswer:", "{a}\n"),
    ("### Instruction:\n{q}\n\n### Response:\n", "{a}\n\n"),
    ("{q} ->", "{a}\n"),
    ("{q}\n", "{a}\n\n"),
)
"""Compact ways to ask several questions; the tokenizer puts a space before the answer."""


def prompts(task: Task, template: Template = TEMPLATE) -> Sample:
    """The exact prompt of the first question; the others follow, the passages are not repeated."""
    sample: Sample = []
    for number, question in enumerate(task.questions):
        if number == 0:
            prompt = template.question(question.text, template.context(task.own, task.passages))
        else:
            prompt = f"\n\n### Instruction:\n{question.text}{template.separator}"
        sample += [
            Piece(prompt, "prompt"),
            Piece(template.answer(question.answer), "answer", ends=True),
        ]
    return sample


def compact(task: Task, rng: Random) -> Sample:
    """The passages, then all questions with their answers in one of the compact layouts."""
    context = task.own or "\n\n".join(task.passages)
    before, after = rng.choice(LAYOUTS)
    sample: Sample = [Piece(context + "\n\n", "prompt")]
    for question in task.questions:
        sample.append(Piece(before.format(q=question.text), "prompt"))
        sample.append(Piece(after.format(a=question.answer), "answer"))
    last = sample[-1]
    return [*sample[:-1], Piece(last.text.rstrip("\n"), "answer", ends=True)]


def encode(sample: Sample, tokenizer: PreTrainedTokenizerBase) -> tuple[list[int], list[float]]:
    """Token ids, one BOS before them, and the loss weight of each as a target."""
    bos, eos = int(tokenizer.bos_token_id), int(tokenizer.eos_token_id)
    ids, weights = [bos], [0.0]
    texts = tokenizer([piece.text for piece in sample], add_special_tokens=False)["input_ids"]
    for piece, tokens in zip(sample, texts, strict=True):
        weight = WEIGHTS[piece.kind]
        ids += tokens
        weights += [weight] * len(tokens)
        if piece.ends:
            ids.append(eos)
            weights.append(weight)
    return ids, weights
