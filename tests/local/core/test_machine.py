import builtins
import os
import subprocess
import sys
from typing import Any

import psutil
import pytest

from ragtune.core import machine, system
from ragtune.sources import reader_process
from ragtune.sources.bounds import Bounds


def test_cores_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")  # as on macOS and Windows
    assert machine.cores() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.cores() == 1


def _without(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    real = builtins.__import__

    def imported(name: str, *rest: Any, **options: Any) -> Any:
        if name == missing:
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", imported)


def test_memory_is_known_without_the_module_that_windows_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert machine.memory() > 2**28
    assert machine.peak_memory() > 2**24
    _without(monkeypatch, "resource")

    class Windows:
        def memory_info(self) -> Any:
            return type("info", (), {"peak_wset": 77})

    monkeypatch.setattr(psutil, "Process", Windows)
    assert machine.peak_memory() == 77
    reader_process._limit(Bounds(1, 1, 1, 1))  # limits nothing there


def test_a_system_that_refuses_a_limit_reads_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    def refused(*_: object) -> None:
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refused)  # macOS, of memory
    assert reader_process._outcome(len, ("ab",), [Bounds(1, 1, 1, 1)]) == ("value", 2)


def test_a_process_of_its_own_is_started_as_each_system_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert system.apart() == {"start_new_session": True}
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 512, raising=False)
    assert system.apart() == {"creationflags": 512}


def test_modules_of_the_tuning_room_need_nothing_that_windows_lacks() -> None:
    code = (
        "import sys\n"
        "for name in ('fcntl', 'resource', 'termios', 'pwd', 'tty'): sys.modules[name] = None\n"
        "import ragtune.tuning.prediction, ragtune.runs.worker, ragtune.runs.environment\n"
        "import ragtune.core.files, ragtune.sources.reader_process, ragtune.cli.label\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
