"""A deployment that ends at any call to AWS, in any way: nothing is left, or it is written down."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.ledger import Ledger
from ragtune_cloud.sagemaker.account import Account
from tests.cloud.cli.conftest import SIGNALS, unwritten
from tests.cloud.fake import FakeSageMaker, Killed, Trap
from tests.cloud.made_up import make_run, recipe, submit

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, opened: Account, trap: Trap) -> RunFolder:
    """A run with a submitted job, whose endpoints AWS is to delete too."""
    made = recipe(cloud={"scheduler_role": "ragtune"})
    run = make_run(tmp_path / "runs" / "published", made)
    submit(run, opened, cloud={"scheduler_role": "ragtune"})
    return run


@pytest.mark.parametrize("way", ["killed before", "killed after", "signal before", "signal after"])
def test_ended_at_any_call_a_deployment_leaves_nothing_that_is_not_written_down(
    run: RunFolder, trap: Trap, ragtune: Call, fake: FakeSageMaker, way: str
) -> None:
    fake.quota.clear()
    deploy = ("cloud", "deploy", run, "--side", "base", "--ttl", "1", "--accept-eula", "--yes")
    after = way.endswith("after")
    trap.set(None)
    assert ragtune(*deploy)[0] == 0
    operations = trap.operations
    first = operations.index("DeleteSchedule") + 1  # from here on something may be there
    assert len(operations) > 20
    for call in range(first, len(operations) + 1):
        number = SIGNALS[call % len(SIGNALS)] if way.startswith("signal") else None
        trap.set(call, after=after, signal=number)
        if number is None:
            with pytest.raises(Killed):
                ragtune(*deploy)
            assert unwritten(run, fake) == set(), call
            trap.set(None)
            assert ragtune("cloud", "delete", run)[0] == 0
        else:
            assert ragtune(*deploy)[0] == 130, call
        assert trap.struck or number is None
        assert not fake.running, call
        assert not fake.scheduler.schedules, call
        assert Ledger(run).open() == [], call
    assert len(fake.jobs) == 1
