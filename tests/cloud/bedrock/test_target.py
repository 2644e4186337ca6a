"""Bedrock as a target: where the model is taken from, and what can be asked of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.arms.arm import Arm
from ragtune.core.errors import CloudError
from ragtune.core.files import read_json, read_jsonl, write_json
from ragtune.core.run_folder import RunFolder
from ragtune.prompts.instruct import InstructFormat
from ragtune.retrieval.passages import Passage
from ragtune.runs.open import recipe_of
from ragtune.sources.records import Record
from ragtune_cloud import plan as promotions
from ragtune_cloud.bedrock.folder import BedrockFolder
from ragtune_cloud.bedrock.record import read_record
from ragtune_cloud.bedrock.source import LocalFiles, StoredFiles
from ragtune_cloud.bedrock.target import Bedrock
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.ledger import Ledger
from ragtune_cloud.sagemaker import jobs
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.target import Choices, Status
from tests.cloud.bedrock.conftest import imported, sections
from tests.cloud.bedrock.fake import FakeBedrock
from tests.cloud.fake import ACCOUNT, REGION
from tests.cloud.made_up import Ear, finding, hour, submit, to_the_end

BUCKET = f"sagemaker-{REGION}-{ACCOUNT}"


@pytest.fixture
def submitted(run: RunFolder, account: Callable[..., Account], tiny_llama: Path) -> None:
    """The run's training job was submitted."""
    submit(run, account(), **sections(tiny_llama))


@pytest.fixture
def left(
    submitted: None, exported: Path, bedrock: FakeBedrock, monkeypatch: pytest.MonkeyPatch
) -> str:
    """The model lies where a job leaves it that compresses nothing; the key prefix."""
    prefix = "ragtune/job/output/model"
    s3 = bedrock.session.client("s3")
    for path in exported.iterdir():
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}/{path.name}", Body=path.read_bytes())
    uri = f"s3://sagemaker-{REGION}-<account>/{prefix}"
    now = Status("job", "Completed", "Completed", 600, 1.0, artefact=uri)
    monkeypatch.setattr(jobs, "status", lambda record, account: now)
    return prefix


def test_what_a_job_left_uncompressed_is_imported_where_it_lies(
    run: RunFolder, place: Callable[..., Bedrock], bedrock: FakeBedrock, exported: Path, left: str
) -> None:
    prefix = left
    imported(run, place(source="job"))
    (job,) = bedrock.at().jobs.values()
    uri = job["asked"]["modelDataSource"]["s3DataSource"]["s3Uri"]
    assert uri == f"s3://{BUCKET}/{prefix}/"
    assert read_record(run).uploaded == ""
    planned = json.loads(BedrockFolder(run).plan.read_text())
    assert planned["model"]["place"] == f"s3://sagemaker-{REGION}-<account>/{prefix}"
    assert ACCOUNT not in BedrockFolder(run).plan.read_text()
    # The training job's files are not this import's to delete.
    place().delete(run, Ear())
    assert bedrock.at().models == {}
    listed = bedrock.session.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)
    assert listed["KeyCount"] == len(list(exported.iterdir()))
    assert not [e for e in Ledger(run).open() if e.kind.startswith("import")]


def test_what_a_job_left_compressed_has_to_be_fetched_first(
    run: RunFolder, place: Callable[..., Bedrock], account: Any, submitted: None
) -> None:
    to_the_end(run, account())
    with pytest.raises(CloudError, match="left its model compressed"):
        place(source="job").files(run)
    with pytest.raises(CloudError, match="--online"):
        Bedrock(online=False, source="job").files(run)


def test_the_model_is_the_fetched_one_then_the_exported_one(run: RunFolder, tmp_path: Path) -> None:
    assert Bedrock(online=False).files(run) == LocalFiles(run.merged)
    cloud = CloudFolder(run)
    write_json(cloud.fetched_note, {"job": "job"})
    assert Bedrock(online=False).files(run) == LocalFiles(cloud.fetched_model)
    assert Bedrock(online=False, source=str(tmp_path)).files(run) == LocalFiles(tmp_path)
    bare = RunFolder(tmp_path / "bare")
    with pytest.raises(CloudError, match="no tuned model to import"):
        Bedrock(online=False).files(bare)


def test_files_in_s3_are_read_a_piece_at_a_time(
    exported: Path, account: Callable[..., Account], left: str
) -> None:
    stored = StoredFiles(f"s3://sagemaker-{REGION}-<account>/{left}", account())
    here = LocalFiles(exported)
    assert stored.sizes == here.sizes
    assert "ragtune.json" not in stored.sizes
    assert stored.read("config.json") == here.read("config.json")
    assert stored.read("model.safetensors", 8, 30) == here.read("model.safetensors", 8, 30)
    assert ACCOUNT not in f"{stored.place} {stored!r}"


class Found:
    """A search that finds one passage for each question."""

    def search(self, questions: Any) -> list[list[Passage]]:
        return [[Passage("p", "a.md", "1", "The gates open early.", 0.9)] for _ in questions]


def test_tuned_and_tuned_with_passages_are_asked_of_it_and_base_is_not(
    run: RunFolder, place: Callable[..., Bedrock], bedrock: FakeBedrock, tiny_tokenizer: Any
) -> None:
    target, recipe = place(), recipe_of(run.path)
    with pytest.raises(CloudError, match="import RUN --submit"):
        target.engine(recipe, run, "tuned")
    imported(run, target)
    assert target.sides == ("tuned",)
    with pytest.raises(CloudError, match="an import has the tuned model alone"):
        target.engine(recipe, run, "base")
    bedrock.answer = hour
    engine = target.engine(recipe, run, "tuned")
    assert engine.context_length == 768
    form = InstructFormat(recipe.template.build(), tiny_tokenizer)
    questions = [Record.from_json(row) for row in read_jsonl(run.questions)][:8]
    for retriever in (None, Found()):
        arm = Arm(engine, form, 6, retriever=retriever)
        answers = arm.ask_all(questions, arm.retrieve(questions), batch_size=4)
        assert [a.text for a in answers] == [q.response for q in questions]
    assert ["The gates" in body["prompt"] for body in bedrock.asked] == [False] * 8 + [True] * 8


def test_asking_stops_at_the_limit_of_the_recipe(
    run: RunFolder, place: Callable[..., Bedrock], bedrock: FakeBedrock
) -> None:
    imported(run, place())
    recipe = recipe_of(run.path)
    assert read_record(run).units == 2
    poor = recipe.model_copy(
        update={"cloud": recipe.cloud.model_copy(update={"max_cost_usd": 0.5})}
    ).at(recipe.path(""))
    engine = place().engine(poor, run, "tuned")
    from ragtune.prompts.base import Prompt

    with pytest.raises(CloudError, match=r"exceed cloud.max_cost_usd \(\$0.50\)"):
        engine.complete([Prompt([0, 5], "a")], limit=2)
    assert bedrock.asked == []


def test_a_run_folder_that_lost_its_ledger_still_knows_what_to_delete(
    run: RunFolder, place: Callable[..., Bedrock], bedrock: FakeBedrock
) -> None:
    imported(run, place())
    CloudFolder(run).ledger.unlink()
    place().delete(run, Ear())
    assert bedrock.at().models == {}
    assert read_json(CloudFolder(run).ledger)["open"] == []


def test_the_contract_names_what_is_not_known(run: RunFolder) -> None:
    terms = {t.field: t for t in Bedrock(online=False).contract(recipe_of(run.path), run)}
    assert terms["model.precision"].wire == "float32"
    assert terms["rope_scaling.factor"].verdict == "same"
    assert terms["kernels"].wire == "not known"
    made = promotions.plan(Bedrock(online=False), recipe_of(run.path), run, Choices())
    assert finding(made, "contract") == "ok: every field travels"
