"""What a run folder keeps of its job."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from ragtune.core.errors import CloudError
from ragtune.core.files import read_json, write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.sagemaker import catalog
from ragtune_cloud.sagemaker.account import Account
from ragtune_cloud.sagemaker.names import Names, masked


@dataclass(frozen=True)
class Record:
    """What a run folder keeps of its job; nothing of the account."""

    job: str
    model_id: str
    region: str
    bucket: str
    prefix: str
    instance_type: str
    instance_count: int
    usd_per_hour: float | None
    epochs: int
    role: str | None = None
    model_version: str | None = None

    @property
    def names(self) -> Names:
        """The job's name and places."""
        return Names(self.job, self.bucket, self.prefix)


def read_record(run: RunFolder) -> Record:
    """What the run folder keeps of its job.

    Raises CloudError where nothing was submitted from it.
    """
    path = CloudFolder(run).job
    if not path.exists():
        raise CloudError(
            f"{path}: missing; submit with `ragtune promote RUN --submit`, or find a job that "
            "is there with `ragtune cloud attach RUN`"
        )
    return Record(**read_json(path))


def write_record(run: RunFolder, record: Record) -> None:
    """Note the run's job."""
    write_json(CloudFolder(run).job, asdict(record))


def record_of(recipe: Recipe, names: Names) -> Record:
    """What a run folder keeps of a job of that name, submitted from that recipe."""
    cloud = recipe.cloud
    return Record(
        job=names.job,
        model_id=recipe.model.jumpstart or "",
        region=cloud.region,
        bucket=names.bucket,
        prefix=names.prefix,
        instance_type=cloud.instance_type,
        instance_count=cloud.instance_count,
        usd_per_hour=catalog.usd_per_hour(cloud.instance_type, cloud.instance_count),
        epochs=recipe.tune.epoch,
        role=cloud.role,
    )


def as_found(record: Record, found: dict[str, Any], account: Account) -> Record:
    """The record of a job that is there, from its description: it runs as it was submitted."""
    machines = found["ResourceConfig"]
    output = masked(found["OutputDataConfig"]["S3OutputPath"], account.id)
    bucket, _, key = output.removeprefix("s3://").partition("/")
    return replace(
        record,
        bucket=bucket,
        prefix=key.removesuffix(f"/{record.job}/output"),
        instance_type=machines["InstanceType"],
        instance_count=machines["InstanceCount"],
        usd_per_hour=catalog.usd_per_hour(machines["InstanceType"], machines["InstanceCount"]),
        role=found["RoleArn"].partition(":role/")[2],
    )
