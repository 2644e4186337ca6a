"""An OpenAI-style server, and the models that it answers with: vLLM, llama.cpp, Ollama, LM Studio.

A chat's messages go to ``/chat/completions``, where the server puts its chat template around them.
A raw prompt goes to ``/completions``: as token ids where the server takes them, so that no BOS is
put before its own one and no control token is made of what a user wrote; else as text.
"""

import asyncio
import weakref
from collections.abc import Generator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ragtune.core.errors import ModelError
from ragtune.core.files import digest
from ragtune.core.progress import Advance
from ragtune.models.engines import background
from ragtune.models.engines.base import Ability, Completion, Loss, unwatched
from ragtune.models.engines.client import Client, Reply
from ragtune.models.engines.journal import Journal
from ragtune.models.engines.listing import OLLAMA, Listed, context_length, listing
from ragtune.prompts.base import Prompt, Row
from ragtune.prompts.messages import estimated

CHAT, RAW = "/chat/completions", "/completions"
Takes = Literal["messages", "ids", "text"]
"""What a prompt is sent as."""
PROBE = "The answer, in 1,234.5 words: “Zürich” isn't <far>.\n\n### Input:\n"
"""A text whose tokens are counted here and there."""
NEAR = 2
"""Tokens by which the counts may differ: a BOS, or a space before the first word."""
MARGIN = 16
"""Tokens by which a server's chat template may be longer than the one here."""
SEED = 0


@dataclass(frozen=True)
class Answered:
    """What answers for an arm: the model's name at the server, and what a prompt is sent as."""

    model: str
    takes: Takes
    context_length: int


class Server:
    """A server that a recipe names, looked at once."""

    def __init__(
        self, url: str, served: Mapping[Any, str], stated: int | None = None, tokenizer: Any = None
    ) -> None:
        """Look at a server.

        ``served`` are names of its models by arm; ``stated`` is how many tokens they read, where
        the recipe says so; ``tokenizer`` is that of the same model here, where there is one.

        Raises ModelError where there is no such server, or not the models that are named;
        OfflineError where it may not be connected to.
        """
        self.url, self.tokenizer = url, tokenizer
        self.client = Client(url)
        self.close = weakref.finalize(self, _close, self.client)
        self.models = background.run(listing(self.client))
        self._served, self._stated = served, stated
        for name in served.values():
            self._listed(name)
        self._takes: dict[str, Takes] = {}
        self._lengths: dict[str, int] = {}

    def model(self, tuned: str | None = None) -> Listed:
        """The model that answers for arms without tuning, or for a tuned arm.

        Raises ModelError where the recipe names none and the server has several.
        """
        if tuned is not None:
            return self._listed(self._served[tuned])
        if "base" in self._served:
            return self._listed(self._served["base"])
        bases = [model for model in self.models if model.parent is None]
        if len(bases) == 1:
            return bases[0]
        raise ModelError(
            f"model.served.base: which of the server's models? {self.url} has {self._names()}"
        )

    def context_length(self, model: Listed) -> int:
        """Tokens that a model reads there.

        Raises ModelError where neither the recipe nor the server says so.
        """
        if self._stated is not None:
            return self._stated
        if model.name not in self._lengths:
            whole = next((other for other in self.models if other.name == model.parent), model)
            found = background.run(context_length(self.client, whole))
            if found is None:
                raise ModelError(
                    f"model.context_length: {self.url} does not say how many tokens {model.name} "
                    "reads; give the number that it was started with"
                )
            self._lengths[model.name] = found
        return self._lengths[model.name]

    def takes(self, model: Listed) -> Takes:
        """What raw prompts are sent to a model as.

        Raises ModelError where the server changes them, or reads other tokens than are made here.
        """
        if model.name not in self._takes:
            self._takes[model.name] = background.run(self._probed(model))
        return self._takes[model.name]

    def engine(self, tuned: str | None = None, kept: Path | None = None) -> "ServerEngine":
        """What answers for arms without tuning, or for a tuned arm.

        ``kept`` is a file that answers are noted in, so that none is asked for twice.
        """
        return ServerEngine(self, self.model(tuned), Journal(kept))

    def to_json(self) -> dict[str, Any]:
        """The server and what it says of its models, for the evidence."""
        return {"url": self.url, "models": [asdict(model) for model in self.models]}

    async def _probed(self, model: Listed) -> Takes:
        if model.owner == OLLAMA:
            raise ModelError(
                f"template.format: {self.url} is Ollama, which puts its own template around raw "
                "prompts; ask it with template.format: chat"
            )
        ids = list(self.tokenizer(PROBE, add_special_tokens=False)["input_ids"])
        if (bos := self.tokenizer.bos_token_id) is not None:
            ids = [bos, *ids]
        as_text = await self._counted(model, PROBE)
        if as_text is not None and abs(as_text - len(ids)) > NEAR:
            raise ModelError(
                f"model.local: its tokenizer makes {len(ids)} tokens of a text of which "
                f"{model.name} at {self.url} reads {as_text}: it is another model; name the "
                "server's, or leave it out and ask with template.format: chat"
            )
        try:
            as_ids = await self._counted(model, ids)
        except ModelError:  # it takes texts alone
            return "text"
        return "ids" if as_ids == len(ids) else "text"

    async def _counted(self, model: Listed, prompt: str | list[int]) -> int | None:
        body = {"model": model.name, "prompt": prompt, "max_tokens": 1, "temperature": 0}
        return (await self.client.ask(RAW, body, {})).prompt_tokens

    def _listed(self, name: str) -> Listed:
        found = next((model for model in self.models if model.known_as(name)), None)
        if found is None:
            raise ModelError(
                f"model.served: {self.url} has no model {name}; it has {self._names()}"
            )
        return found

    def _names(self) -> str:
        return ", ".join(model.name for model in self.models) or "none"


class ServerEngine:
    """One model of a server: an ``Engine`` that answers and streams."""

    name = "server"
    can: frozenset[Ability] = frozenset({"answer", "stream"})

    def __init__(self, server: Server, model: Listed, journal: Journal) -> None:
        self.server, self.model, self._journal = server, model, journal

    @property
    def fingerprint(self) -> str:
        """Of the names: a server does not say which weights it has."""
        return digest([self.server.url, self.model.name])

    @property
    def context_length(self) -> int:
        """Tokens that the model reads there, less what its template may need beyond ours."""
        return self.server.context_length(self.model) - MARGIN

    def answered(self, prompt: Prompt) -> Answered:
        """How such a prompt is answered."""
        takes: Takes = "messages" if prompt.messages else self.server.takes(self.model)
        return Answered(self.model.name, takes, self.server.context_length(self.model))

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        limit: int,
        stops: Sequence[int] = (),
        batch_size: int = 1,
        advance: Advance = unwatched,
    ) -> list[Completion]:
        """Complete the prompts, ``batch_size`` requests at once; the order given is returned.

        The requests at work share the server, so a request's seconds are divided among them.

        Raises ModelError for what is refused, or fails again and again; what was answered by then
        is kept where there is a file for that.
        """
        requests = [self._request(prompt, limit, stops) for prompt in prompts]
        together = min(batch_size, len(prompts))
        done: dict[int, Completion] = {}
        keeps = len(prompts) > 1  # one alone is being timed

        async def answer(place: int, gate: asyncio.Semaphore) -> None:
            path, body, optional = requests[place]
            key = digest([path, body])
            known = self._journal.get(key) if keeps else None
            if known is None:
                async with gate:
                    reply = await self.server.client.ask(path, body, optional)
                known = self._completion(reply, prompts[place], limit, together)
                if keeps:
                    self._journal.put(key, known)
            done[place] = known
            advance(len(done), len(prompts))

        async def work() -> None:
            gate = asyncio.Semaphore(together)
            try:
                async with asyncio.TaskGroup() as group:
                    for place in range(len(prompts)):
                        group.create_task(answer(place, gate))
            except BaseExceptionGroup as failed:
                raise failed.exceptions[0] from None

        if prompts:
            background.run(work())
        return [done[place] for place in range(len(prompts))]

    def stream(
        self, prompt: Prompt, *, limit: int, stops: Sequence[int] = ()
    ) -> Generator[str, None, Completion]:
        """Complete one prompt; its text comes as the server sends it."""
        path, body, optional = self._request(prompt, limit, stops)
        reply = yield from background.pieces(
            lambda give: self.server.client.ask(path, body, optional, give)
        )
        return self._completion(reply, prompt, limit)

    def loss(
        self, rows: Sequence[Row], *, batch_size: int = 16, advance: Advance = unwatched
    ) -> Loss:
        """Raises NotImplementedError: servers answer, and say nothing of other answers."""
        raise NotImplementedError

    def _request(
        self, prompt: Prompt, limit: int, stops: Sequence[int]
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Path, body, and what of it a server may not know: greedy, as far as it can be."""
        body: dict[str, Any] = {"model": self.model.name, "max_tokens": limit, "temperature": 0}
        optional: dict[str, Any] = {
            "stream": True,
            "stream_options": {"include_usage": True},
            "seed": SEED,
            "top_p": 1,
            # Servers take these from a model's generation_config.json, or have defaults.
            **self.model.greedy,
        }
        if prompt.messages:
            body["messages"] = [dict(message) for message in prompt.messages]
            return CHAT, body, {**optional, **self.model.without_thoughts}
        body["prompt"] = prompt.text
        if self.server.takes(self.model) == "ids":
            body["prompt"] = prompt.ids
        if stops:
            body["stop"] = self.server.tokenizer.convert_ids_to_tokens(list(stops))
        return RAW, body, optional

    def _completion(
        self, reply: Reply, prompt: Prompt, limit: int, together: int = 1
    ) -> Completion:
        text = reply.text.strip()
        if not text and reply.thought:
            raise ModelError(
                f"model.engine: {self.server.url}: {self.model.name} wrote thoughts and no answer "
                f"in {limit} tokens; turn thinking off at the server, or raise "
                "study.max_new_tokens"
            )
        tokens = reply.completion_tokens
        if tokens is None:
            tokens = self._tokens(text)
        elif reply.finish != "length":  # servers count the token that ends an answer
            tokens = max(0, tokens - 1)
        return Completion(
            text,
            [],
            reply.seconds / together,
            reply.first / together,
            tokens,
            prompt.length if reply.prompt_tokens is None else reply.prompt_tokens,
        )

    def _tokens(self, text: str) -> int:
        if self.server.tokenizer is None:
            return estimated(text)
        return len(self.server.tokenizer(text, add_special_tokens=False)["input_ids"])


def _close(client: Client) -> None:
    background.later(client.close())
