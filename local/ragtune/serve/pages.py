"""What all applications here have: static files, and errors in one form."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from ragtune.core.errors import DataError, RagtuneError, RecipeError, RunError
from ragtune.serve.bodies import Unreadable
from ragtune.serve.guard import TooLong, error
from ragtune.serve.job import Declined

PAGE = Path(__file__).parent / "page"
"""The page of a run; other pages share its style and some of its script."""
KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
AGAIN = 2
"""Seconds after which a client that was sent away may ask again."""


def page(folder: Path) -> Route:
    """The page at the root: the folder's ``index.html``."""

    async def index(request: Request) -> Response:
        return _file(folder / "index.html")

    return Route("/", index)


def assets(prefix: str, folder: Path) -> Route:
    """The files of a folder, each by its name."""

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in {path.name for path in folder.iterdir()}:
            raise HTTPException(404)
        return _file(folder / name)

    return Route(f"/{prefix}/{{name}}", asset)


def _file(path: Path) -> Response:
    return FileResponse(path, media_type=KINDS[path.suffix])


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


HANDLERS: dict[Any, Callable[[Request, Any], Any]] = {
    RagtuneError: _ours,
    Unreadable: _unreadable,
    TooLong: _too_long,
    HTTPException: _http,
    Exception: _unexpected,
}
"""What answers each kind of error."""
