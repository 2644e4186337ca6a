"""A tiny OpenAI-style server: answers that follow from the question, and faults on request."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


def echo(body: Body) -> str:
    """The last line of what is asked."""
    if "messages" in body:
        text = body["messages"][-1]["content"]
    else:
        text = body["prompt"] if isinstance(body["prompt"], str) else "ids"
    return str(text.strip().splitlines()[-1])


@dataclass
class FakeServer:
    """What it is like, and what was asked of it.

    ``faults`` are answered first, one a request: a status with a body and headers. ``counts``
    gives the tokens of a prompt; ``refuses`` are options that it does not know. The words after
    the first wait for ``goes_on``, which is set at the start.
    """

    answer: Callable[[Body], str] = echo
    models: list[Body] = field(
        default_factory=lambda: [{"id": "tiny", "owned_by": "vllm", "max_model_len": 2048}]
    )
    own: dict[str, Any] = field(default_factory=dict)
    faults: list[tuple[int, Any, dict[str, str]]] = field(default_factory=list)
    counts: Callable[[Body], int] | None = None
    takes_ids: bool = True
    streams: bool = True
    usage: bool = True
    finish: str = "stop"
    refuses: tuple[str, ...] = ()
    key: str = ""
    delay: float = 0.0
    breaks: int = 0
    url: str = ""
    asked: list[tuple[str, Body]] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    at_once: int = 0
    busiest: int = 0
    dropped: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    goes_on: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.goes_on.set()

    @property
    def bodies(self) -> list[Body]:
        """What was asked, without the probes of one token."""
        return [body for _, body in self.asked if body["max_tokens"] > 1]


def handler(fake: FakeServer) -> type[BaseHTTPRequestHandler]:
    """What answers for a fake server."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def send(self, status: int, found: Any, headers: dict[str, str] | None = None) -> None:
            data = found.encode() if isinstance(found, str) else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            fake.seen.append(self.path)
            if self.refused():
                return
            if self.path == "/v1/models":
                self.send(200, {"object": "list", "data": fake.models})
            elif self.path in fake.own:
                self.send(200, fake.own[self.path])
            else:
                self.send(404, {"error": {"message": "Not Found"}})

        def refused(self) -> bool:
            if not fake.key or self.headers.get("Authorization") == f"Bearer {fake.key}":
                return False
            given = self.headers.get("Authorization", "")
            self.send(401, {"error": {"message": f"Incorrect API key provided: {given}"}})
            return True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if self.path in fake.own:
                self.send(200, fake.own[self.path])
                return
            with fake.lock:
                fake.asked.append((self.path, body))
                fault = fake.faults.pop(0) if fake.faults else None
                fake.at_once += 1
                fake.busiest = max(fake.busiest, fake.at_once)
            try:
                self.reply(body, fault)
            except (BrokenPipeError, ConnectionResetError):
                fake.dropped += 1
                self.close_connection = True
            finally:
                with fake.lock:
                    fake.at_once -= 1

        def reply(self, body: Body, fault: tuple[int, Any, dict[str, str]] | None) -> None:
            if self.refused():
                return
            if fault is not None:
                self.send(*fault)
                return
            for name in fake.refuses:
                if name in body:
                    said = f"Unrecognized request argument supplied: {name}"
                    self.send(400, {"error": {"message": said}})
                    return
            if isinstance(body.get("prompt"), list) and not fake.takes_ids:
                self.send(400, {"error": {"message": "prompt must be a string"}})
                return
            if body["model"] not in [model["id"] for model in fake.models]:
                self.send(404, {"error": {"message": f"model {body['model']} not found"}})
                return
            text = fake.answer(body)
            usage = {
                "prompt_tokens": fake.counts(body) if fake.counts else 7,
                "completion_tokens": len(text.split()) + 1,
            }
            if not (fake.streams and body.get("stream")):
                time.sleep(fake.delay)
                part = {"message": {"content": text}} if "messages" in body else {"text": text}
                choice = {**part, "finish_reason": fake.finish}
                self.send(200, {"choices": [choice], **({"usage": usage} if fake.usage else {})})
                return
            self.stream(body, text, usage)

        def stream(self, body: Body, text: str, usage: dict[str, int]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            words = text.split(" ")
            for n, word in enumerate(words):
                time.sleep(fake.delay)
                if n == 1:
                    fake.goes_on.wait(60)
                if fake.breaks and n == len(words) // 2:
                    fake.breaks -= 1
                    return
                piece = word if n == 0 else f" {word}"
                part = {"delta": {"content": piece}} if "messages" in body else {"text": piece}
                self.event({"choices": [{"index": 0, **part, "finish_reason": None}]})
            last: Body = {"delta": {}} if "messages" in body else {"text": ""}
            self.event({"choices": [{"index": 0, **last, "finish_reason": fake.finish}]})
            if fake.usage and body.get("stream_options", {}).get("include_usage"):
                self.event({"choices": [], "usage": usage})
            self.wfile.write(b"data: [DONE]\n\n")

        def event(self, found: Body) -> None:
            self.wfile.write(f"data: {json.dumps(found)}\n\n".encode())
            self.wfile.flush()

    return Handler


@contextmanager
def serving(fake: FakeServer) -> Iterator[FakeServer]:
    """The server, up as long as the context lasts, at the URL that it then has."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(fake))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
