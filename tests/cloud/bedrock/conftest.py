"""An account with Bedrock, and a run whose tuned model is exported."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

import ragtune_cloud.sagemaker.account
from ragtune.core.files import read_json, write_json, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.runs.open import recipe_of
from ragtune.tuning.handover.older import rewrite
from ragtune_cloud import plan as promotions
from ragtune_cloud.bedrock import deletion, engine, imports
from ragtune_cloud.bedrock.folder import BedrockFolder
from ragtune_cloud.bedrock.target import Bedrock
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.target import Choices
from tests.cloud.bedrock.fake import FakeBedrock
from tests.cloud.fake import FakeSageMaker
from tests.cloud.made_up import Ear, make_run, recipe

Call = Callable[..., tuple[int, str, str]]
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


@pytest.fixture
def bedrock(fake: FakeSageMaker, aws: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Bedrock beside SageMaker in the account; waiting takes no time, but the cloud's."""
    made = FakeBedrock(aws)
    fake.cloud.add(made)
    aws.client("iam").create_role(RoleName="bedrock", AssumeRolePolicyDocument=json.dumps(TRUST))
    for module in (deletion, engine, imports):
        monkeypatch.setattr(module, "sleep", fake.cloud.sleep)
    return made


@pytest.fixture(scope="session")
def exported(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny Llama as `ragtune export` writes a model."""
    folder = tmp_path_factory.mktemp("exported") / "merged"
    shutil.copytree(tiny_llama, folder)
    rewrite(folder, ties=True, stops=[1])
    write_json(folder / "ragtune.json", {"template_hash": "", "dtype": "float32"})
    return folder


def sections(model: Path) -> dict[str, Any]:
    """What the run's recipe has other than the published one."""
    return {
        "model": {"local": str(model), "precision": "float32"},
        "study": {"arms": ["base", "tuned"], "max_new_tokens": 6},
        "cloud": {"bedrock_role": "bedrock", "max_cost_usd": 30},
    }


@pytest.fixture
def run(tmp_path: Path, exported: Path, tiny_llama: Path) -> RunFolder:
    """A finished run of the tiny Llama with its export."""
    rows = [
        {"instruction": f"When {n}?", "context": f"At six, {n}.", "response": "six"}
        for n in range(6)
    ]
    write_jsonl(tmp_path / "runs" / "records.jsonl", rows)
    found = make_run(tmp_path / "runs" / "published", recipe(**sections(tiny_llama)))
    shutil.copytree(exported, found.merged)
    return found


def change(path: Path, **fields: Any) -> Path:
    """Set fields of a JSON file; None takes one out. The file."""
    content = {**read_json(path), **fields}
    write_json(path, {name: value for name, value in content.items() if value is not None})
    return path


@pytest.fixture
def place(bedrock: FakeBedrock, account: Callable[..., Account]) -> Callable[..., Bedrock]:
    """Bedrock as a fresh process would open it."""

    def open_place(**options: Any) -> Bedrock:
        made = Bedrock(**options)
        made.account = account  # type: ignore[method-assign]
        return made

    return open_place


@pytest.fixture
def ragtune(
    monkeypatch: pytest.MonkeyPatch, called: Call, account: Callable[..., Account], bedrock: Any
) -> Call:
    """Run the command in this process against the made-up account: exit code, stdout, stderr."""
    monkeypatch.setattr(
        ragtune_cloud.sagemaker.account, "Account", lambda region, profile=None: account(region)
    )
    return called


def imported(run: RunFolder, target: Bedrock, **choices: Any) -> None:
    """Plan, submit and watch, as the commands do."""
    recipe = recipe_of(run.path)
    chosen = Choices(attempt=target.attempt(recipe, run, again=False), **choices)
    planned = promotions.plan(target, recipe, run, chosen, BedrockFolder(run).plan)
    target.submit(planned, Ear())
    target.watch(run, Ear())
