"""What a server says of its models, and the peculiarities of those that are known.

Each lists its models at ``/models``, and says elsewhere how many tokens they read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ragtune.models.engines.client import Client

VLLM, LLAMA_CPP, OLLAMA = "vllm", "llamacpp", "library"
"""What they call the owner of a model."""
LENGTHS = ("max_model_len", "context_length", "loaded_context_length", "context_window")
"""Names by which a listing may say how many tokens a model reads."""
OLLAMA_READS = 4096
"""Tokens that Ollama reads by default, whatever the model; it cuts longer prompts in silence."""


@dataclass(frozen=True)
class Listed:
    """A model as its server lists it.

    ``parent`` is the model that it is an adapter of; ``context_length`` None where the listing
    does not say it.
    """

    name: str
    owner: str = ""
    parent: str | None = None
    context_length: int | None = None

    def known_as(self, name: str) -> bool:
        """Whether a recipe means it; Ollama's names may go without their tag."""
        return name in (self.name, self.name.removesuffix(":latest"))

    @property
    def greedy(self) -> dict[str, Any]:
        """What keeps a server from changing what is likeliest, by its own name for that."""
        penalties = {VLLM: "repetition_penalty", LLAMA_CPP: "repeat_penalty"}
        return {penalties[self.owner]: 1.0} if self.owner in penalties else {}

    @property
    def without_thoughts(self) -> dict[str, Any]:
        """What tells a model that can think aloud not to, as it is told here."""
        if self.owner == OLLAMA:
            return {"reasoning_effort": "none"}
        return {"chat_template_kwargs": {"enable_thinking": False}}


async def listing(client: Client) -> list[Listed]:
    """The models that the server lists.

    Raises ModelError where there is no such server.
    """
    return [_listed(model) for model in await client.listed()]


def _listed(model: Mapping[str, Any]) -> Listed:
    slot = _section(model, "meta").get("n_ctx")  # llama.cpp's: of one slot
    named = (model.get(name) for name in LENGTHS)
    length = next(filter(None, map(_number, (slot, *named))), None)
    parent = model.get("parent")
    return Listed(
        str(model["id"]), str(model.get("owned_by") or ""), str(parent) if parent else None, length
    )


async def context_length(client: Client, model: Listed) -> int | None:
    """How many tokens a model reads at its server; None where it does not say."""
    if model.context_length is not None:
        return model.context_length
    if model.owner == OLLAMA:
        return await _of_ollama(client, model)
    for place in (_of_llama_cpp, _of_lm_studio):
        if (found := await place(client, model)) is not None:
            return found
    return None


async def _of_llama_cpp(client: Client, model: Listed) -> int | None:
    """Of one slot: the context that it was started with, divided among requests at once."""
    settings = _section(await client.own("/props"), "default_generation_settings")
    return _number(settings.get("n_ctx"))


async def _of_lm_studio(client: Client, model: Listed) -> int | None:
    found = await client.own("/api/v0/models")
    listed = found.get("data", []) if isinstance(found, Mapping) else []
    of = next((m for m in listed if isinstance(m, Mapping) and m.get("id") == model.name), {})
    return _number(of.get("loaded_context_length")) or _number(of.get("max_context_length"))


async def _of_ollama(client: Client, model: Listed) -> int:
    """As it is loaded; else as its Modelfile says; else Ollama's own default."""
    running = await client.own("/api/ps")
    for one in running.get("models", []) if isinstance(running, Mapping) else []:
        if one.get("name") == model.name and (found := _number(one.get("context_length"))):
            return found
    shown = await client.own("/api/show", {"model": model.name})
    parameters = str(shown.get("parameters", "")) if isinstance(shown, Mapping) else ""
    for line in parameters.splitlines():
        name, _, value = line.strip().partition(" ")
        if name == "num_ctx" and (found := _number(value.strip())):
            return found
    return OLLAMA_READS


def _section(found: Any, name: str) -> Mapping[str, Any]:
    inner = found.get(name) if isinstance(found, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _number(value: Any) -> int | None:
    """A positive whole number; None for all else."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        return None
    return number if number > 0 else None
