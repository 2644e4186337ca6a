"""What endpoints answer: the shapes of the known containers, and how they mind parameters."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.cloud.fake.cloud import Refused


@dataclass
class Speech:
    """How strictly an endpoint takes a request.

    ``samples``: words come in any order unless ``do_sample`` is false, as some LMI releases did by
    default. ``echoes``: the prompt is repeated unless ``return_full_text`` is false. ``runs_on``:
    what is written after the answer, unless a stop sequence or the limit (in words) ends it.
    """

    samples: bool = False
    echoes: bool = False
    runs_on: str = ""


class Words(NamedTuple):
    """An answer, its length in tokens (words), and why it ended."""

    text: str
    tokens: int
    finish: str


def spoken(text: str, sent: dict[str, Any], speech: Speech) -> Words:
    """An answer as the parameters of a request have it."""
    said = sent.get("parameters", {})
    limit = said.get("max_new_tokens", 30)
    whole = text + speech.runs_on
    finish = "eos_token"
    for stop in said.get("stop", []):
        if stop in whole:
            whole, finish = whole.partition(stop)[0], "stop_sequence"
    words = whole.split(" ")
    if len(words) > limit:
        words, finish = words[:limit], "length"
    if speech.samples and said.get("do_sample") is not False:
        random.Random(len(text)).shuffle(words)
    echo = sent["inputs"] if speech.echoes and said.get("return_full_text") is not False else ""
    return Words(echo + " ".join(words), len(words), finish)


def _details(words: Words) -> dict[str, Any]:
    return {
        "finish_reason": words.finish,
        "generated_tokens": words.tokens,
        "inputs": None,
        "prefill": [],
        "tokens": [{"id": n, "text": "", "log_prob": -0.1} for n in range(words.tokens)],
    }


SHAPES: dict[str, Callable[[Words, str], Any]] = {
    "generation": lambda words, prompt: [{"generation": words.text}],
    "generated_text": lambda words, prompt: [{"generated_text": words.text}],
    "object": lambda words, prompt: {"generated_text": words.text},
    "details": lambda words, prompt: {
        "generated_text": words.text,
        "details": _details(words),
    },
    "list of details": lambda words, prompt: [
        {"generated_text": words.text, "details": _details(words)}
    ],
    "full text": lambda words, prompt: [{"generated_text": prompt + words.text}],
    "error": lambda words, prompt: {"error": "generation failed", "code": 424},
    "unknown": lambda words, prompt: {"outputs": words.text},
}
"""By name: Llama 2's container, TGI's, LMI's with and without details, and what is no answer."""


def model_error(message: str = "Input validation error: too many tokens") -> Refused:
    """A question that the container refuses, for an ``answer`` to raise."""
    told = f'Received client error (424) from primary with message "{message}".'
    return Refused("ModelError", told, 424)
