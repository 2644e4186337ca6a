"""An import as a process of its own, ended by signals at its calls."""

import itertools
import multiprocessing
import os
import signal
import sys
import warnings
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from typing import Any

import boto3
import pytest
from moto.core.models import botocore_stubber

from ragtune.cli import app as cli
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.bedrock.folder import BedrockFolder
from ragtune_cloud.ledger import Ledger
from ragtune_cloud.sagemaker import account
from ragtune_cloud.sagemaker.account import Account
from tests.cloud.bedrock.conftest import Call
from tests.cloud.bedrock.fake import FakeBedrock
from tests.cloud.bedrock.test_life import left_in_s3, nothing_left
from tests.cloud.fake import FakeSageMaker
from tests.cloud.fake.server import served

ENDS = {signal.SIGTERM: -signal.SIGTERM, signal.SIGHUP: -signal.SIGHUP, signal.SIGINT: 130}
"""How a process ends by a signal: an import is for its account to go on with."""


class Commands:
    """Commands against the account on loopback, each a fork of this process, with a signal.

    A fork spares each of them what importing takes.
    """

    def __init__(self) -> None:
        self.address, self.calls = "", 0
        self._strike: tuple[int, int] | None = None
        self._process: BaseProcess | None = None

    def called(self) -> None:
        """A request is there; the process that sent it may be struck."""
        self.calls += 1
        if self._strike is not None and self.calls == self._strike[0]:
            assert self._process is not None
            assert self._process.pid is not None
            os.kill(self._process.pid, self._strike[1])

    def run(self, *arguments: object, strike: tuple[int, int] | None = None) -> int | None:
        """Run a command; its exit code, that of a signal negative. ``strike``: call and signal."""
        self.calls, self._strike = 0, strike
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # threads here wait for requests
            made = multiprocessing.get_context("fork").Process(
                target=_command, args=(self.address, [*map(str, arguments)])
            )
            self._process = made
            made.start()
        made.join(60)
        return made.exitcode


def _command(address: str, arguments: list[str]) -> None:
    botocore_stubber.enabled = False  # the account is the parent's, over the line
    account.Account = Account  # type: ignore[misc]
    os.environ["AWS_ENDPOINT_URL"] = address
    sys.argv = ["ragtune", *arguments]
    cli.main()


@pytest.fixture
def commands(fake: FakeSageMaker, bedrock: FakeBedrock, tiny_tokenizer: Any) -> Iterator[Commands]:
    """Commands, and the account on loopback; what they load is loaded before they fork."""
    made = Commands()
    with served(fake.cloud, made.called) as made.address:
        yield made


def test_a_signal_at_every_second_call_leaves_a_note_of_all_and_the_same_command_goes_on(
    run: RunFolder, commands: Commands, ragtune: Call, bedrock: FakeBedrock, aws: boto3.Session
) -> None:
    submit = ("cloud", "bedrock", "import", run, "--submit")
    for call, number in zip(itertools.count(1, 2), itertools.cycle(ENDS)):
        code = commands.run(*submit, strike=(call, number))
        there = bool(bedrock.at().jobs or left_in_s3(aws))
        assert Ledger(run).open() or not there, f"signal {number} at call {call}"
        assert len(bedrock.at().jobs) <= 1
        if commands.calls < call:
            break
        assert code == ENDS[number], f"signal {number} at call {call}"
    assert code == 0
    assert call > 9
    assert BedrockFolder(run).job.exists()
    code, _, err = ragtune("cloud", "bedrock", "watch", run)
    assert code == 0, err
    assert len(bedrock.at().models) == 1
    assert ragtune("cloud", "bedrock", "delete", run)[0] == 0
    nothing_left(run, bedrock, aws)
    assert "imported" not in ragtune("cloud", "costs", run.path.parent)[1]


def test_after_a_signal_while_it_uploads_deleting_leaves_nothing(
    run: RunFolder, commands: Commands, ragtune: Call, bedrock: FakeBedrock
) -> None:
    submit = ("cloud", "bedrock", "import", run, "--submit")
    call = next(
        call
        for call in itertools.count(8)
        if commands.run(*submit, strike=(call, signal.SIGHUP)) != 0 and left_in_s3(bedrock.session)
    )
    assert call < 20
    assert ragtune("cloud", "bedrock", "delete", run)[0] == 0
    nothing_left(run, bedrock, bedrock.session)
