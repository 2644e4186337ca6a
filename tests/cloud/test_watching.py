import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.files import read_jsonl, write_jsonl
from ragtune.core.progress import Silent
from ragtune.recipe import file as recipe_file
from ragtune.sources.records import Record
from ragtune_cloud import endpoints, evaluate, fetch, jobs, watching
from ragtune_cloud.account import Account
from ragtune_cloud.compare import compare
from ragtune_cloud.errors import CloudError
from ragtune_cloud.logs import Progress
from ragtune_cloud.plan import Choices, plan
from tests.cloud.conftest import recipe
from tests.cloud.fake import FakeSageMaker

Open = Callable[[], Account]


class Ear(Silent):
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, line: str) -> None:
        self.said.append(line)


@pytest.fixture
def submitted(run: Path, account: Open) -> Path:
    opened = account()
    made = plan(recipe(), run, Choices(eula=True), opened)
    jobs.submit(made, opened, lambda line: None)
    return run


def watch(run: Path, account: Account, ear: Ear, sleep: Any = lambda seconds: None) -> jobs.Status:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watching, "sleep", sleep)
        return watching.watch(jobs.read_record(run), run, account, ear)


def test_a_lost_connection_is_waited_for(submitted: Path, account: Open) -> None:
    opened = account()
    count = iter(range(100))

    def lost(**_: Any) -> None:
        from botocore.exceptions import EndpointConnectionError

        if 2 <= next(count) < 5:
            raise EndpointConnectionError(endpoint_url="https://api.sagemaker")

    opened.session.events.register("before-call.sagemaker.DescribeTrainingJob", lost)
    ear = Ear()
    assert watch(submitted, opened, ear).status == "Completed"
    assert len([line for line in ear.said if "the job goes on without us" in line]) == 1


def test_an_interruption_leaves_the_job_running_and_watching_goes_on_later(
    submitted: Path, account: Open, fake: FakeSageMaker
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    ear = Ear()
    with pytest.raises(KeyboardInterrupt):
        watch(submitted, account(), ear, sleep=interrupt)
    assert "runs on; `ragtune cloud stop RUN` stops it" in ear.said[-1]
    assert fake.calls["StopTrainingJob"] == 0
    assert watch(submitted, account(), Ear()).status == "Completed"


def test_a_stopped_job_is_no_success(submitted: Path, account: Open) -> None:
    opened = account()
    jobs.stop(jobs.read_record(submitted), opened)
    with pytest.raises(CloudError, match=r"stopped.*, which is no success"):
        watch(submitted, opened, Ear())


def test_the_curve_is_parsed_from_the_log_of_the_published_job() -> None:
    progress = Progress()
    progress.read(
        [
            "Training Epoch0:  15%|#033[34m█▍        #033[0m| 4/27 [00:44<04:00, 10.47s/it]",
            "step 3 is completed and loss is 1.408427119255066",
            " eval_ppl=tensor(3.7398, device='cuda:0') eval_epoch_loss=tensor(1.3190, device='c')",
        ]
    )
    assert (progress.epoch, progress.step, progress.steps) == (0, 4, 27)
    assert progress.epochs == [{"epoch": 1, "eval_loss": 1.3190}]
    progress.read(["Epoch 1: train_perplexity=4.1, train_epoch_loss=1.4238, epoch time 264s"])
    assert progress.epochs == [{"epoch": 1, "train_loss": 1.4238, "eval_loss": 1.3190}]


def fetched(run: Path, account: Account) -> Path:
    record = jobs.read_record(run)
    return fetch.fetch(record, recipe(), run, account, Silent())


def test_a_model_is_not_fetched_before_the_job_is_completed(submitted: Path, account: Open) -> None:
    with pytest.raises(CloudError, match="InProgress"):
        fetched(submitted, account())


@pytest.mark.parametrize(
    ("artefact", "said"),
    [(b"no archive", "cannot be unpacked"), (None, "what the job left is no model")],
)
def test_what_is_no_whole_model_is_refused(
    submitted: Path,
    account: Open,
    fake: FakeSageMaker,
    tmp_path: Path,
    *,
    artefact: bytes | None,
    said: str,
) -> None:
    empty = tmp_path / "empty.tar.gz"
    with tarfile.open(empty, "w:gz") as tar:
        tar.add(__file__, arcname="readme.txt")
    fake.artefact = artefact or empty.read_bytes()
    opened = account()
    watch(submitted, opened, Ear())
    with pytest.raises(CloudError, match=said):
        fetched(submitted, opened)
    assert not (submitted / "cloud" / "fetched" / "fetched.json").exists()


def test_a_fetched_model_is_kept_and_its_weights_are_checked(
    submitted: Path, account: Open, fake: FakeSageMaker, merged_model: bytes
) -> None:
    fake.artefact = merged_model
    opened = account()
    watch(submitted, opened, Ear())
    path = fetched(submitted, opened)
    model = path.parent / "model"
    before = (model / "model.safetensors").stat().st_mtime_ns
    assert fetched(submitted, opened) == path
    assert (model / "model.safetensors").stat().st_mtime_ns == before
    (model / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(CloudError, match="broken weights"):
        fetch.check_model(model)


@pytest.mark.parametrize("place", ["run", "far/away/link"])
def test_the_written_recipe_finds_what_the_runs_recipe_names(
    submitted: Path,
    account: Open,
    fake: FakeSageMaker,
    merged_model: bytes,
    tmp_path: Path,
    *,
    place: str,
) -> None:
    fake.artefact = merged_model
    opened = account()
    watch(submitted, opened, Ear())
    (tmp_path / "reranker").mkdir()
    (tmp_path / "records.jsonl").touch()
    seen = tmp_path / place
    if seen != submitted:
        seen.parent.mkdir(parents=True)
        seen.symlink_to(submitted)
    made = recipe(rag={"rerank": "reranker"}).at(tmp_path)
    path = fetch.fetch(jobs.read_record(seen), made, seen, opened, Silent())
    written = recipe_file.load(path)
    assert written.path(written.rag.rerank or "").samefile(tmp_path / "reranker")
    assert written.path(written.records.source).samefile(tmp_path / "records.jsonl")
    assert written.path(written.study.questions).samefile(submitted / "data" / "test.jsonl")


def ask(run: Path, account: Account, fake: FakeSageMaker, **sections: Any) -> list[Any]:
    record = jobs.read_record(run)
    fake.things["Endpoint"][endpoints.endpoint_name(record, "tuned")] = {}
    made = recipe(**sections)
    return read_jsonl(evaluate.ask(record, made, run, "tuned", account=account, watcher=Silent()))


def test_after_a_change_of_the_questions_only_those_not_yet_answered_are_asked(
    submitted: Path, account: Open, fake: FakeSageMaker
) -> None:
    before = ask(submitted, account(), fake)
    path = submitted / "data" / "test.jsonl"
    first, *rest = read_jsonl(path)
    write_jsonl(path, [{**first, "instruction": "How deep is it?"}, *rest])
    prompts = []

    def answer(endpoint: str, prompt: str) -> str:
        prompts.append(prompt)
        return "nine feet"

    fake.answer = answer
    after = ask(submitted, account(), fake)
    assert ["How deep is it?" in prompt for prompt in prompts] == [True]
    assert (after[:-1], after[-1]["text"]) == (before, "nine feet")


def test_an_endpoints_answer_is_kept_without_the_words_around_each_response(
    submitted: Path, account: Open, fake: FakeSageMaker
) -> None:
    fake.answer = lambda endpoint, prompt: " The answer: six. END"
    template = {"completion": "The answer: {response} END"}
    assert {row["text"] for row in ask(submitted, account(), fake, template=template)} == {"six."}


def test_answers_are_compared_by_their_question_and_sets_with_a_gap_left_out(run: Path) -> None:
    path = run / "data" / "test.jsonl"
    asked = [{**row, "response": f"at {n}"} for n, row in enumerate(read_jsonl(path))]
    write_jsonl(path, asked)
    answers = [{"question": Record(**row).id, "text": row["response"]} for row in asked]
    stranger = {**answers[0], "question": "of another run"}
    write_jsonl(run / "answers" / "base.jsonl", [stranger, *answers[1:]])
    write_jsonl(run / "answers" / "tuned.jsonl", answers[::-1])
    sides = compare(recipe(), run, None)["sides"]
    assert {side: found["exact_match"]["mean"] for side, found in sides.items()} == {
        "local tuned": 1.0
    }


@pytest.mark.parametrize(
    "body",
    [b'[{"generation": " six"}]', b'[{"generated_text": "Q: six"}]', b'{"generation":"six"}'],
)
def test_both_response_shapes_are_read(body: bytes) -> None:
    assert evaluate.text_of(body, "Q:") == "six"


def test_another_response_shape_is_named() -> None:
    with pytest.raises(CloudError, match="neither generation nor generated_text: <html>"):
        evaluate.text_of(b"<html>")
