"""A SageMaker endpoint as an engine: it is given the prompt's text, and answers with text."""

import json
import time
from collections.abc import Generator, Sequence
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.progress import Advance
from ragtune.models.engines.base import Ability, Completion, Loss, unwatched
from ragtune.prompts.base import Prompt, Row
from ragtune_cloud.sagemaker.account import Account, aws_errors
from ragtune_cloud.sagemaker.spec import Spec

UNSTATED = 1 << 30
"""The context of an endpoint whose spec names none: nothing is cut on this side."""


class EndpointEngine:
    """An endpoint in service; it can answer, one prompt at a time.

    ``fingerprint`` is of the model that it serves, ``context_length`` in that model's tokens.
    """

    can: frozenset[Ability] = frozenset({"answer"})

    def __init__(
        self, name: str, fingerprint: str, account: Account, context_length: int = UNSTATED
    ) -> None:
        self.name, self.fingerprint = name, fingerprint
        self.context_length = context_length
        self._account = account

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        limit: int,
        stops: Sequence[int] = (),
        batch_size: int = 1,
        advance: Advance = unwatched,
    ) -> list[Completion]:
        """Answer every prompt in at most ``limit`` tokens, in the order given.

        ``stops`` are token ids, which an endpoint is not given: it stops where its own model does.
        ``seconds`` are those of the whole call. When the first token was there is not known, so
        ``prefill`` is 0.

        Raises CloudError where there is no such endpoint or its answer has no known shape.
        """
        found = []
        for number, prompt in enumerate(prompts, 1):
            found.append(self._ask(prompt.text, limit))
            advance(number, len(prompts))
        return found

    def stream(
        self, prompt: Prompt, *, limit: int, stops: Sequence[int] = ()
    ) -> Generator[str, None, Completion]:
        """Not of an endpoint: see ``can``."""
        raise NotImplementedError(f"{self.name}: an endpoint does not stream; complete instead")

    def loss(
        self, rows: Sequence[Row], *, batch_size: int = 16, advance: Advance = unwatched
    ) -> Loss:
        """Not of an endpoint: see ``can``."""
        raise NotImplementedError(
            f"{self.name}: an endpoint gives no loss; fetch the model and measure it here"
        )

    def _ask(self, text: str, limit: int) -> Completion:
        body = {"inputs": text, "parameters": {"max_new_tokens": limit}}
        runtime = self._account.client("sagemaker-runtime")
        started = time.perf_counter()
        with aws_errors(self._account.id):
            answer = runtime.invoke_endpoint(
                EndpointName=self.name,
                ContentType="application/json",
                Body=json.dumps(body),
            )
            content = answer["Body"].read()
        seconds = time.perf_counter() - started
        written, tokens = read_answer(content, text)
        return Completion(text=written, ids=[], seconds=seconds, prefill=0.0, tokens=tokens)


def read_answer(body: bytes, prompt: str = "") -> tuple[str, int]:
    """The text in an endpoint's response, ``generation`` or ``generated_text``, and its tokens.

    A list of one or a single object; a repeated prompt is cut off. The tokens are those that
    ``details`` counts, 0 where it is missing. Raises CloudError for any other shape.
    """
    try:
        found: Any = json.loads(body)
    except ValueError:
        found = None
    one = found[0] if isinstance(found, list) and found else found
    if isinstance(one, dict):
        for key in ("generation", "generated_text"):
            if isinstance(text := one.get(key), str):
                details = one.get("details")
                counted = details.get("generated_tokens") if isinstance(details, dict) else None
                return text.removeprefix(prompt).strip(), int(counted or 0)
    shown = body[:120].decode(errors="replace")
    raise CloudError(f"the endpoint answered neither generation nor generated_text: {shown}")


def served_length(spec: Spec | None) -> int:
    """Tokens of prompt and answer that an endpoint of a model takes, as its spec sets them."""
    if spec is None:
        return UNSTATED
    environment = spec.serving.environment
    stated = environment.get("MAX_TOTAL_TOKENS") or environment.get("OPTION_MAX_MODEL_LEN")
    return int(stated) if stated and stated.isdigit() else UNSTATED
