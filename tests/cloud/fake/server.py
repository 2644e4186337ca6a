"""The account over loopback, for commands that run as processes of their own."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from tests.cloud.fake.cloud import Cloud


@contextmanager
def served(cloud: Cloud, called: Callable[[], None] = lambda: None) -> Iterator[str]:
    """A WSGI application, the cloud's services and moto for the rest; its address.

    ``called`` is called before each request is answered.
    """
    moto = DomainDispatcherApplication(create_backend_app)

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        called()
        headers = {
            key.removeprefix("HTTP_").replace("_", "-"): value
            for key, value in environ.items()
            if key.startswith("HTTP_") or key == "CONTENT_TYPE"
        }
        if not any(f"/{name}/" in headers.get("AUTHORIZATION", "") for name in _signers(cloud)):
            return moto(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        url = environ["PATH_INFO"] + f"?{environ['QUERY_STRING']}"
        given = cloud.answer(environ["REQUEST_METHOD"], url, headers, body)
        if given is None:
            raise AssertionError(f"no operation of the fake: {url}")
        start_response(f"{given.status} -", [*given.headers.items()])
        return [given.body]

    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _signers(cloud: Cloud) -> set[str]:
    from tests.cloud.fake.wire import model

    return {model(service).signing_name for service in cloud.services}
