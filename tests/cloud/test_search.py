"""What a search chose is what is promoted."""

import json
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.files import read_json, write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.tune import Tune
from ragtune.runs.stages.tune import settings
from ragtune.tuning import search
from ragtune_cloud import gate
from ragtune_cloud.sagemaker import contract
from ragtune_cloud.sagemaker.names import names
from ragtune_cloud.sagemaker.spec import SHIPPED, read
from tests.cloud.made_up import planned, recipe

CHOSEN = {"epoch": 3, "learning_rate": 3e-4, "lora_r": 16}


def tuned_with(run: RunFolder, **chosen: Any) -> None:
    """Note in ``training.json`` that the run's adapter was tuned with these values."""
    spec = Tune.model_validate({**recipe().tune.model_dump(), **chosen})
    path = run.training("tuned")
    write_json(path, {**read_json(path), "settings": settings(spec)})


def test_the_winners_settings_are_the_jobs_hyperparameters(run: RunFolder) -> None:
    tuned_with(run, **CHOSEN)
    made = planned(run)
    sent = made.draft.more["hyperparameters"]
    assert (sent["epoch"], sent["learning_rate"], sent["lora_r"]) == ("3", "0.0003", "16")
    assert made.draft.request is not None
    assert made.draft.request["HyperParameters"]["epoch"] == json.dumps("3")
    terms = {term.field: term for term in made.draft.terms}
    assert terms["tune.epoch"].local == 3
    assert terms["tune.lora_dropout"].local == recipe().tune.lora_dropout


def test_a_job_costs_what_the_winners_epochs_cost(run: RunFolder) -> None:
    before = planned(run).draft.cost.usd_likely
    tuned_with(run, epoch=50)
    after = planned(run).draft.cost.usd_likely
    assert before is not None
    assert after is not None
    assert after > before


def test_the_promoted_recipe_keeps_the_runs_identity(run: RunFolder) -> None:
    tuned_with(run, **CHOSEN)
    tuned = gate.as_tuned(recipe(), run)
    assert tuned.tune.epoch == 3
    assert tuned.identity == recipe().identity


def test_a_run_that_noted_no_settings_is_promoted_with_the_recipes_own(run: RunFolder) -> None:
    assert "settings" not in read_json(run.training("tuned"))
    assert gate.as_tuned(recipe(), run).tune == recipe().tune


def test_other_winners_of_the_same_recipe_are_another_job(run: RunFolder) -> None:
    searched = recipe(tune={"search": {"minutes": 5}})
    found = set()
    for chosen in (CHOSEN, {**CHOSEN, "epoch": 4}):
        tuned_with(run, **chosen)
        found.add(names(searched, run).job)
        assert names(gate.as_tuned(searched, run), run).job in found
    assert len(found) == 2


@pytest.mark.parametrize("path", [None, *sorted(SHIPPED.glob("*.json"))], ids=str)
def test_nothing_is_tried_that_a_container_would_refuse(path: Path | None) -> None:
    """By the documented bounds, and by those of each model that ships."""
    spec = read(path) if path else None
    for own in ({}, {"epoch": 1000, "learning_rate": 1.0}, {"lora_r": 1, "learning_rate": 1e-8}):
        made = recipe(tune=own)
        modules = ["q_proj", "k_proj", "v_proj", "o_proj"]
        for one in search.candidates(made.tune, modules, seed=1, promoted=True):
            tried = made.tuned_with(search.applied(made.tune, one))
            assert contract.faults(tried, spec) == []
            refused = [t.field for t in contract.terms(tried, spec) if t.wire is None]
            assert refused == [t.field for t in contract.terms(made, spec) if t.wire is None]
