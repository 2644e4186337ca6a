"""An imported model as an engine: it is given the prompt's text, and answers greedily.

A model that nobody asked for a while has to be loaded first. Until it is, Bedrock answers
``ModelNotReadyException``; that time is waited for and is no part of an answer's seconds.
"""

import json
import random
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from time import monotonic, perf_counter, sleep
from typing import Any, NamedTuple

from ragtune.core.errors import CloudError
from ragtune.core.progress import Advance, Say
from ragtune.models.engines.base import Ability, Completion, Loss, unwatched
from ragtune.prompts.base import Prompt, Row
from ragtune_cloud.bedrock.answers import Reply, reply_of
from ragtune_cloud.bedrock.meter import Meter
from ragtune_cloud.bedrock.reading import as_sent
from ragtune_cloud.sagemaker.account import Account, aws_errors, code_of
from ragtune_cloud.sagemaker.names import masked

COLD = "ModelNotReadyException"
PASSING = (
    "ThrottlingException",
    "ServiceUnavailableException",
    "InternalServerException",
    "ModelTimeoutException",
)
"""Errors that another try may not meet."""
REFUSED = ("ValidationException", "ModelErrorException")
"""Errors of one question: the others are asked nevertheless."""
NO_MODEL = "model identifier"
"""Words of a refusal that is about the model, not about the question."""
ATTEMPTS = 8
"""Tries of a question that meets passing errors."""
PATIENCE = 900.0
"""Seconds after which a model that does not get ready is given up; it takes about 100."""
LONGEST = 20.0
"""Seconds of the longest pause between two tries."""
STEP = 0.5
"""Seconds after which a pause looks whether it is still wanted."""


class ImportedModelEngine:
    """An imported model; it answers and streams.

    ``context_length`` is in its own tokens. ``opened`` opens its account when it is first asked,
    and gives its ARN, which is never shown; ``meter`` counts what asking costs and refuses to
    exceed its limit.
    """

    name = "bedrock"
    can: frozenset[Ability] = frozenset({"answer", "stream"})

    def __init__(
        self,
        opened: Callable[[], tuple[Account, str]],
        fingerprint: str,
        tokenizer: Any,
        *,
        context_length: int,
        meter: Meter,
        say: Say = lambda line: None,
    ) -> None:
        self.fingerprint, self.context_length, self.meter = fingerprint, context_length, meter
        self._open, self._tokenizer, self._lock = opened, tokenizer, threading.Lock()
        self._connection: _Connection | None = None
        self._say, self._told = say, False

    def complete(
        self,
        prompts: Sequence[Prompt],
        *,
        limit: int,
        stops: Sequence[int] = (),
        batch_size: int = 1,
        advance: Advance = unwatched,
    ) -> list[Completion]:
        """Answer every prompt, ``batch_size`` requests at once, in the order given.

        ``seconds`` are those of the call that was answered. A prompt that Bedrock refuses has its
        reason in ``failed``. Raises CloudError where the model cannot be asked at all, or more
        would be spent than is allowed.
        """
        done: dict[int, Completion] = {}
        broken = threading.Event()
        with ThreadPoolExecutor(max(1, min(batch_size, len(prompts)))) as pool:
            asked = {
                pool.submit(self._ask, prompt, limit, stops, broken): n
                for n, prompt in enumerate(prompts)
            }
            try:
                for future in as_completed(asked):
                    done[asked[future]] = future.result()
                    advance(len(done), len(prompts))
            except BaseException:
                broken.set()  # those that wait for a cold model need not wait any longer
                pool.shutdown(cancel_futures=True)
                raise
        return [done[n] for n in range(len(prompts))]

    def stream(
        self, prompt: Prompt, *, limit: int, stops: Sequence[int] = ()
    ) -> Generator[str, None, Completion]:
        """Answer one prompt; its text comes as Bedrock sends it.

        Raises CloudError where Bedrock refuses it, or breaks off.
        """
        request = self._request(prompt, limit, stops)
        try:
            answer, started = self._patiently(
                "invoke_model_with_response_stream", request, threading.Event()
            )
        except _Refused as refused:
            raise CloudError(f"Bedrock refuses this question: {refused}") from None
        known, reply, first = self._connected(), Reply(), 0.0
        with aws_errors(known.account):
            for event in answer["body"]:
                if "chunk" not in event:
                    (name, said), *_ = event.items()
                    raise CloudError(f"Bedrock broke off: {name}: {said.get('message', '')}")
                piece = reply.add(event["chunk"]["bytes"])
                first = first or perf_counter() - started
                if piece:
                    yield piece
        seconds = perf_counter() - started
        return self._completion(reply, prompt, limit, stops, (seconds, first or seconds))

    def loss(
        self, rows: Sequence[Row], *, batch_size: int = 16, advance: Advance = unwatched
    ) -> Loss:
        """Not of an imported model: see ``can``."""
        raise NotImplementedError(
            f"{self.name}: an imported model gives no loss; measure it where it was exported"
        )

    def _ask(
        self, prompt: Prompt, limit: int, stops: Sequence[int], broken: threading.Event
    ) -> Completion:
        request = self._request(prompt, limit, stops)
        try:
            answer, started = self._patiently("invoke_model", request, broken)
        except _Refused as refused:
            return Completion("", [], 0.0, 0.0, 0, failed=str(refused))
        content = answer["body"].read()
        seconds = perf_counter() - started
        return self._completion(reply_of(content), prompt, limit, stops, (seconds, 0.0))

    def _request(self, prompt: Prompt, limit: int, stops: Sequence[int]) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "prompt": as_sent(prompt, self._tokenizer),
            "max_tokens": limit,
            "temperature": 0,
        }
        if stops:
            asked["stop"] = self._spelled(stops)
        return {
            "contentType": "application/json",
            "accept": "application/json",
            "body": json.dumps(asked).encode(),
        }

    def _spelled(self, stops: Sequence[int]) -> list[str]:
        return [self._tokenizer.decode([stop]) for stop in stops]

    def _patiently(
        self, operation: str, request: dict[str, Any], broken: threading.Event
    ) -> tuple[Any, float]:
        """Call until it is answered; the answer, and when the call that got it began.

        Raises _Refused for what is this question's own fault, CloudError for all else, and where
        the work is ``broken`` off meanwhile.
        """
        from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

        known, cold_since, tries = self._connected(), None, 0
        call = getattr(known.runtime, operation)
        while True:
            self.meter.check()
            started = perf_counter()
            try:
                answer = call(modelId=known.model_id, **request)
            except ClientError as error:
                code = code_of(error)
                if code in REFUSED and NO_MODEL not in str(error):
                    said = masked(str(error.response["Error"].get("Message", "")), known.account)
                    raise _Refused(f"{code}: {' '.join(said.split())}") from None
                if code == COLD:
                    cold_since = cold_since or monotonic()
                    if self._wait_until_loaded(monotonic() - cold_since, broken):
                        continue
                tries += 1
                if code not in PASSING or tries >= ATTEMPTS:
                    with aws_errors(known.account):
                        raise
            except (ConnectionError, HTTPClientError):
                tries += 1
                if tries >= ATTEMPTS:
                    with aws_errors(known.account):
                        raise
            else:
                self.meter.start()
                return answer, started
            _pause(min(LONGEST, 2.0**tries) * random.uniform(0.5, 1.0), broken)

    def _connected(self) -> "_Connection":
        with self._lock:
            if self._connection is None:
                account, model_id = self._open()
                self._connection = _Connection(_runtime(account), model_id, account.id)
            return self._connection

    def _wait_until_loaded(self, waited: float, broken: threading.Event) -> bool:
        """Sleep for a while; false where it has taken too long already."""
        if waited > PATIENCE:
            return False
        with self._lock:
            if not self._told:
                self._say("the model is being loaded, which takes about two minutes; waiting")
                self._told = True
        _pause(min(LONGEST, max(2.0, waited / 4)), broken)
        return True

    def _completion(
        self,
        reply: Reply,
        prompt: Prompt,
        limit: int,
        stops: Sequence[int],
        seconds: tuple[float, float],
    ) -> Completion:
        """The completion; ``seconds`` are those of the whole and until the first piece.

        Names that Bedrock does not know are ignored in silence, so what it counted is looked at.
        """
        text, tokens = reply.text, reply.tokens
        for word in self._spelled(stops):
            text = text.partition(word)[0]
        text = text.strip()
        if tokens is None:
            tokens = len(self._tokenizer(text, add_special_tokens=False)["input_ids"])
        if tokens > limit:
            raise CloudError(
                f"the imported model wrote {tokens} tokens, {limit} were allowed: it does not know "
                "max_tokens; import the model again, for models imported before November 2025 "
                "have another interface"
            )
        if reply.tokens is not None and reply.finish != "length":
            tokens = max(0, tokens - 1)  # the token that ended the answer is counted there
        read = reply.prompt_tokens
        return Completion(text, [], *seconds, tokens, prompt.length if read is None else read)


def _pause(seconds: float, broken: threading.Event) -> None:
    """Sleep in short steps; raises CloudError once the work is broken off."""
    while seconds > 0:
        if broken.is_set():
            raise CloudError("broken off")
        sleep(min(STEP, seconds))
        seconds -= STEP


class _Connection(NamedTuple):
    """A client, the model's ARN, and the account's number, to be masked."""

    runtime: Any
    model_id: str
    account: str


def _runtime(account: Account) -> Any:
    """A client that does not try again by itself: what is waited for is no answer's time."""
    from botocore.config import Config

    config = Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=10,
        read_timeout=300,
        max_pool_connections=64,
    )
    return account.session.client("bedrock-runtime", config=config)


class _Refused(Exception):
    """Bedrock refused one question."""
