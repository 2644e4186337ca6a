import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import CloudError, RecipeError, RunError
from ragtune.core.files import write_text
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.cli.plan import show
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.target import Choices
from tests.cloud.made_up import LICENSED, finding, planned, recipe


def test_a_plan_holds_contract_hashes_cost_preflight_and_the_request(run: RunFolder) -> None:
    made = planned(run)
    written = json.loads(CloudFolder(run).plan.read_text())
    train = run.train_rows("tuned").read_bytes()
    assert written["data"]["train.jsonl"] == hashlib.sha256(train).hexdigest()
    assert written["request"]["HyperParameters"]["epoch"] == '"5"'
    tags = {tag["Key"]: tag["Value"] for tag in written["request"]["Tags"]}
    assert tags["ragtune:identity"] == recipe().identity
    assert tags["ragtune:sha256:train.jsonl"] == written["data"]["train.jsonl"]
    assert written["cost"]["usd_ceiling"] <= 2 * written["cost"]["usd_high"]
    assert written["model"]["licence"].endswith("/fmhMetadata/eula/llamaEula.txt")
    text = show(made)
    assert "1 x ml.g5.12xlarge at $7.09 an hour" in text
    assert "not checked credentials" in text
    assert text.endswith("nothing was sent or spent; --submit --accept-eula submits it")


def test_the_checks_are_numbered_and_say_what_could_not_be_checked(run: RunFolder) -> None:
    made = planned(run)
    assert [check.number for check in made.checks] == list(range(1, len(made.checks) + 1))
    assert made.failures == []
    asked = [c.name for c in made.checks if c.status == "not checked"]
    assert asked[0] == "credentials"
    assert "quota" in asked


@pytest.mark.parametrize(
    ("sections", "choices", "name", "said"),
    [
        (
            {},
            Choices(),
            "licence",
            "failed: read the model's licence (https://jumpstart-cache-prod-us-east-1.s3.us-east-1."
            "amazonaws.com/fmhMetadata/eula/llamaEula.txt)",
        ),
        ({"cloud": {"role": None}}, LICENSED, "role", "failed: cloud.role is missing"),
        (
            {"cloud": {"instance_type": "ml.g5.2xlarge"}},
            LICENSED,
            "instance",
            "failed: cloud.instance_type: ml.g5.2xlarge: meta-textgeneration-llama-2-7b is not",
        ),
        ({"cloud": {"instance_count": 2}}, LICENSED, "instance", "warning: 2 instances"),
        ({"cloud": {"max_cost_usd": 1}}, LICENSED, "cost", "failed: likely"),
        ({"cloud": {"model_version": "9.9.9"}}, LICENSED, "model", "failed: meta-text"),
        ({"cloud": {"region": "eu-west-1"}}, LICENSED, "model", "failed: meta-text"),
        (
            {"cloud": {"region": "eu-west-1"}},
            LICENSED,
            "cost",
            "failed: no price is known for ml.g5.12xlarge in eu-west-1 (the catalogue has prices "
            "of us-east-1 only); look it up, and promote with "
            "--set 'cloud.prices={ml.g5.12xlarge: USD}'",
        ),
        (
            {"cloud": {"region": "us-east1"}},
            LICENSED,
            "region",
            "failed: cloud.region: us-east1: SageMaker is in no such region; for example us-east-1",
        ),
        ({}, LICENSED, "serving", "ok: ml.g5.2xlarge at $1.51 an hour each, $36.36 a day"),
        (
            {"tune": {"local": {"loss": "completion"}}},
            LICENSED,
            "contract",
            "failed: tune.local.loss",
        ),
    ],
)
def test_what_needs_no_account_is_checked_offline(
    run: RunFolder, sections: dict[str, Any], choices: Choices, name: str, said: str
) -> None:
    assert finding(planned(run, choices=choices, **sections), name).startswith(said)


def test_the_price_of_one_instance_stands_beside_that_of_two(run: RunFolder) -> None:
    text = show(planned(run, cloud={"instance_count": 2}))
    assert "  on one instance likely $" in text


def test_an_accepted_difference_and_an_overridden_gate_are_recorded(run: RunFolder) -> None:
    run.results.unlink()
    choices = Choices(("tune.local.loss",), True, "the demo: of Friday")
    made = planned(run, choices=choices, tune={"local": {"loss": "completion"}})
    assert made.failures == []
    assert finding(made, "run").startswith("warning: ")
    assert "missing or changed since they were made: results.json" in finding(made, "run")
    written = json.loads(CloudFolder(run).plan.read_text())
    tags = {tag["Key"]: tag["Value"] for tag in written["request"]["Tags"]}
    assert tags["ragtune:gate"] == "the demo: of Friday"
    assert tags["ragtune:accepted-difference"] == "tune.local.loss"


def test_rows_that_lack_a_field_of_the_template_are_named(run: RunFolder) -> None:
    run.train_rows("tuned").write_text('{"instruction": "a", "response": "b"}\n' * 3)
    made = planned(run)
    assert finding(made, "data") == "failed: train.jsonl line 1 lacks context of template.json"


def test_a_recipe_without_a_known_jumpstart_model_is_refused(run: RunFolder) -> None:
    with pytest.raises(RecipeError, match=r"model\.jumpstart: missing"):
        planned(run, model={"jumpstart": None})
    made = planned(run, model={"jumpstart": "meta-textgeneration-llama-9"})
    assert "not in the catalogue" in finding(made, "model")
    assert made.draft.request is None


def test_a_run_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="finish the run first"):
        planned(RunFolder(tmp_path))


def test_a_lock_that_is_broken_says_how_to_write_it_again(run: RunFolder) -> None:
    write_text(CloudFolder(run).artefacts, "{}")
    with pytest.raises(CloudError, match="ragtune cloud resolve"):
        planned(run)


def test_no_account_number_is_in_what_a_plan_writes(run: RunFolder) -> None:
    planned(run)
    text = CloudFolder(run).plan.read_text()
    assert "123456789012" not in text
    assert "<account>" in text
