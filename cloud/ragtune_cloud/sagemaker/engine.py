"""A SageMaker endpoint as an engine: it is given the prompt's text, and answers with text."""

import functools
import json
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import sleep
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.progress import Advance
from ragtune.models.engines.base import Ability, Completion, Loss, unwatched
from ragtune.prompts.base import Prompt, Row
from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of
from ragtune_cloud.sagemaker.names import masked
from ragtune_cloud.sagemaker.spec import Spec

UNSTATED = 1 << 30
"""The context of an endpoint whose spec names none: nothing is cut on this side."""
TRIES = 3
"""Of one prompt, where the container fails with an error of its own (from 500 on)."""
COLD = 60
"""Tries of one prompt while the model is still being loaded, `PAUSE` seconds apart."""
PAUSE = 5.0
SHAPES = ("generation", "generated_text")
"""Fields that hold the answer, by the container."""


@dataclass(frozen=True)
class Answered:
    """What a container's response says; ``tokens`` without the end token, None where not told."""

    text: str
    tokens: int | None


@dataclass(frozen=True)
class Failed:
    """The container had no answer to a prompt: its HTTP status, and what it said."""

    status: int
    reason: str

    def __str__(self) -> str:
        return f"{self.status}: {self.reason}"


class EndpointEngine:
    """An endpoint in service; it can answer, many prompts at once.

    ``fingerprint`` is of the model that it serves, ``context_length`` in that model's tokens, and
    ``end_token`` what ends its answers, as text. ``tokenizer`` gives the run's own one, which says
    what the form's own tokens that end an answer look like, and the model's where that is not
    known, and counts where the container does not.
    """

    can: frozenset[Ability] = frozenset({"answer"})

    def __init__(
        self,
        name: str,
        fingerprint: str,
        account: Account,
        context_length: int = UNSTATED,
        *,
        tokenizer: Callable[[], Any] = lambda: None,
        end_token: str | None = None,
    ) -> None:
        self.name, self.fingerprint = name, fingerprint
        self.context_length, self.end_token = context_length, end_token
        self._account, self._load, self._loading = account, tokenizer, threading.Lock()
        self._loaded: list[Any] = []

    @property
    def _tokenizer(self) -> Any:
        with self._loading:
            if not self._loaded:
                self._loaded.append(self._load())
        return self._loaded[0]

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        limit: int,
        stops: Sequence[int] = (),
        batch_size: int = 1,
        advance: Advance = unwatched,
    ) -> list[Completion]:
        """Answer every prompt greedily in at most ``limit`` tokens, in the order given.

        ``seconds`` are those of the whole call. When the first token was there is not known, so
        ``prefill`` is 0. A prompt that the container refuses or fails at (424) has a completion
        that says what ``failed``.

        Raises CloudError where there is no such endpoint or its answer has no known shape.
        """
        request = functools.partial(self._ask, limit=limit, stops=self._stops(stops))
        found = []
        with ThreadPoolExecutor(max(1, min(batch_size, len(prompts)))) as pool:
            answers = pool.map(request, [prompt.text for prompt in prompts])
            for number, answer in enumerate(answers, 1):
                found.append(answer)
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

    def _stops(self, ids: Sequence[int]) -> list[str]:
        """What ends an answer, as text: the served model's end token, and the format's own."""
        if (known := self._tokenizer) is None:
            return [self.end_token] if self.end_token else []
        told = [self.end_token or known.eos_token, *known.convert_ids_to_tokens(list(ids))]
        return list(dict.fromkeys(word for word in told if word))

    def _ask(self, text: str, *, limit: int, stops: Sequence[str]) -> Completion:
        parameters = {
            "max_new_tokens": limit,
            "do_sample": False,  # some containers sample by default
            "return_full_text": False,
            "details": True,
            **({"stop": list(stops)} if stops else {}),
        }
        body = json.dumps({"inputs": text, "parameters": parameters})
        for left in reversed(range(TRIES)):
            answer, seconds = self._invoked(body, text)
            if not (left and isinstance(answer, Failed) and answer.status >= 500):
                break
        if isinstance(answer, Failed):
            return Completion("", [], seconds, 0.0, 0, failed=str(answer))
        tokens = self._count(answer.text) if answer.tokens is None else answer.tokens
        return Completion(text=answer.text, ids=[], seconds=seconds, prefill=0.0, tokens=tokens)

    def _invoked(self, body: str, prompt: str) -> tuple[Answered | Failed, float]:
        """What the endpoint says, and the seconds that it took, without those of a cold start."""
        from botocore.exceptions import ClientError

        runtime, left = self._account.client("sagemaker-runtime"), COLD
        while True:
            started = time.perf_counter()
            with aws_errors(self._account.known_id):
                try:
                    content = runtime.invoke_endpoint(
                        EndpointName=self.name, ContentType="application/json", Body=body
                    )["Body"].read()
                except ClientError as error:
                    if code_of(error) == "ModelError":
                        failed = _failed(error, self._account.known_id)
                        return failed, time.perf_counter() - started
                    if code_of(error) != "ModelNotReadyException" or not left:
                        raise
                else:
                    return read_answer(content, prompt), time.perf_counter() - started
            left -= 1
            sleep(PAUSE)

    def _count(self, text: str) -> int:
        if self._tokenizer is None:
            return 0
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def _failed(error: Any, account: str | None) -> Failed:
    """What a 424 says: the container's own status and words, where they are told."""
    said = error.response
    there = said.get("ResponseMetadata", {}).get("HTTPStatusCode", 424)
    message = said.get("OriginalMessage") or said.get("Error", {}).get("Message", "")
    words = masked(" ".join(str(message).split()), account)
    return Failed(int(said.get("OriginalStatusCode") or there), words[:300])


def read_answer(body: bytes, prompt: str = "") -> Answered | Failed:
    """What an endpoint's response says: ``generation`` or ``generated_text``, and its tokens.

    A list of one or a single object; a repeated prompt is cut off. An ``error`` in place of an
    answer is one of this prompt. Raises CloudError for any other shape.
    """
    try:
        found: Any = json.loads(body)
    except ValueError:
        found = None
    one = found[0] if isinstance(found, list) and found else found
    if isinstance(one, dict):
        for key in SHAPES:
            if isinstance(text := one.get(key), str):
                return Answered(text.removeprefix(prompt).strip(), _tokens(one.get("details")))
        if "error" in one:
            code = one.get("code")
            return Failed(code if isinstance(code, int) else 424, str(one["error"])[:300])
    shown = body[:120].decode(errors="replace")
    raise CloudError(f"the endpoint answered neither generation nor generated_text: {shown}")


def _tokens(details: Any) -> int | None:
    """Tokens that were written; containers count the one that ends an answer too."""
    counted = details.get("generated_tokens") if isinstance(details, dict) else None
    if not isinstance(counted, int):
        return None
    return counted if details.get("finish_reason") == "length" else max(0, counted - 1)


def served_length(spec: Spec | None) -> int:
    """Tokens of prompt and answer that an endpoint of a model takes, as its spec sets them."""
    if spec is None:
        return UNSTATED
    environment = spec.serving.environment
    stated = environment.get("MAX_TOTAL_TOKENS") or environment.get("OPTION_MAX_MODEL_LEN")
    return int(stated) if stated and stated.isdigit() else UNSTATED
