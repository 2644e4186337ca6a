"""The names of what an import makes, the same for the same recipe and the same model."""

import re
from dataclasses import dataclass, replace

from ragtune.core.files import digest
from ragtune.recipe.schema import Recipe
from ragtune_cloud.bedrock.model import Model
from ragtune_cloud.sagemaker.names import ACCOUNT

UNLIKE = re.compile(r"[^0-9A-Za-z]+")
"""What may not be in the name of an imported model; two separators in a row neither."""


@dataclass(frozen=True)
class ImportNames:
    """The job's and the model's name (they are one), and where its files are put.

    ``bucket`` may hold ``<account>``.
    """

    job: str
    bucket: str
    prefix: str

    @property
    def home(self) -> str:
        """The key prefix of what is uploaded for this import."""
        return f"{self.prefix}/bedrock/{self.job.rpartition('-')[0]}"

    @property
    def uri(self) -> str:
        """The S3 URI of the uploaded model; the same for every attempt."""
        return f"s3://{self.bucket}/{self.home}/model"

    def attempt(self, number: int) -> "ImportNames":
        """Those of another attempt."""
        return replace(self, job=f"{self.job.rpartition('-')[0]}-{number}")


def import_names(recipe: Recipe, model: Model, attempt: int = 1) -> ImportNames:
    """The names of an import: another model, or one read otherwise, has others."""
    stem = UNLIKE.sub("-", recipe.name[:36]).strip("-")
    what = digest([model.files.hash, recipe.cloud.region])
    bucket = recipe.cloud.bucket or f"sagemaker-{recipe.cloud.region}-{ACCOUNT}"
    job = f"{stem}-{recipe.identity[:8]}-{what[:6]}-{attempt}"
    return ImportNames(job, bucket, recipe.cloud.prefix.strip("/"))
