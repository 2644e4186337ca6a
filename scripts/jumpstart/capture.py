"""Write the ``create_training_job`` request that sagemaker 2's JumpStartEstimator makes.

Runs in an environment of its own, made by ``scripts/jumpstart/check``: sagemaker 2 and ragtune
pin different versions of the same packages. Nothing leaves the machine: moto answers for AWS, and
the JumpStart manifest and specifications are those in ``tests/data/jumpstart``.
"""

import argparse
import json
import os
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[2] / "tests" / "data" / "jumpstart"
REGION = "us-east-1"
BUCKET = f"jumpstart-cache-prod-{REGION}"


def main() -> None:
    """Read what to ask the SDK for from a JSON file; write what it would send to another."""
    parser = argparse.ArgumentParser()
    parser.add_argument("asked", type=Path, help="model, version, instance, hyperparameters, data")
    parser.add_argument("request", type=Path, help="where to write the request")
    arguments = parser.parse_args()
    asked = json.loads(arguments.asked.read_text(encoding="utf-8"))
    os.environ.update(
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_DEFAULT_REGION=REGION,
        SAGEMAKER_USER_CONFIG_OVERRIDE=asked["no_telemetry"],
    )
    import boto3
    from moto import mock_aws

    with mock_aws():
        session = boto3.Session(region_name=REGION)
        _publish(session.client("s3"))
        request = json.dumps(_captured(session, asked), indent=1, sort_keys=True)
    arguments.request.write_text(request + "\n", encoding="utf-8")


def _publish(s3: Any) -> None:
    s3.create_bucket(Bucket=BUCKET)
    for path in [DATA / "models_manifest.json", *DATA.glob("community_models_specs/*/*.json")]:
        s3.put_object(Bucket=BUCKET, Key=path.relative_to(DATA).as_posix(), Body=path.read_bytes())


def _captured(session: Any, asked: dict[str, Any]) -> dict[str, Any]:
    requests: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        requests.append(json.loads(json.dumps(params)))

    client = session.client("sagemaker")
    client.meta.events.register("provide-client-params.sagemaker.CreateTrainingJob", note)
    from sagemaker.jumpstart.estimator import JumpStartEstimator
    from sagemaker.session import Session

    estimator = JumpStartEstimator(
        model_id=asked["model_id"],
        model_version=asked["model_version"],
        environment={"accept_eula": "true"},
        instance_type=asked["instance_type"],
        instance_count=asked["instance_count"],
        role=asked["role"],
        output_path=asked["output"],
        sagemaker_session=Session(boto_session=session, sagemaker_client=client),
    )
    estimator.set_hyperparameters(**asked["hyperparameters"])
    estimator.fit({"training": asked["training"]}, wait=False)
    (request,) = requests
    return request


if __name__ == "__main__":
    main()
