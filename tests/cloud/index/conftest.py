"""The made-up account with S3 Vectors and Knowledge Bases, and a run with an index to move."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

import ragtune_cloud.sagemaker.account
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.retrieval import index
from ragtune.retrieval.retriever import Retriever
from ragtune.sources.records import Record
from ragtune_cloud.index.knowledge_base import ingestion, life
from ragtune_cloud.index.stock import Stock
from ragtune_cloud.sagemaker.account import Account
from tests.cloud.fake import REGION, FakeSageMaker
from tests.cloud.fake.knowledge import FakeKnowledge
from tests.cloud.fake.vectors import FakeVectors
from tests.local.retrieval.killing import Words, corpus

ROLE = "reader"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "bedrock.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
PLACES = ("harbour", "ferry", "canteen", "lighthouse", "museum", "library", "depot", "chapel")


def texts(count: int) -> dict[str, str]:
    """Documents of a sentence or two: each names a place, a day and a number of its own."""
    return {
        f"notes/{n:02}.md": f"The {PLACES[n % len(PLACES)]} opens on {DAYS[n // len(PLACES)]}. "
        f"Its number is {n * 37 + 11}."
        for n in range(count)
    }


def records(count: int) -> list[Record]:
    """A question for each of the documents, in its own words, and one that names no gold."""
    asked = [
        Record(
            f"When does the {PLACES[n % len(PLACES)]} with number {n * 37 + 11} open?",
            response=DAYS[n // len(PLACES)],
            document=name,
        )
        for n, name in enumerate(texts(count))
    ]
    return [*asked, Record("Who paints the boats?", response="nobody")]


def held(recipe: Recipe, folder: Path, documents: dict[str, str]) -> Retriever:
    """An index of the documents by an embedder without a model, in the embedded engine."""
    words: Any = Words()
    index.update(corpus(documents), recipe.rag, words, fingerprint="f", folder=folder)
    return Retriever(folder, recipe.rag, words, "f")


def moved(**rag: Any) -> Recipe:
    """A recipe whose index moves."""
    return Recipe.model_validate(
        {
            "name": "fog-and-ferries",
            "records": {"source": "records.jsonl"},
            "rag": {"chunk_tokens": 32, "top_k": 3, **rag},
            "cloud": {"role": ROLE},
        }
    )


@pytest.fixture
def stocked(tmp_path: Path) -> Iterator[Callable[..., Stock]]:
    """Make the stock of a recipe's run in the temporary folder."""
    opened: list[Retriever] = []

    def make(recipe: Recipe, documents: dict[str, str]) -> Stock:
        folder = tmp_path / f"run-{len(opened)}" / "index"
        opened.append(held(recipe, folder, documents))
        return Stock(opened[-1], lambda: corpus(documents))

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> RunFolder:
    """A finished run, with the documents and records beside it."""
    shutil.copytree(finished_run.parent.parent, tmp_path / "made", symlinks=True)
    return RunFolder(tmp_path / "made" / "runs" / finished_run.name)


@pytest.fixture
def vectors(fake: FakeSageMaker) -> FakeVectors:
    """The fake S3 Vectors."""
    service = FakeVectors()
    fake.cloud.add(service)
    return service


@pytest.fixture
def knowledge(aws: boto3.Session, fake: FakeSageMaker, vectors: FakeVectors) -> FakeKnowledge:
    """The fake Knowledge Bases, with a role that they may assume."""
    aws.client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))
    service = FakeKnowledge(aws, vectors, Words())
    fake.cloud.add(service)
    return service


@pytest.fixture
def account(
    knowledge: FakeKnowledge, fake: FakeSageMaker, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Account]:
    """Open the account as a fresh process would: clients of its own. Nothing waits."""
    for module in (ingestion, life):
        monkeypatch.setattr(module, "sleep", lambda seconds: None)

    def opened(region: str = REGION, profile: str | None = None) -> Account:
        made = Account(region, profile)
        fake.cloud.connect(made.session)
        return made

    return opened


@pytest.fixture
def ragtune(
    monkeypatch: pytest.MonkeyPatch,
    called: Callable[..., tuple[int, str, str]],
    account: Callable[..., Account],
) -> Callable[..., tuple[int, str, str]]:
    """Run the command in this process against the made-up account: exit code, stdout, stderr."""
    monkeypatch.setattr(ragtune_cloud.sagemaker.account, "Account", account)
    return called
