import socket

import pytest

from local import hub
from local.errors import OfflineError


def test_only_loopback_can_be_reached() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    with server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername()[0] == "127.0.0.1"
    for family, address in (
        (socket.AF_INET, ("192.0.2.1", 80)),
        (socket.AF_INET6, ("2001:db8::1", 80, 0, 0)),
    ):
        with socket.socket(family) as refused, pytest.raises(OfflineError, match="refused"):
            refused.connect(address)
    with (
        socket.socket(type=socket.SOCK_DGRAM) as datagrams,
        pytest.raises(OfflineError, match="refused"),
    ):
        datagrams.sendto(b"x", ("192.0.2.1", 53))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("databricks/databricks-dolly-15k", True),
        ("meta-llama/Llama-3.2-1B", True),
        ("records.jsonl", False),
        ("builtin", False),
        ("../models/x", False),
        ("a/b/c", False),
        ("/abs/olute", False),
    ],
)
def test_a_hub_id_has_two_parts(name: str, expected: bool) -> None:
    assert hub.is_id(name) is expected


def test_a_cached_hub_model_loads_offline(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    from local.errors import ModelError

    with pytest.raises(OfflineError, match="model no-body/no-thing: not on this machine"):
        hub.snapshot("no-body/no-thing", None, "model", ModelError)
