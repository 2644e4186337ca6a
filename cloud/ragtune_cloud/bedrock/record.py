"""What a run folder keeps of its import."""

from dataclasses import asdict, dataclass

from ragtune.core.errors import CloudError
from ragtune.core.files import read_json, write_json
from ragtune.core.run_folder import RunFolder
from ragtune_cloud.bedrock import catalog
from ragtune_cloud.bedrock.folder import BedrockFolder
from ragtune_cloud.sagemaker.names import ACCOUNT


@dataclass(frozen=True)
class ImportRecord:
    """An import; nothing of the account, whose number is written ``<account>``.

    ``source`` is what is imported; ``uploaded``, the URI of what was put there for it, empty where
    the model lay in S3 already; ``trained_there``: the promoted job tuned it, not this machine;
    ``context`` is how many tokens it reads. ``arn`` and ``units`` are
    known once the model is imported.
    """

    job: str
    region: str
    source: str
    uploaded: str = ""
    trained_there: bool = False
    context: int = 2048
    arn: str | None = None
    units: int | None = None

    @property
    def usd_per_window(self) -> float | None:
        """What the least time that is billed costs; None where units or price are not known."""
        if self.units is None:
            return None
        return catalog.usd_per_window(self.region, self.units)

    def model_id(self, account: str) -> str:
        """What the model is asked by; raises CloudError before it is imported."""
        if self.arn is None:
            raise CloudError(
                f"{self.job}: not imported yet; `ragtune cloud bedrock watch RUN` waits for it"
            )
        return self.arn.replace(ACCOUNT, account)


def read_record(run: RunFolder) -> ImportRecord:
    """What the run folder keeps of its import.

    Raises CloudError where none was submitted from it.
    """
    path = BedrockFolder(run).job
    if not path.exists():
        raise CloudError(
            f"{path}: missing; import the model with `ragtune cloud bedrock import RUN --submit`"
        )
    return ImportRecord(**read_json(path))


def write_record(run: RunFolder, record: ImportRecord) -> None:
    """Note the run's import."""
    write_json(BedrockFolder(run).job, asdict(record))
