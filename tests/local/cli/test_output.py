"""Streams that are closed, full or broken: talk is lost, the work is done, files keep their own."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TextIO

import pytest
from rich.table import Table

from ragtune.cli import output
from ragtune.cli.output import Talk
from ragtune.cli.terminal import Terminal

PROGRAM = """
import os, sys
from ragtune.cli.output import open_streams
open_streams()
first = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
os.write(1, b"out"), os.write(2, b"err")
print("out"), print("err", file=sys.stderr), sys.stdin.read()
os.write(first, str(first).encode())
"""


def broken() -> TextIO:
    """A stream whose reader is gone."""
    reading, writing = os.pipe()
    os.close(reading)
    return os.fdopen(writing, "w")


def test_closed_streams_leave_their_numbers_to_no_file(tmp_path: Path) -> None:
    """A library that prints wrote into the first file that was opened."""
    held = tmp_path / "held"
    line = 'exec "$0" -c "$1" "$2" <&- >&- 2>&-'
    done = subprocess.run(["sh", "-c", line, sys.executable, PROGRAM, str(held)], check=False)
    assert done.returncode == 0
    assert int(held.read_text()) > 2


@pytest.mark.parametrize("data", ["text", "json", "table"])
def test_who_stops_reading_the_result_ends_nothing_in_an_error(
    data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = broken()
    monkeypatch.setattr(sys, "stdout", stream)
    output.print_result({}, Table("a") if data == "table" else "text", data == "json")
    output.write("more")
    stream.close()  # what is left in it is no error either


def test_talk_that_nobody_hears_does_not_stop_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = broken()
    monkeypatch.setattr(sys, "stderr", stream)
    done = []
    with Terminal() as terminal, terminal.progress("answers") as advance:
        for number in range(3):
            terminal.say("a line")
            advance(number, 3)
            done.append(number)
    output.say("error: a line")
    assert done == [0, 1, 2]
    stream.close()


def test_talk_on_a_full_device_is_lost_as_well() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no such device")
    with Path("/dev/full").open("w") as stream:
        talk = Talk(stream)
        talk.write("a line")
        talk.flush()
        assert talk.fileno() == stream.fileno()


def test_a_result_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_result({}, "a\x1b[2Jb\n\tc", as_json=False)
    output.say("error: \x1b]0;title\x07")
    assert capsys.readouterr() == ("a\\x1b[2Jb\n\tc\n", "error: \\x1b]0;title\\x07\n")
