import threading
import time
from pathlib import Path

import pytest

from ragtune.core.errors import CloudError
from ragtune.models.engines.base import unwatched
from ragtune.prompts.base import Prompt
from ragtune_cloud.study.asking import Request, ask
from ragtune_cloud.study.outcomes import Outcomes
from ragtune_cloud.target import SIDES, Side
from tests.cloud.study.made_up import Model


def request(text: str, side: Side = "base", *, alone: bool = False) -> Request:
    return Request(side, Prompt([1], text), 8, (), side, alone)


@pytest.fixture
def outcomes(tmp_path: Path) -> Outcomes:
    return Outcomes(tmp_path / "study" / "outcomes.jsonl")


def test_many_questions_are_asked_at_once_and_both_models_side_by_side(outcomes: Outcomes) -> None:
    engines: dict[Side, Model] = {side: Model(side, lambda side, prompt: prompt) for side in SIDES}
    for engine in engines.values():
        engine.seconds = 0.02
    requests = [request(f"{n}", side) for side in engines for n in range(200)]
    told: list[int] = []
    ask(requests, engines, outcomes, together=16, advance=lambda done, total: told.append(done))
    assert told == list(range(1, 401))
    assert all(engine.most == 16 for engine in engines.values())
    assert {outcomes[r.key].text for r in requests} == {f"{n}" for n in range(200)}
    assert outcomes[requests[0].key].seconds == 0.5 / 16


def test_what_is_timed_is_asked_alone_after_one_that_is_not_counted(outcomes: Outcomes) -> None:
    engine = Model("base", lambda side, prompt: prompt)
    engine.seconds = 0.001
    ask(
        [request(f"{n}", alone=True) for n in range(3)],
        {"base": engine},
        outcomes,
        together=8,
        advance=unwatched,
    )
    assert engine.most == 1
    assert engine.asked == ["0", "0", "1", "2"]
    assert outcomes[request("2", alone=True).key].seconds == 0.5


def test_an_answer_that_hangs_does_not_keep_an_error_waiting_and_is_kept_when_it_comes(
    outcomes: Outcomes,
) -> None:
    hangs, asked = threading.Event(), threading.Event()

    def says(side: Side, prompt: str) -> str:
        if prompt == "hangs":
            asked.set()
            hangs.wait(60)
            return "late"
        asked.wait(60)
        raise CloudError("gone")

    started = time.perf_counter()
    with pytest.raises(CloudError, match="gone"):
        ask(
            [request("hangs"), *(request(f"{n}") for n in range(50))],
            {"base": Model("base", says)},
            outcomes,
            together=4,
            advance=unwatched,
        )
    assert time.perf_counter() - started < 30
    hangs.set()
    for _ in range(500):
        if request("hangs").key in outcomes:
            break
        time.sleep(0.01)
    assert outcomes[request("hangs").key].text == "late"


def test_the_same_prompt_is_asked_once(outcomes: Outcomes) -> None:
    engine = Model("base", lambda side, prompt: prompt)
    ask([request("a"), request("a")], {"base": engine}, outcomes, together=2, advance=unwatched)
    ask([request("a")], {"base": engine}, outcomes, together=2, advance=unwatched)
    assert engine.asked == ["a"]
