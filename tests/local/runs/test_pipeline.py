import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import (
    DocumentsError,
    ModelError,
    OfflineError,
    RecipeError,
    RecordsError,
    RunError,
)
from ragtune.core.files import file_hash, read_json, read_jsonl
from ragtune.core.progress import Silent
from ragtune.models.hardware import probe
from ragtune.recipe import file as recipe_file
from ragtune.recipe.arms import USUAL
from ragtune.retrieval.passages import Passage
from ragtune.retrieval.rerank import Reranker
from ragtune.runs import defaults, pipeline
from ragtune.runs.open import open_run
from ragtune.runs.stages.index import Index
from ragtune.sources.records import Record
from tests.conftest import record_rows, write_jsonl

STAGES = [
    "index",
    "questions",
    "data/tuned",
    "data/tuned+rag",
    "template",
    "tune/tuned",
    "tune/tuned+rag",
    "retrieval",
    "gold",
    "answers/base",
    "answers/tuned",
    "answers/rag",
    "answers/tuned+rag",
    "recall/tuned",
    "recall/tuned+rag",
    "languages",
    "coverage",
    "leaks",
    "heldout",
    "forgetting",
    "freshness",
]

ONE_ARM = "study.arms=[base]"


class Stopped(Exception):
    """Raised by a watcher to end a run after a stage."""


class StopAfter(Silent):
    """A watcher that ends the run when a stage has been made, and keeps what was said."""

    def __init__(self, stage: str | None = None) -> None:
        self.stage, self.lines = stage, list[str]()

    def say(self, line: str) -> None:
        self.lines.append(line)
        if self.stage is not None and line.startswith(f"{self.stage}: made, "):
            raise Stopped

    def how(self, kind: str) -> list[str]:
        """The stages that were ``made`` or ``reused``."""
        return [line.split(":")[0] for line in self.lines if f": {kind}, " in line]


def execute(path: Path, runs: Path, watcher: StopAfter, *overrides: str) -> dict[str, Any]:
    recipe = recipe_file.load(path, overrides)
    return pipeline.Pipeline(recipe, runs / recipe.run_name, watcher).execute().to_json()


def test_one_recipe_gives_four_arms_and_every_promised_figure(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    watcher = StopAfter()
    figures = execute(project(), tmp_path / "runs", watcher)
    (folder,) = (tmp_path / "runs").iterdir()
    assert watcher.how("made") == STAGES
    assert read_json(folder / "results.json") == json.loads(json.dumps(figures))
    assert figures["recipe"]["name"] == "tiny"
    assert set(figures["arms"]) == set(USUAL)
    for arm in figures["arms"].values():
        for metric in ("token_f1", "exact_match", "rouge_l"):
            low, high = arm["quality"][metric]["ci95"]
            assert low <= arm["quality"][metric]["mean"] <= high
        assert 0 < arm["latency_ms"]["p50"] <= arm["latency_ms"]["p95"]
        assert arm["tokens"]["prompt_mean"] > 0
    assert figures["retrieval"]["recall_at_k"]["mean"] == 1.0
    assert figures["heldout_loss"]["tuned"]["tuned"] < figures["heldout_loss"]["tuned"]["base"]
    assert figures["forgetting"]["tuned"]["base"]["tokens"] > 1000
    assert figures["forgetting"]["tuned"]["tuned"] != figures["forgetting"]["tuned"]["base"]
    assert [c["document"] for c in figures["freshness"]["changes"]] == ["canteen.md", "fog.md"]
    assert figures["freshness"]["shown"] == 2
    held = read_json(folder / "index" / "manifest.json")["hashes"]
    assert held["fog.md"] == file_hash(tmp_path / "project" / "docs" / "fog.md")
    fresh = {arm: of["freshness_seconds"] for arm, of in figures["arms"].items()}
    assert fresh["base"] is None
    assert fresh["rag"] == fresh["tuned+rag"] == figures["freshness"]["reindex_seconds"]
    assert fresh["tuned"] > figures["seconds"]["tune/tuned"]
    assert figures["learning_curve"] is None
    assert figures["questions"] == len(read_jsonl(folder / "data" / "test.jsonl"))
    assert figures["environment"]["versions"]["torch"]
    answers = read_jsonl(folder / "answers" / "rag.jsonl")
    assert len(answers[0]["sources"]) == 2
    assert answers[0]["sources"][0]["score"] >= answers[0]["sources"][1]["score"]
    template = read_json(folder / "data" / "template.json")
    assert set(template) == {"prompt", "completion"}
    for row in read_jsonl(folder / "data" / "train.jsonl"):
        assert set(row) == {"instruction", "context", "response"}

    again = StopAfter()
    assert execute(project(), tmp_path / "runs", again) == figures
    assert again.how("reused") == STAGES
    assert again.how("made") == []

    changed = StopAfter()
    overrides = ["tune.epoch=1", "study.learning_curve=[1.0, 0.5]"]
    figures = execute(project(), tmp_path / "runs", changed, *overrides)
    assert "index: copied from" in " ".join(changed.lines)
    assert changed.how("made") == [
        "tune/tuned",
        "tune/tuned+rag",
        "answers/tuned",
        "answers/tuned+rag",
        "recall/tuned",
        "recall/tuned+rag",
        "heldout",
        "forgetting",
        "curve/0.5",
    ]
    half, whole = figures["learning_curve"]["points"]
    assert (half["records"], whole["records"]) == (4, 8)
    for arm in ("tuned", "tuned+rag"):
        assert whole["arms"][arm] == figures["arms"][arm]["quality"]["token_f1"]


def test_a_report_needs_nothing_but_the_run_folder(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    path = project()
    figures = execute(path, tmp_path / "runs", StopAfter(), ONE_ARM)
    shutil.rmtree(path.parent)
    (folder,) = (tmp_path / "runs").iterdir()
    with open_run(folder) as again:
        assert again.figures.to_json() == figures
        assert again.report().to_json() == figures


def test_a_run_behind_a_link_finds_its_data_again(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    path = project()
    (tmp_path / "large" / "disk").mkdir(parents=True)
    (tmp_path / "runs").symlink_to(tmp_path / "large" / "disk")
    with pytest.raises(Stopped):
        execute(path, tmp_path / "runs", StopAfter("data/tuned"), ONE_ARM)
    (folder,) = (tmp_path / "runs").iterdir()
    asked = [row["instruction"] for row in read_jsonl(folder / "data" / "test.jsonl")]
    for opened in (folder, folder.resolve()):
        with open_run(opened) as again:
            assert [r.instruction for r in again.materials.questions] == asked


def test_answers_older_than_the_data_are_not_reported(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    path = project()
    execute(path, tmp_path / "runs", StopAfter(), ONE_ARM)
    others = [{**row, "response": f"{row['response']}!"} for row in record_rows()]
    write_jsonl(path.parent / "records.jsonl", others)
    with pytest.raises(Stopped):
        execute(path, tmp_path / "runs", StopAfter("data/tuned"), ONE_ARM)
    (folder,) = (tmp_path / "runs").iterdir()
    with open_run(folder) as opened:
        for report in (opened.report, lambda: opened.figures):
            older = r"answers/base, languages older .*; go on with `ragtune run`"
            with pytest.raises(RunError, match=older):
                report()


def test_a_share_too_small_to_train_on_is_named(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    alone = project(documents=None, records={"source": "records.jsonl", "test_fraction": 0.3})
    small = ["study.arms=[tuned]", "study.learning_curve=[0.01]", "tune.max_input_length=512"]
    with pytest.raises(RecipeError, match=r"learning_curve: 0.01 of the records is too little: 1 "):
        execute(alone, tmp_path / "runs", StopAfter(), *small, "tune.epoch=1")


@pytest.mark.parametrize("stage", ["index", "tune/tuned", "answers/rag", "heldout"])
def test_stopped_after_any_stage_the_same_command_goes_on(
    project: Callable[..., Path], tmp_path: Path, stage: str
) -> None:
    path = project()
    with pytest.raises(Stopped):
        execute(path, tmp_path / "runs", StopAfter(stage), "tune.epoch=1")
    rest = StopAfter()
    execute(path, tmp_path / "runs", rest, "tune.epoch=1")
    border = STAGES.index(stage) + 1
    assert rest.how("reused") == STAGES[:border]
    assert rest.how("made") == STAGES[border:]


def test_kill_9_while_tuning_loses_no_finished_stage(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    path = project()
    command = [sys.executable, "-m", "ragtune", "run", str(path), "--runs", str(tmp_path / "runs")]
    with subprocess.Popen(
        [*command, "--set", "tune.epoch=10"],
        cwd=Path(__file__).resolve().parents[3],
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as process:
        kept = "*/.partial/tune-tuned/checkpoint/checkpoint.safetensors"
        try:
            while not list((tmp_path / "runs").glob(kept)):
                assert process.poll() is None
                time.sleep(0.02)
        finally:
            process.kill()
    (folder,) = (tmp_path / "runs").iterdir()
    finished = {n: s["finished"] for n, s in read_json(folder / "lock.json")["stages"].items()}
    assert list(finished) == ["index", "questions", "data/tuned", "data/tuned+rag", "template"]
    recipe = defaults.load(path, ("tune.epoch=10",))  # as the command does
    figures = pipeline.Pipeline(recipe, tmp_path / "runs" / recipe.run_name).execute().to_json()
    assert figures["tune"]["tuned"]["resumed_from_step"] > 0
    after = {n: s["finished"] for n, s in read_json(folder / "lock.json")["stages"].items()}
    assert {n: after[n] for n in finished} == finished
    assert set(after) == {*STAGES, "figures"}


def test_contexts_serve_as_documents_and_gold(project: Callable[..., Path], tmp_path: Path) -> None:
    path = project(documents={"source": "contexts"}, study={"max_new_tokens": 2})
    figures = execute(path, tmp_path / "runs", StopAfter(), "study.arms=[rag]")
    assert figures["index"]["documents"] == 6
    assert figures["retrieval"]["recall_at_k"]["mean"] == 1.0
    assert figures["heldout_loss"] == {}


def test_passages_are_ranked_anew_and_too_low_a_score_is_refused_unasked(
    project: Callable[..., Path], tmp_path: Path, cross_encoder: Path
) -> None:
    rag = {"top_k": 2, "rerank": str(cross_encoder), "refuse_below": "calibrated"}
    path = project(rag=rag, study={"arms": ["rag"], "max_new_tokens": 2, "latency_questions": 1})
    rows = [
        {**row, "instruction": f"{opening}{row['instruction']}"}
        for opening in ("", "Please: ", "Say: ", "I ask: ", "Well, ", "So: ")
        for row in record_rows()
    ]
    write_jsonl(path.parent / "records.jsonl", rows)
    figures = execute(path, tmp_path / "runs", StopAfter())
    assert figures["freshness"] is not None
    (folder,) = (tmp_path / "runs").iterdir()
    asked = {
        (r := Record.from_json(row)).id: r for row in read_jsonl(folder / "data" / "test.jsonl")
    }
    below = read_json(folder / "threshold.json")["below"]
    answers = read_jsonl(folder / "answers" / "rag.jsonl")
    found = read_jsonl(folder / "retrieval.jsonl")
    reranker = Reranker(cross_encoder, probe())
    for answer, row in zip(answers, found, strict=True):
        passages = [Passage(**p) for p in row["passages"]]
        again = reranker.rank(asked[answer["question"]].instruction, passages, 2)
        assert [p.id for p in again] == [p.id for p in passages]
        assert answer["refused"] == (passages[0].score < below)
        assert not answer["refused"] or answer["text"] == "not in the documents"


@pytest.mark.parametrize(
    ("override", "error", "message"),
    [
        ("model.local=nowhere", ModelError, "no such folder"),
        ("model.local=docs", ModelError, "config.json is missing"),
        ("model.local=some-body/some-llama", OfflineError, "not on this machine"),
        ("rag.embedder=docs", ModelError, "no sentence-transformers model there"),
        ("records.source=none.jsonl", RecordsError, "no such file or folder"),
        ("documents.source=empty", DocumentsError, "no such folder"),
        ("study.questions=none.jsonl", RecordsError, "no such file or folder"),
        ("study.general_text=none.txt", RecipeError, "name a text file, or `builtin`"),
        ("rag.chunk_tokens=300", RecipeError, "allowed: 16 to 256"),
        ("tune.max_input_length=800", RecipeError, "the model reads 768 tokens"),
        ("study.max_new_tokens=700", RecipeError, "the template alone takes"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(
    project: Callable[..., Path],
    tmp_path: Path,
    override: str,
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message) as caught:
        execute(project(), tmp_path / "runs", StopAfter(), override)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


def test_a_model_that_writes_no_text_by_itself_is_refused(
    project: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "t5").mkdir()
    (tmp_path / "t5" / "config.json").write_text('{"model_type": "t5", "is_encoder_decoder": true}')
    with pytest.raises(ModelError, match="a model of type t5, an encoder with a decoder; allowed"):
        execute(project(), tmp_path / "runs", StopAfter(), f"model.local={tmp_path / 't5'}")


@pytest.mark.parametrize("name", ["TinyStories-656K", "stories260K-hf"])
def test_llamas_from_elsewhere_learn_from_real_records(
    shared: Path, tmp_path: Path, name: str
) -> None:
    (real,) = (shared / "dolly").glob("*.jsonl")
    with real.open(encoding="utf-8") as lines:
        first = [json.loads(line) for line in islice(lines, 1500)]
    write_jsonl(tmp_path / "dolly.jsonl", first)
    path = tmp_path / "recipe.yaml"
    path.write_text(
        f"name: real\nmodel: {{local: {shared / 'models' / name}}}\n"
        f"records: {{source: dolly.jsonl, categories: [summarization]}}\n"
        "tune: {epoch: 1, learning_rate: 0.005, max_input_length: 256, max_train_samples: 60}\n"
        "study: {max_questions: 6, max_new_tokens: 8, latency_questions: 2}\n"
    )
    figures = execute(path, tmp_path / "runs", StopAfter())
    summaries = sum(row["category"] == "summarization" for row in first)
    assert figures["data"]["train"] == pytest.approx(0.9 * summaries, abs=1)
    assert figures["questions"] == 6
    assert figures["heldout_loss"]["tuned"]["tuned"] < figures["heldout_loss"]["tuned"]["base"]


def test_an_index_of_another_version_is_made_again(
    project: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, runs = project(), tmp_path / "runs"
    rag = ("study.arms=[rag]", "records.with_passages=0")
    with monkeypatch.context() as patch:
        for module in ("ragtune.retrieval.manifest", "ragtune.retrieval.index"):
            patch.setattr(f"{module}.FORMAT", 1, raising=False)
        patch.setattr(Index, "version", 1)
        execute(path, runs, StopAfter(), *rag)
    watcher = StopAfter()
    execute(path, runs, watcher, *rag)
    assert "index" in watcher.how("made")
