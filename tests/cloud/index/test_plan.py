"""Before anything is created: contract, limits, price, and what would be sent."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import RecipeError
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.index import homes, plan
from ragtune_cloud.index.knowledge_base.home import KnowledgeBase
from ragtune_cloud.index.s3vectors.home import S3Vectors, batches
from ragtune_cloud.index.stock import Measures, Stock
from ragtune_cloud.target import FAILED, OK, WARNING, Choices, Finding
from tests.cloud.index.conftest import moved, texts


def no_account(region: str = "") -> Any:
    raise AssertionError("the account was asked")


def measures(**more: int) -> Measures:
    plain = dict.fromkeys(Measures.__dataclass_fields__, 10)
    return Measures(**{**plain, "null": 0, "dimension": 384, **more})


def planned(home: Any, stock: Stock, recipe: Any, run: Path, **choices: Any) -> Any:
    made = Choices(**choices)
    return plan.plan(
        home,
        stock,
        Finding(OK, "finished"),
        recipe=recipe,
        run=RunFolder(run),
        choices=made,
        online=False,
    )


@pytest.mark.parametrize("name", ["s3-vectors", "knowledge-base"])
def test_a_plan_asks_nobody_and_names_all_that_would_be_made(
    name: str, stocked: Callable[..., Stock], tmp_path: Path
) -> None:
    recipe = moved()
    home = homes.home(name, recipe, RunFolder(tmp_path), no_account)
    made = planned(home, stocked(recipe, texts(3)), recipe, tmp_path)
    assert not made.failures
    text = (tmp_path / "cloud" / "index" / "plan.json").read_text(encoding="utf-8")
    request = json.loads(text)["request"]
    stem = f"ragtune-fog-and-ferries-{recipe.identity[:8]}"
    if name == "s3-vectors":
        assert request["CreateVectorBucket"]["vectorBucketName"] == f"{stem}-vectors"
        assert request["CreateIndex"]["dimension"] == 8
    else:
        assert request["CreateKnowledgeBase"]["name"] == stem
        assert request["CreateIndex"]["dimension"] == 1024
        assert request["objects"].endswith(f"/ragtune/index-{stem}")
    shown = plan.show(made)
    assert stem in shown
    assert "under $0.01" in shown
    assert "nothing was sent" in shown
    assert "nothing was sent" not in plan.show(made, submitted=True)


def test_where_an_index_lives_is_no_part_of_its_names(tmp_path: Path) -> None:
    here, there = moved(), moved(qdrant="http://127.0.0.1:6333")
    assert here.identity == there.identity
    assert S3Vectors(here, no_account).bucket == S3Vectors(there, no_account).bucket


@pytest.mark.parametrize(
    ("search", "field", "verdict"),
    [
        ("dense", "rag.search", "same"),
        ("hybrid", "rag.search", "differs: vectors alone"),
        ("keyword", "rag.search", "no equivalent"),
        ("dense", "rag.embedder", "differs: another model"),
        ("dense", "rag.chunk_tokens", "differs: tokens of another tokenizer"),
        ("dense", "rag.top_k", "same"),
    ],
)
def test_the_contract_of_a_knowledge_base(search: str, field: str, verdict: str) -> None:
    terms = {t.field: t for t in KnowledgeBase(moved(search=search), no_account).terms()}
    assert terms[field].verdict.startswith(verdict)


def test_what_has_no_equivalent_is_accepted_by_name(
    stocked: Callable[..., Stock], tmp_path: Path
) -> None:
    recipe = moved(search="keyword")
    home, stock = KnowledgeBase(recipe, no_account), stocked(recipe, texts(1))
    (failed,) = planned(home, stock, recipe, tmp_path).failures
    assert "--accept-difference rag.search" in failed.detail
    assert not planned(home, stock, recipe, tmp_path, accepted=("rag.search",)).failures


def test_our_chunks_and_vectors_are_the_same_in_s3_vectors() -> None:
    for search, differing in (("dense", set()), ("hybrid", {"rag.search", "rag.language"})):
        terms = S3Vectors(moved(search=search), no_account).terms()
        assert {t.field for t in terms if t.verdict != "same"} == differing


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"dimension": 5000}, "allowed up to 4096"),
        ({"largest_words": 41_000}, "lower rag.chunk_tokens"),
        ({"largest_filterable": 2049}, "shorten the file's name"),
        ({"null": 2}, "2 chunks have a vector of zeros"),
    ],
)
def test_what_does_not_fit_is_refused_before_it_is_paid(more: dict[str, int], said: str) -> None:
    found = S3Vectors(moved(), no_account).offline(measures(**more))["limits"]
    assert found.status == FAILED
    assert said in found.detail


def test_documents_that_changed_since_are_told(
    stocked: Callable[..., Stock], tmp_path: Path
) -> None:
    recipe = moved()
    stock = stocked(recipe, texts(3))
    other = stocked(recipe, texts(4))
    stale = Stock(stock.local, other.corpus)
    assert plan.documents_finding(stale, own=True).status == WARNING
    found = plan.documents_finding(stale, own=False)
    assert (found.status, "`ragtune index RUN` first" in found.detail) == (FAILED, True)


def test_the_price_is_that_of_the_lists() -> None:
    much = measures(chunks=1_000_000, dimension=384, bytes=1_000_000_000, characters=4_000_000_000)
    cost = S3Vectors(moved(search="dense"), no_account).cost(much)
    gigabytes = (1_000_000 * 384 * 4 + 1_000_000_000) / 1e9
    assert cost.usd_once == pytest.approx(0.2 * gigabytes)
    assert cost.usd_per_month == pytest.approx(0.06 * gigabytes)
    assert cost.usd_per_million_searches == 2.5
    base = KnowledgeBase(moved(), no_account).cost(much)
    assert base.usd_once is not None
    assert base.usd_once > 1_000_000 * 0.00002  # the embedding of a billion tokens comes on top
    dear = plan.price(
        base,
        moved().model_copy(
            update={"cloud": moved().cloud.model_copy(update={"max_cost_usd": 1.0})}
        ),
    )
    assert dear.status == FAILED
    abroad = {"cloud": moved().cloud.model_copy(update={"region": "eu-central-1"})}
    assert plan.price(cost, moved().model_copy(update=abroad)).status == WARNING


def test_vectors_are_put_in_calls_of_a_size_that_is_taken() -> None:
    vector = {"key": "k", "data": {"float32": [0.1]}, "metadata": {"words": "w" * 39_000}}
    made = list(batches(iter([vector] * 900)))
    assert sum(map(len, made)) == 900
    assert all(len(json.dumps(batch)) < 20 << 20 for batch in made)
    assert max(map(len, made)) > 300
    small = list(batches(iter([{"key": "k", "data": {"float32": [0.1]}, "metadata": {}}] * 1200)))
    assert [len(batch) for batch in small] == [500, 500, 200]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": None}, "--home is missing: allowed: qdrant, s3-vectors, knowledge-base"),
        ({"name": "redis"}, "--home redis: allowed"),
        ({"name": "qdrant"}, "--url is missing"),
        ({"name": "qdrant", "url": "ftp://x"}, "--url: `embedded` or an http"),
        ({"name": "qdrant", "url": "http://me:secret@x"}, "QDRANT_API_KEY"),
        ({"name": "s3-vectors", "url": "http://x"}, "--url: only --home qdrant has it"),
        ({"name": "knowledge-base", "embedder": "x"}, "--embedder x: allowed: amazon.titan"),
        ({"name": "knowledge-base", "chunks": "x"}, "--chunks x: allowed: service, own"),
    ],
)
def test_options_that_say_nothing_are_refused(
    options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    name = options.pop("name")
    with pytest.raises(RecipeError, match=said):
        homes.home(name, moved(), RunFolder(tmp_path), no_account, **options)
