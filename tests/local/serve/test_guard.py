import asyncio
import socket
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from ragtune.core.errors import RecipeError
from ragtune.serve.guard import Access, Guard
from ragtune.serve.listening import access, address, bound
from tests.local.serve.conftest import Served


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "localhost:9"}, 200),
        ({"host": "[::1]:9"}, 200),
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1.evil.example:80"}, 421),
        ({"host": ""}, 421),
    ],
)
def test_only_names_of_this_machine_are_answered(
    served: Served, headers: dict[str, str], status: int
) -> None:
    with served.client(**headers) as client:
        assert client.get("/about").status_code == status
        assert client.post("/index", json={}).status_code == status


def test_other_sites_and_forms_can_change_nothing(served: Served) -> None:
    body = {"question": "fog"}
    with served.client() as client:
        own = {"origin": served.url}
        assert client.post("/search", json=body, headers=own).status_code == 200
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
            answer = client.post("/search", json=body, headers={"origin": origin})
            assert answer.status_code == 403, origin
        assert client.post("/search", data={"question": "fog"}).status_code == 415
        plain = {"content-type": "text/plain"}
        assert client.post("/search", content=b"{}", headers=plain).status_code == 415


def test_browsers_are_told_to_be_strict_whatever_is_answered(served: Served) -> None:
    with served.client() as client:
        for path in ("/", "/page/main.js", "/about", "/nothing", "/v1/models/none"):
            headers = client.get(path).headers
            assert "default-src 'none'" in headers["content-security-policy"], path
            assert "unsafe" not in headers["content-security-policy"]
            assert headers["x-content-type-options"] == "nosniff"
            assert "access-control-allow-origin" not in headers


def test_a_server_that_others_reach_asks_for_its_token(served: Served) -> None:
    from starlette.testclient import TestClient

    from ragtune.serve.app import application

    app = application(served.session, access("0.0.0.0", "secret"))
    with TestClient(app, base_url="http://box:80") as client:
        assert client.get("/about").status_code == 401
        assert client.get("/").status_code == 401
        assert "token" in client.get("/").text
        assert client.get("/page/main.js").status_code == 401
        for wrong in ("Bearer wrong", "Bearer", "Basic secret", "Bearer secret2"):
            assert client.get("/about", headers={"authorization": wrong}).status_code == 401
        good = {"authorization": "Bearer secret"}
        assert client.get("/v1/models", headers=good).status_code == 200
        assert client.get("/?token=wrong").status_code == 401
        answer = client.get("/?token=secret", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie
        assert client.get("/about").status_code == 200  # by the cookie
        other = {"origin": "http://evil.example"}
        assert client.post("/index", json={}, headers=other).status_code == 403


def test_another_address_is_served_with_a_token_alone() -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        assert access(host, "").hosts is not None
    for host in ("0.0.0.0", "box", "::", "127.example.com"):
        with pytest.raises(RecipeError, match="needs a token"):
            access(host, "")
        assert access(host, "t") == Access("t", None)


def test_a_port_that_is_taken_is_named() -> None:
    taken = bound("127.0.0.1", 0)
    assert taken.proto == socket.IPPROTO_TCP  # asyncio sends words at once then
    port = taken.getsockname()[1]
    assert address(taken) == f"http://127.0.0.1:{port}/"
    assert address(taken, "t") == f"http://127.0.0.1:{port}/?token=t"
    with pytest.raises(RecipeError, match=f"--port {port}: .*another port"):
        bound("127.0.0.1", port)
    taken.close()


def test_too_many_requests_are_refused_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ragtune.serve.guard.REQUESTS", 1)
    first, release = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        first.set()
        await release.wait()
        await PlainTextResponse("done")(scope, receive, send)

    async def both() -> tuple[httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(Guard(slow, Access()))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            waiting = asyncio.create_task(client.get("/"))
            await first.wait()
            refused = await client.get("/")
            release.set()
            return await waiting, refused

    answered, refused = asyncio.run(both())
    assert (answered.status_code, refused.status_code) == (200, 503)
    assert "ask again in a moment" in refused.json()["error"]["message"]
