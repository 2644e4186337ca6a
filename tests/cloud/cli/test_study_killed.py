"""A study at full size that ends at any call to AWS, in any way.

Nothing is left that is not written down, the next run goes on, and no answer is lost.
"""

import contextlib
import functools
import itertools
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.files import read_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.recipe import file as recipe_file
from ragtune_cloud.cli.endpoints import delete
from ragtune_cloud.cli.study import study
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.ledger import Ledger
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.sagemaker.record import read_record
from tests.cloud.cli.conftest import SIGNALS, unwritten
from tests.cloud.fake import FakeSageMaker, Killed, Trap
from tests.cloud.made_up import make_run, recipe, submit, to_the_end

Call = Callable[..., tuple[int, str, str]]
ASKED = 2
"""Questions of an arm; one of them is asked alone too, after one that is not counted."""
EVERY = pytest.mark.parametrize(
    "arms", [["tuned"], pytest.param(["base", "tuned"], marks=pytest.mark.long)]
)
"""One model: killed at each odd call, a signal at each even one, in turn before and after it.

The long ones have two models, and do both, before and after, at every call.
"""


@pytest.fixture
def run(  # noqa: PLR0917 - fixtures
    tmp_path: Path,
    opened: Account,
    trap: Trap,
    fake: FakeSageMaker,
    tiny_llama: Path,
    arms: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> RunFolder:
    """A run of two questions whose job is completed."""
    sections: dict[str, Any] = {
        "model": {"local": str(tiny_llama)},
        "study": {"arms": arms, "latency_questions": 1, "batch_size": 1},
        "promote": {"tuned_beats_base": False},
    }
    made = make_run(tmp_path / "runs" / "published", recipe(**sections), count=ASKED)
    submit(made, opened, **sections)
    to_the_end(made, opened)
    fake.quota.clear()
    monkeypatch.setattr(recipe_file, "load", functools.cache(recipe_file.load))  # half the time
    return made


def asks(run: RunFolder) -> None:
    """What the verb does."""
    study(run.path, accept_eula=True, yes=True)


def outcomes(run: RunFolder) -> list[str]:
    """Keys of the answers that were kept."""
    path = CloudFolder(run).study(read_record(run).job).path / "outcomes.jsonl"
    return [row["key"] for row in read_jsonl(path)] if path.exists() else []


def forget(run: RunFolder, fake: FakeSageMaker) -> None:
    """Nothing was asked yet."""
    shutil.rmtree(CloudFolder(run).path / "study", ignore_errors=True)
    fake.asked.clear()


def calls(run: RunFolder, arms: list[str], trap: Trap, fake: FakeSageMaker) -> list[str]:
    """The calls of a study that nothing breaks off."""
    trap.set(None)
    asks(run)
    assert len(outcomes(run)) == len(arms) * (ASKED + 1)
    assert len(fake.asked) == len(arms) * (ASKED + 2)
    return trap.operations


def places(whole: list[str], arms: list[str], first: int) -> Iterator[tuple[int, bool]]:
    """Where to strike: the number of a call, and whether after it."""
    if len(arms) == 1:
        yield from ((call, call // 2 % 2 == 0) for call in range(first, len(whole) + 1, 2))
    else:
        yield from itertools.product(range(1, len(whole) + 1), (False, True))


def nothing_left(run: RunFolder, fake: FakeSageMaker, place: object) -> None:
    assert not fake.running, place
    assert Ledger(run).open() == [], place


@EVERY
def test_killed_at_any_call_it_goes_on_and_nothing_is_left(
    run: RunFolder, arms: list[str], trap: Trap, ragtune: Call, fake: FakeSageMaker
) -> None:
    whole, sides = calls(run, arms, trap, fake), len(arms)
    for call, after in places(whole, arms, first=1):
        forget(run, fake)
        trap.set(call, after=after)
        with contextlib.suppress(Killed):  # where no answer is waited for it is not raised
            asks(run)
        assert trap.struck
        assert unwritten(run, fake) == set(), (call, after)
        kept = outcomes(run)
        assert len(fake.asked) - len(kept) <= 2 * sides, (call, after)  # under way, not counted
        trap.set(None)
        if call % 3 and whole[call - 1] != "InvokeEndpoint":
            delete(run.path)
        else:
            asks(run)
            assert outcomes(run)[: len(kept)] == kept
            assert len(outcomes(run)) == len({*outcomes(run)}) == sides * (ASKED + 1), call
            assert len(fake.asked) <= sides * (ASKED + 1) + 3 * sides, (call, after)
        nothing_left(run, fake, (call, after))
    assert len(fake.jobs) == 1
    delete(run.path, data=True, yes=True)
    assert ragtune("cloud", "costs", run.path.parent)[1].endswith("costs money\n")


@EVERY
def test_a_signal_at_any_call_leaves_nothing_and_keeps_what_was_answered(
    run: RunFolder, arms: list[str], trap: Trap, fake: FakeSageMaker
) -> None:
    whole, sides = calls(run, arms, trap, fake), len(arms)
    first = whole.index("CreateModel")  # before it a signal ends the process at once
    for call, after in places(whole, arms, first=2):
        forget(run, fake)
        number = SIGNALS[call % len(SIGNALS)] if call > first else signal.SIGINT
        trap.set(call, after=after, signal=number)
        with pytest.raises(KeyboardInterrupt):
            asks(run)
        assert 0 <= len(fake.asked) - len(outcomes(run)) <= sides, (call, after)  # not counted
        nothing_left(run, fake, (call, after))
    trap.set(None)
    asks(run)
    assert len(outcomes(run)) == sides * (ASKED + 1)
    assert len(fake.jobs) == 1
