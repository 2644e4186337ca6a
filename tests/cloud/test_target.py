"""A target of forty lines goes the whole way, with no other file touched."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from ragtune.core.errors import CloudError
from ragtune.core.files import write_json
from ragtune.core.progress import Silent, Watcher
from ragtune.core.run_folder import RunFolder
from ragtune.models.engines.base import Engine
from ragtune.recipe.schema import Recipe
from ragtune_cloud import target as t
from ragtune_cloud.folder import CloudFolder, noted_job
from ragtune_cloud.plan import plan
from tests.cloud.made_up import recipe


class Garage:
    """A target: a machine in somebody's garage, at ten cents an hour."""

    name = "garage"

    def __init__(self) -> None:
        self.running = dict[str, int]()

    def contract(self, recipe: Recipe, run: RunFolder) -> Sequence[t.Term]:
        return [t.Term("tune.epoch", recipe.tune.epoch, str(recipe.tune.epoch))]

    def plan(self, promotion: t.Promotion) -> t.Draft:
        terms = self.contract(promotion.recipe, promotion.run)
        offline, online = {"door": t.Finding(t.OK, "open")}, {"power": t.Finding(t.OK, "on")}
        return t.Draft(terms, offline, online, t.Price(0.1, 0.2), {"job": promotion.recipe.name})

    def submit(self, plan: t.Plan, watcher: Watcher) -> str:
        plan.refuse_failures()
        job = str((plan.draft.request or {})["job"])
        write_json(CloudFolder(plan.promotion.run).job, {"job": job})
        self.running[job] = 3600
        return job

    def watch(self, run: RunFolder, watcher: Watcher) -> t.Status:
        job = noted_job(run) or ""
        return t.Status(job, "Completed", "done", self.running.pop(job), 0.1)

    def fetch(self, recipe: Recipe, run: RunFolder, watcher: Watcher) -> Path:
        return CloudFolder(run).fetched_recipe

    def engine(self, recipe: Recipe, run: RunFolder, side: t.Side) -> Engine:
        raise CloudError("garage: serves nothing")

    def bill(self, runs: Sequence[RunFolder], region: str | None = None) -> Sequence[t.Item]:
        return [t.Item("job", name, 0.1, None, "pull the plug") for name in self.running]


def test_a_target_goes_from_the_plan_to_the_bill(run: RunFolder) -> None:
    garage: t.Target = Garage()
    planned = plan(garage, recipe(), run, t.Choices())
    assert [check.name for check in planned.checks] == ["run", "door", "contract", "power"]
    assert planned.to_json()["target"] == "garage"
    assert CloudFolder(run).plan.exists()
    assert garage.submit(planned, Silent()) == noted_job(run) == "published"
    assert [str(item) for item in garage.bill([run])] == [
        "job published: $0.1000 an hour; pull the plug"
    ]
    assert garage.watch(run, Silent()).status == "Completed"
    assert garage.fetch(recipe(), run, Silent()) == CloudFolder(run).fetched_recipe
    assert garage.bill([run]) == []


def test_the_gate_and_the_contract_are_before_every_target(run: RunFolder) -> None:
    run.results.unlink()
    garage = Garage()
    planned = plan(garage, recipe(), run, t.Choices(("tune.nothing",)))
    assert [check.name for check in planned.failures] == ["run", "contract"]
    with pytest.raises(CloudError, match=r"run: .*: results\.json(.|\n)*no such difference"):
        garage.submit(planned, Silent())
    assert noted_job(run) is None
