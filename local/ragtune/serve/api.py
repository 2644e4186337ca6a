"""OpenAI's API over a session: the arms are its models, and sources stand beside the message.

An arm is asked one question, as in the study: the last message of the user. What came before it
is not shown to the model, and ``ragtune.ignored`` says so.
"""

import asyncio
import base64
import json
import struct
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from ragtune.core.errors import RecipeError
from ragtune.serve.bodies import ChatBody, CompletionBody, Embeddings, read
from ragtune.serve.forms import ChatForm, Form, TextForm
from ragtune.serve.job import Declined, Done, Event, Failed, Job, Piece
from ragtune.serve.session import Session

QUESTIONS = 16
"""Prompts of one request to ``/v1/completions``."""
ALIVE = 10.0
"""Seconds of silence after which a stream says that it is still there."""
LATE = 10.0
"""Seconds after a question's time that its client is told so, whatever the models do."""


class Api:
    """The routes under ``/v1``."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.created = int(time.time())

    @property
    def routes(self) -> list[Route]:
        """What to route to it."""
        return [
            Route("/v1/models", self.models),
            Route("/v1/models/{name:path}", self.model),
            Route("/v1/chat/completions", self.chat, methods=["POST"]),
            Route("/v1/completions", self.completions, methods=["POST"]),
            Route("/v1/embeddings", self.embeddings, methods=["POST"]),
        ]

    async def models(self, request: Request) -> Response:
        """The arms."""
        listed = [self._described(name) for name in self.session.arms]
        return JSONResponse({"object": "list", "data": listed})

    async def model(self, request: Request) -> Response:
        """One arm."""
        return JSONResponse(self._described(self.session.arm(request.path_params["name"])))

    def _described(self, name: str) -> dict[str, Any]:
        return {
            "id": name,
            "object": "model",
            "created": self.created,
            "owned_by": "ragtune",
            "recommended": name == self.session.recommended,
            "default": name == self.session.default,
        }

    async def chat(self, request: Request) -> Response:
        """Answer the last message of the user."""
        body = await read(request, ChatBody)
        if body.messages[-1].role != "user":
            raise RecipeError("messages: the last one must be the user's, and is the question")
        question, ignored = body.messages[-1].text, len(body.messages) - 1
        tokens = body.max_completion_tokens or body.max_tokens
        form = ChatForm(self.session.arm(body.model), ignored)
        if body.stream:
            usage = body.stream_options is not None and body.stream_options.include_usage
            return await self._stream(form, question, tokens, usage)
        (answer,) = await self._answers(request, form.arm, [question], tokens)
        return JSONResponse(form.whole([answer]))

    async def completions(self, request: Request) -> Response:
        """Answer the prompt, each of several for itself."""
        body = await read(request, CompletionBody)
        questions = [body.prompt] if isinstance(body.prompt, str) else body.prompt
        if not 1 <= len(questions) <= QUESTIONS:
            raise RecipeError(f"prompt: {len(questions)} of them; allowed are 1 to {QUESTIONS}")
        form = TextForm(self.session.arm(body.model), 0)
        if body.stream:
            if len(questions) > 1:
                raise RecipeError("stream: one prompt at a time")
            usage = body.stream_options is not None and body.stream_options.include_usage
            return await self._stream(form, questions[0], body.max_tokens, usage)
        answers = await self._answers(request, form.arm, questions, body.max_tokens)
        return JSONResponse(form.whole(answers))

    async def embeddings(self, request: Request) -> Response:
        """Vectors of texts, by the run's embedder."""
        body = await read(request, Embeddings)
        texts = [body.input] if isinstance(body.input, str) else body.input
        vectors = await run_in_threadpool(self.session.embed, texts)
        data = [
            {
                "object": "embedding",
                "index": number,
                "embedding": _packed(vector) if body.encoding_format == "base64" else vector,
            }
            for number, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        named = self.session.opened.recipe.rag.embedder
        return JSONResponse({"object": "list", "data": data, "model": named, "usage": usage})

    async def _answers(
        self, request: Request, arm: str, questions: Sequence[str], tokens: int | None
    ) -> list[dict[str, Any]]:
        """The answers, in order; nobody answers on when the client has gone."""
        asked: list[_Asked] = []
        try:
            for question in questions:
                asked.append(_Asked.of(self.session, question, arm, tokens, streamed=False))
            gone = asyncio.ensure_future(_disconnected(request))
            try:
                return [await one.whole(gone) for one in asked]
            finally:
                gone.cancel()
        finally:
            for one in asked:
                one.job.cancel()

    async def _stream(self, form: Form, question: str, tokens: int | None, usage: bool) -> Response:
        asked = _Asked.of(self.session, question, form.arm, tokens, streamed=True)
        try:
            first = await asked.next()
        except BaseException:
            asked.job.cancel()
            raise
        if isinstance(first, Failed):
            raise first.error
        return StreamingResponse(
            _sent(form, asked, first, usage),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},
        )


class _Asked:
    """A question that was submitted, and its events as they come."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.job: Job

    @classmethod
    def of(
        cls, session: Session, question: str, arm: str, tokens: int | None, *, streamed: bool
    ) -> "_Asked":
        asked, loop = cls(), asyncio.get_running_loop()

        def tell(event: Event) -> None:
            loop.call_soon_threadsafe(asked.events.put_nowait, event)

        asked.job = session.submit(question, arm, tell, streamed=streamed, tokens=tokens)
        return asked

    async def next(self, seconds: float | None = None) -> Event:
        """What happens next.

        Raises TimeoutError where nothing does for so long, Declined where it is far too late: the
        worker says so itself, unless something holds it.
        """
        left = self.job.deadline + LATE - time.monotonic()
        try:
            return await asyncio.wait_for(self.events.get(), min(left, seconds or left))
        except TimeoutError:
            if seconds is not None and left > seconds:
                raise
            raise Declined("late", "the models are held up; ask again later") from None

    async def whole(self, gone: "asyncio.Future[None]") -> dict[str, Any]:
        """The answer, where the client is still there."""
        waiting = asyncio.ensure_future(self.next())
        both: set[asyncio.Future[Any]] = {waiting, gone}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            raise Declined("closing", "the client has gone")
        event = waiting.result()
        if isinstance(event, Failed):
            raise event.error
        assert isinstance(event, Done)
        return event.answer


async def _sent(form: Form, asked: _Asked, first: Event, usage: bool) -> AsyncIterator[str]:
    """The events of a stream; the question is cancelled when nobody reads it to the end."""
    try:
        event, begun = first, False
        while True:
            if isinstance(event, Piece):
                yield _data(form.piece(event.text, first=not begun))
                begun = True
            elif isinstance(event, Done):
                if not begun:
                    yield _data(form.piece("", first=True))
                yield _data(form.last(event.answer))
                if usage:
                    yield _data(form.usage(event.answer))
                break
            else:
                yield _data({"error": {"message": str(event.error), "type": event.error.why}})
                break
            while True:
                try:
                    event = await asked.next(ALIVE)
                    break
                except TimeoutError:
                    yield ": still there\n\n"
                except Declined as error:
                    event = Failed(error)
                    break
        yield "data: [DONE]\n\n"
    finally:
        asked.job.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _data(value: Any) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _packed(vector: Sequence[float]) -> str:
    """A vector in base64, of 32-bit floats, as OpenAI's client asks for it."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
