import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import ModelError, RecipeError
from ragtune.core.files import read_json, read_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.models.engines import client
from ragtune.models.load import load_tokenizer
from ragtune.recipe import file as recipe_file
from ragtune.results.notes import notes
from ragtune.results.schema import Results
from ragtune.runs import check, defaults
from ragtune.runs.open import open_run
from ragtune.runs.pipeline import Pipeline
from ragtune_cloud.gate import reasons_against
from tests.conftest import FACTS
from tests.local.models.engines.fake_server import Body, FakeServer, serving
from tests.local.serve import conftest as page

STUDY = {"max_new_tokens": 12, "latency_questions": 2, "batch_size": 4}
ANSWERS = {question.lower(): answer for *_, question, answer in FACTS}


def knowing(body: Body) -> str:
    """Right where the passages have the answer, as a good model would be."""
    asked = str(body["messages"][-1]["content"])
    known = next(answer for question, answer in ANSWERS.items() if question in asked.lower())
    return known if known in asked.rpartition("\n\n")[0] else "I do not know."


MODELS: list[Body] = [
    {"id": "llama", "owned_by": "vllm", "max_model_len": 2048},
    {"id": "ours", "owned_by": "vllm", "parent": "llama"},
]


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    monkeypatch.setattr(client, "WAITS", (0.0,))
    with serving(FakeServer(answer=knowing, models=MODELS)) as server:
        yield server


def made(path: Path, *overrides: str) -> tuple[Results, Path]:
    recipe = defaults.load(path, overrides)
    folder = path.parent / "runs" / recipe.run_name
    return Pipeline(recipe, folder).execute(), folder


@dataclass(frozen=True)
class Study:
    fake: FakeServer
    recipe: Path
    results: Results
    folder: Path


@pytest.fixture(scope="module")
def study(
    make_project: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Study]:
    """A study of all arms, of which the server has a model for those that are not tuned."""
    arms = ["base", "fewshot", "tuned", "rag-records", "rag", "tuned+rag"]
    with serving(FakeServer(answer=knowing, models=MODELS)) as server:
        path = make_project(
            tmp_path_factory.mktemp("served") / "project",
            model={"engine": server.url},
            study={**STUDY, "arms": arms},
        )
        yield Study(server, path, *made(path))


def test_a_study_needs_no_weights_here(study: Study) -> None:
    results, url = study.results, study.fake.url
    assert list(results.arms) == ["base", "fewshot", "rag-records", "rag"]
    assert results.arms["rag"].right.mean == 1
    assert results.arms["base"].right.mean == 0
    assert not (results.tune or results.forgetting or results.heldout_loss)
    assert results.freshness is not None
    used = results.engine
    assert used is not None
    assert (used.url, used.agreement) == (url, None)
    assert used.answered["rag"].takes == "messages"
    assert used.answered["rag"].context_length == 2048
    assert [model["name"] for model in used.models] == ["llama", "ours"]
    assert {body["model"] for body in study.fake.bodies} == {"llama"}
    page = (study.folder / "report.html").read_text(encoding="utf-8")
    assert f"llama at {url}" in page
    assert "left out: tuned, tuned+rag" in page


def test_a_run_that_is_made_asks_nobody(study: Study) -> None:
    before = len(study.fake.asked)
    made(study.recipe)
    with open_run(study.folder) as run:
        run.report()
    assert len(study.fake.asked) == before


def test_a_run_is_asked_through_its_server(
    study: Study, called: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, out, _ = called("ask", study.folder, "What does soup cost?", "--arm", "rag")
    assert code == 0
    assert "three crowns" in out
    code, out, _ = called("report", study.folder, "--details")
    assert f"answered by {study.fake.url}: llama;" in " ".join(out.split())
    with open_run(study.folder) as run, pytest.raises(RecipeError, match="no adapter to export"):
        run.export(tmp_path, "float32")


def test_a_run_is_served_whose_arms_another_server_answers(study: Study) -> None:
    question = "What does soup cost?"
    asked = {"model": "rag", "messages": [{"role": "user", "content": question}]}
    with page.serving(study.folder) as served, served.client() as client:
        arms = [model["id"] for model in client.get("/v1/models").json()["data"]]
        assert arms == ["base", "fewshot", "rag-records", "rag"]
        answer = client.post("/v1/chat/completions", json=asked).json()
        assert answer["choices"][0]["message"]["content"] == "three crowns"
        assert answer["choices"][0]["sources"]
        with client.stream("POST", "/v1/chat/completions", json={**asked, "stream": True}) as told:
            lines = [line.removeprefix("data: ") for line in told.iter_lines() if line]
    pieces = [json.loads(line)["choices"][0]["delta"] for line in lines if line != "[DONE]"]
    assert "".join(piece.get("content") or "" for piece in pieces) == "three crowns"


def test_check_looks_at_the_server_and_says_what_is_left_out(
    fake: FakeServer, project: Callable[..., Path]
) -> None:
    path = project(model={"engine": fake.url}, study=STUDY)
    found, _ = check.check(defaults.load(path))
    assert found["arms"] == ["base", "rag"]
    shown = check.show(path, found, "")
    assert "rag: answered by llama, which reads 2,048 tokens and is sent messages" in shown
    assert "arms left out: tuned, tuned+rag: a server tunes nothing" in shown
    with pytest.raises(ModelError, match="has no model theirs; it has llama, ours"):
        check.check(defaults.load(path, ("model.served.tuned=theirs",)))


def test_a_tuned_arm_is_asked_by_its_name(fake: FakeServer, project: Callable[..., Path]) -> None:
    served = {"base": "llama", "tuned": "ours"}
    arms = ["base", "tuned"]
    path = project(
        model={"engine": fake.url, "served": served},
        study={**STUDY, "arms": arms, "seeds": 2, "learning_curve": [0.5]},
    )
    results, folder = made(path)
    assert list(results.arms) == arms
    assert {body["model"] for body in fake.bodies} == {"llama", "ours"}
    stages = read_json(folder / "lock.json")["stages"]
    assert not [name for name in stages if name.startswith(("tune", "heldout", "forget", "seed"))]
    assert stages["answers/tuned"]["inputs"]["model.served"] == served
    (reason, *_) = reasons_against(defaults.load(path), RunFolder(folder))
    assert "tuned nothing here" in reason


def test_a_stage_that_failed_goes_on_where_it_stopped(
    fake: FakeServer, project: Callable[..., Path]
) -> None:
    path = project(model={"engine": fake.url}, study={**STUDY, "arms": ["base"], "batch_size": 1})
    answered: list[str] = []

    def failing(body: Body) -> str:
        answered.append("")
        if len(answered) == 3:
            fake.faults += [(500, {"error": {"message": "out of memory"}}, {})] * 2
        return "an answer"

    fake.answer = failing
    with pytest.raises(ModelError, match="answers 500: out of memory"):
        made(path)
    before = len(fake.bodies)
    results, folder = made(path)
    assert len(fake.bodies) - before == results.questions - 3 + 3  # the latter are timed
    assert not (folder / ".partial" / "answers-base").exists()
    assert [row["text"] for row in read_jsonl(folder / "answers" / "base.jsonl")] == [
        "an answer"
    ] * results.questions


def test_the_models_tokenizer_counts_and_its_loop_is_compared(
    fake: FakeServer, project: Callable[..., Path], tiny_llama: Path
) -> None:
    fake.models = [{"id": "tiny", "owned_by": "vllm", "max_model_len": 700}]
    fake.answer = lambda body: "something else"
    path = project(
        model={"engine": fake.url, "local": str(tiny_llama)},
        study={**STUDY, "arms": ["base"]},
    )
    fake.counts = counted(tiny_llama)
    results, _ = made(path)
    used = results.engine
    assert used is not None
    assert used.answered["base"].takes == "ids"
    assert used.agreement is not None
    assert (used.agreement.arm, used.agreement.questions) == ("base", results.questions)
    assert used.agreement.equal == 0
    told = [note.text for note in notes(results) if note.kind == "warning"]
    assert any("it has other weights, fewer bits, or another prompt" in text for text in told)
    assert all(body["prompt"][0] == 0 for body in fake.bodies)


def counted(folder: Path) -> Callable[[Body], int]:
    tokenizer = load_tokenizer(folder)

    def count(body: Body) -> int:
        prompt = body["prompt"]
        return len(prompt) if isinstance(prompt, list) else len(tokenizer(prompt)["input_ids"])

    return count


def test_raw_prompts_need_a_tokenizer(fake: FakeServer, project: Callable[..., Path]) -> None:
    path = project(model={"engine": fake.url}, template={"format": "instruct"}, study=STUDY)
    with pytest.raises(ModelError, match=r"template\.format: instruct needs a tokenizer"):
        made(path)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"engine": "http://user:secret@host/v1"}, "which a recipe does not hold"),
        ({"engine": "http://host/v1?api_key=secret"}, "which a recipe does not hold"),
        ({"engine": "ollama"}, "`torch`, `vllm` or an http(s) URL, got 'ollama'"),
        ({"served": {"base": "llama"}}, "it is about a server"),
        ({"local": "none"}, "`none` needs a server"),
        ({"engine": "http://host/v1", "served": {"rag": "x"}}, "model.served.rag"),
    ],
)
def test_a_model_section_that_cannot_be_is_refused(
    project: Callable[..., Path], model: dict[str, Any], said: str
) -> None:
    with pytest.raises(RecipeError) as refused:
        recipe_file.load(project(model=model))
    assert said in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_study_of_tuned_arms_alone_needs_their_names(project: Callable[..., Path]) -> None:
    path = project(model={"engine": "http://127.0.0.1:9/v1"}, study={"arms": ["tuned"]})
    with pytest.raises(RecipeError, match="a server answers tuned only by a name"):
        recipe_file.load(path)


def test_a_server_tunes_nothing(project: Callable[..., Path]) -> None:
    path = project(model={"engine": "http://127.0.0.1:9/v1"}, study=STUDY)
    with pytest.raises(RecipeError, match="tunes nothing; tune the model here"):
        Pipeline(recipe_file.load(path), path.parent / "runs" / "one").tune()


def test_the_guard_lets_only_the_named_host_through(
    project: Callable[..., Path], called: Callable[..., tuple[int, str, str]]
) -> None:
    path = project(model={"engine": "http://192.0.2.7:8000/v1"}, study=STUDY)
    code, _, said = called("check", path, "--offline")
    assert code == 5
    assert "offline: refused to connect to 192.0.2.7:8000" in said


def test_the_filled_recipe_is_read_back(fake: FakeServer, project: Callable[..., Path]) -> None:
    path = project(model={"engine": f"{fake.url}/", "served": {"base": "llama"}}, study=STUDY)
    recipe = defaults.load(path)
    path.write_text(recipe_file.dump(recipe), encoding="utf-8")
    again = recipe_file.load(path)
    assert again.identity == recipe.identity
    assert json.loads(json.dumps(again.filled))["model"]["engine"] == fake.url
