"""The command as processes of its own, against the account as a server, ended by signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.ledger import Ledger
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


IMPATIENT = """
import fcntl, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from ragtune.cli.app import main
from ragtune_cloud.sagemaker import deletion, endpoints
deletion.POLL = endpoints.POLL = 0.05
main()
"""


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (signal.SIGHUP, "InService"),
        (signal.SIGTERM, "Creating"),
        (signal.SIGINT, "InService"),
    ],
)
def test_a_process_that_is_ended_leaves_no_endpoint(
    submitted: RunFolder, address: str, fake: FakeSageMaker, number: int, state: str
) -> None:
    """SIGHUP comes from the kernel: the terminal of the process is closed."""
    master, slave = os.openpty()
    deploy = ("cloud", "deploy", submitted, "--side", "base", "--accept-eula", "--yes")
    process = subprocess.Popen(
        [sys.executable, "-c", IMPATIENT, *map(str, deploy)],
        env={**os.environ, "AWS_ENDPOINT_URL": address},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    ended: list[str] = []

    def strike(operation: str) -> None:
        states = {each["status"] for each in fake.things["Endpoint"].values()}
        if ended or operation != "DescribeEndpoint" or states != {state}:
            return
        ended.append(operation)
        if number == signal.SIGHUP:
            os.close(master)
        else:
            process.send_signal(number)

    fake.looks = 4
    fake.cloud.after.append(strike)
    process.wait(timeout=120)
    assert ended
    assert fake.calls["CreateEndpoint"] == fake.calls["DeleteEndpoint"] == 1
    assert fake.running == []
    assert Ledger(submitted).open() == []
    if number != signal.SIGHUP:
        assert process.returncode == 130
        assert "Creating" not in {e["status"] for e in fake.things["Endpoint"].values()}
        os.close(master)
