import math
from pathlib import Path

from ragtune.core.files import write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.sagemaker import cost
from tests.cloud.made_up import make_run, recipe

BLOCKS, BLOCK, CHARACTERS_PER_TOKEN = 553, 1024, 3.93
"""The published job: 553 blocks of 1,024 tokens, before the validation split."""


def published(folder: Path, **cloud: object) -> cost.Cost:
    made = recipe(cloud={"instance_count": 2, **cloud})
    template = made.template.build()
    around = len(template.question("", "") + template.answer(""))
    text = "x" * (round(BLOCKS * BLOCK * CHARACTERS_PER_TOKEN / 1069) - around)
    row = {"instruction": "", "context": text, "response": ""}
    write_jsonl(RunFolder(folder).train_rows("tuned"), [row] * 1069)
    return cost.estimate(made, RunFolder(folder))


def test_the_estimate_of_the_published_job_brackets_what_was_billed(tmp_path: Path) -> None:
    billed_usd, billed_seconds = 10.98, 2787
    found = published(tmp_path)
    assert found.usd_minimum is not None
    assert found.usd_high is not None
    assert found.usd_likely is not None
    assert found.seconds_likely is not None
    assert found.usd_minimum < billed_usd < found.usd_high
    assert math.isclose(found.usd_likely, billed_usd, rel_tol=0.05)
    assert math.isclose(found.seconds_likely, billed_seconds, rel_tol=0.05)
    assert found.usd_likely_one_instance == round(found.usd_likely / 2, 2)


def test_the_ceiling_is_the_recipes_and_becomes_the_jobs_time_limit(tmp_path: Path) -> None:
    found = published(tmp_path, max_cost_usd=14.18)
    assert found.max_runtime_seconds == 3600
    assert found.usd_ceiling == 14.18


def test_the_ceiling_is_at_most_twice_the_high_estimate(tmp_path: Path) -> None:
    for usd in (1e9, 25, 5):
        found = published(tmp_path, max_cost_usd=usd)
        assert found.usd_high is not None
        assert found.usd_ceiling is not None
        assert found.usd_ceiling <= min(2 * found.usd_high, usd)
        hours = found.max_runtime_seconds / 3600
        assert math.isclose(found.usd_ceiling, hours * 2 * 7.09, abs_tol=0.01)


def test_prices_of_one_region_hold_in_no_other(tmp_path: Path) -> None:
    far = {"region": "eu-west-1"}
    assert published(tmp_path, **far).usd_per_hour is None
    found = published(tmp_path, **far, prices={"ml.g5.12xlarge": 8.5})
    assert found.usd_per_hour == 17.0
    assert found.usd_likely is not None


def test_an_unknown_instance_has_no_price(tmp_path: Path) -> None:
    found = published(tmp_path, instance_type="ml.p9.huge")
    assert found.usd_likely is None
    assert found.usd_per_hour is None


def test_a_smaller_model_costs_less_and_more_epochs_cost_more(tmp_path: Path) -> None:
    run = make_run(tmp_path, recipe())
    seven = cost.estimate(recipe(), run).seconds_likely
    small = recipe(model={"jumpstart": "meta-textgeneration-llama-3-2-1b"})
    longer = recipe(tune={"epoch": 100})
    one, long = cost.estimate(small, run), cost.estimate(longer, run)
    assert one.seconds_likely is not None
    assert long.seconds_likely is not None
    assert seven is not None
    assert one.seconds_likely < seven < long.seconds_likely
