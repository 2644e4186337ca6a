from typing import Any

from cloud import catalog
from cloud.contract import SAME_NAME, hyperparameters, terms
from local.recipe import Recipe, Tune


def recipe(**sections: Any) -> Recipe:
    data = {"name": "t", "records": {"source": "r"}, **sections}
    return Recipe.model_validate(data)


def test_every_field_of_tune_has_a_term() -> None:
    found = {term.field for term in terms(recipe())}
    for name in Tune.model_fields:
        assert f"tune.{name}" in found or any(f.startswith(f"tune.{name}.") for f in found), name


def test_the_defaults_are_the_cloud_jobs() -> None:
    assert {term.verdict for term in terms(recipe())} == {"same"}


def test_everything_travels_as_text() -> None:
    wire = hyperparameters(recipe())
    assert all(isinstance(value, str) for value in wire.values())
    assert wire["epoch"] == "5"
    assert wire["instruction_tuned"] == "True"
    assert wire["seed"] == "10"
    assert set(SAME_NAME) <= set(wire)


def test_what_only_the_local_side_does_has_no_equivalent() -> None:
    local = recipe(tune={"local": {"loss": "completion"}})
    (term,) = [t for t in terms(local) if t.field == "tune.local.loss"]
    assert (term.wire, term.verdict) == (None, "no equivalent")


def test_accumulation_that_is_not_the_instances_gpus_differs() -> None:
    one_gpu = recipe(cloud={"instance_type": "ml.g5.2xlarge"})
    (term,) = [t for t in terms(one_gpu) if t.field.endswith("accumulation_steps")]
    assert term.verdict == "differs: ml.g5.2xlarge has 1 GPUs, so a step takes other samples"


def test_prices_are_those_published() -> None:
    assert catalog.usd_per_hour("ml.g5.12xlarge") == 7.09
    assert catalog.gpus("ml.g5.12xlarge") == 4
    assert catalog.usd_per_hour("ml.unknown") is None
