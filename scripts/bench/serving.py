"""Many people at once against a real server: all are answered or refused with a reason.

Each question is asked alone first. Whatever is streamed later under load must be that same answer,
so a stream that took a word of another's would be seen.
"""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

from ragtune.core.files import read_jsonl
from ragtune.core.run_folder import RunFolder

Alone = dict[tuple[str, str], str]
"""The answer to each arm and question, asked when nobody else did."""


@dataclass
class Load:
    """What came back: answers by kind, seconds to the first word and to the end."""

    kinds: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)


class Served:
    """``ragtune serve`` in a process of its own, on a free port."""

    def __init__(self, run: Path, options: Sequence[str] = ()) -> None:
        program = "from ragtune.cli.app import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, "serve", str(run), "--port", "0", "--json", *options],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        said = ""
        while not said.endswith("}\n"):
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("the server did not start")
            said += line
        self.url = json.loads(said)["page"]

    def memory(self) -> int:
        """Bytes that it holds."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def stop(self, number: int) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(number)
        return self.process.wait(60)


def body(arm: str, question: str) -> dict[str, Any]:
    """A request for a stream."""
    return {"model": arm, "stream": True, "messages": [{"role": "user", "content": question}]}


@dataclass
class Streamed:
    """An answer's text, and the seconds to its first word and its end.

    ``own`` are those that the arm itself took to its first word.
    """

    text: str = ""
    first: float = 0.0
    whole: float = 0.0
    own: float = 0.0


async def streamed(client: httpx.AsyncClient, arm: str, question: str) -> Streamed:
    """Ask, and read the answer as it comes.

    Raises HTTPStatusError where the server refuses, ValueError where the stream is no answer.
    """
    started, found, ended = time.perf_counter(), Streamed(), False
    async with client.stream("POST", "/v1/chat/completions", json=body(arm, question)) as response:
        if response.status_code != 200:
            await response.aread()
            response.raise_for_status()
        async for line in response.aiter_lines():
            if line == "data: [DONE]":
                ended = True
            elif line.startswith("data: "):
                event = json.loads(line.removeprefix("data: "))
                if "error" in event:
                    raise ValueError(event["error"]["message"])
                found.first = found.first or time.perf_counter() - started
                found.text += event["choices"][0]["delta"].get("content", "")
                if told := event.get("ragtune"):
                    found.own = told["first_milliseconds"] / 1000
    if not ended:
        raise ValueError("the stream ended too early")
    found.whole = time.perf_counter() - started
    return found


async def person(client: httpx.AsyncClient, n: int, alone: Alone, until: float, load: Load) -> None:
    """Ask one question after the other until time is over."""
    asked = list(alone)
    while time.monotonic() < until:
        key = asked[n % len(asked)]
        n += 7
        try:
            found = await streamed(client, *key)
        except httpx.HTTPStatusError as error:
            refused = error.response.status_code == 503
            load.kinds["refused" if refused else "failed"] += 1
            load.reasons[_reason(error.response)] += 1
            await asyncio.sleep(0.5)
        except (httpx.HTTPError, ValueError) as error:
            load.kinds["failed"] += 1
            load.reasons[f"{type(error).__name__}: {error}"] += 1
        else:
            load.kinds["answered" if found.text == alone[key] else "mixed up"] += 1
            load.first.append(found.first)
            load.whole.append(found.whole)


def _reason(response: httpx.Response) -> str:
    try:
        message = str(response.json()["error"]["message"])
    except ValueError:
        message = response.text
    return "".join("N" if letter.isdigit() else letter for letter in message)


async def measure(served: Served, options: argparse.Namespace, questions: list[str]) -> Load:
    """Ask alone, then all together."""
    limits = httpx.Limits(max_connections=options.people + 10)
    timeout = httpx.Timeout(300)
    load = Load()
    async with httpx.AsyncClient(
        base_url=served.url, limits=limits, timeout=timeout, trust_env=False
    ) as client:
        arms = [one["id"] for one in (await client.get("/v1/models")).json()["data"]]
        alone, ratios = Alone(), list[float]()
        for arm in arms:
            for question in questions:
                found = await streamed(client, arm, question)
                alone[arm, question] = found.text
                ratios.append(found.first / found.own)
        ratios.sort()
        middle, last = ratios[len(ratios) // 2], ratios[len(ratios) * 95 // 100]
        print(f"alone: first word after {middle:.2f} times the arm's own, p95 {last:.2f} times")
        searched = [await _searched(client, q) for q in questions for _ in range(5)]
        print(f"search: p50 {_ms(searched, 50)}, p95 {_ms(searched, 95)} of {len(searched)}")
        until = time.monotonic() + options.seconds
        watching = asyncio.create_task(_watch(served, load, until))
        await asyncio.gather(
            *(person(client, n, alone, until, load) for n in range(options.people))
        )
        await watching
    return load


async def _searched(client: httpx.AsyncClient, question: str) -> float:
    started = time.perf_counter()
    await client.post("/search", json={"question": question})
    return time.perf_counter() - started


async def _watch(served: Served, load: Load, until: float) -> None:
    while time.monotonic() < until:
        load.memory.append(served.memory())
        await asyncio.sleep(1)


def _ms(seconds: Sequence[float], percent: int) -> str:
    ordered = sorted(seconds)
    at = min(len(ordered) - 1, len(ordered) * percent // 100)
    return f"{1000 * ordered[at]:.0f} ms" if ordered else "nothing"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where an answer was mixed up or failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="a finished run")
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--questions", type=int, default=12, help="different ones that are asked")
    parser.add_argument("--arm", action="append", default=[], help="default: all")
    parser.add_argument("--queue", type=int, default=64)
    options = parser.parse_args(arguments)
    rows = read_jsonl(RunFolder(options.run).questions)[: options.questions]
    questions = [row["instruction"] for row in rows]
    flags = [f"--queue={options.queue}", *(f"--arm={arm}" for arm in options.arm)]
    served = Served(options.run, flags)
    try:
        load = asyncio.run(measure(served, options, questions))
        print(f"{options.people} people, {options.seconds:.0f} s: {dict(load.kinds)}")
        print(f"first word: p50 {_ms(load.first, 50)}, p95 {_ms(load.first, 95)}")
        print(f"whole: p50 {_ms(load.whole, 50)}, p95 {_ms(load.whole, 95)}")
        for reason, count in load.reasons.most_common(5):
            print(f"  {count} x {reason}")
        fifth = max(1, len(load.memory) // 5)
        early = max(load.memory[fifth : 2 * fifth] or load.memory) / 1e6
        late = max(load.memory[-fifth:]) / 1e6
        print(f"memory: {early:.0f} MB in the second fifth, {late:.0f} MB in the last")
    finally:
        killed = served.stop(signal.SIGKILL)
    again = Served(options.run, flags)
    try:
        answer = httpx.post(
            f"{again.url}v1/completions",
            json={"prompt": questions[0]},
            timeout=300,
            trust_env=False,
        )
        print(f"killed ({killed}), started again: {answer.status_code}")
    finally:
        print(f"stopped: {again.stop(signal.SIGTERM)}")
    wrong = load.kinds["mixed up"] + load.kinds["failed"] + (answer.status_code != 200)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
