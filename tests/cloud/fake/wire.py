"""Requests as botocore sends them, read by the service's own model; answers as it expects them."""

import datetime
import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

LOADER = Loader()
"""Shared by all sessions: reading the models of the services is what takes time."""


class Request(NamedTuple):
    """One call: the boto3 name of its service, its operation, region and parameters."""

    service: str
    operation: OperationModel
    region: str
    asked: dict[str, Any]


class Reply(NamedTuple):
    """What goes back over the line."""

    status: int
    body: bytes
    headers: dict[str, str]


@functools.cache
def model(service: str) -> ServiceModel:
    """The model of a service, by its boto3 name."""
    return ServiceModel(LOADER.load_service_model(service, "service-2"), service)


def read(
    services: Iterable[str], method: str, url: str, headers: Mapping[str, Any], body: bytes
) -> Request | None:
    """The call that a request makes of one of the services; None where it is another's."""
    texts = {key.lower(): _text(value) for key, value in headers.items()}
    signed = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", texts.get("authorization", ""))
    if not signed:
        return None
    region, signer = signed.groups()
    target = texts.get("x-amz-target", "").partition(".")
    for service in services:
        known = model(service)
        if known.signing_name != signer:
            continue
        if target[0]:
            if known.metadata.get("targetPrefix") == target[0]:
                operation = known.operation_model(target[2])
                return Request(service, operation, region, json.loads(body or b"{}"))
            continue
        if match := _rest(service, method, url, texts, body):
            return Request(service, match[0], region, match[1])
    return None


def reply(request: Request, answer: Mapping[str, Any]) -> Reply:
    """An operation's answer, by the members of its output."""
    shape = request.operation.output_shape
    status = request.operation.http.get("responseCode", 200)
    if shape is None:
        return Reply(status, b"", {})
    headers = {"Content-Type": "application/json"}
    payload = shape.serialization.get("payload")
    body: dict[str, Any] = {}
    raw = b""
    for name, value in answer.items():
        member = shape.members[name]  # an answer that the service cannot give is a KeyError
        if name == payload and isinstance(value, bytes):
            raw = value
        elif name == payload:
            body |= value
        elif member.serialization.get("location") == "header":
            headers[member.serialization["name"]] = str(value)
        else:
            body[member.serialization.get("name", name)] = value
    return Reply(status, raw or json.dumps(body, default=_plain).encode(), headers)


def refusal(status: int, code: str, message: str) -> Reply:
    """An error, as the service gives it."""
    body = json.dumps({"__type": code, "message": message, "Message": message}).encode()
    return Reply(status, body, {"x-amzn-errortype": code, "Content-Type": "application/json"})


def faults(shape: Any, value: Any, place: str = "") -> Iterator[str]:
    """What AWS refuses and botocore lets pass: values of enumerations, patterns, lengths."""
    if shape.type_name == "structure" and isinstance(value, dict):  # a document may be anything
        for name, inner in value.items():
            if name in shape.members:
                yield from faults(shape.members[name], inner, f"{place}.{name}".lstrip("."))
    elif shape.type_name == "list":
        for number, inner in enumerate(value, 1):
            yield from faults(shape.member, inner, f"{place}.{number}.member")
    elif shape.type_name == "map":
        for key, inner in value.items():
            yield from faults(shape.key, key, f"{place}.key")
            yield from faults(shape.value, inner, f"{place}.{key}")
    elif shape.type_name == "string" and isinstance(value, str):
        yield from (f"Value '{value}' at '{place}' {why}" for why in _text_faults(shape, value))


def _text_faults(shape: Any, value: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        yield f"failed to satisfy constraint: Member must satisfy enum value set: {shape.enum[:9]}"
    if len(value) > shape.metadata.get("max", len(value)):
        yield f"must have length less than or equal to {shape.metadata['max']}"
    if (pattern := _pattern(shape.metadata.get("pattern"))) and not pattern.fullmatch(value):
        yield f"must satisfy regular expression pattern: {pattern.pattern}"


@functools.cache
def _pattern(text: str | None) -> re.Pattern[str] | None:
    """A pattern of a service's model; None where Python cannot read it."""
    if text is None:
        return None
    # In a pattern of bedrock-agent twelve digits are misspelt.
    misspelt = (r"/d{12}", r"\d{12}")
    for java, python in ((r"\p{L}", r"\w"), (r"\p{N}", r"\d"), (r"\p{Z}", r"\s"), misspelt):
        text = text.replace(java, python)
    try:
        return re.compile(text, re.DOTALL)
    except re.error:
        return None


def _rest(
    service: str, method: str, url: str, headers: Mapping[str, str], body: bytes
) -> tuple[OperationModel, dict[str, Any]] | None:
    place = urlsplit(url)
    for verb, pattern, operation in _routes(service):
        found = pattern.fullmatch(place.path) if verb == method else None
        if found:
            texts = {name: unquote(text) for name, text in found.groupdict().items()}
            return operation, _members(operation, texts, parse_qs(place.query), headers, body)
    return None


@functools.cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], OperationModel]]:
    """Method, path and operation; paths without parameters before those that have some."""
    found = []
    for name in model(service).operation_names:
        operation = model(service).operation_model(name)
        path = re.escape(urlsplit(operation.http["requestUri"]).path)
        path = re.sub(r"\\\{(\w+)\\\+\\\}", r"(?P<\1>.+)", path)
        path = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", path)
        found.append((operation.http["method"], re.compile(path + "/?"), operation))
    return sorted(found, key=lambda route: route[1].groups)


def _members(
    operation: OperationModel,
    path: Mapping[str, str],
    query: Mapping[str, list[str]],
    headers: Mapping[str, str],
    body: bytes,
) -> dict[str, Any]:
    """The parameters of a call, each from where the service's model says that it travels."""
    shape = operation.input_shape
    if shape is None:
        return {}
    payload = shape.serialization.get("payload")
    blob = payload is not None and shape.members[payload].type_name == "blob"
    content = {} if blob or not body else json.loads(body)
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        wire, where = member.serialization.get("name", name), member.serialization.get("location")
        if name == payload:
            found[name] = body if blob else content
        elif where == "uri" and wire in path:
            found[name] = _typed(member, path[wire])
        elif where == "querystring" and wire in query:
            listed = member.type_name == "list"
            found[name] = query[wire] if listed else _typed(member, query[wire][0])
        elif where == "header" and wire.lower() in headers:
            found[name] = _typed(member, headers[wire.lower()])
        elif where is None and payload is None and wire in content:
            found[name] = content[wire]
    return found


def _typed(member: Any, text: str) -> Any:
    return int(text) if member.type_name in {"integer", "long"} else text


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} is no JSON")
