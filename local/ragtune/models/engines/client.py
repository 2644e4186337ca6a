"""Requests to an OpenAI-style server: one at a time here, repeated where that may help.

What a server answers is judged in one place: wait and ask again, leave out an option that it does
not know, or give up with one line that says what to do. The key is never in such a line.
"""

import asyncio
import json
import os
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from ragtune.core.errors import ModelError, OfflineError
from ragtune.recipe.model import KEY

CONNECT, SILENT = 10.0, 600.0
"""Seconds until a connection has to be there, and until a server has to say something again: a
request may wait for all those before it."""
WAITS = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds before a request is made again, where the server does not say how long."""
LONGEST = 60.0
"""Seconds to wait for a server that asks for more."""
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
"""Answers after which the same request may succeed."""
UNFIT = frozenset({400, 422})
SHOWN = 200
"""Characters of a server's own words that are repeated."""
TOO_LONG = ("context length", "context size", "context window", "n_ctx", "maximum context")


@dataclass(frozen=True)
class Reply:
    """What a server wrote: its text and how it came to an end.

    ``seconds`` are from the request that succeeded to the end, ``first`` to the first piece of
    text. Tokens are as the server counts them, None where it does not. ``thought`` says that it
    wrote thoughts that are no part of the answer.
    """

    text: str
    seconds: float
    first: float
    finish: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    thought: bool = False


@dataclass
class _Refused(Exception):
    """An answer that is none: the status, the server's words, and how long it asks to wait."""

    status: int
    said: str
    wait: float | None = None


@dataclass
class _Heard:
    """A reply as it is written."""

    text: list[str] = field(default_factory=list)
    first: float = 0.0
    finish: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    thought: bool = False


class Client:
    """A server by its URL, with connections that are kept."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._key = os.environ.get(KEY, "")
        self._unknown: set[str] = set()
        self._http = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=httpx.Timeout(SILENT, connect=CONNECT),
            limits=httpx.Limits(max_connections=None, keepalive_expiry=30),
            trust_env=False,  # a proxy would be another host than the one that was named
            verify=ssl.create_default_context() if url.startswith("https") else False,
        )

    @property
    def root(self) -> str:
        """The URL without its version: where servers keep what is their own."""
        return self.url.removesuffix("/v1")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def listed(self) -> list[dict[str, Any]]:
        """The models that the server lists, as it describes them.

        Raises ModelError where there is no such server.
        """
        try:
            response = await self._http.get(f"{self.url}/models")
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None
        except BaseExceptionGroup as group:
            if offline := group.subgroup(OfflineError):  # of the network guard
                raise _first(offline) from None
            raise
        if response.status_code in (401, 403):
            raise self._refused_key()
        found = _json(response)
        models = found.get("data") if isinstance(found, dict) else None
        if response.status_code != 200 or not isinstance(models, list):
            hint = "" if self.url.endswith("/v1") else "; most servers' URLs end in /v1"
            raise ModelError(
                f"model.engine: {self.url}: no OpenAI-style server: /models answers "
                f"{response.status_code} and lists no models{hint}"
            )
        return [m for m in models if isinstance(m, dict) and isinstance(m.get("id"), str)]

    async def own(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """What a server answers at a path of its own kind, as JSON; None where it has none."""
        url = f"{self.root}{path}"
        try:
            response = await (self._http.post(url, json=body) if body else self._http.get(url))
        except httpx.HTTPError:
            return None
        return _json(response) if response.status_code == 200 else None

    async def ask(
        self,
        path: str,
        body: Mapping[str, Any],
        optional: Mapping[str, Any],
        give: Callable[[str], None] | None = None,
    ) -> Reply:
        """What the server writes for a request, piece by piece where somebody takes the pieces.

        It is asked again after what may pass, unless a piece was given already; what of
        ``optional`` it does not know is left out from then on.

        Raises ModelError for all else.
        """
        waits = list(WAITS)
        while True:
            extra = {name: v for name, v in optional.items() if name not in self._unknown}
            given: list[str] = []

            def heard(piece: str, given: list[str] = given) -> None:
                given.append(piece)
                if give is not None:
                    give(piece)

            try:
                return await self._once(path, {**body, **extra}, heard)
            except _Refused as refused:
                if refused.status in UNFIT and (named := _named(refused.said, extra)):
                    self._unknown.add(named)
                    continue
                passing = refused.status in PASSING and not (given and give)
                if not passing or not waits:
                    raise self._failed(refused, str(body["model"])) from None
                wait = waits.pop(0) if refused.wait is None else refused.wait
                if refused.wait is not None:
                    waits.pop(0)
            except httpx.ReadTimeout:
                raise ModelError(
                    f"model.engine: {self.url}: the server said nothing for {SILENT:.0f} s; "
                    "its log says why"
                ) from None
            except httpx.HTTPError as error:
                if (given and give) or not waits:
                    raise self._unreachable(error) from None
                wait = waits.pop(0)
            await asyncio.sleep(wait)

    async def _once(self, path: str, body: dict[str, Any], give: Callable[[str], None]) -> Reply:
        heard, started = _Heard(), time.perf_counter()
        async with self._http.stream("POST", f"{self.url}{path}", json=body) as response:
            if response.status_code != 200:
                await response.aread()
                raise _Refused(response.status_code, _said(response), _wait(response))
            if "event-stream" in response.headers.get("content-type", ""):
                chunks = _events(response)
            else:
                chunks = _whole(response)
            async for chunk in chunks:
                if piece := _add(heard, chunk):
                    heard.first = heard.first or time.perf_counter() - started
                    give(piece)
        if not heard.finish:
            raise _Refused(502, "its answer breaks off")
        seconds = time.perf_counter() - started
        return Reply(
            "".join(heard.text),
            seconds,
            heard.first or seconds,
            heard.finish,
            heard.usage.get("prompt_tokens"),
            heard.usage.get("completion_tokens"),
            heard.thought,
        )

    def _unreachable(self, error: Exception) -> ModelError:
        why = _line(error) or type(error).__name__
        return ModelError(
            f"model.engine: {self.url}: the server cannot be reached ({why}); "
            "start it, or name another"
        )

    def _refused_key(self) -> ModelError:
        todo = "refuses the key in" if self._key else "wants a key; put it into"
        return ModelError(f"model.engine: {self.url}: the server {todo} {KEY}")

    def _failed(self, refused: _Refused, model: str) -> ModelError:
        if refused.status in (401, 403):
            return self._refused_key()
        said = refused.said.replace(self._key, "…") if self._key else refused.said
        told = f"{said[:SHOWN]}…" if len(said) > SHOWN else said
        todo = "see its log"
        if refused.status in PASSING:
            todo = "its log says why; the same command then goes on where this one stopped"
        elif refused.status == 404:
            todo = f"does it still have {model}, and this path?"
        elif any(words in said.lower() for words in TOO_LONG):
            todo = "set model.context_length to what it reads, or start it with a longer context"
        return ModelError(
            f"model.engine: {self.url}: {model}: the server answers {refused.status}"
            f"{f': {told}' if told else ''}; {todo}"
        )


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _said(response: httpx.Response) -> str:
    """The server's own words on an error, in one line."""
    found = _json(response)
    return _words(found) if found is not None else " ".join(response.text.split())


def _words(found: Any) -> str:
    """The message in what servers send as an error: a text, or a section, or a list."""
    if isinstance(found, Mapping):
        for name in ("error", "message", "detail"):
            if found.get(name):
                return _words(found[name])
    if isinstance(found, list) and found:
        parts = found[0] if isinstance(found[0], Mapping) else {}
        place = ".".join(map(str, parts.get("loc", ())))
        return " ".join(f"{place} {parts.get('msg', found[0])}".split())
    return " ".join(str(found).split())


def _wait(response: httpx.Response) -> float | None:
    """The seconds that the server asks to wait; None where it says nothing."""
    try:
        return min(LONGEST, max(0.0, float(response.headers["retry-after"])))
    except (KeyError, ValueError):
        return None


def _named(said: str, extra: Mapping[str, Any]) -> str | None:
    """The option that a refusal is about."""
    return next((name for name in sorted(extra, key=len, reverse=True) if name in said), None)


async def _events(response: httpx.Response) -> AsyncIterator[Any]:
    """The data of server-sent events, up to the one that says that it is the last."""
    async for line in response.aiter_lines():
        name, _, data = line.partition(":")
        data = data.strip()
        if name == "error":
            raise _Refused(500, _words(_loaded(data)))
        if name != "data" or not data:
            continue
        if data == "[DONE]":
            return
        yield _loaded(data)


async def _whole(response: httpx.Response) -> AsyncIterator[Any]:
    """The one answer of a server that does not stream."""
    await response.aread()
    yield _json(response)


def _loaded(data: str) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return {"error": data}


def _add(heard: _Heard, chunk: Any) -> str:
    """Take a chunk in; the text that is new in it."""
    if not isinstance(chunk, Mapping):
        raise _Refused(500, "it sends no JSON object")
    if error := chunk.get("error"):
        code = error.get("code") if isinstance(error, Mapping) else None
        raise _Refused(code if isinstance(code, int) and code >= 400 else 500, _words(chunk))
    heard.usage = chunk.get("usage") or heard.usage
    choices = chunk.get("choices") or []
    if not choices:
        return ""
    choice = choices[0]
    heard.finish = choice.get("finish_reason") or heard.finish
    part = choice.get("delta") or choice.get("message") or {}
    heard.thought = heard.thought or bool(part.get("reasoning_content") or part.get("reasoning"))
    piece = str(choice.get("text") or part.get("content") or "")
    heard.text.append(piece)
    return piece


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    """The first exception in a group, however deep."""
    inner: BaseException = group.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


def _line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0]
