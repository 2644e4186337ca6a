import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import CloudError
from ragtune.core.files import write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.recipe.tune import Tune
from ragtune_cloud.plan import refuse_differences
from ragtune_cloud.sagemaker import catalog, contract
from ragtune_cloud.sagemaker.contract import SAME_NAME, hyperparameters, terms
from ragtune_cloud.sagemaker.manifest import flatten
from ragtune_cloud.sagemaker.spec import Spec
from ragtune_cloud.sagemaker.unwritten import Measured, measured
from ragtune_cloud.target import Term
from tests.cloud.made_up import LLAMA, PUBLISHED
from tests.cloud.made_up import recipe as published


def recipe(**sections: Any) -> Recipe:
    data = {"name": "t", "records": {"source": "r"}, **sections}
    return Recipe.model_validate(data)


@pytest.fixture
def spec() -> Spec:
    path = PUBLISHED / "community_models_specs" / LLAMA / "specs_v3.0.0.json"
    return flatten(json.loads(path.read_text()), "us-east-1")


def test_every_field_of_tune_has_a_term() -> None:
    found = {term.field for term in terms(recipe())}
    for name in Tune.model_fields:
        assert f"tune.{name}" in found or any(f.startswith(f"tune.{name}.") for f in found), name


def verdicts(found: list[Term]) -> set[str]:
    """Of the fields of the recipe; the rows above them are of no field."""
    return {t.verdict for t in found if "." in t.field and t.field != "tune.max_input_length"}


def test_the_defaults_are_the_cloud_jobs(spec: Spec) -> None:
    assert verdicts(terms(recipe())) == {"same"}
    assert verdicts(terms(recipe(), spec)) == {"same"}


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


def test_what_has_no_equivalent_refuses_unless_it_is_named() -> None:
    found = terms(recipe(tune={"local": {"loss": "completion", "layout": "rows"}}))
    flags = "--accept-difference tune.local.layout --accept-difference tune.local.loss"
    with pytest.raises(CloudError, match=re.escape(flags)):
        refuse_differences(found, [], "JumpStart")
    with pytest.raises(CloudError, match=r"accept it: --accept-difference tune.local.layout$"):
        refuse_differences(found, ["tune.local.loss"], "JumpStart")
    refuse_differences(found, ["tune.local.loss", "tune.local.layout"], "JumpStart")
    with pytest.raises(CloudError, match=r"tune\.epoch: no such difference"):
        refuse_differences(found, ["tune.epoch"], "JumpStart")


def test_a_model_version_without_the_hyperparameter_takes_only_what_it_does_anyway(
    spec: Spec,
) -> None:
    assert "target_modules" not in hyperparameters(recipe(), spec)
    wide = recipe(tune={"target_modules": "q_proj,k_proj"})
    (term,) = [t for t in terms(wide, spec) if t.field == "tune.target_modules"]
    assert (term.wire, term.verdict) == (None, "no equivalent")


def test_the_separator_is_the_demarcation_key_or_nothing() -> None:
    def term(separator: str) -> tuple[str | None, str]:
        made = recipe(template={"separator": separator})
        (found,) = [t for t in terms(made) if t.field == "template.separator"]
        return found.wire, hyperparameters(made)["add_input_output_demarcation_key"]

    assert term("\n\n### Response:\n") == ("add_input_output_demarcation_key=True", "True")
    assert term("") == ("add_input_output_demarcation_key=False", "False")
    assert term("Answer:")[0] is None


def test_a_chat_is_not_the_containers_form() -> None:
    found = terms(recipe(template="chat"))
    (term,) = [t for t in found if t.field == "template.format"]
    assert (term.wire, term.verdict) == (None, "no equivalent")
    with pytest.raises(CloudError, match=r"^template\.format: JumpStart has no equivalent") as told:
        refuse_differences(found, [], "JumpStart")
    assert "\n" not in str(told.value)


def test_accumulation_that_is_not_the_instances_gpus_differs() -> None:
    one_gpu = recipe(cloud={"instance_type": "ml.g5.2xlarge"})
    (term,) = [t for t in terms(one_gpu) if t.field.endswith("accumulation_steps")]
    assert term.verdict == "differs: ml.g5.2xlarge has 1 GPUs, so a step takes other samples"


def test_hyperparameters_out_of_the_models_bounds_are_named_with_what_is_allowed(
    spec: Spec,
) -> None:
    assert contract.faults(recipe(), spec) == []
    rows = tuple(
        row if row.name != "epoch" else type(row)("epoch", "int", "5", 1, 3)
        for row in spec.hyperparameters
    )
    narrow = type(spec)(**{**spec.__dict__, "hyperparameters": rows})
    assert contract.faults(recipe(), narrow) == ["epoch: 5; allowed: int, 1 to 3"]


def row(field: str, *of: Any) -> Term:
    (found,) = [term for term in terms(*of) if term.field == field]
    return found


def test_what_stands_in_no_field_has_a_row_and_says_where_nobody_knows(spec: Spec) -> None:
    small = Measured(134_515_008, 49152, 2048, "<|im_end|>", "float32")
    made = recipe(model={"jumpstart": LLAMA, "local": "smollm2"})
    found = {t.field: t for t in terms(made, spec, small)}
    assert list(found)[:5] == ["model", "tokenizer", "end token", "schedule", "precision"]
    assert found["model"].wire == f"{LLAMA} 3.0.0"
    assert found["model"].verdict == "differs: 0.13 B parameters here, 6.74 B there"
    assert found["tokenizer"].verdict.startswith("differs: ")
    assert found["end token"].local == "<|im_end|> after each row"
    assert found["end token"].wire is None
    assert found["end token"].verdict.startswith("not known: ")
    assert found["schedule"].verdict.startswith("not known: ")
    assert found["precision"].verdict == "differs: weights in float32 here, in bfloat16 there"
    refuse_differences(found.values(), [], "JumpStart")  # what is not known refuses nothing


def test_the_same_weights_are_the_same_model_and_tokenizer(spec: Spec) -> None:
    named = replace(spec, huggingface_id="meta-llama/Llama-2-7b-hf")
    made = recipe(model={"jumpstart": LLAMA, "local": "meta-llama/Llama-2-7b-hf"})
    big = Measured(6_738_415_616, 32000, 4096, "</s>", "bfloat16")
    found = {t.field: t.verdict for t in terms(made, named, big)}
    assert (found["model"], found["tokenizer"], found["precision"]) == ("same",) * 3
    other = {t.field: t.verdict for t in terms(made, spec, big)}
    assert other["model"].startswith("not known: of one size")
    assert other["tokenizer"].startswith("not known: as many tokens")


def test_weights_in_eight_bits_are_told(spec: Spec) -> None:
    rows = tuple(
        replace(row, default="True") if row.name == "int8_quantization" else row
        for row in spec.hyperparameters
    )
    eight = replace(spec, hyperparameters=rows)
    told = row("precision", recipe(), eight, Measured(precision="bfloat16"))
    assert (told.wire, told.verdict) == ("int8", "differs: weights in bfloat16 here, in int8 there")


@pytest.mark.parametrize(
    ("reads", "here", "verdict"),
    [
        (512, "-1: 512", "differs: blocks of 512 tokens here, of 1024 there"),
        (4096, "-1: 1024", "same"),
        (None, "-1: 1024 at most", "not known: the model that was tuned here is not at hand"),
    ],
)
def test_a_length_of_minus_one_shows_both_numbers(
    reads: int | None, here: str, verdict: str
) -> None:
    told = row("tune.max_input_length", recipe(), None, Measured(reads=reads))
    assert (told.local, told.wire, told.verdict) == (here, "-1: 1024", verdict)
    fixed = row("tune.max_input_length", recipe(tune={"max_input_length": 256}), None, Measured())
    assert (fixed.local, fixed.wire, fixed.verdict) == (256, "256", "same")


def test_what_was_measured_is_read_from_the_run_and_its_model(
    run: RunFolder, tmp_path: Path
) -> None:
    training = {"parameters": 1100, "trainable_parameters": 100}
    write_json(run.training("tuned"), training)
    config = {"model_type": "llama", "vocab_size": 300, "max_position_embeddings": 512}
    write_json(tmp_path / "small" / "config.json", config)
    tokenizer = {"model_max_length": 1e30, "eos_token": {"content": "</s>"}}
    write_json(tmp_path / "small" / "tokenizer_config.json", tokenizer)
    found = measured(published(model={"local": str(tmp_path / "small")}), run)
    assert found == Measured(1000, 300, 512, "</s>", None)
    assert measured(published(model={"local": "nowhere/at-all"}), run) == Measured(1000)


def test_prices_are_those_published_and_of_no_other_region() -> None:
    def price(
        instance: str, region: str = "us-east-1", own: dict[str, float] | None = None
    ) -> float | None:
        return catalog.usd_per_hour(instance, region=region, prices=own)

    assert price("ml.g5.12xlarge") == 7.09
    assert catalog.gpus("ml.g5.12xlarge") == 4
    assert price("ml.unknown") is None
    assert price("ml.g5.12xlarge", "eu-west-1") is None
    assert price("ml.g5.12xlarge", "eu-west-1", {"ml.g5.12xlarge": 8.5}) == 8.5
    assert price("ml.g5.12xlarge", own={"ml.g5.12xlarge": 5.0}) == 5.0
