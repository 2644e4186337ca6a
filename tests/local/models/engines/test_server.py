import itertools
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import ModelError
from ragtune.models.engines import client
from ragtune.models.engines.base import Completion, Engine
from ragtune.models.engines.server import PROBE, Server
from ragtune.prompts.base import Example, Prompt
from ragtune.prompts.instruct import InstructFormat
from ragtune.prompts.messages import MessagesFormat
from ragtune.prompts.template import CHAT, CHAT_PROMPT, Template
from ragtune.recipe.model import KEY
from tests.local.models.engines.fake_server import Body, FakeServer, serving

Start = Callable[..., FakeServer]
FORM = MessagesFormat(Template(format=CHAT, prompt=CHAT_PROMPT, system="Be brief."))
ASKED = [FORM.prompt(f"How much is {n} and {n}?") for n in range(5)]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "WAITS", (0.0, 0.01, 0.01))
    monkeypatch.delenv(KEY, raising=False)


@pytest.fixture
def start() -> Iterator[Start]:
    with ExitStack() as stack:
        yield lambda **of: stack.enter_context(serving(FakeServer(**of)))


def opened(fake: FakeServer, **of: Any) -> Server:
    return Server(fake.url, of.pop("served", {}), **of)


def texts(completions: list[Completion]) -> list[str]:
    return [completion.text for completion in completions]


def test_it_is_an_engine_that_answers_and_streams(start: Start) -> None:
    engine: Engine = opened(start()).engine()
    assert engine.can == {"answer", "stream"}
    with pytest.raises(NotImplementedError):
        engine.loss([])


def test_answers_come_in_the_order_of_the_questions(start: Start) -> None:
    fake = start()
    done: list[int] = []
    engine = opened(fake).engine()
    found = engine.complete(ASKED, limit=9, batch_size=3, advance=lambda n, of: done.append(n))
    assert texts(found) == [f"How much is {n} and {n}?" for n in range(5)]
    assert done == [1, 2, 3, 4, 5]
    assert engine.complete([], limit=9) == []


def test_a_request_is_greedy_and_holds_the_messages(start: Start) -> None:
    fake = start()
    shown = [Example("1 and 1?", "", "two")]
    prompt = FORM.prompt("2 and 2?", passages=["Sums."], examples=shown)
    opened(fake).engine().complete([prompt], limit=9)
    (path, body), *others = fake.asked
    assert (path, others) == ("/v1/chat/completions", [])
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "1 and 1?"},
        {"role": "assistant", "content": "two"},
        {"role": "user", "content": "[1] Sums.\n\n2 and 2?"},
    ]
    assert (body["temperature"], body["max_tokens"], body["model"]) == (0, 9, "tiny")
    assert body["repetition_penalty"] == 1.0


def test_as_many_requests_as_the_batch_has_are_at_work_at_once(start: Start) -> None:
    fake = start(delay=0.01)
    opened(fake).engine().complete(ASKED * 2, limit=9, batch_size=4)
    assert 1 < fake.busiest <= 4


def test_the_server_counts_tokens_and_an_end_token_is_none(start: Start) -> None:
    fake = start(answer=lambda _: "one two three", counts=lambda _: 99)
    (stopped,) = opened(fake).engine().complete(ASKED[:1], limit=4)
    fake.finish = "length"
    (cut,) = opened(fake).engine().complete(ASKED[:1], limit=4)
    assert (stopped.prompt_tokens, stopped.tokens, cut.tokens) == (99, 3, 4)


def test_tokens_are_estimated_where_the_server_counts_none(start: Start) -> None:
    fake = start(answer=lambda _: "eleven men", usage=False)
    (found,) = opened(fake).engine().complete(ASKED[:1], limit=40)
    assert (found.prompt_tokens, found.tokens) == (ASKED[0].length, 4)


def test_a_stream_gives_words_as_they_come_and_the_time_to_the_first(start: Start) -> None:
    fake = start(answer=lambda _: "one two three four", delay=0.05)
    fake.goes_on.clear()
    stream = opened(fake).engine().stream(ASKED[0], limit=9)
    pieces = [next(stream)]
    time.sleep(0.1)
    fake.goes_on.set()
    while True:
        try:
            pieces.append(next(stream))
        except StopIteration as end:
            whole = end.value
            break
    assert pieces == ["one", " two", " three", " four"]
    assert whole.text == "one two three four"
    assert 0.04 < whole.prefill < whole.seconds - 0.09


def test_a_stream_that_is_closed_ends_its_request(start: Start) -> None:
    fake = start(answer=lambda _: "word " * 500, delay=0.01)
    stream = opened(fake).engine().stream(ASKED[0], limit=999)
    next(stream)
    stream.close()
    assert _soon(lambda: fake.at_once == 0)


def test_a_server_that_does_not_stream_answers_at_once(start: Start) -> None:
    fake = start(streams=False, answer=lambda _: "one two")
    assert list(opened(fake).engine().stream(ASKED[0], limit=9)) == ["one two"]


def test_an_interruption_ends_every_request(start: Start) -> None:
    fake = start(answer=lambda _: "word " * 500, delay=0.01)
    engine = opened(fake).engine()

    def interrupt() -> None:
        if _soon(lambda: fake.at_once > 0):
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in the background
    threading.Thread(target=interrupt, daemon=True).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            engine.complete(ASKED, limit=999, batch_size=5)
    finally:
        signal.signal(signal.SIGINT, before)
    assert _soon(lambda: fake.at_once == 0)
    assert _soon(lambda: fake.dropped > 0)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_asked_again(start: Start, status: int) -> None:
    fault: tuple[int, Any, dict[str, str]] = (status, {"error": {"message": "busy"}}, {})
    fake = start(faults=[fault, fault])
    assert texts(opened(fake).engine().complete(ASKED[:1], limit=9)) == ["How much is 0 and 0?"]
    assert len(fake.asked) == 3


def test_a_server_that_asks_to_wait_is_waited_for(start: Start) -> None:
    fake = start(faults=[(429, {}, {"Retry-After": "0.2"})])
    started = time.perf_counter()
    opened(fake).engine().complete(ASKED[:1], limit=9)
    assert time.perf_counter() - started > 0.2


def test_an_answer_that_breaks_off_is_asked_for_again(start: Start) -> None:
    fake = start(breaks=1)
    assert texts(opened(fake).engine().complete(ASKED[:1], limit=9)) == ["How much is 0 and 0?"]


def test_a_stream_that_breaks_off_is_an_error_not_a_second_answer(start: Start) -> None:
    fake = start(breaks=1)
    with pytest.raises(ModelError, match="its answer breaks off"):
        list(opened(fake).engine().stream(ASKED[0], limit=9))
    assert len(fake.asked) == 1


def test_what_fails_again_and_again_is_an_error_of_one_line(start: Start) -> None:
    fake = start(faults=[(503, {"error": {"message": "Loading\nmodel"}}, {})] * 9)
    with pytest.raises(ModelError) as failed:
        opened(fake).engine().complete(ASKED, limit=9)
    assert re.fullmatch(
        rf"model.engine: {fake.url}: tiny: the server answers 503: Loading model; its log says "
        "why; the same command then goes on where this one stopped",
        str(failed.value),
    )


def test_a_context_that_is_too_small_says_what_to_set(start: Start) -> None:
    said = {"error": {"message": "This model's maximum context length is 512 tokens."}}
    fake = start(faults=[(400, said, {})])
    with pytest.raises(ModelError, match=r"answers 400: This model's.*set model.context_length"):
        opened(fake).engine().complete(ASKED[:1], limit=9)
    assert len(fake.asked) == 1


@pytest.mark.parametrize("names", [("seed",), ("chat_template_kwargs", "top_p")])
def test_an_option_that_the_server_does_not_know_is_left_out(
    start: Start, names: tuple[str, ...]
) -> None:
    fake = start(refuses=names)
    found = opened(fake).engine().complete(ASKED, limit=9)
    assert len(found) == 5
    assert len(fake.asked) == 5 + len(names)
    assert not set(names) & set(fake.asked[-1][1])


def test_answers_that_were_given_are_not_asked_for_again(start: Start, tmp_path: Path) -> None:
    kept, place = tmp_path / "kept.jsonl", itertools.count()
    broken = {"error": {"message": "gone"}}
    fake = start()
    server = opened(fake)

    def answer(body: Body) -> str:
        if next(place) == 2:
            fake.faults += [(500, broken, {})] * 9
        return "yes"

    fake.answer = answer
    with pytest.raises(ModelError, match="answers 500: gone"):
        server.engine(kept=kept).complete(ASKED, limit=9)
    fake.faults.clear()
    kept.write_text(kept.read_text() + '{"key": "cut off by a ki')
    before = len(fake.asked)
    assert texts(server.engine(kept=kept).complete(ASKED, limit=9)) == ["yes"] * 5
    assert len(fake.asked) - before == 2


def test_one_question_alone_is_timed_and_so_always_asked(start: Start, tmp_path: Path) -> None:
    fake = start()
    engine = opened(fake).engine(kept=tmp_path / "kept.jsonl")
    for _ in range(2):
        engine.complete(ASKED[:1], limit=9)
    assert len(fake.asked) == 2


def test_a_model_that_only_thinks_is_no_answer(start: Start) -> None:
    whole = {"choices": [{"message": {"content": "", "reasoning_content": "Hm"}}]}
    whole["choices"][0]["finish_reason"] = "length"  # type: ignore[assignment]
    fake = start(faults=[(200, whole, {})])
    with pytest.raises(ModelError, match="thoughts and no answer in 9 tokens"):
        opened(fake).engine().complete(ASKED[:1], limit=9)


def test_a_server_that_is_down_is_named() -> None:
    with pytest.raises(ModelError, match=r"http://127.0.0.1:9/v1: the server cannot be reached"):
        Server("http://127.0.0.1:9/v1", {})


def test_what_is_no_such_server_is_named(start: Start) -> None:
    fake = start()
    with pytest.raises(ModelError, match=r"/models answers 404 .* most servers' URLs end in /v1"):
        Server(fake.url.removesuffix("/v1"), {})


def test_a_key_is_sent_and_never_repeated(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = start(key="sesame")
    with pytest.raises(ModelError, match=f"wants a key; put it into {KEY}"):
        opened(fake)
    monkeypatch.setenv(KEY, "sesame")
    server = opened(fake)
    assert server.engine().complete(ASKED[:1], limit=9)
    fake.faults.append((400, {"error": {"message": "bad key sesame"}}, {}))
    with pytest.raises(ModelError, match="answers 400: bad key …;"):
        server.engine().complete(ASKED[:1], limit=9)
    monkeypatch.setenv(KEY, "wrong")
    with pytest.raises(ModelError, match=f"refuses the key in {KEY}") as refused:
        opened(fake)
    assert "wrong" not in str(refused.value)


VLLM = [
    {"id": "llama", "owned_by": "vllm", "max_model_len": 4096},
    {"id": "ours", "owned_by": "vllm", "parent": "llama"},
]


def test_the_one_model_that_is_no_adapter_is_the_base(start: Start) -> None:
    server = opened(start(models=VLLM), served={"tuned": "ours"})
    assert server.model().name == "llama"
    assert server.engine("tuned").model.name == "ours"


def test_of_several_models_one_has_to_be_named(start: Start) -> None:
    fake = start(models=[{"id": "one"}, {"id": "two"}])
    with pytest.raises(ModelError, match=r"model.served.base: which .* has one, two"):
        opened(fake).engine()
    with pytest.raises(ModelError, match=r"has no model three; it has one, two"):
        opened(fake, served={"base": "three"})
    assert opened(fake, served={"base": "two"}).engine().model.name == "two"


OLLAMA = [{"id": "llama3.2:latest", "object": "model", "owned_by": "library"}]


@pytest.mark.parametrize(
    ("models", "own", "length"),
    [
        (VLLM[:1], {}, 4096),
        (
            [{"id": "m.gguf", "owned_by": "llamacpp", "meta": {"n_ctx_train": 8192}}],
            {"/props": {"default_generation_settings": {"n_ctx": 512}, "total_slots": 4}},
            512,
        ),
        (
            [{"id": "m", "owned_by": "organization_owner"}],
            {"/api/v0/models": {"data": [{"id": "m", "max_context_length": 8192}]}},
            8192,
        ),
        (
            OLLAMA,
            {"/api/ps": {"models": [{"name": "llama3.2:latest", "context_length": 700}]}},
            700,
        ),
        (OLLAMA, {"/api/show": {"parameters": "stop  x\nnum_ctx   900"}}, 900),
        (OLLAMA, {}, 4096),
    ],
)
def test_each_kind_of_server_says_how_much_its_model_reads(
    start: Start, models: list[Body], own: dict[str, Any], length: int
) -> None:
    server = opened(start(models=models, own=own))
    assert server.context_length(server.model()) == length


def test_a_length_that_nobody_says_has_to_be_given(start: Start) -> None:
    fake = start(models=[{"id": "m"}])
    with pytest.raises(ModelError, match=r"model.context_length: .* does not say"):
        _ = opened(fake).engine().context_length
    assert opened(fake, stated=512).engine().context_length == 512 - 16


def test_ollama_is_asked_by_its_short_names_and_without_thoughts(start: Start) -> None:
    fake = start(models=OLLAMA)
    opened(fake, served={"base": "llama3.2"}).engine().complete(ASKED[:1], limit=9)
    assert fake.asked[0][1]["model"] == "llama3.2:latest"
    assert fake.asked[0][1]["reasoning_effort"] == "none"


@pytest.fixture
def raw(tiny_tokenizer: Any) -> Prompt:
    return InstructFormat(Template(), tiny_tokenizer).prompt("Where is <s>?")


def counted(tokenizer: Any, more: int = 1) -> Callable[[Body], int]:
    """As a server counts that puts ``more`` tokens before a text, and none before ids."""

    def count(body: Body) -> int:
        prompt = body["prompt"]
        if isinstance(prompt, list):
            return len(prompt)
        return len(tokenizer(prompt, add_special_tokens=False)["input_ids"]) + more

    return count


def test_raw_prompts_are_token_ids_where_the_server_takes_them(
    start: Start, tiny_tokenizer: Any, raw: Prompt
) -> None:
    fake = start(counts=counted(tiny_tokenizer))
    engine = opened(fake, tokenizer=tiny_tokenizer).engine()
    engine.complete([raw], limit=9, stops=[1])
    (body,) = fake.bodies
    assert body["prompt"] == raw.ids
    assert body["stop"] == ["</s>"]
    assert engine.answered(raw).takes == "ids"


def test_raw_prompts_are_texts_without_bos_elsewhere(
    start: Start, tiny_tokenizer: Any, raw: Prompt
) -> None:
    fake = start(counts=counted(tiny_tokenizer), takes_ids=False)
    opened(fake, tokenizer=tiny_tokenizer).engine().complete([raw], limit=9)
    (body,) = fake.bodies
    assert body["prompt"] == raw.text
    assert not raw.text.startswith("<s>")


def test_another_model_than_the_one_named_here_is_seen(
    start: Start, tiny_tokenizer: Any, raw: Prompt
) -> None:
    fake = start(counts=lambda body: len(body["prompt"].split()))
    with pytest.raises(ModelError, match=r"model.local: .* it is another model"):
        opened(fake, tokenizer=tiny_tokenizer).engine().complete([raw], limit=9)
    assert [body["prompt"] for _, body in fake.asked] == [PROBE]


def test_ollama_is_not_asked_with_raw_prompts(
    start: Start, tiny_tokenizer: Any, raw: Prompt
) -> None:
    fake = start(models=OLLAMA)
    with pytest.raises(ModelError, match=r"template.format: .* its own template around raw"):
        opened(fake, tokenizer=tiny_tokenizer).engine().complete([raw], limit=9)


def _soon(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 60
    while not (found := true()) and time.monotonic() < end:
        time.sleep(0.02)
    return found
