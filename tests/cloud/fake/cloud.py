"""The account that services are of: what is called, refused, denied; one state a region."""

import io
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

import boto3
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from moto.core.models import botocore_stubber

from tests.cloud.fake import wire

ACCOUNT = "123456789012"
REGION = "us-east-1"
PAGE = 10
"""Things on a page of a list, as SageMaker has it: who does not turn pages misses some."""

State = TypeVar("State")


class Refused(Exception):
    """An error that a service gives: its code, its message, the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


class Service(Generic[State]):
    """A service with one state a region.

    An operation is a method of its name in snake case, as boto3 has it; it is given the region's
    state and the parameters, and returns the members of the answer.
    """

    names: tuple[str, ...] = ()
    """What boto3 calls it."""

    def __init__(self) -> None:
        self.cloud: Cloud
        self._states: dict[str, State] = {}

    def state(self, region: str) -> State:
        """What there is in a region before anything was asked."""
        raise NotImplementedError

    def at(self, region: str = REGION) -> State:
        """What there is in a region."""
        if region not in self._states:
            self._states[region] = self.state(region)
        return self._states[region]

    def tagged(self, region: str) -> Iterator[tuple[str, dict[str, str]]]:
        """ARN and tags of each thing in a region, for the tagging service."""
        yield from ()

    def tick(self) -> None:
        """Time has passed."""


class Cloud:
    """Services behind one account.

    ``calls`` counts operations. ``fails`` maps an operation to errors that its next calls give,
    each ``(status, code, message)``; ``denied`` are operations that are never allowed; moto's may
    be in both. ``before`` and ``after`` are called with the operation's name around each call.
    """

    def __init__(self, session: boto3.Session) -> None:
        self.session = session
        self.services: dict[str, Service[Any]] = {}
        self.calls: Counter[str] = Counter()
        self.fails: dict[str, list[tuple[int, str, str]]] = {}
        self.denied: set[str] = set()
        self.before: list[Callable[[str], None]] = []
        self.after: list[Callable[[str], None]] = []
        self._passed = 0.0

    def add(self, service: Service[Any]) -> None:
        """Let a service answer its calls."""
        service.cloud = self
        self.services |= dict.fromkeys(service.names, service)

    @property
    def now(self) -> float:
        """The account's clock, in seconds since 1970."""
        return time.time() + self._passed

    def sleep(self, seconds: float) -> None:
        """Let time pass, as `time.sleep` would."""
        self._passed += seconds
        for service in {id(s): s for s in self.services.values()}.values():
            service.tick()

    def tagged(self, region: str) -> Iterator[tuple[str, dict[str, str]]]:
        """ARN and tags of all things in a region."""
        for service in {id(s): s for s in self.services.values()}.values():
            yield from service.tagged(region)

    def answer(self, method: str, url: str, headers: Any, body: bytes) -> wire.Reply | None:
        """The reply to a request; None where no service here is asked."""
        request = wire.read(self.services, method, url, headers, body)
        if request is None:
            return None
        name = request.operation.name
        for hook in self.before:
            hook(name)
        self.calls[name] += 1
        try:
            self._interfere(name)
            shape = request.operation.input_shape
            if shape is not None and (wrong := list(wire.faults(shape, request.asked))):
                message = f"{len(wrong)} validation error detected: {wrong[0]}"
                raise Refused("ValidationException", message)
            found = self.call(request.service, name, request.region, request.asked)
            given = wire.reply(request, found)
        except Refused as error:
            given = wire.refusal(error.status, error.code, error.message)
        for hook in self.after:
            hook(name)
        return given

    def call(self, service: str, operation: str, region: str, asked: dict[str, Any]) -> Any:
        """An operation's answer; raises Refused."""
        handler = self.services[service]
        return getattr(handler, xform_name(operation))(handler.at(region), asked)

    def connect(self, session: boto3.Session) -> None:
        """Let the services, not moto, answer a session's calls to them."""
        session._session.register_component("data_loader", wire.LOADER)
        make = session.client

        def client(service: str, *places: Any, **options: Any) -> Any:
            made = make(service, *places, **options)
            made.meta.events.unregister("before-send", botocore_stubber)
            made.meta.events.register(
                "before-send", self._send if service in self.services else self._moto
            )
            return made

        session.client = client

    def _send(self, request: Any, **_: Any) -> AWSResponse:
        body = request.body
        content = body.encode() if isinstance(body, str) else bytes(body or b"")
        given = self.answer(request.method, request.url, request.headers, content)
        if given is None:
            raise AssertionError(f"no operation of the fake: {request.method} {request.url}")
        return AWSResponse(request.url, given.status, given.headers, _Raw(given.body))

    def _moto(self, event_name: str, request: Any, **options: Any) -> Any:
        """Moto's answer, unless the operation is to fail."""
        operation = event_name.rpartition(".")[2]
        try:
            self._interfere(operation)
        except Refused as error:
            body = f"<Error><Code>{error.code}</Code><Message>{error.message}</Message></Error>"
            return AWSResponse(request.url, error.status, {}, _Raw(body.encode()))
        return botocore_stubber(event_name=event_name, request=request, **options)

    def _interfere(self, operation: str) -> None:
        if operation in self.denied:
            me = f"arn:aws:sts::{ACCOUNT}:assumed-role/me"
            message = f"User: {me} is not authorized to perform: {operation}"
            raise Refused("AccessDeniedException", message)
        if self.fails.get(operation):
            status, code, message = self.fails[operation].pop(0)
            raise Refused(code, message, status)


def page(things: Iterable[Any], asked: dict[str, Any], size: int = PAGE) -> tuple[list[Any], Any]:
    """One page of a list, and the token of the next one, None at the end."""
    listed = list(things)
    start = int(asked.get("NextToken") or asked.get("PaginationToken") or 0)
    end = start + int(asked.get("MaxResults") or asked.get("ResourcesPerPage") or size)
    return listed[start:end], str(end) if end < len(listed) else None


def tags_of(asked: dict[str, Any]) -> dict[str, str]:
    """The tags of a request that creates something, as a mapping.

    Raises Refused for a key that is there twice.
    """
    listed = asked.get("Tags", [])
    found = {tag["Key"]: tag["Value"] for tag in listed}
    if len(found) < len(listed):
        raise Refused("ValidationException", f"duplicate tag keys: {json.dumps(listed)}")
    return found


class _Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Any:
        """The content, at once."""
        yield self.read()
