"""The application: the page, the API, searches, updates; errors in one form."""

from pydantic import BaseModel, ConfigDict, Field
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ragtune.core.errors import RecipeError
from ragtune.serve.api import Api
from ragtune.serve.bodies import read
from ragtune.serve.guard import Access, Guard
from ragtune.serve.pages import HANDLERS, PAGE, assets, page
from ragtune.serve.session import Session


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
            page(PAGE),
            assets("page", PAGE),
            Route("/about", about),
            Route("/status", status),
            Route("/search", search, methods=["GET", "POST"]),
            Route("/passage", passage, methods=["POST"]),
            Route("/index", index, methods=["POST"]),
            *Api(session).routes,
        ],
        middleware=[Middleware(Guard, access=access or Access())],
        exception_handlers=HANDLERS,
    )
