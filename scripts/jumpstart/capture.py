"""Write what sagemaker 2 would send to AWS, to train JumpStart models and to serve them.

Runs in an environment of its own, made by ``scripts/jumpstart/check``: sagemaker 2 and ragtune
pin different versions of the same packages. Nothing leaves the machine: moto answers for S3 with
the manifest and specs that it is given, and calls to SageMaker are noted and answered here.
"""

import argparse
import contextlib
import json
import os
from pathlib import Path
from typing import Any

CREATED = ("CreateTrainingJob", "CreateModel", "CreateEndpointConfig")


class Enough(Exception):
    """All that is compared was requested; what the SDK does next needs a real endpoint."""


def main() -> None:
    """Read the specs and what to ask the SDK for from a JSON file; write what it would send."""
    parser = argparse.ArgumentParser()
    parser.add_argument("asked", type=Path, help="region, account, specs, cases, no_telemetry")
    parser.add_argument("sent", type=Path, help="where to write the requests of each case")
    arguments = parser.parse_args()
    asked = json.loads(arguments.asked.read_text(encoding="utf-8"))
    os.environ.update(
        AWS_ACCESS_KEY_ID="testing",
        AWS_SECRET_ACCESS_KEY="testing",
        AWS_DEFAULT_REGION=asked["region"],
        SAGEMAKER_USER_CONFIG_OVERRIDE=asked["no_telemetry"],
    )
    import boto3
    from moto import mock_aws

    with mock_aws():
        session = boto3.Session(region_name=asked["region"])
        _publish(session.client("s3"), asked)
        sent = [_sent(session, case, asked["account"]) for case in asked["cases"]]
    arguments.sent.write_text(json.dumps(sent, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _publish(s3: Any, asked: dict[str, Any]) -> None:
    bucket = f"jumpstart-cache-prod-{asked['region']}"
    where = {"LocationConstraint": asked["region"]}
    more = {} if asked["region"] == "us-east-1" else {"CreateBucketConfiguration": where}
    s3.create_bucket(Bucket=bucket, **more)
    manifest = []
    for spec in asked["specs"]:
        key = f"specs/{spec['model_id']}/{spec['version']}.json"
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(spec).encode())
        row = {"model_id": spec["model_id"], "version": spec["version"], "spec_key": key}
        manifest.append({**row, "min_version": "2.0.0"})
    s3.put_object(Bucket=bucket, Key="models_manifest.json", Body=json.dumps(manifest).encode())


def _sent(session: Any, case: dict[str, Any], account: str) -> dict[str, Any]:
    """The requests of a case by operation; or ``error``, why the SDK makes none."""
    from sagemaker.jumpstart.accessors import JumpStartModelsAccessor
    from sagemaker.session import Session
    from sagemaker.telemetry import telemetry_logging

    # The setting that opts out is not read for every call, and each would wait for the network.
    telemetry_logging._send_telemetry_request = lambda *_, **__: None

    # The SDK changes the specs in its cache: a type's environment is written into its family's.
    JumpStartModelsAccessor.reset_cache()
    requests: dict[str, Any] = {}
    client = session.client("sagemaker")
    artefact = case.get("artefact", "")

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        requests[model.name] = json.loads(json.dumps(params))

    def enough(**_: Any) -> None:
        raise Enough

    def answer(model: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        body = {
            "ResponseMetadata": {"HTTPStatusCode": 200},
            "OutputDataConfig": requests.get("CreateTrainingJob", {}).get("OutputDataConfig", {}),
            "ModelArtifacts": {"S3ModelArtifacts": artefact},
            "TrainingJobStatus": "Completed",
            "InferenceSpecification": {"Containers": []},
            "ModelArn": f"arn:aws:sagemaker:us-east-1:{account}:model/m",
            "EndpointArn": f"arn:aws:sagemaker:us-east-1:{account}:endpoint/e",
            "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:{account}:training-job/t",
        }
        return AWSResponse("", 200, {}, None), body

    for operation in CREATED:
        client.meta.events.register(f"provide-client-params.sagemaker.{operation}", note)
    client.meta.events.register("provide-client-params.sagemaker.CreateEndpoint", enough)
    client.meta.events.register_first("before-call.sagemaker", answer)
    try:
        with contextlib.suppress(Enough):
            _act(case, Session(boto_session=session, sagemaker_client=client))
    except ValueError as error:
        return {"error": str(error)}
    return requests


def _act(case: dict[str, Any], session: Any) -> None:
    from sagemaker.jumpstart.estimator import JumpStartEstimator
    from sagemaker.jumpstart.model import JumpStartModel

    named = {"model_id": case["model_id"], "model_version": case["version"], "role": case["role"]}
    if "training" not in case:
        model = JumpStartModel(
            **named, instance_type=case["instance_type"], sagemaker_session=session
        )
        model.deploy(accept_eula=case["eula"], wait=False)
        return
    estimator = JumpStartEstimator(
        **named,
        environment={"accept_eula": "true"} if case["eula"] else None,
        instance_type=case["instance_type"],
        instance_count=case["instance_count"],
        output_path=case["output"],
        sagemaker_session=session,
    )
    estimator.set_hyperparameters(**case["hyperparameters"])
    estimator.fit({"training": case["training"]}, wait=False)
    if "served_on" in case:
        estimator.deploy(instance_type=case["served_on"], wait=False)


if __name__ == "__main__":
    main()
