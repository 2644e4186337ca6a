"""The application: the page, the API, searches, updates; errors in one form."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from ragtune.core.errors import DataError, RagtuneError, RecipeError, RunError
from ragtune.serve.api import Api
from ragtune.serve.bodies import Unreadable, read
from ragtune.serve.guard import Access, Guard, TooLong, error
from ragtune.serve.job import Declined
from ragtune.serve.session import Session

PAGE = Path(__file__).parent / "page"
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
AGAIN = 2
"""Seconds after which a client that was sent away may ask again."""


class _Search(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: str
    top_k: int | None = None
    mode: str = ""
    where: list[str] = Field(default=[], max_length=10)


class _Passage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: str
    sentences: list[str] = Field(default=[], max_length=100)


def application(session: Session, access: Access | None = None) -> Starlette:
    """The application over a session that was started."""

    async def page(request: Request) -> Response:
        return _file("index.html")

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in {path.name for path in PAGE.iterdir()}:
            raise HTTPException(404)
        return _file(name)

    async def about(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(session.about))

    async def status(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(session.status))

    async def search(request: Request) -> Response:
        if request.method == "GET":
            asked = request.query_params
            top_k = asked.get("top_k")
            if top_k is not None and not top_k.isdecimal():
                raise RecipeError("top_k: a number is needed")
            body = _Search(
                question=asked.get("q", ""),
                top_k=int(top_k) if top_k else None,
                mode=asked.get("mode", ""),
                where=asked.getlist("where")[:10],
            )
        else:
            body = await read(request, _Search)
        found = await run_in_threadpool(
            session.search, body.question, body.top_k, body.mode, body.where
        )
        return JSONResponse(found)

    async def passage(request: Request) -> Response:
        body = await read(request, _Passage)
        return JSONResponse(await run_in_threadpool(session.passage, body.key, body.sentences))

    async def index(request: Request) -> Response:
        made = await run_in_threadpool(session.updates.index)
        by = session.state
        return JSONResponse({**made, "index": by.to_json() if by else None})

    return Starlette(
        routes=[
            Route("/", page),
            Route("/page/{name}", asset),
            Route("/about", about),
            Route("/status", status),
            Route("/search", search, methods=["GET", "POST"]),
            Route("/passage", passage, methods=["POST"]),
            Route("/index", index, methods=["POST"]),
            *Api(session).routes,
        ],
        middleware=[Middleware(Guard, access=access or Access())],
        exception_handlers={
            RagtuneError: _ours,
            Unreadable: _unreadable,
            TooLong: _too_long,
            HTTPException: _http,
            Exception: _unexpected,
        },
    )


def _file(name: str) -> Response:
    return FileResponse(PAGE / name, media_type=KINDS[Path(name).suffix])


def _answer(status: int, message: str, kind: str, code: str | None = None) -> Response:
    headers = {"retry-after": str(AGAIN)} if status == 503 else None
    return JSONResponse(error(message, kind, code), status_code=status, headers=headers)


async def _ours(request: Request, problem: Any) -> Response:
    """An error of ours: whose fault it is decides the status."""
    message = str(problem)
    match problem:
        case Declined(why="failed"):
            return _answer(500, message, "server_error")
        case Declined():
            return _answer(503, message, "overloaded", problem.why)
        case RecipeError() if message.startswith("model "):
            return _answer(404, message, "invalid_request_error", "model_not_found")
        case RecipeError():
            return _answer(400, message, "invalid_request_error")
        case RunError() | DataError():
            return _answer(409, message, "conflict")
        case _:
            return _answer(500, message, "server_error")


async def _unreadable(request: Request, problem: Exception) -> Response:
    return _answer(400, str(problem), "invalid_request_error")


async def _too_long(request: Request, problem: Exception) -> Response:
    return _answer(413, str(problem), "invalid_request_error")


async def _http(request: Request, problem: Any) -> Response:
    return _answer(problem.status_code, problem.detail, "invalid_request_error")


async def _unexpected(request: Request, problem: Exception) -> Response:
    return _answer(500, f"{type(problem).__name__}: {problem}", "server_error")
