"""An account that moto and the fake make up, and a run folder to promote."""

import functools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from botocore import useragent
from moto import mock_aws
from moto.iam.models import iam_backends
from moto.s3.models import get_canned_acl, s3_backends

# All modules, before a test puts a function in the place of `Account`, which their types name.
import ragtune_cloud.bedrock.target
import ragtune_cloud.index.bill  # noqa: F401
from ragtune.core.files import write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.recipe import file as recipe_file
from ragtune.runs.open import open_run
from ragtune.runs.pipeline import Pipeline
from ragtune_cloud.sagemaker.account import Account
from tests.cloud.fake import ACCOUNT, REGION, FakeSageMaker, archive, wire
from tests.cloud.made_up import LLAMA, PUBLISHED, make_run, recipe, submit

sanitised = functools.cache(useragent.sanitize_user_agent_string_component)
"""botocore's, which looks at every letter of 25 texts for each call."""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["sagemaker.amazonaws.com", "scheduler.amazonaws.com"]},
            "Action": "sts:AssumeRole",
        }
    ],
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[boto3.Session]:
    """moto with JumpStart's buckets, a bucket of the user's, and a role; no other credentials."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setattr(useragent, "sanitize_user_agent_string_component", sanitised)
    with mock_aws():
        session = boto3.Session(region_name=REGION)
        session._session.register_component("data_loader", wire.LOADER)
        furnish()
        yield session


def furnish() -> None:
    """What a user's account and JumpStart have before the first promotion.

    It is put where moto keeps it: calls of boto3 took most of the time of a test's beginning.
    """
    s3 = s3_backends[ACCOUNT]["aws"]
    content, gated = f"jumpstart-cache-prod-{REGION}", f"jumpstart-private-cache-prod-{REGION}"
    for bucket in (content, gated, f"sagemaker-{REGION}-{ACCOUNT}"):
        s3.create_bucket(bucket, REGION)
    for key, body in published().items():
        s3.put_object(content, key, body)
        s3.put_object_acl(content, key, get_canned_acl("public-read"))  # anybody reads them
    script = "source-directory-tarballs/meta/transfer_learning/textgeneration/prepack/v1.0.1"
    s3.put_object(content, f"{script}/sourcedir.tar.gz", b"script")
    s3.put_object(gated, f"meta-training/train-{LLAMA}.tar.gz", b"weights")
    iam_backends[ACCOUNT]["aws"].create_role(
        role_name="ragtune",
        assume_role_policy_document=json.dumps(TRUST),
        path="/",
        permissions_boundary=None,
        description="",
        tags=[],
        max_session_duration="3600",
    )


@functools.cache
def published() -> dict[str, bytes]:
    """JumpStart's manifest and specs, by their keys."""
    files = PUBLISHED.rglob("*.json")
    return {path.relative_to(PUBLISHED).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def fake(aws: boto3.Session) -> FakeSageMaker:
    """The fake SageMaker of the account."""
    return FakeSageMaker(aws)


@pytest.fixture
def account(fake: FakeSageMaker, aws: boto3.Session) -> Callable[..., Account]:
    """Open the account as a fresh process would: clients of its own."""

    def open_account(region: str = REGION) -> Account:
        opened = Account(region)
        fake.cloud.connect(opened.session)
        return opened

    return open_account


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """The published run's recipe as a finished run folder."""
    return make_run(tmp_path / "runs" / "published", recipe())


@pytest.fixture
def submitted(run: RunFolder, account: Callable[[], Account]) -> RunFolder:
    """A run whose job was submitted."""
    submit(run, account())
    return run


@pytest.fixture(scope="session")
def merged_model(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What a job leaves: a tiny Llama that was tuned here, its LoRA merged in, as an archive."""
    made = tmp_path_factory.mktemp("tuned")
    rows = [
        {"instruction": f"When {n}?", "context": f"At six, {n}.", "response": "six"}
        for n in range(12)
    ]
    write_jsonl(made / "records.jsonl", rows)
    tune = {
        "epoch": 1,
        "learning_rate": 0.01,
        "max_input_length": 64,
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 1,
    }
    sections = {
        "name": "tuned",
        "model": {"local": str(tiny_llama)},
        "records": {"source": "records.jsonl", "test_fraction": 0.2},
        "tune": tune,
        "study": {"arms": ["base", "tuned"]},
    }
    (made / "recipe.yaml").write_text(json.dumps(sections), encoding="utf-8")
    assert Pipeline(recipe_file.load(made / "recipe.yaml"), made / "run").tune()["tuned"]["steps"]
    folder = made / "merged"
    with open_run(made / "run") as tuned:
        tuned.export(folder, "bfloat16")
    content = archive(folder)
    shutil.rmtree(folder)
    return content
