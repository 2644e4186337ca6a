from collections.abc import Callable

import pytest

from ragtune.core.errors import CloudError
from ragtune.core.run_folder import RunFolder
from ragtune.prompts.base import Prompt, Row
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.sagemaker.engine import UNSTATED, read_answer, served_length
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
    assert fake.asked[-1]["parameters"] == {"max_new_tokens": 7}
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
        (b'[{"generation": " six"}]', 0),
        (b'[{"generated_text": "Q: six"}]', 0),
        (b'{"generation":"six"}', 0),
        (b'{"generated_text": "six", "details": {"generated_tokens": 3}}', 3),
    ],
)
def test_every_known_response_shape_is_read(body: bytes, tokens: int) -> None:
    assert read_answer(body, "Q:") == ("six", tokens)


def test_another_response_shape_is_named() -> None:
    with pytest.raises(CloudError, match="neither generation nor generated_text: <html>"):
        read_answer(b"<html>")


def test_what_an_endpoint_reads_is_as_its_spec_says(run: RunFolder) -> None:
    assert served_length(find(LLAMA, None, REGION, run)) == 4096
    assert served_length(None) == UNSTATED
