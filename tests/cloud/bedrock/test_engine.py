"""An imported model, asked."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from ragtune.core.errors import CloudError
from ragtune.prompts.base import Prompt
from ragtune_cloud.bedrock.answers import METRICS, Reply, reply_of
from ragtune_cloud.bedrock.engine import ATTEMPTS, PATIENCE, ImportedModelEngine
from ragtune_cloud.bedrock.meter import Meter
from ragtune_cloud.sagemaker.account import Account
from tests.cloud.bedrock.fake import FakeBedrock
from tests.cloud.fake import ACCOUNT, REGION

ARN = f"arn:aws:bedrock:{REGION}:{ACCOUNT}:imported-model/r4c4kewx2s0n"


@pytest.fixture
def said() -> list[str]:
    """What the engine says."""
    return []


@pytest.fixture
def engine(
    bedrock: FakeBedrock,
    account: Callable[..., Account],
    tiny_tokenizer: Any,
    said: list[str],
) -> ImportedModelEngine:
    """A model that is imported already."""
    bedrock.at().models["tuned"] = {"name": "tuned", "arn": ARN, "tags": {}, "since": 0.0}
    return ImportedModelEngine(
        lambda: (account(REGION), ARN),
        "fingerprint",
        tiny_tokenizer,
        context_length=768,
        meter=Meter(None, 1.0),
        say=said.append,
    )


def prompts(*texts: str) -> list[Prompt]:
    return [Prompt([0, *range(5, 9)], text) for text in texts]


def test_answers_come_in_order_greedily_with_stops_and_limits(
    engine: ImportedModelEngine, bedrock: FakeBedrock
) -> None:
    bedrock.answer = lambda prompt: f"answer to {prompt[-1]} </s> and more"
    told: list[tuple[int, int]] = []
    found = engine.complete(
        prompts(*"abcdef"),
        limit=5,
        stops=(1,),
        batch_size=4,
        advance=lambda done, total: told.append((done, total)),
    )
    assert [one.text for one in found] == [f"answer to {name}" for name in "abcdef"]
    assert all(one.tokens <= 5 and one.seconds > 0 and one.failed is None for one in found)
    assert found[0].prompt_tokens == 2
    assert sorted(told) == [(n, 6) for n in range(1, 7)]
    asked = {body["prompt"]: body for body in bedrock.asked}
    # This tokenizer puts no BOS before a text, so the text has it.
    assert asked["<s>a"] == {
        "prompt": "<s>a",
        "max_tokens": 5,
        "temperature": 0,
        "stop": ["</s>"],
    }


def test_questions_are_asked_at_once(engine: ImportedModelEngine, bedrock: FakeBedrock) -> None:
    together = threading.Barrier(3, timeout=30)

    def answer(prompt: str) -> str:
        together.wait()
        return prompt

    bedrock.answer = answer
    assert len(engine.complete(prompts("a", "b", "c"), limit=4, batch_size=3)) == 3


def test_a_cold_model_is_waited_for_and_not_timed(
    engine: ImportedModelEngine, bedrock: FakeBedrock, said: list[str]
) -> None:
    bedrock.cold = 7
    before = bedrock.cloud.now
    (found,) = engine.complete(prompts("a"), limit=4)
    assert bedrock.cloud.now - before > 10
    assert found.seconds < 5
    assert said == ["the model is being loaded, which takes about two minutes; waiting"]


def test_a_model_that_never_gets_ready_is_given_up(
    engine: ImportedModelEngine, bedrock: FakeBedrock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ragtune_cloud.bedrock import engine as module

    bedrock.cold = 10_000
    monkeypatch.setattr(module, "monotonic", lambda: bedrock.cloud.now)
    with pytest.raises(CloudError, match="ModelNotReadyException"):
        engine.complete(prompts("a"), limit=4)
    assert bedrock.calls_of("InvokeModel") < PATIENCE


def test_what_breaks_the_work_off_ends_those_that_wait_too(
    engine: ImportedModelEngine, bedrock: FakeBedrock
) -> None:
    bedrock.cold = 10_000

    def interrupted(line: str) -> None:
        bedrock.cloud.denied.add("InvokeModel")

    engine._say = interrupted
    before = bedrock.cloud.now
    with pytest.raises(CloudError):
        engine.complete(prompts(*"abcdef"), limit=4, batch_size=6)
    assert bedrock.cloud.now - before < PATIENCE


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ServiceUnavailableException", "ModelTimeoutException"]
)
def test_passing_errors_are_tried_again(
    engine: ImportedModelEngine, bedrock: FakeBedrock, code: str
) -> None:
    bedrock.cloud.fails["InvokeModel"] = [(429, code, "later")] * 3
    assert engine.complete(prompts("a"), limit=4)[0].text == "six"
    bedrock.cloud.fails["InvokeModel"] = [(429, code, "later")] * ATTEMPTS
    with pytest.raises(CloudError, match=code):
        engine.complete(prompts("a"), limit=4)


def test_a_refused_question_is_an_outcome_of_that_question(
    engine: ImportedModelEngine, bedrock: FakeBedrock
) -> None:
    bedrock.cloud.fails["InvokeModel"] = [(424, "ModelErrorException", f"{ARN} broke")]
    found = engine.complete(prompts("a", "b"), limit=4)
    assert [one.text for one in found] == ["", "six"]
    assert found[0].failed == (
        f"ModelErrorException: arn:aws:bedrock:{REGION}:<account>:imported-model/r4c4kewx2s0n broke"
    )


def test_a_model_that_is_gone_ends_it_all(
    engine: ImportedModelEngine, bedrock: FakeBedrock
) -> None:
    bedrock.at().models.clear()
    with pytest.raises(CloudError, match="model identifier is invalid"):
        engine.complete(prompts("a", "b"), limit=4)


def test_names_that_were_ignored_in_silence_are_noticed_by_usage(
    engine: ImportedModelEngine, bedrock: FakeBedrock
) -> None:
    bedrock.knows = ("prompt", "max_gen_len")
    bedrock.answer = lambda prompt: "one two three four five six"
    with pytest.raises(CloudError, match="it does not know max_tokens"):
        engine.complete(prompts("a"), limit=4)


@pytest.mark.parametrize("shape", ["choices", "generation", "outputs"])
def test_every_shape_of_an_answer_is_read(
    engine: ImportedModelEngine, bedrock: FakeBedrock, shape: str
) -> None:
    bedrock.shape, bedrock.answer = shape, lambda prompt: "at six"
    (found,) = engine.complete(prompts("a"), limit=8)
    assert (found.text, found.tokens > 0) == ("at six", True)


@pytest.mark.parametrize(
    ("content", "text", "tokens"),
    [
        ({"choices": [{"message": {"content": "x"}}], "usage": {"completion_tokens": 3}}, "x", 3),
        ({"generation": "x", METRICS: {"outputTokenCount": 4}}, "x", 4),
        ({"choices": [{"delta": {}, "finish_reason": "stop"}]}, "", None),
        ({"choices": [], "usage": {"completion_tokens": 2}}, "", 2),
    ],
)
def test_pieces_and_counts_are_found_where_they_stand(
    content: dict[str, Any], text: str, tokens: int | None
) -> None:
    reply = reply_of(json.dumps(content).encode())
    assert (reply.text, reply.tokens) == (text, tokens)


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"error": "no"}', b'{"choices":[{}]'])
def test_an_unknown_shape_is_an_error_that_shows_it(content: bytes) -> None:
    with pytest.raises(CloudError, match="neither choices nor generation nor outputs"):
        Reply().add(content)


def test_an_answer_is_streamed_in_pieces_and_counted(
    engine: ImportedModelEngine, bedrock: FakeBedrock
) -> None:
    bedrock.cold = 1
    bedrock.answer = lambda prompt: "at six in the morning"
    stream, pieces = engine.stream(prompts("a")[0], limit=8), []
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            found = end.value
            break
    assert pieces == ["at", " six", " in", " the", " morning"]
    assert (found.text, found.tokens, found.prompt_tokens) == ("at six in the morning", 5, 2)
    assert 0 < found.prefill <= found.seconds


def test_no_more_is_asked_once_the_next_window_would_cost_too_much() -> None:
    now = [0.0]
    meter = Meter(0.57, 1.2, clock=lambda: now[0])
    meter.check()
    assert meter.usd == 0
    meter.start()
    now[0] = 301
    meter.check()
    assert meter.windows == 2
    assert meter.usd == pytest.approx(1.14)
    now[0] = 601
    with pytest.raises(CloudError, match=r"has cost \$1.14, and another window"):
        meter.check()


def test_it_says_what_it_cannot(engine: ImportedModelEngine) -> None:
    assert engine.can == {"answer", "stream"}
    with pytest.raises(NotImplementedError):
        engine.loss([])
    assert ACCOUNT not in repr(vars(engine).get("name"))
