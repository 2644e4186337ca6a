"""What is compared with sagemaker 2: our requests, and what to ask the SDK for to get its own."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.files import write_json, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune_cloud.sagemaker import contract, cost, names
from ragtune_cloud.sagemaker.manifest import flatten
from ragtune_cloud.sagemaker.request import filled, job_tags, training_request
from ragtune_cloud.sagemaker.spec import Spec

ACCOUNT = "123456789012"
REGION = "us-east-1"
TUNE = {"epoch": 5, "max_input_length": 1024}
"""The published run's own hyperparameters; the others are the recipe's defaults."""
REASONS = {
    "TrainingJobName": "from the recipe's identity, not the time: submitting twice pays once",
    "HyperParameters.sagemaker_job_name": "the job's name",
    "StoppingCondition": "from max_cost_usd and the estimate, not 100 hours",
    "Tags": "JumpStart's two, and the recipe's identity",
}
"""Fields of a training request that differ from the SDK's, and why."""
SENT = ("CreateModel", "CreateEndpointConfig")


@dataclass(frozen=True)
class Case:
    """A comparison: ``asked`` of the SDK, ``ours`` by operation; ``error`` where we make none."""

    name: str
    asked: dict[str, Any]
    ours: dict[str, Any]
    error: str | None = None


def training(name: str, raw: dict[str, Any], instance: str, count: int, folder: Path) -> Case:
    """The training request of the published run's recipe for a model on an instance type."""
    spec = flatten(raw, REGION)
    recipe = Recipe.model_validate(
        {
            "name": "published",
            "model": {"jumpstart": raw["model_id"]},
            "records": {"source": "records.jsonl"},
            "tune": TUNE,
            "cloud": {"role": "ragtune", "instance_count": count, "instance_type": instance},
        }
    )
    run = RunFolder(folder)
    write_jsonl(run.train_rows("tuned"), [{"instruction": "a", "context": "b", "response": "c"}])
    write_json(run.template, recipe.template.build().jumpstart)
    named = names.names(recipe, run)
    priced = cost.estimate(recipe, run, spec.max_run)
    tags = job_tags(recipe, spec, {}, {})
    known = {row.name for row in spec.hyperparameters_on(instance)}
    asked = {
        **_model(raw, instance),
        "instance_count": count,
        "output": named.output.replace(names.ACCOUNT, ACCOUNT),
        "training": named.training.replace(names.ACCOUNT, ACCOUNT),
        "hyperparameters": {k: v for k, v in contract.own_values(recipe).items() if k in known},
    }
    title = f"{name} trained on {instance}"
    try:
        made = training_request(recipe, spec, named, priced, tags, eula=True)
    except CloudError as error:
        return Case(title, asked, {}, str(error))
    return Case(title, asked, {"CreateTrainingJob": filled(made, ACCOUNT)})


def serving(name: str, raw: dict[str, Any], instance: str) -> Case:
    """The requests that serve the base model on an instance type."""
    spec = flatten(raw, REGION)
    title = f"{name} served on {instance}"
    try:
        made = spec.serving.base(instance, name, eula=spec.needs_eula)
    except CloudError as error:
        return Case(title, _model(raw, instance), {}, str(error))
    return Case(title, _model(raw, instance), _served(spec, instance, made))


def tuned(name: str, raw: dict[str, Any], trained_on: str, folder: Path) -> Case:
    """The requests that serve what a job left, on the default instance type."""
    spec = flatten(raw, REGION)
    case = training(name, raw, trained_on, 1, folder)
    instance = spec.default_serving_instance(trained_on) or ""
    last = "model.tar.gz" if spec.compress_output else "model/"
    artefact = f"{case.asked['output']}/job/output/{last}"
    made = spec.serving.tuned(instance, name, artefact, eula=True)
    asked = {**case.asked, "served_on": instance, "artefact": artefact}
    return Case(f"{name} tuned and served on {instance}", asked, _served(spec, instance, made))


def _model(raw: dict[str, Any], instance: str) -> dict[str, Any]:
    return {
        "model_id": raw["model_id"],
        "version": raw["version"],
        "role": f"arn:aws:iam::{ACCOUNT}:role/ragtune",
        "eula": bool(raw.get("gated_bucket") or raw.get("hosting_eula_key")),
        "instance_type": instance,
    }


def _served(spec: Spec, instance: str, made: dict[str, Any]) -> dict[str, Any]:
    variants = {"ProductionVariants": [spec.serving.variant("", instance)]}
    return {"CreateModel": made, "CreateEndpointConfig": variants}


def comparable(requests: dict[str, Any]) -> dict[str, Any]:
    """Requests without names, tags and roles, which each side makes for itself."""
    found: dict[str, Any] = {}
    for operation in SENT:
        if operation in requests:
            whole = json.loads(json.dumps(requests[operation]))
            left = ("ModelName", "ExecutionRoleArn", "Tags", "EndpointConfigName")
            found[operation] = {k: v for k, v in whole.items() if k not in left}
            for variant in found[operation].get("ProductionVariants", ()):
                variant.pop("ModelName", None)
    return found


def alike(request: dict[str, Any]) -> dict[str, Any]:
    """A training request without the fields that ``REASONS`` lists, and without its own place."""
    whole: dict[str, Any] = json.loads(json.dumps(request))
    output, job = whole["OutputDataConfig"]["S3OutputPath"], whole["TrainingJobName"]
    home = output.removesuffix("/output")
    for field in REASONS:
        part, (*above, last) = whole, field.split(".")
        for name in above:
            part = part[name]
        del part[last]
    text = json.dumps(whole)
    assert job not in text.replace(home, ""), "the job's name is in another field"
    placed: dict[str, Any] = json.loads(text.replace(home, "s3://<home>"))
    return placed


def differences(left: Any, right: Any, field: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every field that two JSON values do not share, by its dotted name."""
    if isinstance(left, dict) and isinstance(right, dict):
        for name in sorted({*left, *right}):
            where = f"{field}.{name}" if field else name
            yield from differences(left.get(name), right.get(name), where)
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for number, pair in enumerate(zip(left, right, strict=True)):
            yield from differences(*pair, f"{field}[{number}]")
    elif left != right:
        yield field, json.dumps(left), json.dumps(right)
