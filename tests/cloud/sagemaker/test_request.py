import json
from pathlib import Path

import pytest

from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune_cloud.sagemaker import cost
from ragtune_cloud.sagemaker.manifest import flatten
from ragtune_cloud.sagemaker.names import names
from ragtune_cloud.sagemaker.request import filled, job_tags, training_request
from ragtune_cloud.sagemaker.spec import Spec, find
from tests.cloud.made_up import LLAMA, PUBLISHED, make_run, recipe

CAPTURED = PUBLISHED / "captured"


def spec_of(model: str, version: str) -> Spec:
    path = PUBLISHED / "community_models_specs" / model / f"specs_v{version}.json"
    return flatten(json.loads(path.read_text()), "us-east-1")


def request_of(
    made_from: Recipe, spec: Spec, folder: Path, *, eula: bool = True
) -> dict[str, object]:
    run = make_run(folder, made_from)
    named = names(made_from, run)
    tags = job_tags(made_from, spec, {}, {})
    priced = cost.estimate(made_from, run)
    return training_request(made_from, spec, named, priced, tags, eula=eula)


@pytest.mark.parametrize(
    ("model", "version", "instances"),
    [(LLAMA, "3.0.0", 2), ("meta-textgeneration-llama-3-2-1b", "1.3.0", 1)],
)
def test_the_request_is_the_jumpstart_estimators_but_for_names_times_and_tags(
    model: str, version: str, instances: int, tmp_path: Path
) -> None:
    made_from = recipe(model={"jumpstart": model}, cloud={"instance_count": instances})
    ours = filled(request_of(made_from, spec_of(model, version), tmp_path), "123456789012")
    theirs = json.loads((CAPTURED / f"{model}.json").read_text())
    named = ours["TrainingJobName"], theirs["TrainingJobName"]
    places = ours["OutputDataConfig"]["S3OutputPath"], theirs["OutputDataConfig"]["S3OutputPath"]
    data = (
        ours["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"],
        theirs["InputDataConfig"][0]["DataSource"]["S3DataSource"]["S3Uri"],
    )
    text = json.dumps(ours)
    for mine, sdks in (data, places, named):
        text = text.replace(mine, sdks)
    same = json.loads(text)
    assert same.pop("StoppingCondition") != theirs.pop("StoppingCondition")
    tags = theirs.pop("Tags")
    assert [tag for tag in same.pop("Tags") if not tag["Key"].startswith("ragtune:")] == tags
    assert same == theirs


def test_botocore_finds_the_request_valid(tmp_path: Path) -> None:
    import botocore.session
    from botocore.validate import ParamValidator

    service = botocore.session.get_session().get_service_model("sagemaker")
    shape = service.operation_model("CreateTrainingJob").input_shape
    secured = {
        "kms_key": "alias/mine",
        "subnets": ["subnet-1"],
        "security_groups": ["sg-1"],
        "spot": True,
        "tags": {"team": "a"},
    }
    for number, cloud in enumerate(({}, secured)):
        made = request_of(recipe(cloud=cloud), spec_of(LLAMA, "3.0.0"), tmp_path / str(number))
        report = ParamValidator().validate(filled(made, "123456789012"), shape)
        assert not report.has_errors(), report.generate_report()


def test_what_protects_the_job_is_as_the_recipe_says(tmp_path: Path) -> None:
    spec = spec_of(LLAMA, "3.0.0")
    closed = request_of(recipe(cloud={"kms_key": "alias/mine"}), spec, tmp_path / "a")
    assert closed["EnableNetworkIsolation"]
    assert closed["EnableInterContainerTrafficEncryption"]
    assert closed["OutputDataConfig"]["KmsKeyId"] == "alias/mine"  # type: ignore[index]
    assert "VolumeKmsKeyId" not in closed["ResourceConfig"]  # type: ignore[operator]
    plain = {"encrypt_traffic": False, "network_isolation": False, "spot": True}
    open_ = request_of(recipe(cloud=plain), spec, tmp_path / "b")
    assert "EnableNetworkIsolation" not in open_
    assert open_["EnableManagedSpotTraining"]
    stop = open_["StoppingCondition"]
    assert stop["MaxWaitTimeInSeconds"] == 2 * stop["MaxRuntimeInSeconds"]  # type: ignore[index]


def test_no_account_number_of_the_users_is_in_the_request_before_it_is_sent(tmp_path: Path) -> None:
    made = request_of(recipe(), spec_of(LLAMA, "3.0.0"), tmp_path)
    text = json.dumps(made).replace("763104351884.dkr.ecr", "")  # AWS's own registry
    assert "<account>" in text
    assert "123456789012" in json.dumps(filled(made, "123456789012"))


@pytest.mark.parametrize(
    ("model", "version"), [(LLAMA, "3.0.0"), ("meta-textgeneration-llama-3-2-1b", "1.3.0")]
)
def test_no_request_accepts_a_licence_that_the_user_did_not(
    model: str, version: str, tmp_path: Path
) -> None:
    made_from = recipe(model={"jumpstart": model})
    unread = request_of(made_from, spec_of(model, version), tmp_path / "a", eula=False)
    assert "eula" not in json.dumps(unread).lower()
    accepted = request_of(made_from, spec_of(model, version), tmp_path / "b")
    assert "eula" in json.dumps(accepted).lower()


def test_the_shipped_spec_is_the_one_written_for_the_tests() -> None:
    shipped = find(LLAMA, None, "us-east-1", RunFolder(Path("/nowhere")))
    assert shipped is not None
    made = spec_of(LLAMA, "3.0.0")
    assert shipped.training == made.training
    assert shipped.serving == made.serving
    assert shipped.hyperparameters == made.hyperparameters
    assert "not read from JumpStart" in shipped.source
