"""The command in this process, against the made-up account."""

from collections.abc import Callable

import pytest

import ragtune_cloud.sagemaker.account
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.sagemaker.account import Account
from tests.cloud.fake import FakeSageMaker

SLEEPERS = tuple(
    f"ragtune_cloud.{name}"
    for name in ("sagemaker.watch", "sagemaker.endpoints", "sagemaker.deletion", "cli.endpoints")
)
Call = Callable[..., tuple[int, str, str]]


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
