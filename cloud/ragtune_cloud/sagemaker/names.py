"""The names of what a promotion makes, and the masking of what must not be written down."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from ragtune.core.files import digest
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.schema import Recipe
from ragtune_cloud.gate import EVIDENCE, as_tuned, data_hashes, uploaded

ACCOUNT = "<account>"
"""In place of the account's number wherever something is written or printed."""
IDENTITY_TAG = "ragtune:identity"
"""The tag of everything that a promotion makes; its value is the recipe's identity."""
VERSION_TAG = "sagemaker-sdk:jumpstart-model-version"
"""JumpStart's own tag of the version of a model."""
_ARN_ACCOUNT = re.compile(r"(arn:aws[\w-]*:[\w-]*:[\w-]*:)\d{12}")
_NUMBER = re.compile(r"(?<!\w)\d{12}(?!\w)")
"""What may be an account's number, where it is not known yet which one it is."""
_SIGNED = re.compile(r"(https?://[^\s?]+)\?\S*(?:Signature|Credential|Token)\S*", re.I)
_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")


def masked(text: str, account: str | None = None) -> str:
    """The text without account numbers, access keys and the signatures of signed URLs."""
    if account:
        text = text.replace(account, ACCOUNT)
    text = _SIGNED.sub(r"\1?<signature>", _ARN_ACCOUNT.sub(rf"\1{ACCOUNT}", text))
    return _KEY.sub("<access key>", _NUMBER.sub(ACCOUNT, text))


@dataclass(frozen=True)
class Names:
    """Where a promotion lives: the job's name and its S3 places; ``bucket`` may hold ACCOUNT.

    ``uploaded`` are the files of the training channel, as paths in the run folder.
    """

    job: str
    bucket: str
    prefix: str
    uploaded: tuple[str, ...] = ()

    @property
    def home(self) -> str:
        """The key prefix of this one job: training data, evidence, output."""
        return f"{self.prefix}/{self.job}"

    @property
    def stem(self) -> str:
        """What the names of all attempts begin with."""
        return self.job.rpartition("-")[0]

    @property
    def attempts(self) -> list["Names"]:
        """Those of every attempt up to this one, the newest first."""
        number = int(self.job.rpartition("-")[2])
        return [replace(self, job=f"{self.stem}-{n}") for n in range(number, 0, -1)]

    @property
    def training(self) -> str:
        """The training channel's S3 URI."""
        return f"s3://{self.bucket}/{self.home}/training"

    @property
    def output(self) -> str:
        """The S3 URI that the job writes below."""
        return f"s3://{self.bucket}/{self.home}/output"

    @property
    def keys(self) -> dict[str, str]:
        """Object key of each uploaded file, by its path in the run folder."""
        files = {name: f"{self.home}/evidence/{name}" for name in EVIDENCE}
        data = {name: f"{self.home}/training/{Path(name).name}" for name in self.uploaded}
        return {**data, **files}


def names(recipe: Recipe, run: RunFolder, attempt: int = 1) -> Names:
    """The names of a run's promotion: the same for the same recipe and data.

    Where it runs is no part of them, nor which version of the model JumpStart has by now: neither
    makes it another job to pay for. A further ``attempt``, after one that failed, is another job.
    """
    what = [data_hashes(recipe, run), recipe.model.jumpstart]
    if recipe.tune.search:  # made again it may choose others, and that is another job
        what.append(as_tuned(recipe, run).tune.model_dump(mode="json"))
    job = f"{recipe.name[:36]}-{recipe.identity[:8]}-{digest(what)[:6]}-{attempt}"
    bucket = recipe.cloud.bucket or f"sagemaker-{recipe.cloud.region}-{ACCOUNT}"
    return Names(job, bucket, recipe.cloud.prefix.strip("/"), uploaded(recipe, run))
