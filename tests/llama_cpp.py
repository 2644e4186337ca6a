"""llama.cpp's own server on this machine, from the wheel `xllamacpp`: what reads exported GGUFs.

::

    with serving(Path("model.gguf"), slots=4) as server:
        server.chat([{"role": "user", "content": "When does the harbour open?"}], limit=24)
        server.url  # http://127.0.0.1:PORT, OpenAI-style below /v1

It runs in a process of its own, which is used again for the next model: a start takes 0.1 s, and
one that hangs (seen once in 700) can be killed and is tried again.
"""

import atexit
import json
import select
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = 60
"""The longest that a server may take to start or to stop."""


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
        return found[:-1] if told["stop_type"] == "eos" else found

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


class Worker:
    """A process that has one server at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, settings: dict[str, Any] | None) -> str:
        """The address of a server with these settings; None stops it.

        Raises RuntimeError where the process ended or takes too long; it is killed then.
        """
        assert self._process.stdin
        assert self._process.stdout
        try:
            print(json.dumps(settings), file=self._process.stdin, flush=True)
            ready, _, _ = select.select([self._process.stdout], [], [], SECONDS)
            answer = self._process.stdout.readline().strip() if ready else ""
        except BrokenPipeError:
            answer = ""
        if not answer:
            self.end()
            raise RuntimeError(f"llama.cpp did not start or stop: {settings}")
        return answer

    def end(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.communicate()


_idle: list[Worker] = []


@atexit.register
def _end() -> None:
    for worker in _idle:
        worker.end()


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
    import pytest

    pytest.importorskip("xllamacpp")
    settings = {
        "model": str(model),
        "lora": str(lora or ""),
        "slots": slots,
        "context": context,
        "threads": threads,
        "port": port,
    }
    worker = _idle.pop() if _idle else Worker()
    try:
        url = worker.ask(settings)
    except RuntimeError:
        worker = Worker()
        url = worker.ask(settings)
    try:
        yield LlamaServer(url)
    finally:
        try:
            worker.ask(None)
            _idle.append(worker)
        except RuntimeError:
            pass  # it was killed


def started(settings: dict[str, Any]) -> Any:
    """A server in this process; it stops when nothing refers to it."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    if settings["lora"]:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(settings["lora"], 1.0)]
    params.n_parallel = settings["slots"]
    params.n_ctx = settings["context"] * settings["slots"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    params.warmup, params.verbosity = False, -1
    params.hostnames, params.port = ["127.0.0.1"], settings["port"]
    return xllamacpp.Server(params)


def main() -> None:
    """Start what each line of standard input says, and print the address; `null` stops it."""
    server: Any = None
    for line in sys.stdin:
        settings = json.loads(line)
        server = None  # before the next one starts
        server = started(settings) if settings else None
        print(server.listening_address if server else "stopped", flush=True)


if __name__ == "__main__":
    main()
