"""What an endpoint is offered for and made of: the default, its price, its image and weights."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ragtune.core.errors import CloudError
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.sagemaker import endpoints, jobs, things
from ragtune_cloud.sagemaker import spec as specs
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.sagemaker.endpoints import offer
from ragtune_cloud.sagemaker.manifest import flatten
from ragtune_cloud.sagemaker.names import Names
from ragtune_cloud.sagemaker.record import Record, record_of
from ragtune_cloud.sagemaker.spec import Spec
from ragtune_cloud.target import SIDES, Status
from tests.cloud.made_up import LLAMA, recipe
from tests.conftest import ROOT


@pytest.fixture
def spec() -> Spec:
    found = specs.find(LLAMA, None, "us-east-1", RunFolder(Path("/nowhere")))
    assert found is not None
    return found


def record(region: str = "us-east-1", **prices: float) -> Record:
    named = {name.replace("_", "."): usd for name, usd in prices.items()}
    made = recipe(cloud={"region": region, "prices": named})
    return record_of(made, Names("job-1", "bucket", "ragtune"), "3.0.0")


def test_an_endpoint_without_a_known_price_is_refused_with_the_remedy(spec: Spec) -> None:
    said = r"^no price is known for ml\.g5\.2xlarge in eu-west-1 .* promote with --set 'cloud\.pr"
    with pytest.raises(CloudError, match=said):
        offer(record("eu-west-1"), spec, "base", None, eula=True)
    found = offer(record("eu-west-1", ml_g5_2xlarge=1.7), spec, "base", None, eula=True)
    assert found.usd_per_hour == 1.7


def test_a_licence_that_was_not_accepted_is_told_with_its_address(spec: Spec) -> None:
    with pytest.raises(CloudError, match=r"its licence, https://.*/llamaEula\.txt, then accept it"):
        offer(record(), spec, "base", None, eula=False)


def test_a_tuned_model_is_served_on_what_fits_the_instance_it_was_tuned_on(spec: Spec) -> None:
    own = {
        "default_inference_instance_type": "ml.g5.48xlarge",
        "supported_inference_instance_types": ["ml.g5.48xlarge"],
    }
    training = replace(spec.training, values={**spec.training.values, "ml.g5.12xlarge": own})
    special = replace(spec, training=training)
    assert offer(record(), special, "tuned", None, eula=True).instance_type == "ml.g5.48xlarge"
    assert offer(record(), special, "base", None, eula=True).instance_type == "ml.g5.2xlarge"
    with pytest.raises(CloudError, match=r"not served on it; allowed: ml\.g5\.48xlarge$"):
        offer(record(), special, "tuned", "ml.g5.2xlarge", eula=True)


@pytest.mark.parametrize(("file", "channel"), [("llama-3-1-70b_2.16.2", "lmi"), (None, None)])
def test_endpoints_are_made_of_the_first_configurations_image(
    spec: Spec,
    account: Callable[[], Account],
    monkeypatch: pytest.MonkeyPatch,
    *,
    file: str | None,
    channel: str | None,
) -> None:
    if file is not None:
        path = ROOT.parent / "shared" / "data" / "jumpstart" / f"{file}.json"
        if not path.exists():
            pytest.skip("the real specs of ../shared/data/jumpstart are not here")
        spec = flatten(json.loads(path.read_text()), "us-east-1")
    assert spec.serving.config == channel
    of_job = replace(record(), prices={str(spec.serving.default_instance): 30.0})
    left = Status("job-1", "Completed", "Completed", 1, None, None, "s3://b/output/model/")
    monkeypatch.setattr(jobs, "status", lambda *_: left)
    opened = account()
    made = {
        side: endpoints.prepare(
            offer(of_job, spec, side, None, eula=True), of_job, recipe(), spec, opened
        )
        for side in SIDES
    }
    base, tuned = (made[side][things.MODEL]["PrimaryContainer"] for side in SIDES)
    assert (
        base["Image"]
        == tuned["Image"]
        == spec.serving.image(str(spec.serving.default_instance), "m")
    )
    assert base["Environment"] == tuned["Environment"]
    assert base["ModelDataSource"]["S3DataSource"]["ModelAccessConfig"] == {"AcceptEula": True}
    source = tuned["ModelDataSource"]["S3DataSource"]
    assert source == {
        "S3Uri": "s3://b/output/model/",
        "S3DataType": "S3Prefix",
        "CompressionType": "None",
    }
    (variant,) = made["tuned"][things.CONFIG]["ProductionVariants"]
    assert variant["InstanceType"] == spec.serving.default_instance
