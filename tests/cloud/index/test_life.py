"""Nothing is left: a home made, broken off at every call, torn down; foreign things stay."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from ragtune.core.errors import CloudError
from ragtune.core.progress import Silent
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.index import homes
from ragtune_cloud.index.base import Home
from ragtune_cloud.index.bill import Indexes
from ragtune_cloud.index.knowledge_base import documents
from ragtune_cloud.index.knowledge_base.home import KnowledgeBase
from ragtune_cloud.index.s3vectors.home import S3Vectors
from ragtune_cloud.index.stock import Stock
from ragtune_cloud.ledger import Ledger, clean_up
from ragtune_cloud.target import UNCHECKED
from tests.cloud.fake import ACCOUNT, REGION, FakeSageMaker, Killed, Refused, Trap
from tests.cloud.fake.knowledge import FakeKnowledge
from tests.cloud.fake.vectors import FakeVectors
from tests.cloud.index.conftest import moved, texts

BUCKET = f"sagemaker-{REGION}-{ACCOUNT}"
HOMES: dict[str, Callable[..., Home]] = {"s3-vectors": S3Vectors, "knowledge-base": KnowledgeBase}


@pytest.fixture
def there(
    aws: boto3.Session, vectors: FakeVectors, knowledge: FakeKnowledge
) -> Callable[[], set[str]]:
    """All that is in the account, as the ledger calls it."""

    def look() -> set[str]:
        found = {f"vector-bucket {name}" for name in vectors.buckets}
        found |= {f"knowledge-base {base['name']}" for base in knowledge.bases.values()}
        s3 = aws.client("s3", region_name=REGION)
        for entry in s3.list_objects_v2(Bucket=BUCKET, Prefix="ragtune/").get("Contents", ()):
            place = entry["Key"].rpartition("/")[0]
            found.add(f"index-documents s3://sagemaker-{REGION}-<account>/{place}")
        return found

    return look


@pytest.mark.parametrize("name", HOMES)
def test_killed_at_any_call_nothing_is_there_that_is_not_written_down(
    name: str,
    account: Any,
    stocked: Callable[..., Stock],
    there: Callable[[], set[str]],
    tmp_path: Path,
) -> None:
    recipe, ledger = moved(), Ledger(RunFolder(tmp_path))
    stock, dying, alive = stocked(recipe, texts(2)), account(), account()
    trap, deleters = Trap(dying.session), homes.deleters(lambda region: alive, Silent())
    call, killed = 0, True
    while killed:
        call += 1
        trap.set(call, after=bool(call % 4))  # just after it was answered, or before it goes out
        try:
            HOMES[name](recipe, lambda: dying).build(stock, ledger, Silent())
            killed = False
        except Killed:
            noted = {f"{entry.kind} {entry.name}" for entry in ledger.open()}
            assert there() <= noted, call
        if call % 6 == 0:  # go on with it, and be deleted then
            HOMES[name](recipe, lambda: alive).build(stock, ledger, Silent())
        clean_up(ledger, deleters, Silent())
        assert (there(), ledger.open()) == (set(), []), call
    assert call > {"s3-vectors": 6, "knowledge-base": 20}[name]


def test_killed_while_it_is_deleted_the_rest_is_still_written_down(
    account: Any,
    stocked: Callable[..., Stock],
    there: Callable[[], set[str]],
    tmp_path: Path,
) -> None:
    recipe, ledger = moved(), Ledger(RunFolder(tmp_path))
    stock, dying, alive = stocked(recipe, texts(1)), account(), account()
    trap = Trap(dying.session)
    call, killed = 0, True
    while killed:
        call += 2
        for home in HOMES.values():
            home(recipe, lambda: alive).build(stock, ledger, Silent())
        trap.set(call, after=True)
        try:
            clean_up(ledger, homes.deleters(lambda region: dying, Silent()), Silent())
            killed = False
        except Killed:
            assert there() <= {f"{entry.kind} {entry.name}" for entry in ledger.open()}, call
            clean_up(ledger, homes.deleters(lambda region: alive, Silent()), Silent())
        assert (there(), ledger.open()) == (set(), [])
    assert call > 10


def test_a_knowledge_base_that_still_ingests_is_stopped_and_deleted(
    account: Any,
    stocked: Callable[..., Stock],
    there: Callable[[], set[str]],
    tmp_path: Path,
    knowledge: FakeKnowledge,
) -> None:
    recipe, ledger = moved(), Ledger(RunFolder(tmp_path))
    KnowledgeBase(recipe, account).build(stocked(recipe, texts(1)), ledger, Silent())
    ((base, held),) = knowledge.bases.items()
    (source,) = held["sources"]
    knowledge.StartIngestionJob(base, source)
    with pytest.raises(Refused, match="ongoing"):
        knowledge.DeleteDataSource(base, source)
    clean_up(ledger, homes.deleters(lambda region: account(), Silent()), Silent())
    assert there() == set()


def test_one_refusal_hides_nothing_and_the_rest_is_deleted(
    account: Any,
    stocked: Callable[..., Stock],
    there: Callable[[], set[str]],
    tmp_path: Path,
    fake: FakeSageMaker,
) -> None:
    recipe, ledger = moved(), Ledger(RunFolder(tmp_path))
    KnowledgeBase(recipe, account).build(stocked(recipe, texts(1)), ledger, Silent())
    refusal = (403, "AccessDeniedException", f"role of {ACCOUNT} may not delete it")
    fake.cloud.fails["DeleteKnowledgeBase"] = [refusal]
    with pytest.raises(CloudError, match="AccessDenied") as told:
        clean_up(ledger, homes.deleters(lambda region: account(), Silent()), Silent())
    assert ACCOUNT not in str(told.value)
    assert [entry.kind for entry in ledger.open()] == ["knowledge-base"]
    assert len(there()) == 1
    clean_up(ledger, homes.deleters(lambda region: account(), Silent()), Silent())
    assert there() == set()


@pytest.mark.parametrize("name", HOMES)
def test_what_has_our_name_and_not_our_tag_is_left_alone(
    name: str,
    *,
    account: Any,
    stocked: Callable[..., Stock],
    tmp_path: Path,
    vectors: FakeVectors,
    there: Callable[[], set[str]],
) -> None:
    recipe, ledger = moved(), Ledger(RunFolder(tmp_path))
    home: Any = HOMES[name](recipe, account)
    vectors.CreateVectorBucket(home.bucket, tags={"team": "search"})
    with pytest.raises(CloudError, match="was not made by this run"):
        home.online()
    with pytest.raises(CloudError, match="was not made by this run"):
        home.build(stocked(recipe, texts(1)), ledger, Silent())
    assert "vector-bucket" not in {entry.kind for entry in ledger.open()}
    ledger.add("vector-bucket", home.bucket, REGION)  # even if somebody wrote it down
    with pytest.raises(CloudError, match="was not made by this run"):
        clean_up(ledger, homes.deleters(lambda region: account(), Silent()), Silent())
    assert there() == {f"vector-bucket {home.bucket}"}


def test_what_a_knowledge_base_was_made_with_is_not_changed_in_silence(
    account: Any, stocked: Callable[..., Stock], tmp_path: Path
) -> None:
    recipe, ledger = moved(), Ledger(RunFolder(tmp_path))
    stock = stocked(recipe, texts(1))
    KnowledgeBase(recipe, account).build(stock, ledger, Silent())
    with pytest.raises(CloudError, match=r"chunks otherwise; `ragtune cloud delete RUN` first"):
        KnowledgeBase(recipe, account, chunks="own").build(stock, ledger, Silent())
    with pytest.raises(CloudError, match=r"was made with amazon\.titan-embed-text-v2:0; "):
        KnowledgeBase(recipe, account, embedder="cohere.embed-english-v3").build(
            stock, ledger, Silent()
        )


def test_a_bucket_of_the_older_mode_is_made_to_search_words(
    account: Any, stocked: Callable[..., Stock], tmp_path: Path, vectors: FakeVectors
) -> None:
    vectors.mode = "CLASSIC"
    recipe = moved(search="hybrid")
    home = S3Vectors(recipe, account)
    home.build(stocked(recipe, texts(1)), Ledger(RunFolder(tmp_path)), Silent())
    assert vectors.buckets[home.bucket]["mode"] == "ENHANCED"


def test_only_places_of_our_indexes_are_emptied(account: Any, tmp_path: Path) -> None:
    ledger = Ledger(RunFolder(tmp_path))
    entry = ledger.add(documents.KIND, f"s3://sagemaker-{REGION}-<account>/ragtune/job-1", REGION)
    with pytest.raises(CloudError, match="no place of an index of ragtune's"):
        documents.delete(entry, account(), Silent())


def test_the_bill_has_a_row_for_each_thing_and_for_each_refusal(
    account: Any, stocked: Callable[..., Stock], fake: FakeSageMaker, tmp_path: Path
) -> None:
    recipe, run, opened = moved(), RunFolder(tmp_path), account()
    indexes = Indexes(lambda region: opened)
    assert indexes.bill([run], REGION) == []
    stock, ledger = stocked(recipe, texts(2)), Ledger(run)
    for home in HOMES.values():
        home(recipe, lambda: opened).build(stock, ledger, Silent())
    elsewhere = RunFolder(tmp_path / "another machine")
    found = {item.name: item for item in indexes.bill([elsewhere], REGION)}
    assert {item.kind for item in found.values()} == {"vector bucket", "knowledge base"}
    found = {item.name: item for item in indexes.bill([run])}
    assert len(found) == 4
    assert all(item.usd_per_hour is not None for item in found.values())
    fake.cloud.denied |= {"GetVectorBucket"}
    kinds = sorted(item.kind for item in indexes.bill([run]))
    assert kinds == ["0.000 GB stored", "knowledge base", UNCHECKED, UNCHECKED]
