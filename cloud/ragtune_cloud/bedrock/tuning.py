"""Fine-tuning in Bedrock, as a plan: what of the recipe it would be, and what it would not.

Nothing here submits a job. Bedrock takes epochs, a batch size of one and a learning rate; all else
of the recipe has no equivalent, so the tuned model would not be the one that was measured.
"""

from dataclasses import dataclass
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.files import read_jsonl, write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune.recipe.tune import TuneLocal
from ragtune_cloud.bedrock import catalog
from ragtune_cloud.bedrock.folder import BedrockFolder
from ragtune_cloud.bedrock.request import role_of
from ragtune_cloud.gate import as_tuned, promoted
from ragtune_cloud.sagemaker.cost import estimate
from ragtune_cloud.sagemaker.names import ACCOUNT, IDENTITY_TAG
from ragtune_cloud.target import FAILED, NO_EQUIVALENT, OK, SAME, Finding, Term

SENT = {"epoch": "epochCount", "learning_rate": "learningRate"}
WITHOUT = (
    "lora_r",
    "lora_alpha",
    "lora_dropout",
    "target_modules",
    "max_input_length",
    "max_train_samples",
    "max_val_samples",
    "validation_split_ratio",
    "train_data_split_seed",
    "per_device_eval_batch_size",
)
"""Fields of ``tune`` that a customization job has nothing for."""


@dataclass(frozen=True)
class TuningPlan:
    """What fine-tuning there would be."""

    terms: list[Term]
    checks: dict[str, Finding]
    costs: dict[str, Any]
    teardown: list[str]
    request: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The content of ``cloud/bedrock/tuning.json``."""
        return {
            "contract": [term.to_json() for term in self.terms],
            "checks": {name: found._asdict() for name, found in self.checks.items()},
            "cost": self.costs,
            "teardown": self.teardown,
            "request": self.request,
        }


def plan(recipe: Recipe, run: RunFolder) -> TuningPlan:
    """The plan, written to ``cloud/bedrock/tuning.json`` too; nothing is sent.

    Raises RunError where the run has no training rows.
    """
    recipe = as_tuned(recipe, run)
    known = catalog.load()["tuning"]
    base = known["models"].get(recipe.model.jumpstart or "")
    made = TuningPlan(
        terms=terms(recipe),
        checks=_checks(recipe, base),
        costs=_costs(recipe, run),
        teardown=_teardown(recipe),
        request=_request(recipe, run, base),
    )
    write_json(BedrockFolder(run).tuning, made.to_json())
    return made


def terms(recipe: Recipe) -> list[Term]:
    """Every field that shapes training, and what Bedrock has for it."""
    tune = recipe.tune
    found = [Term("seed", recipe.seed, None, NO_EQUIVALENT)]
    for name, wire in SENT.items():
        value = getattr(tune, name)
        fault = _fault(wire, value)
        found.append(
            Term(f"tune.{name}", value, f"{wire}={value}", f"differs: {fault}" if fault else SAME)
        )
    step = tune.per_device_train_batch_size * tune.gradient_accumulation_steps
    why = SAME if step == 1 else f"differs: {step} rows a step here, 1 there"
    found.append(Term("tune.per_device_train_batch_size", step, "batchSize=1", why))
    found += [Term(f"tune.{n}", getattr(tune, n), None, NO_EQUIVALENT) for n in WITHOUT]
    local = {n: getattr(tune.local, n) for n in TuneLocal.model_fields}
    found += [Term(f"tune.local.{n}", value, None, NO_EQUIVALENT) for n, value in local.items()]
    form = recipe.template.format
    found.append(
        Term("template.format", form, "prompt, completion", "differs: Bedrock puts its own around")
    )
    found.append(
        Term("model", recipe.model.jumpstart or recipe.model.local, "Instruct models alone")
    )
    return found


def _fault(wire: str, value: float) -> str:
    bounds = catalog.load()["tuning"]["hyperparameters"][wire]
    if bounds["least"] <= value <= bounds["most"]:
        return ""
    return f"allowed {bounds['least']} to {bounds['most']}"


def _checks(recipe: Recipe, base: str | None) -> dict[str, Finding]:
    known, region = catalog.load()["tuning"], recipe.cloud.region
    found = {"model": Finding(OK, base or "")}
    if base is None:
        found["model"] = Finding(
            FAILED,
            f"{recipe.model.jumpstart or 'model.jumpstart is missing'}: not tuned in Bedrock; "
            f"there are {', '.join(known['models'])}",
        )
    found["region"] = Finding(OK, region)
    if region not in known["regions"]:
        found["region"] = Finding(
            FAILED, f"cloud.region: {region}; allowed: {', '.join(known['regions'])}"
        )
    faults = [f"{w}: {f}" for n, w in SENT.items() if (f := _fault(w, getattr(recipe.tune, n)))]
    found["hyperparameters"] = Finding(FAILED, "; ".join(faults)) if faults else Finding(OK, "")
    return found


def _costs(recipe: Recipe, run: RunFolder) -> dict[str, Any]:
    """Tokens, and what is known of their price; None is not known, not nothing."""
    known = catalog.load()["tuning"]
    tokens = estimate(recipe, run).tokens_an_epoch * recipe.tune.epoch
    price, hourly = known["usd_per_1000_tokens"], known["usd_per_provisioned_unit_hour"]
    on_demand = recipe.model.jumpstart in known["on_demand"]
    return {
        "tokens": tokens,
        "usd_training": None if price is None else round(tokens / 1000 * price, 2),
        "usd_stored_a_month": known["usd_per_model_month"],
        "serving": "on demand"
        if on_demand
        else "provisioned throughput, by the hour, asked or not",
        "usd_serving_an_hour": 0.0 if on_demand else hourly,
        "prices": known["prices_at"],
        "dated": catalog.load()["dated"],
    }


def _teardown(recipe: Recipe) -> list[str]:
    region, name = recipe.cloud.region, _name(recipe)
    return [
        f"aws bedrock delete-provisioned-model-throughput --provisioned-model-id {name} "
        f"--region {region}",
        f"aws bedrock delete-custom-model --model-identifier {name} --region {region}",
        f"aws s3 rm --recursive {_home(recipe)}",
    ]


def _request(recipe: Recipe, run: RunFolder, base: str | None) -> dict[str, Any]:
    rows = read_jsonl(run.train_rows(promoted(recipe, run)))
    if not rows:
        raise CloudError(f"{run}: no training rows")
    return {
        "jobName": _name(recipe),
        "customModelName": _name(recipe),
        "roleArn": f"arn:aws:iam::{ACCOUNT}:role/{role_of(recipe) or '<cloud.bedrock_role>'}",
        "baseModelIdentifier": base or "<none>",
        "customizationType": "FINE_TUNING",
        "clientRequestToken": _name(recipe),
        "trainingDataConfig": {"s3Uri": f"{_home(recipe)}train.jsonl"},
        "outputDataConfig": {"s3Uri": f"{_home(recipe)}output/"},
        "hyperParameters": {
            "epochCount": str(recipe.tune.epoch),
            "batchSize": "1",
            "learningRate": str(recipe.tune.learning_rate),
        },
        "jobTags": [{"key": IDENTITY_TAG, "value": recipe.identity}],
        "customModelTags": [{"key": IDENTITY_TAG, "value": recipe.identity}],
    }


def _name(recipe: Recipe) -> str:
    return f"{recipe.name[:36]}-{recipe.identity[:8]}-tuning"


def _home(recipe: Recipe) -> str:
    bucket = recipe.cloud.bucket or f"sagemaker-{recipe.cloud.region}-{ACCOUNT}"
    return f"s3://{bucket}/{recipe.cloud.prefix.strip('/')}/bedrock/{_name(recipe)}/"


def lines(planned: TuningPlan) -> list[str]:
    """The plan as text for the terminal."""
    costs = planned.costs
    training = costs["usd_training"]
    spent = (
        f"${training:.2f}" if training is not None else f"price not known here: {costs['prices']}"
    )
    return [
        f"{'field':34} {'here':22} {'Bedrock':22} compared",
        *(
            f"{t.field:34} {t.local!s:22.22} {'-' if t.wire is None else t.wire:22} {t.verdict}"
            for t in planned.terms
        ),
        "",
        *(f"{found.status:8} {name}: {found.detail}" for name, found in planned.checks.items()),
        "",
        f"cost: {costs['tokens']} tokens of training, {spent}",
        f"  stored ${costs['usd_stored_a_month']:.2f} a month; served {costs['serving']}",
        "to take it down again:",
        *(f"  {line}" for line in planned.teardown),
        "",
        "nothing was sent; the tuned model would not be the one that was measured: "
        "`ragtune cloud bedrock import RUN` serves that one",
    ]
