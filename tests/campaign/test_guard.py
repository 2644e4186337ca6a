"""Ways through the guard, each tried in a process of its own that is guarded."""

import subprocess
import sys
from typing import Any

import pytest

from ragtune.core.seal import supervisor
from scripts.campaign import guard, native, ways

LEFT_OUT = {
    "guard": {"multiprocessing, forkserver"},
    "sealed": {*ways.WAYS, "torch's store"},
}
"""Left to the campaign, for they take seconds: all of them are tried there."""


@pytest.fixture(scope="module", params=guard.FORMS)
def outcomes(request: pytest.FixtureRequest) -> tuple[str, dict[str, str]]:
    """The form, and what became of each way."""
    missing, found = guard.tried(request.param, LEFT_OUT[request.param])
    if missing:
        pytest.skip(missing)
    return request.param, found


def test_no_way_leads_through_the_guard(outcomes: tuple[str, dict[str, str]]) -> None:
    form, found = outcomes
    all_of_them = {*ways.WAYS, *native.NATIVE} if form == "sealed" else {*ways.WAYS}
    assert found.keys() == all_of_them - LEFT_OUT[form]
    assert {name: said for name, said in found.items() if said != "refused"} == {}


LOOPBACK = """
import asyncio, socket, subprocess, sys, threading, urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from ragtune.core import offline
offline.go_offline()
if sys.argv[1] == "sealed" and offline.seal():
    raise SystemExit(77)
class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"here")
    def log_message(self, *_): pass
server = HTTPServer(("127.0.0.1", 0), Answer)
threading.Thread(target=server.serve_forever, daemon=True).start()
port = server.server_port
for url in (f"http://127.0.0.1:{port}/", f"http://localhost:{port}/"):
    assert urllib.request.urlopen(url).read() == b"here"
with socket.socket(socket.AF_INET6) as mapped:
    mapped.connect(("::ffff:127.0.0.1", port))
with socket.socket() as here:
    here.connect(("0.0.0.0", port))
a, b = socket.socketpair()
a.sendmsg([b"x"]); assert b.recv(1) == b"x"
got = socket.socket(type=socket.SOCK_DGRAM); got.bind(("127.0.0.1", 0))
with socket.socket(type=socket.SOCK_DGRAM) as sent:
    sent.sendto(b"y", got.getsockname()); assert got.recv(1) == b"y"
    sent.sendmsg([b"z"], [], 0, got.getsockname()); assert got.recv(1) == b"z"
async def ask():
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
    assert b"here" in await reader.read()
    writer.close()
asyncio.run(ask())
code = f"import socket; socket.create_connection(('127.0.0.1', {port}))"
subprocess.run([sys.executable, "-c", code], check=True)
print("all")
"""


@pytest.mark.parametrize("form", guard.FORMS)
def test_loopback_works_as_before(form: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOPBACK, form], capture_output=True, text=True, check=False
    )
    if done.returncode == 77:
        pytest.skip("no filter of system calls here")
    assert (done.stdout, done.returncode) == ("all\n", 0), done.stderr


@pytest.mark.parametrize(
    ("host", "port", "here"),
    [
        ("127.0.0.1", 80, True),
        ("127.255.1.9", 80, True),
        ("::1", 80, True),
        ("::ffff:127.0.0.1", 80, True),
        ("0.0.0.0", 80, True),
        ("::", 80, True),
        ("127.0.0.53", 53, False),
        ("::ffff:192.0.2.7", 80, False),
        ("::1:2:3:4", 80, False),
        ("::10", 80, False),
        ("128.0.0.1", 80, False),
        ("127.0.0.1.example.org", 80, False),
        ("localhost.example.org", 80, False),
        ("127.1", 80, False),
        ("fe80::1%lo", 80, False),
        ("", 80, False),
    ],
)
def test_an_address_is_judged_by_its_number(host: str, port: int, here: bool) -> None:
    assert supervisor.is_loopback(host, port) is here


def test_a_system_without_a_filter_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from ragtune.core.seal import filter as sealing

    monkeypatch.delenv(sealing.SEALED, raising=False)
    for name in ("darwin", "win32"):
        monkeypatch.setattr(sys, "platform", name)
        assert sealing.seal() == f"{name} has no filter of system calls that ragtune knows"


def test_offline_says_in_one_line_that_only_python_is_held(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ragtune.cli import options
    from ragtune.core import offline

    monkeypatch.setattr(offline, "seal", lambda: "the system refuses it")
    options.close_network([], offline=True)
    said: Any = capsys.readouterr().err
    assert said == "offline: only what Python connects is refused, for the system refuses it\n"
