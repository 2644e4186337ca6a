"""The application: the page, the rows, decisions about them."""

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ragtune.questions.review import rows
from ragtune.questions.review.journal import Decision, State
from ragtune.questions.review.marked import pieces
from ragtune.questions.review.session import Review, Reviewed
from ragtune.serve import bodies, pages
from ragtune.serve.guard import Access, Guard
from ragtune.serve.listening import serving

FILES = Path(__file__).parent / "page"


class _Decided(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str
    state: State
    question: str | None = None
    answer: str | None = None


class _Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


def application(review: Review, access: Access | None = None) -> Starlette:
    """The application over a review that this process holds.

    Decisions are taken in the event loop, one after the other: each is on the disk when it is
    answered.
    """

    async def everything(request: Request) -> Response:
        return JSONResponse(
            {"file": review.file.name, **_state(review), "rows": [_row(r) for r in review.all]}
        )

    async def decide(request: Request) -> Response:
        body = await bodies.read(request, _Decided)
        now = review[body.id].now
        review.decide(
            [
                Decision(
                    body.id,
                    body.state,
                    now.question if body.question is None else body.question,
                    now.answer if body.answer is None else body.answer,
                )
            ]
        )
        return JSONResponse({**_state(review), "rows": [_row(review[body.id])]})

    async def undo(request: Request) -> Response:
        await bodies.read(request, _Nothing)
        back = review.undo()
        return JSONResponse({**_state(review), "rows": [_row(review[name]) for name in back]})

    return Starlette(
        routes=[
            pages.page(FILES),
            pages.assets("page", pages.PAGE),
            pages.assets("review", FILES),
            Route("/rows", everything),
            Route("/decide", decide, methods=["POST"]),
            Route("/undo", undo, methods=["POST"]),
        ],
        middleware=[Middleware(Guard, access=access or Access())],
        exception_handlers=pages.HANDLERS,
    )


def serve(review: Review, taken: socket.socket, allowed: Access, ready: Callable[[], None]) -> None:
    """Say that it is ready, and serve until Ctrl-C or SIGTERM."""
    try:
        ready()
        serving(application(review, allowed)).run(sockets=[taken])
    finally:
        taken.close()


def _state(review: Review) -> dict[str, Any]:
    return {"counts": review.counts, "can_undo": review.can_undo}


def _row(one: Reviewed) -> dict[str, Any]:
    """A row as the page shows it; ``drafted`` are the texts as they were where a person edited."""
    before = {"question": rows.question(one.row), "answer": rows.answer(one.row)}
    evidence = rows.text(one.row, "evidence")
    return {
        "id": one.id,
        "state": one.now.state,
        "question": one.question,
        "answer": one.answer,
        "before": before if one.is_edited else None,
        "kind": rows.text(one.row, "kind"),
        "document": rows.text(one.row, "document"),
        "by": rows.text(one.row, "drafted"),
        "split": rows.text(one.row, "split"),
        "passage": pieces(rows.text(one.row, "context"), evidence, one.answer),
    }
