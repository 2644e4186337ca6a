import io
import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from ragtune.core import bundled
from ragtune.core.errors import CloudError
from ragtune.core.run_folder import RunFolder
from ragtune.models.load import load_tokenizer
from ragtune.prompts.base import Prompt, Row
from ragtune_cloud.sagemaker import catalog
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.sagemaker.engine import (
    TRIES,
    UNSTATED,
    Answered,
    EndpointEngine,
    Failed,
    read_answer,
    served_length,
)
from ragtune_cloud.sagemaker.spec import find
from tests.cloud.fake import REGION, FakeSageMaker
from tests.cloud.made_up import LLAMA, recipe, serve, target

Open = Callable[[], Account]


def test_an_endpoint_is_given_the_text_of_the_prompt_and_its_answers_come_in_order(
    submitted: RunFolder, account: Open, fake: FakeSageMaker
) -> None:
    serve(submitted, fake)
    fake.answer = lambda endpoint, prompt: f"{prompt} {endpoint[-5:]} "
    engine = target(account()).engine(recipe(), submitted, "tuned")
    prompts = [Prompt([1], text, 0, 0) for text in ("Q", "W")]
    told: list[tuple[int, int]] = []
    found = engine.complete(prompts, limit=7, advance=lambda *done: told.append(done))
    assert [one.text for one in found] == ["tuned", "tuned"]
    assert all(one.seconds > 0 for one in found)
    assert told == [(1, 2), (2, 2)]
    assert [sent["inputs"] for sent in fake.asked] == ["Q", "W"]
    parameters = fake.asked[-1]["parameters"]
    assert parameters.pop("stop") == ["</s>"], "Llama 2's, whatever model the run was made with"
    assert parameters == {
        "max_new_tokens": 7,
        "do_sample": False,
        "return_full_text": False,
        "details": True,
    }
    assert engine.can == {"answer"}


def test_what_an_endpoint_cannot_do_is_said_in_one_line(
    submitted: RunFolder, account: Open
) -> None:
    engine = target(account()).engine(recipe(), submitted, "tuned")
    with pytest.raises(NotImplementedError, match="an endpoint does not stream"):
        engine.stream(Prompt([1], "Q"), limit=7)
    with pytest.raises(NotImplementedError, match="an endpoint gives no loss"):
        engine.loss([Row([1], [1])])


def test_an_endpoint_that_is_not_there_is_an_error(submitted: RunFolder, account: Open) -> None:
    engine = target(account()).engine(recipe(), submitted, "base")
    with pytest.raises(CloudError, match="not found"):
        engine.complete([Prompt([1], "a", 0, 0)], limit=7)


@pytest.mark.parametrize(
    ("body", "tokens"),
    [
        (b'[{"generation": " six"}]', None),
        (b'[{"generated_text": "Q: six"}]', None),
        (b'{"generation":"six"}', None),
        (b'{"generated_text": "six", "details": null}', None),
        (b'{"generated_text": "six", "details": {"generated_tokens": 3}}', 2),
        (
            b'[{"generated_text": "six", "details": {"finish_reason": "eos_token", '
            b'"generated_tokens": 3}}]',
            2,
        ),
        (
            b'{"generation": "six", "details": {"finish_reason": "length", "generated_tokens": 3}}',
            3,
        ),
    ],
)
def test_every_known_response_shape_is_read(body: bytes, tokens: int | None) -> None:
    assert read_answer(body, "Q:") == Answered("six", tokens)


def endpoint(account: Account, **options: Any) -> EndpointEngine:
    return EndpointEngine("an-endpoint", "f", account, **options)


def refused(status: int, message: str) -> tuple[int, dict[str, Any]]:
    """A 424 as SageMaker gives it, with what the container said."""
    told = {"__type": "ModelError", "Message": f"Received client error ({status})"}
    return 424, {**told, "OriginalStatusCode": status, "OriginalMessage": message}


def test_a_prompt_that_the_container_refuses_is_an_outcome_and_the_others_are_answered(
    account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, bodies = account(), [refused(400, "inputs too long"), (200, [{"generation": "six"}])]
    asked = answering(opened, monkeypatch, bodies)
    first, second = endpoint(opened).complete([Prompt([1], "long"), Prompt([1], "Q")], limit=7)
    assert (first.text, first.failed, first.tokens) == ("", "400: inputs too long", 0)
    assert (second.text, second.failed) == ("six", None)
    assert len(asked) == 2


def test_a_container_that_fails_by_itself_is_asked_again_before_it_counts(
    account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = account()
    broken, fine = refused(500, "CUDA error"), (200, {"generated_text": "six"})
    asked = answering(opened, monkeypatch, [broken, fine, *[broken] * TRIES])
    first, second = (endpoint(opened).complete([Prompt([1], "Q")], limit=7)[0] for _ in range(2))
    assert (first.text, first.failed) == ("six", None)
    assert second.failed == "500: CUDA error"
    assert len(asked) == 2 + TRIES


def test_a_model_that_is_still_being_loaded_is_waited_for(
    account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, waited = account(), list[float]()
    monkeypatch.setattr("ragtune_cloud.sagemaker.engine.sleep", waited.append)
    cold = 429, {"__type": "ModelNotReadyException", "message": "being loaded"}
    answering(opened, monkeypatch, [cold, cold, (200, {"generated_text": "six"})])
    (found,) = endpoint(opened).complete([Prompt([1], "Q")], limit=7)
    assert (found.text, len(waited)) == ("six", 2)


def test_an_error_in_place_of_an_answer_is_an_outcome_too() -> None:
    body = b'{"error": "generation failed", "code": 424}'
    assert read_answer(body) == Failed(424, "generation failed")


def test_tokens_are_counted_here_where_the_container_does_not_count_them(
    account: Open, monkeypatch: pytest.MonkeyPatch, tiny_tokenizer: Any
) -> None:
    opened = account()
    answering(opened, monkeypatch, [(200, [{"generation": "at six"}])])
    engine = endpoint(opened, tokenizer=lambda: tiny_tokenizer)
    (found,) = engine.complete([Prompt([1], "Q")], limit=7)
    assert found.tokens == len(tiny_tokenizer("at six", add_special_tokens=False)["input_ids"])


def test_an_endpoint_is_asked_from_many_threads_with_one_client(
    account: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, made = account(), list[str]()
    make = opened.session.client

    def client(service: str, **options: Any) -> Any:
        made.append(service)
        return make(service, **options)

    monkeypatch.setattr(opened.session, "client", client)
    fakes = [(200, {"generation": "six"})] * 12
    asked = answering(opened, monkeypatch, fakes)
    prompts = [Prompt([1], f"{n}") for n in range(12)]
    told: list[int] = []
    found = endpoint(opened).complete(
        prompts, limit=7, batch_size=6, advance=lambda done, total: told.append(done)
    )
    assert len(found) == len(asked) == 12
    assert told == list(range(1, 13))
    assert made == ["sagemaker-runtime"]


class Body(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> Any:
        """The content, at once."""
        yield self.read()


def answering(
    account: Account, monkeypatch: pytest.MonkeyPatch, bodies: Sequence[tuple[int, Any]]
) -> list[Any]:
    """Let the runtime answer with these statuses and bodies in turn; the requests that it gets."""
    left, asked = iter(bodies), list[Any]()
    make = account.session.client

    def send(request: Any, **_: Any) -> AWSResponse:
        asked.append(json.loads(request.body))
        status, body = next(left)
        return AWSResponse(request.url, status, {}, Body(json.dumps(body).encode()))

    def client(service: str, **options: Any) -> Any:
        runtime = make(service, **options)
        runtime.meta.events.register_first("before-send", send)
        return runtime

    monkeypatch.setattr(account.session, "client", client)
    return asked


def test_another_response_shape_is_named() -> None:
    with pytest.raises(CloudError, match="neither generation nor generated_text: <html>"):
        read_answer(b"<html>")


def test_what_an_endpoint_reads_is_as_its_spec_says(run: RunFolder) -> None:
    assert served_length(find(LLAMA, None, REGION, run)) == 4096
    assert served_length(None) == UNSTATED


@pytest.mark.parametrize(
    ("model", "token"),
    [
        ("meta-textgeneration-llama-2-7b-f", "</s>"),
        ("meta-textgeneration-llama-3-8b", "<|end_of_text|>"),
        ("meta-textgeneration-llama-3-2-1b-instruct", "<|eot_id|>"),
        ("huggingface-llm-falcon-7b", None),
    ],
)
def test_a_models_end_token_is_known_or_the_runs_own_is_taken(
    account: Open, model: str, token: str | None
) -> None:
    assert catalog.end_token(model) == token
    tokenizer = load_tokenizer(bundled.builtin_model())
    made = endpoint(account(), tokenizer=lambda: tokenizer, end_token=token)
    assert made._stops([]) == [token or tokenizer.eos_token]
