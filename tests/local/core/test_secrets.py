from collections.abc import Callable
from pathlib import Path

import pytest

from ragtune.core.secrets import hidden, is_revealing

KEY = "S3CR3T"
REVEALING = (
    f"http://user:{KEY}@127.0.0.1:6333",
    f"https://{KEY}@example.org/x",
    f"http://127.0.0.1:6333/?token={KEY}",
    f"http://127.0.0.1:6333/?a=b&api_key={KEY}",
    f"http://127.0.0.1:6333/#access_token={KEY}",
    f"ftp://user:{KEY}@127.0.0.1/x",
    f"HTTPS://user:{KEY}@example.org",
)


@pytest.mark.parametrize("url", REVEALING)
@pytest.mark.parametrize(
    "field", ["rag.qdrant", "model.engine", "records.origin", "documents.source", "model.local"]
)
def test_a_url_with_a_key_is_refused_and_never_repeated(
    url: str, field: str, project: Callable[..., Path], called: Callable[..., tuple[int, str, str]]
) -> None:
    code, out, err = called("check", project(), "--set", f"{field}={url}")
    assert code == 2, err
    assert KEY not in out + err
    assert field in err


def test_a_key_in_a_recipes_file_is_not_repeated_either(
    project: Callable[..., Path], called: Callable[..., tuple[int, str, str]]
) -> None:
    path = project(rag={"qdrant": f"ftp://h/?x={KEY}", "top_k": f"http://u:{KEY}@h"})
    code, out, err = called("check", path)
    assert code == 2
    assert KEY not in out + err


def test_plain_addresses_stay_as_they_are() -> None:
    for url in ("http://127.0.0.1:6333", "https://example.org/a?download=1", "a@b.org", "x"):
        assert not is_revealing(url)
    assert hidden("see https://example.org/a and b") == "see https://example.org/a and b"
    assert hidden("at http://u:p@h/?k=v&t=w or") == "at http://…@h/?k=…&t=… or"
