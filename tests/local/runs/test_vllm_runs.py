"""Studies that vLLM answers, over a fake of vLLM: no card was at hand to run the real one on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ragtune.core.errors import ModelError, RecipeError
from ragtune.core.files import read_json, read_jsonl
from ragtune.models.engines import vllm
from ragtune.runs import check, defaults
from ragtune.runs.materials import Materials
from ragtune.runs.open import open_run
from ragtune.runs.pipeline import Pipeline
from tests.local.models.engines import fake_vllm

STUDY = {"arms": ["base", "tuned"], "max_new_tokens": 4, "latency_questions": 1}


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> fake_vllm.Seen:
    for name in vllm.SETTINGS:
        monkeypatch.setenv(name, "1")
    return fake_vllm.installed(monkeypatch)


def test_one_engine_answers_base_and_tuned_arms_as_the_loop_here_does(
    make_project: Callable[..., Path], tiny_llama: Path, tmp_path: Path, seen: fake_vllm.Seen
) -> None:
    model = {"local": str(tiny_llama), "precision": "float32"}
    found = {}
    for engine in ("torch", "vllm"):
        path = make_project(tmp_path / engine, model={**model, "engine": engine}, study=STUDY)
        loaded = defaults.load(path)
        folder = tmp_path / engine / "runs"
        results = Pipeline(loaded, folder).execute()
        with open_run(folder) as run:
            found[engine] = {
                arm: [answer["text"] for answer in read_jsonl(run.folder.answers(arm))]
                for arm in loaded.arms
            }
            used = run.folder.engine
    assert found["vllm"] == found["torch"]
    assert len(seen.opened) == 1  # by the run, whose models are in memory no more than once
    asked = {request.lora_path if request else None for _, request, _ in seen.generated}
    assert len(asked) == 2  # the base model, and the adapter
    evidence = read_json(used)
    assert evidence["url"] == "vllm 0.33.0"
    assert evidence["answered"]["tuned"] == {
        "model": "base + tuned",
        "takes": "ids",
        "context_length": 768,
    }
    agreement = evidence["agreement"]
    assert agreement["equal"] == agreement["questions"] > 0
    assert results.engine is not None
    assert not results.engine.elsewhere  # it was tuned here, so it can be promoted
    assert "tuned" in results.heldout_loss  # the loop here measures losses


def test_a_recipe_for_vllm_is_refused_where_it_is_not_installed(
    make_project: Callable[..., Path], tiny_llama: Path, tmp_path: Path
) -> None:
    model = {"local": str(tiny_llama), "engine": "vllm"}
    loaded = defaults.load(make_project(tmp_path / "p", model=model, study=STUDY))
    with pytest.raises(ModelError, match="the package vllm is not installed"):
        check.everything(loaded, Materials(loaded))


def test_an_adapter_of_a_kind_that_vllm_does_not_take_is_refused_at_once(
    make_project: Callable[..., Path], tiny_llama: Path, tmp_path: Path, seen: fake_vllm.Seen
) -> None:
    model = {"local": str(tiny_llama), "engine": "vllm"}
    dora = {"local": {"dora": True}}
    loaded = defaults.load(make_project(tmp_path / "p", model=model, study=STUDY, tune=dora))
    with pytest.raises(RecipeError, match=r"tune.local.dora: vLLM takes no DoRA"):
        check.everything(loaded, Materials(loaded))
    assert not seen.opened
