"""What requests say, in OpenAI's words; what the arms cannot do is refused, not passed over."""

from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request


class Body(BaseModel):
    """What all requests have."""

    model_config = ConfigDict(extra="ignore")

    model: str = ""


class Usage(BaseModel):
    """Whether a stream ends with the tokens."""

    include_usage: bool = False


class Asking(Body):
    """A question to an arm; answers are greedy and end as in the study."""

    stream: bool = False
    stream_options: Usage | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    n: Literal[1] | None = None
    stop: None = None


class Part(BaseModel):
    """A part of a message; only text is read."""

    type: Literal["text"]
    text: str


class Message(BaseModel):
    """A message of a conversation."""

    role: str
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """Its words."""
        if isinstance(self.content, list):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


class ChatBody(Asking):
    """A conversation."""

    messages: list[Message] = Field(min_length=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    tools: None = None


class CompletionBody(Asking):
    """A prompt, or several."""

    prompt: str | list[str]
    echo: Literal[False] | None = None


class Embeddings(Body):
    """A text, or several."""

    input: str | list[str]
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: None = None


class Unreadable(ValueError):
    """A body that is not what the address takes."""


Kind = TypeVar("Kind", bound=BaseModel)


async def read(request: Request, kind: type[Kind]) -> Kind:
    """The body of a request.

    Raises Unreadable where it is no JSON or says something else.
    """
    try:
        return kind.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise Unreadable(f"{where}: {first['msg']}") from None
