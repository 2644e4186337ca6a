"""A whole life through the command: plan, move, measure, bill, delete; and broken off meanwhile."""

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.index.s3vectors.home import S3Vectors
from ragtune_cloud.ledger import Ledger
from tests.cloud.fake import ACCOUNT, FakeSageMaker, Refused
from tests.cloud.fake.knowledge import FakeKnowledge
from tests.cloud.fake.vectors import FakeVectors
from tests.cloud.index.conftest import ROLE

Call = Callable[..., tuple[int, str, str]]
VECTORS = ("--part", "index", "--home", "s3-vectors")
BASE = ("--part", "index", "--home", "knowledge-base", "--set", f"cloud.role={ROLE}")


def test_a_full_life_leaves_nothing(
    run: RunFolder,
    ragtune: Call,
    fake: FakeSageMaker,
    vectors: FakeVectors,
    knowledge: FakeKnowledge,
) -> None:
    for home in (VECTORS, BASE):
        code, out, err = ragtune("promote", run, *home)
        assert code == 0, err
        assert "nothing was sent or spent" in out
    assert fake.cloud.calls.total() == 0
    assert ragtune("cloud", "index", run)[0] == 7  # nothing was moved yet

    for home in (VECTORS, BASE):
        code, out, err = ragtune("promote", run, *home, "--submit")
        assert code == 0, err
        assert "nothing was sent" not in err
        assert f"it costs money until: ragtune cloud delete {run}" in err
    code, out, err = ragtune("cloud", "index", run, "--json")
    assert code == 0, err
    places = json.loads(out)["places"]
    assert list(places) == ["local", "s3-vectors", "knowledge-base"]
    recall = {name: place["retrieval"]["recall_at_k"]["mean"] for name, place in places.items()}
    assert abs(recall["s3-vectors"] - recall["local"]) <= 0.02
    assert all(place["ms"]["p50"] > 0 for place in places.values())

    code, out, err = ragtune("cloud", "costs", run.path.parent, "--json")
    assert code == 0, err
    kinds = sorted(item["kind"].partition(" GB")[0] for item in json.loads(out))
    assert kinds == ["0.000", "knowledge base", "vector bucket", "vector bucket"]
    kept = [p.read_text(encoding="utf-8") for p in (run.path / "cloud").rglob("*.json")]
    assert not any(ACCOUNT in text for text in [*kept, out, err])

    code, out, err = ragtune("cloud", "delete", run)
    assert code == 0, err
    assert (vectors.buckets, knowledge.bases, Ledger(run).open()) == ({}, {}, [])
    code, out, err = ragtune("cloud", "costs", run.path.parent)
    assert (code, out.strip()) == (0, "nothing of ragtune's costs money"), err


@pytest.mark.parametrize("kind", ["error", signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_broken_off_nothing_is_left(
    kind: Any,
    *,
    run: RunFolder,
    ragtune: Call,
    fake: FakeSageMaker,
    vectors: FakeVectors,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put = FakeVectors.PutVectors

    def breaks(self: FakeVectors, *arguments: Any, **options: Any) -> Any:
        if kind == "error":
            raise Refused("AccessDeniedException", f"{ACCOUNT} may not put vectors", 403)
        signal.raise_signal(kind)
        return put(self, *arguments, **options)

    monkeypatch.setattr(FakeVectors, "PutVectors", breaks)
    code, _, err = ragtune("promote", run, *VECTORS, "--submit")
    assert code == (7 if kind == "error" else 130), err
    assert ("may not put vectors" in err) == (kind == "error")
    assert ACCOUNT not in err
    assert fake.cloud.calls["CreateVectorBucket"] == 1
    assert (vectors.buckets, Ledger(run).open()) == ({}, [])


def test_an_index_that_was_whole_survives_an_update_that_fails(
    run: RunFolder, ragtune: Call, fake: FakeSageMaker, vectors: FakeVectors
) -> None:
    assert ragtune("promote", run, *VECTORS, "--submit")[0] == 0
    refusal = (403, "AccessDeniedException", "may not put vectors")
    fake.cloud.fails["PutVectors"] = [refusal]
    assert ragtune("promote", run, *VECTORS, "--submit")[0] == 7
    (bucket,) = vectors.buckets
    assert bucket.endswith("-vectors")
    assert vectors.index(bucket, "chunks")["vectors"]


def test_what_is_said_wrongly_is_refused(run: RunFolder, ragtune: Call) -> None:
    for arguments, said in (
        (("--part", "both"), "--part both: allowed: model, index"),
        (("--home", "qdrant"), "add --part index"),
        (("--part", "index"), "--home is missing"),
    ):
        code, _, err = ragtune("promote", run, *arguments)
        assert code == 2
        assert said in err
    code, _, err = ragtune("promote", run, *BASE[:4], "--submit")
    assert code == 7
    assert "cloud.role is missing" in err
    assert S3Vectors.name in ragtune("promote", "--help")[1]
