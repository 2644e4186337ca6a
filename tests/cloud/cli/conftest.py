"""The command in this process, against the made-up account."""

import signal
from collections.abc import Callable

import pytest

import ragtune_cloud.sagemaker.account
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.ledger import Ledger
from ragtune_cloud.sagemaker.account import Account
from tests.cloud.fake import FakeSageMaker, Trap

SLEEPERS = tuple(
    f"ragtune_cloud.{name}"
    for name in ("sagemaker.watch", "sagemaker.endpoints", "sagemaker.deletion", "cli.endpoints")
)
Call = Callable[..., tuple[int, str, str]]
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
KINDS = {"Model": "model", "EndpointConfig": "endpoint-config", "Endpoint": "endpoint"}


@pytest.fixture
def ragtune(
    monkeypatch: pytest.MonkeyPatch,
    called: Call,
    account: Callable[..., Account],
    fake: FakeSageMaker,
) -> Call:
    """Run the command: its exit code, stdout, stderr. Where it sleeps the account's time passes."""
    opened: dict[str, Account] = {}

    def open_account(region: str, profile: str | None = None) -> Account:
        if region not in opened:
            opened[region] = account(region)
        return opened[region]

    monkeypatch.setattr(ragtune_cloud.sagemaker.account, "Account", open_account)
    for module in SLEEPERS:
        monkeypatch.setattr(f"{module}.sleep", fake.cloud.sleep)
    monkeypatch.setattr("ragtune_cloud.cli.endpoints.time", lambda: fake.cloud.now)
    return called


@pytest.fixture
def completed(run: RunFolder, ragtune: Call, fake: FakeSageMaker) -> RunFolder:
    """A run whose job has been completed, by the command."""
    assert ragtune("promote", run, "--submit", "--accept-eula")[0] == 0
    assert ragtune("cloud", "watch", run)[0] == 0
    return run


@pytest.fixture
def opened(
    ragtune: Call, account: Callable[..., Account], monkeypatch: pytest.MonkeyPatch
) -> Account:
    """The one account that every command of the test opens."""
    opened = account()
    monkeypatch.setattr(
        ragtune_cloud.sagemaker.account, "Account", lambda region, profile=None: opened
    )
    return opened


@pytest.fixture
def trap(opened: Account) -> Trap:
    """A trap for all that the command calls; before clients are made, which take it with them."""
    return Trap(opened.session)


def unwritten(run: RunFolder, fake: FakeSageMaker) -> set[str]:
    """What is in the account and not in the ledger."""
    noted = {f"us-east-1 {entry.kind} {entry.name}" for entry in Ledger(run).open()}
    there = {f"us-east-1 {KINDS[kind]} {name}" for kind in KINDS for name in fake.things[kind]} | {
        f"us-east-1 schedule {name}" for name in fake.scheduler.schedules
    }
    return there - noted
