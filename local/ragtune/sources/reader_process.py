"""A process that reads files for this one, and is killed and replaced where it takes too much.

Parsers of PDF, HTML and zipped XML are C libraries and recursive code: nothing inside a process
stops one that hangs, fills the memory or crashes. So they work in a second process, started when it
is first needed (0.1 s) and used for all files that follow.
"""

import atexit
import contextlib
import importlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from ragtune.core import system
from ragtune.core.errors import RagtuneError
from ragtune.sources.bounds import MB, WIDER, Bounds

_FIRST_LOOK, _LOOK = 0.2, 0.5
"""Seconds after which the process is looked at, first and then again; and its parent by it."""


class Exceeded(Exception):
    """The process took more than a file may, or ended; what it says is the reason."""


class ReaderProcess:
    """The second process; of use to many threads, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._replies: queue.Queue[Any] = queue.Queue()
        self._parent = os.getpid()

    def call(self, module: str, function: str, *arguments: Any, bounds: Bounds) -> Any:
        """What a function of a module returns in that process, or the RagtuneError it raises.

        Raises Exceeded where it takes more than its bounds, or ends the process.
        """
        with self._lock:
            if self._parent != os.getpid():  # a fork of the parent, whose process this is not
                self._process, self._parent = None, os.getpid()
            process = self._running()
            try:
                send(process.stdin, (module, function, arguments, bounds))
                kind, value, heavy = self._reply(process, bounds)
            except BaseException:
                self.stop()
                raise
            if kind == "exceeded" or heavy:
                self.stop()  # what filled its memory may still be there
        if kind == "exceeded":
            raise Exceeded(value)
        if kind == "error":
            raise value
        return value

    def stop(self) -> None:
        """End the process; the next call starts another."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            places = os.pathsep.join(place for place in sys.path if place)
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": places},
                **system.apart(),  # Ctrl-C is the parent's
            )
            self._replies = queue.Queue()
            listening = (self._process.stdout, self._replies)
            threading.Thread(target=_listen, args=listening, daemon=True).start()
        return self._process

    def _reply(self, process: "subprocess.Popen[bytes]", bounds: Bounds) -> Any:
        began, used, look = time.monotonic(), None, _FIRST_LOOK
        while True:
            try:
                reply = self._replies.get(timeout=look)
            except queue.Empty:
                now, memory = _taken(process.pid)
                used = now - min(look, now) if used is None else used
                slow = time.monotonic() - began > bounds.clock
                if slow or now - used > bounds.seconds:
                    raise Exceeded(too_slow(bounds)) from None
                if memory > bounds.memory:
                    raise Exceeded(too_large(bounds)) from None
                look = _LOOK
                continue
            if reply is None:
                raise Exceeded("its reader crashed; the file is broken, or made to do harm")
            if reply[0] == "wider":
                bounds = reply[1]
                continue
            return reply


def too_slow(bounds: Bounds) -> str:
    """The reason for time."""
    return f"takes more than {bounds.seconds:.0f} seconds to read; simplify it, or split it"


def too_large(bounds: Bounds) -> str:
    """The reason for memory."""
    return f"takes more than {bounds.memory / MB:,.0f} MB of memory to read; split it"


def _taken(pid: int) -> tuple[float, int]:
    """Processor seconds and bytes of memory of a process, nothing where it has ended."""
    import psutil

    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        return times.user + times.system, process.memory_info().rss
    except psutil.Error:
        return 0.0, 0


def send(stream: Any, value: Any) -> None:
    """Write a value with its length before it."""
    data = pickle.dumps(value)
    stream.write(len(data).to_bytes(8, "big") + data)
    stream.flush()


def receive(stream: Any) -> Any:
    """The next value; None at the end."""
    head = stream.read(8)
    if len(head) < 8:
        return None
    data = stream.read(int.from_bytes(head, "big"))
    return pickle.loads(data)


def _listen(stream: Any, replies: "queue.Queue[Any]") -> None:
    with contextlib.suppress(Exception):  # what the process leaves when it is killed
        while (reply := receive(stream)) is not None:
            replies.put(reply)
    replies.put(None)


def _serve() -> None:
    """The second process: answer calls until there are no more."""
    from ragtune.core import offline

    offline.go_offline()
    threading.Thread(target=_end_after, args=(os.getppid(),), daemon=True).start()
    calls, replies = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print is no reply
    while (call := receive(calls)) is not None:
        module, function, arguments, bounds = call
        allowed = [bounds]

        def widened(wider: Bounds, allowed: list[Bounds] = allowed) -> None:
            send(replies, ("wider", wider))
            allowed.append(wider)
            _limit(wider)

        WIDER[:] = [widened]
        outcome = _outcome(getattr(importlib.import_module(module), function), arguments, allowed)
        send(replies, (*outcome, _taken(os.getpid())[1] > bounds.memory / 2))


def _end_after(parent: int) -> None:
    """End this process, whatever it is at, once the parent was killed."""
    while os.getppid() == parent:
        time.sleep(_LOOK)
    os._exit(1)


def _outcome(
    function: Callable[..., Any], arguments: Any, allowed: list[Bounds]
) -> tuple[str, Any]:
    """``value``, ``error`` or ``exceeded``, and which; the last bounds are those that hold."""
    _limit(allowed[-1])
    try:
        return "value", function(*arguments)
    except RagtuneError as error:
        return "error", error
    except (MemoryError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        return "exceeded", "is nested too deeply" if deep else too_large(allowed[-1])
    except Exception as error:  # parsers raise what they like on broken files
        return "exceeded", " ".join(f"{type(error).__name__}: {error}".split())[:300]
    finally:
        _limit(None)


def _limit(bounds: Bounds | None) -> None:
    """Let the system refuse memory, and end this process should nobody be there to do so.

    None allows as much memory as before. What a system refuses to limit, the parent looks after.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    limits = {resource.RLIMIT_DATA: -1 if bounds is None else bounds.memory}
    if bounds is not None:
        limits[resource.RLIMIT_CPU] = int(used + 2 * bounds.seconds + 5)
    for kind, most in limits.items():
        _, hard = resource.getrlimit(kind)
        with contextlib.suppress(OSError, ValueError):  # macOS has no limit on memory
            resource.setrlimit(kind, (hard if most < 0 else most, hard))


PROCESS = ReaderProcess()
"""The one of this process."""
atexit.register(PROCESS.stop)

if __name__ == "__main__":
    _serve()
