"""llama.cpp's own server on this machine, from the wheel `xllamacpp`: what reads exported GGUFs.

::

    with serving(Path("model.gguf"), slots=4) as server:
        server.chat([{"role": "user", "content": "When does the harbour open?"}], limit=24)
        server.url  # http://127.0.0.1:PORT, OpenAI-style below /v1

`python -m tests.llama_cpp MODEL.gguf --slots 4` serves one until its input is closed; it
prints the address first: a process of its own, for measurements.
"""

import argparse
import json
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Chosen:
    """A token of a greedy answer, and the log-probabilities of the likeliest tokens there."""

    id: int
    likeliest: dict[int, float]

    @property
    def gap(self) -> float:
        """By how many nats the first is likelier than the second."""
        first, second, *_ = sorted(self.likeliest.values(), reverse=True)
        return first - second


@dataclass(frozen=True)
class LlamaServer:
    """A server that runs, asked over HTTP. Everything is decoded greedily."""

    url: str

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """What the server answers to a JSON body."""
        data, kind = json.dumps(body).encode(), {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, kind)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.load(answer)

    def complete(self, prompt: Sequence[int] | str, limit: int, likeliest: int = 2) -> list[Chosen]:
        """The tokens after a prompt, up to an end token, which is not among them."""
        asked = {"prompt": prompt, "n_predict": limit, "temperature": 0, "n_probs": likeliest}
        told = self.post("/completion", {**asked, "cache_prompt": False, "return_tokens": True})
        found = [
            Chosen(step["id"], {top["id"]: top["logprob"] for top in step["top_logprobs"]})
            for step in told["completion_probabilities"]
        ]
        return found[: len(told["tokens"])]

    def chat(self, messages: list[dict[str, str]], limit: int) -> tuple[str, int]:
        """The answer to a dialogue, and how many tokens its prompt had."""
        asked = {"messages": messages, "max_tokens": limit, "temperature": 0}
        told = self.post("/v1/chat/completions", asked)
        return told["choices"][0]["message"]["content"], told["usage"]["prompt_tokens"]

    def tokens(self, text: str, *, special: bool = False) -> list[int]:
        """The token ids of a text; with what the server puts before a prompt."""
        asked = {"content": text, "add_special": True, "parse_special": special}
        return list(self.post("/tokenize", asked)["tokens"])

    def prompt(self, messages: list[dict[str, str]]) -> str:
        """The text that the chat template makes of a dialogue."""
        return str(self.post("/apply-template", {"messages": messages})["prompt"])


@contextmanager
def serving(
    model: Path,
    *,
    lora: Path | None = None,
    slots: int = 1,
    context: int = 1024,
    threads: int = 1,
    port: int = 0,
) -> Iterator[LlamaServer]:
    """A server over a GGUF on the loopback; ``context`` is that of each of its ``slots``.

    The calling test is skipped where the wheel is not installed.
    """
    xllamacpp = pytest.importorskip("xllamacpp")
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    if lora is not None:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(str(lora), 1.0)]
    params.n_ctx, params.n_parallel = context * slots, slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.warmup, params.verbosity = False, -1
    params.hostnames, params.port = ["127.0.0.1"], port
    server = xllamacpp.Server(params)
    try:
        yield LlamaServer(server.listening_address)
    finally:
        del server  # which stops it


def main() -> None:
    """Serve a model until standard input is closed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--lora", type=Path)
    for name, usual in (("slots", 1), ("context", 1024), ("threads", 1), ("port", 0)):
        parser.add_argument(f"--{name}", type=int, default=usual)
    with serving(**vars(parser.parse_args())) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
