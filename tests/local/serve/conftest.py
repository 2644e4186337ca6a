"""A real server over a run of the tiny project."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from ragtune.serve.guard import Access
from ragtune.serve.job import Limits
from ragtune.serve.listening import access, bound
from ragtune.serve.server import server
from ragtune.serve.session import Session


@dataclass
class Served:
    """A server that runs, its session and its run."""

    url: str
    session: Session
    folder: Path
    documents: Path

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)


@contextmanager
def serving(
    folder: Path, *, token: str = "", allowed: Access | None = None, port: int = 0, **options: Any
) -> Iterator[Served]:
    session = Session(folder, **options)
    listening = bound("127.0.0.1", port)
    port = listening.getsockname()[1]
    session.start()
    running = server(session, allowed or access("127.0.0.1", token))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield Served(
            f"http://127.0.0.1:{port}", session, folder, folder.parent.parent / "project" / "docs"
        )
    finally:
        running.should_exit = True
        thread.join(20)
        listening.close()
        session.close()


@pytest.fixture(scope="module")
def run(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run beside its project, to be changed."""
    tree = tmp_path_factory.mktemp("served") / "tree"
    shutil.copytree(finished_run.parent.parent, tree)
    return tree / "runs" / finished_run.name


@pytest.fixture(scope="module")
def served(run: Path) -> Iterator[Served]:
    with serving(run, limits=Limits(queue=64, seconds=60)) as running:
        yield running


@pytest.fixture
def wait() -> Callable[[Callable[[], Any]], Any]:
    """Wait until something holds, and give it back."""

    def until(holds: Callable[[], Any]) -> Any:
        last = time.monotonic() + 60
        while not (found := holds()):
            assert time.monotonic() < last, "it never came"
            time.sleep(0.02)
        return found

    return until
