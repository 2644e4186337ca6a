"""The command as processes of its own against moto as a server, killed with SIGKILL."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.folder import CloudFolder
from tests.cloud.fake import FakeSageMaker
from tests.cloud.fake.server import served


@pytest.fixture
def address(fake: FakeSageMaker) -> Iterator[str]:
    """The account on loopback."""
    with served(fake.cloud) as found:
        yield found


def start(address: str, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ragtune", *map(str, arguments)],
        env={**os.environ, "AWS_ENDPOINT_URL": address},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_process_killed_when_the_job_was_created_pays_once(
    run: RunFolder, address: str, fake: FakeSageMaker
) -> None:
    def strike(operation: str) -> None:
        if operation == "CreateTrainingJob" and killed.returncode is None:
            killed.send_signal(signal.SIGKILL)
            killed.wait()

    fake.cloud.after.append(strike)
    submit = ("promote", run, "--submit", "--accept-eula")
    killed = start(address, *submit)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert not CloudFolder(run).job.exists()
    again = start(address, *submit)
    _, err = again.communicate()
    assert again.returncode == 0, err
    assert "attached, nothing was paid for again" in err
    assert CloudFolder(run).job.exists()
    assert fake.calls["CreateTrainingJob"] == len(fake.jobs) == 1
