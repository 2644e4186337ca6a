import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import RecipeError, RunError
from ragtune_cloud.errors import CloudError
from ragtune_cloud.plan import Choices, Plan, plan
from ragtune_cloud.show import show
from tests.cloud.conftest import recipe

EULA = Choices(eula=True)


def status(planned: Plan, name: str) -> str:
    (check,) = [c for c in planned.checks if c.name == name]
    return f"{check.status}: {check.detail}"


def test_a_plan_holds_contract_hashes_cost_preflight_and_the_request(run: Path) -> None:
    planned = plan(recipe(), run, EULA)
    written = json.loads((run / "cloud" / "plan.json").read_text())
    train = (run / "data" / "train.jsonl").read_bytes()
    assert written["data"]["train.jsonl"] == hashlib.sha256(train).hexdigest()
    assert written["request"]["HyperParameters"]["epoch"] == '"5"'
    tags = {tag["Key"]: tag["Value"] for tag in written["request"]["Tags"]}
    assert tags["ragtune:identity"] == recipe().identity
    assert tags["ragtune:sha256:train.jsonl"] == written["data"]["train.jsonl"]
    assert written["cost"]["usd_ceiling"] == 30
    text = show(planned)
    assert "1 x ml.g5.12xlarge at $7.09 an hour" in text
    assert "not checked credentials" in text
    assert text.endswith("nothing was sent or spent; --submit --accept-eula submits it")


def test_the_checks_are_numbered_and_say_what_could_not_be_checked(run: Path) -> None:
    planned = plan(recipe(), run, EULA)
    assert [check.number for check in planned.checks] == list(range(1, len(planned.checks) + 1))
    assert planned.failures == []
    asked = [c.name for c in planned.checks if c.status == "not checked"]
    assert asked[0] == "credentials"
    assert "quota" in asked


@pytest.mark.parametrize(
    ("sections", "choices", "name", "said"),
    [
        ({}, Choices(), "licence", "failed: read the model's licence"),
        ({"cloud": {"role": None}}, EULA, "role", "failed: cloud.role is missing"),
        (
            {"cloud": {"instance_type": "ml.g5.2xlarge"}},
            EULA,
            "instance",
            "failed: cloud.instance_type: ml.g5.2xlarge: meta-textgeneration-llama-2-7b is not",
        ),
        ({"cloud": {"instance_count": 2}}, EULA, "instance", "warning: 2 instances"),
        ({"cloud": {"max_cost_usd": 1}}, EULA, "cost", "failed: likely"),
        ({"cloud": {"model_version": "9.9.9"}}, EULA, "model", "failed: meta-text"),
        ({"cloud": {"region": "eu-west-1"}}, EULA, "model", "failed: meta-text"),
        ({"tune": {"local": {"loss": "completion"}}}, EULA, "contract", "failed: tune.local.loss"),
    ],
)
def test_what_needs_no_account_is_checked_offline(
    run: Path, sections: dict[str, Any], choices: Choices, name: str, said: str
) -> None:
    assert status(plan(recipe(**sections), run, choices), name).startswith(said)


def test_the_price_of_one_instance_stands_beside_that_of_two(run: Path) -> None:
    text = show(plan(recipe(cloud={"instance_count": 2}), run, EULA))
    assert "  on one instance likely $" in text


def test_an_accepted_difference_and_an_overridden_gate_are_recorded(run: Path) -> None:
    (run / "results.json").unlink()
    loss = recipe(tune={"local": {"loss": "completion"}})
    choices = Choices(("tune.local.loss",), True, "the demo: of Friday")
    planned = plan(loss, run, choices)
    assert planned.failures == []
    assert status(planned, "run").startswith("warning: results.json missing")
    written = json.loads((run / "cloud" / "plan.json").read_text())
    tags = {tag["Key"]: tag["Value"] for tag in written["request"]["Tags"]}
    assert tags["ragtune:gate"] == "the demo: of Friday"
    assert tags["ragtune:accepted-difference"] == "tune.local.loss"


def test_rows_that_lack_a_field_of_the_template_are_named(run: Path) -> None:
    (run / "data" / "train.jsonl").write_text('{"instruction": "a", "response": "b"}\n' * 3)
    planned = plan(recipe(), run, EULA)
    assert status(planned, "data") == "failed: train.jsonl line 1 lacks context of template.json"


def test_a_recipe_without_a_known_jumpstart_model_is_refused(run: Path) -> None:
    with pytest.raises(RecipeError, match=r"model\.jumpstart: missing"):
        plan(recipe(model={"jumpstart": None}), run)
    planned = plan(recipe(model={"jumpstart": "meta-textgeneration-llama-9"}), run)
    assert "not in the catalogue" in status(planned, "model")
    assert planned.request is None


def test_a_run_without_data_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="finish the run first"):
        plan(recipe(), tmp_path)


def test_a_lock_that_is_broken_says_how_to_write_it_anew(run: Path) -> None:
    (run / "cloud").mkdir()
    (run / "cloud" / "jumpstart.lock.json").write_text("{}")
    with pytest.raises(CloudError, match="ragtune cloud resolve"):
        plan(recipe(), run)


def test_no_account_number_is_in_what_a_plan_writes(run: Path) -> None:
    plan(recipe(), run, EULA)
    text = (run / "cloud" / "plan.json").read_text()
    assert "123456789012" not in text
    assert "<account>" in text
