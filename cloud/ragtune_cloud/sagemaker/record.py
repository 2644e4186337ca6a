"""What a run folder keeps of its job."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ragtune.core.errors import CloudError, RecipeError
from ragtune.core.files import read_json, write_json
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune_cloud.folder import CloudFolder
from ragtune_cloud.sagemaker import catalog, spec
from ragtune_cloud.sagemaker.account import Account, aws_errors
from ragtune_cloud.sagemaker.names import VERSION_TAG, Names, masked


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
    prices: dict[str, float] = field(default_factory=dict)
    model_version: str | None = None
    trained: bool = True
    """Whether there is a job: without one the base model alone can be served."""

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


def served_record(run: RunFolder, recipe: Recipe) -> Record:
    """By what the models of a run are served: its job, or without one the base model alone.

    Raises RecipeError where nothing was submitted and the recipe names no model of JumpStart's.
    """
    if CloudFolder(run).job.exists():
        return read_record(run)
    if (model := recipe.model.jumpstart) is None:
        raise RecipeError(
            "model.jumpstart: missing; name JumpStart's model in the recipe, and run it again"
        )
    cloud = recipe.cloud
    known = spec.find(model, cloud.model_version, cloud.region, run)
    version = known.version if known else cloud.model_version
    names = Names(f"{recipe.name[:36]}-{recipe.identity[:8]}", "", "")
    return replace(record_of(recipe, names, version), trained=False)


def write_record(run: RunFolder, record: Record) -> None:
    """Note the run's job, in the list of all its jobs too."""
    note(run, record)
    write_json(CloudFolder(run).job, asdict(record))


def note(run: RunFolder, record: Record) -> None:
    """Enter a job in the list of all that were ever submitted from the run: before it is."""
    others = [r for r in records(run) if (r.job, r.region) != (record.job, record.region)]
    write_json(CloudFolder(run).jobs, [asdict(each) for each in [*others, record]])


def records(run: RunFolder) -> list[Record]:
    """Every job that was ever submitted from the run, in any region, the newest last.

    Raises RunError where the list is broken.
    """
    folder = CloudFolder(run)
    found = [Record(**row) for row in read_json(folder.jobs)] if folder.jobs.exists() else []
    if folder.job.exists():  # of an older ragtune, which kept no list
        last = Record(**read_json(folder.job))
        known = {(record.job, record.region) for record in found}
        found += [] if (last.job, last.region) in known else [last]
    return found


def record_of(recipe: Recipe, names: Names, version: str | None = None) -> Record:
    """What a run folder keeps of a job of that name, submitted from that recipe.

    ``version`` is the model's, by which the job's endpoints are made later too.
    """
    cloud = recipe.cloud
    return Record(
        job=names.job,
        model_id=recipe.model.jumpstart or "",
        region=cloud.region,
        bucket=names.bucket,
        prefix=names.prefix,
        instance_type=cloud.instance_type,
        instance_count=cloud.instance_count,
        usd_per_hour=catalog.usd_per_hour(
            cloud.instance_type, cloud.instance_count, region=cloud.region, prices=cloud.prices
        ),
        epochs=recipe.tune.epoch,
        role=cloud.role,
        prices=dict(cloud.prices),
        model_version=version,
    )


def as_found(record: Record, found: dict[str, Any], account: Account) -> Record:
    """The record of a job that is there, from its description: it runs as it was submitted.

    The model's version is read from its tags, where they may be read.
    """
    machines = found["ResourceConfig"]
    output = masked(found["OutputDataConfig"]["S3OutputPath"], account.id)
    bucket, _, key = output.removeprefix("s3://").partition("/")
    return replace(
        record,
        bucket=bucket,
        prefix=key.removesuffix(f"/{record.job}/output"),
        instance_type=machines["InstanceType"],
        instance_count=machines["InstanceCount"],
        usd_per_hour=catalog.usd_per_hour(
            machines["InstanceType"],
            machines["InstanceCount"],
            region=account.region,
            prices=record.prices,
        ),
        role=found["RoleArn"].partition(":role/")[2],
        model_version=_version(found, account) or record.model_version,
    )


def _version(found: dict[str, Any], account: Account) -> str | None:
    try:
        with aws_errors(account.known_id):
            tags = account.client("sagemaker").list_tags(ResourceArn=found["TrainingJobArn"])
    except CloudError:
        return None
    listed = {tag["Key"]: tag["Value"] for tag in tags["Tags"]}
    return listed.get(VERSION_TAG)
