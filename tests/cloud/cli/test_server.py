"""The command as processes of its own against moto as a server, killed with SIGKILL."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.folder import CloudFolder
from tests.cloud.fake import FakeSageMaker

Start = Callable[..., "subprocess.Popen[str]"]


class Service:
    """A WSGI application: the fake's SageMaker, and moto for the rest.

    ``struck`` is a process to kill right after SageMaker has created a job.
    """

    def __init__(self, fake: FakeSageMaker) -> None:
        self.fake, self.moto = fake, DomainDispatcherApplication(create_backend_app)
        self.struck: subprocess.Popen[str] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if not target.startswith(("SageMaker.", "ServiceQuotas")):
            return self.moto(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, content = self.fake.handle(target, environ["PATH_INFO"], body)
        if self.struck and target.endswith(".CreateTrainingJob"):
            self.struck.send_signal(signal.SIGKILL)
            self.struck.wait()
        start_response(f"{status} -", [("Content-Type", "application/x-amz-json-1.1")])
        return [content]


@pytest.fixture
def service(fake: FakeSageMaker) -> Iterator[tuple[Service, str]]:
    """The service on loopback, and its address."""
    service = Service(fake)
    server = make_server("127.0.0.1", 0, service, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield service, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def start(address: str, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ragtune", *map(str, arguments)],
        env={**os.environ, "AWS_ENDPOINT_URL": address},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_process_killed_when_the_job_was_created_pays_once(
    run: RunFolder, service: tuple[Service, str], fake: FakeSageMaker, aws: boto3.Session
) -> None:
    served, address = service
    submit = ("promote", run, "--submit", "--accept-eula")
    served.struck = start(address, *submit)
    served.struck.communicate()
    assert served.struck.returncode == -signal.SIGKILL
    assert not CloudFolder(run).job.exists()
    served.struck = None
    again = start(address, *submit)
    _, err = again.communicate()
    assert again.returncode == 0, err
    assert "attached, nothing was paid for again" in err
    assert CloudFolder(run).job.exists()
    assert fake.calls["CreateTrainingJob"] == len(fake.jobs) == 1
