"""What a command created is deleted in every way in which it can end; no cloud is asked here."""

import datetime
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from ragtune.core.errors import CloudError
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.cli.options import Lines
from ragtune_cloud.cli.teardown import torn_down
from ragtune_cloud.ledger import Entry, Ledger
from tests.cloud.made_up import Ear


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """The ledger of a run, in which something older is."""
    Ledger(RunFolder(tmp_path)).add("endpoint", "older", "us-east-1")
    return Ledger(RunFolder(tmp_path))


def names(ledger: Ledger) -> list[str]:
    return [entry.name for entry in ledger.open()]


def gone(entry: Entry) -> None:
    """Deletes it."""


def test_only_what_the_context_added_is_deleted_and_only_unless_it_is_kept(ledger: Ledger) -> None:
    with torn_down(ledger, {"endpoint": gone}, Ear()):
        ledger.add("endpoint", "new", "us-east-1")
    assert names(ledger) == ["older"]
    with torn_down(ledger, {"endpoint": gone}, Ear(), keep=True):
        ledger.add("endpoint", "kept", "us-east-1")
    assert names(ledger) == ["older", "kept"]


@pytest.mark.parametrize(
    "failure", [ValueError("broken"), CloudError("refused"), KeyboardInterrupt(), SystemExit(3)]
)
def test_an_error_deletes_even_what_was_to_be_kept_and_is_raised_as_it_was(
    ledger: Ledger, failure: BaseException
) -> None:
    with (
        pytest.raises(type(failure)) as caught,
        torn_down(ledger, {"endpoint": gone}, Ear(), keep=True),
    ):
        ledger.add("endpoint", "new", "us-east-1")
        raise failure
    assert caught.value is failure
    assert names(ledger) == ["older"]


@pytest.mark.parametrize(
    ("failure", "first"),
    [
        (CloudError("refused"), "error: refused"),
        (CloudError("error: one\nerror: two"), "error: one"),
        (KeyboardInterrupt(), "interrupted"),
        (ValueError("broken"), "error: ValueError: broken"),
    ],
)
def test_what_stays_is_told_after_what_broke_it_off(
    ledger: Ledger, failure: BaseException, first: str
) -> None:
    def stays(entry: Entry) -> None:
        raise CloudError(f"{entry.name} stays")

    with (
        pytest.raises(CloudError) as caught,
        torn_down(ledger, {"endpoint": stays}, Ear()),
    ):
        ledger.add("endpoint", "new", "us-east-1")
        raise failure
    lines = str(caught.value).splitlines()
    assert (lines[0], lines[-1]) == (first, "error: new stays")
    assert names(ledger) == ["older", "new"]


def test_when_its_time_is_over_the_context_is_broken_off(ledger: Ledger) -> None:
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=0.05)
    before = signal.getsignal(signal.SIGALRM)
    with (
        pytest.raises(CloudError, match=r"the time to live is over.*the same command goes on"),
        torn_down(ledger, {"endpoint": gone}, Ear(), delete_by=soon),
    ):
        ledger.add("endpoint", "new", "us-east-1")
        time.sleep(30)
    assert names(ledger) == ["older"]
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_during_the_deletion_changes_nothing_but_the_end(
    ledger: Ledger, number: int
) -> None:
    ear = Ear()

    def slowly(entry: Entry) -> None:
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt), torn_down(ledger, {"endpoint": slowly}, ear):
        ledger.add("endpoint", "new", "us-east-1")
    assert names(ledger) == ["older"]
    assert len([line for line in ear.said if "is being deleted; only `kill -9" in line]) == 2


class Closed:
    """A terminal that is not there any more."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")

    def flush(self) -> None:
        raise OSError(5, "Input/output error")


def test_without_a_terminal_everything_is_deleted_too(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", Closed())
    with torn_down(ledger, {"endpoint": gone}, Lines()):
        ledger.add("endpoint", "new", "us-east-1")
    assert names(ledger) == ["older"]


def test_a_system_without_sighup_tears_down_by_the_other_signals(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(signal, "SIGHUP")
    with (
        pytest.raises(KeyboardInterrupt),
        torn_down(ledger, {"endpoint": gone}, Lines()),
    ):
        ledger.add("endpoint", "new", "us-east-1")
        os.kill(os.getpid(), signal.SIGTERM)
    assert names(ledger) == ["older"]
