"""What a job will cost, from its tokens, its model and one job whose log was published.

Seconds = start and finish + tokens trained x parameters x a factor / GPUs. The factor is the
published job's step time; start and finish (fetching, loading, validation, merging, upload) are
the rest of what it was billed. How they scale with the model is an assumption: a quarter stays,
three quarters grow with the parameters. So the likely figure is given with a wide margin.
"""

from dataclasses import asdict, dataclass
from typing import Any

from ragtune.core.files import read_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune_cloud.gate import promoted
from ragtune_cloud.sagemaker import catalog
from ragtune_cloud.target import Price

LOW, HIGH = 0.6, 1.6
"""The margin on the likely time: one measured job is no basis for a narrow one."""
FIXED_SHARE = 0.25
"""Of start and finish: what does not grow with the model."""
PATIENCE = 2
"""So many times the high estimate is the most that a job may cost, whatever ``max_cost_usd`` is."""
UPPER = 360_000
"""Seconds; the longest limit that JumpStart itself sets."""


@dataclass(frozen=True, kw_only=True)
class Cost(Price):
    """An estimate: US dollars, and seconds an instance; None where a price or size is unknown.

    ``ceiling_usd`` is what the job cannot exceed: at ``max_runtime_seconds`` it is stopped.
    """

    tokens_an_epoch: int
    usd_per_hour: float | None
    seconds_likely: int | None
    usd_minimum: float | None
    usd_high: float | None
    max_runtime_seconds: int
    usd_likely_one_instance: float | None

    def to_json(self) -> dict[str, Any]:
        """The fields, and the date of the prices."""
        return {**asdict(self), "prices_dated": catalog.load()["dated"]}


def estimate(recipe: Recipe, run: RunFolder, max_run: int = UPPER) -> Cost:
    """The cost of a run's recipe as a job; ``max_run`` bounds the limit on its time, seconds.

    Raises RunError where the run has no data.
    """
    cloud = recipe.cloud
    rows = read_jsonl(run.train_rows(promoted(recipe, run)))
    tokens = _tokens(recipe, rows)
    hourly = catalog.usd_per_hour(
        cloud.instance_type, cloud.instance_count, region=cloud.region, prices=cloud.prices
    )
    seconds = _seconds(recipe, tokens)

    def usd(time: float | None) -> float | None:
        return None if time is None or hourly is None else round(time / 3600 * hourly, 2)

    likely, high = usd(seconds), usd(seconds and HIGH * seconds)
    most = cloud.max_cost_usd if high is None else min(cloud.max_cost_usd, PATIENCE * high)
    limit = max_run if hourly is None else int(most / hourly * 3600)
    limit = max(1, min(limit, max_run))
    return Cost(
        tokens_an_epoch=tokens,
        usd_per_hour=hourly,
        seconds_likely=None if seconds is None else round(seconds),
        usd_minimum=usd(seconds and LOW * seconds),
        usd_likely=likely,
        usd_high=high,
        usd_ceiling=usd(limit),
        max_runtime_seconds=limit,
        usd_likely_one_instance=likely and round(likely / cloud.instance_count, 2),
    )


def _tokens(recipe: Recipe, rows: list[dict[str, str]]) -> int:
    """Tokens trained on in an epoch, from the rendered characters: Llama 2's count, measured."""
    template = recipe.template.build()
    if recipe.tune.max_train_samples != -1:
        rows = rows[: recipe.tune.max_train_samples]
    around = len(template.question("", "") + template.answer(""))
    characters = around * len(rows) + sum(len(str(v)) for row in rows for v in row.values())
    tokens = characters / float(catalog.load()["measured"]["characters_per_token"])
    return round(tokens * (1 - recipe.tune.validation_split_ratio))


def _seconds(recipe: Recipe, tokens_an_epoch: int) -> float | None:
    measured = catalog.load()["measured"]
    size = catalog.parameters(recipe.model.jumpstart or "")
    gpus = catalog.gpus(recipe.cloud.instance_type)
    if size is None or gpus is None:
        return None
    scale = size / measured["parameters"]
    step = measured["seconds_per_step"]
    around = measured["billed_seconds_per_instance"] - step * measured["train_steps"]
    around *= FIXED_SHARE + (1 - FIXED_SHARE) * scale
    per_token = step / measured["tokens_per_step"] * scale * measured["gpus"] / gpus
    return float(around + per_token * tokens_an_epoch * recipe.tune.epoch)
