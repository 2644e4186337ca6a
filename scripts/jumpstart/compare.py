"""Hold our ``create_training_job`` request against sagemaker 2's, field for field.

Every difference is listed with its reason; one without a reason is a failure. The captured
requests are kept in ``tests/data/jumpstart/captured``, so that the test suite can compare without
the SDK.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ragtune.core.files import write_json, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune_cloud.sagemaker import cost
from ragtune_cloud.sagemaker.manifest import flatten
from ragtune_cloud.sagemaker.names import names
from ragtune_cloud.sagemaker.request import filled, job_tags, training_request
from ragtune_cloud.sagemaker.spec import Spec

DATA = Path(__file__).resolve().parents[2] / "tests" / "data" / "jumpstart"
ACCOUNT = "123456789012"
CASES = [
    ("meta-textgeneration-llama-2-7b", "3.0.0", 2),
    ("meta-textgeneration-llama-3-2-1b", "1.3.0", 1),
]
REASONS = {
    "StoppingCondition.MaxRuntimeInSeconds": "from the recipe's max_cost_usd, not 100 hours",
    "TrainingJobName": "from the recipe's identity, not the time: submitting twice pays once",
    "HyperParameters.sagemaker_job_name": "the job's name",
    "Tags": "the same two, and the recipe's identity",
}
NO_TELEMETRY = """SchemaVersion: "1.0"
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""


def main() -> int:
    """Compare each case; 0 when every difference has its reason."""
    python = sys.argv[1]
    unexplained = 0
    for model, version, instances in CASES:
        with tempfile.TemporaryDirectory() as folder:
            ours, asked = _ours(Path(folder), model, version, instances)
            theirs = _theirs(python, Path(folder), asked)
        write_json(DATA / "captured" / f"{model}.json", theirs)
        print(f"{model} {version}, {instances} x ml.g5.12xlarge")
        for field, left, right in differences(ours, theirs):
            reason = next((r for name, r in REASONS.items() if field.startswith(name)), None)
            unexplained += reason is None
            print(f"  {field}: {left} here, {right} there: {reason or 'UNEXPLAINED'}")
    print(f"{unexplained} unexplained differences")
    return min(unexplained, 1)


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


def _ours(
    folder: Path, model: str, version: str, instances: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Our request for the published run's recipe, and what to ask the SDK for."""
    recipe = Recipe.model_validate(
        {
            "name": "published",
            "model": {"jumpstart": model},
            "records": {"source": "records.jsonl"},
            "tune": {"epoch": 5, "max_input_length": 1024},
            "cloud": {"role": "ragtune", "instance_count": instances},
        }
    )
    row = {"instruction": "a", "context": "b", "response": "c"}
    run, spec = RunFolder(folder), _spec(model, version)
    write_jsonl(run.train_rows("tuned"), [row])
    write_json(run.template, recipe.template.build().jumpstart)
    named = names(recipe, run)
    tags = job_tags(recipe, spec, {}, {})
    priced = cost.estimate(recipe, run, spec.max_run)
    request = filled(training_request(recipe, spec, named, priced, tags), ACCOUNT)
    settings = folder / "sagemaker.yaml"
    settings.write_text(NO_TELEMETRY, encoding="utf-8")
    asked = {
        "model_id": model,
        "model_version": version,
        "instance_type": recipe.cloud.instance_type,
        "instance_count": instances,
        "role": request["RoleArn"],
        "output": request["OutputDataConfig"]["S3OutputPath"],
        "training": request["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"],
        "hyperparameters": {"instruction_tuned": "True", "epoch": "5", "max_input_length": "1024"},
        "no_telemetry": str(settings),
    }
    return request, asked


def _spec(model: str, version: str) -> Spec:
    path = DATA / "community_models_specs" / model / f"specs_v{version}.json"
    return flatten(json.loads(path.read_text(encoding="utf-8")), "us-east-1")


def _theirs(python: str, folder: Path, asked: dict[str, Any]) -> dict[str, Any]:
    write_json(folder / "asked.json", asked)
    capture = Path(__file__).with_name("capture.py")
    command = [python, str(capture), str(folder / "asked.json"), str(folder / "request.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the SDK's request could not be captured:\n{done.stderr}")
    found: dict[str, Any] = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    raise SystemExit(main())
