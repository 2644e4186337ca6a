"""What a run folder keeps of Bedrock, below ``cloud/bedrock/``, each path written down once.

::

    cloud/bedrock/
      plan.json          what an import would do
      import.json        the import that was submitted
      rope.json          the held-out loss with Bedrock's scaling of positions
      tuning.json        what fine-tuning in Bedrock would be, and where it differs
      judge/             answers in the form of an evaluation job, and its request
"""

from dataclasses import dataclass
from pathlib import Path

from ragtune.core.run_folder import RunFolder
from ragtune_cloud.folder import CloudFolder


@dataclass(frozen=True)
class BedrockFolder:
    """The ``cloud/bedrock/`` folder of a run."""

    run: RunFolder

    @property
    def path(self) -> Path:
        """The folder itself."""
        return CloudFolder(self.run).path / "bedrock"

    @property
    def plan(self) -> Path:
        """What an import would do."""
        return self.path / "plan.json"

    @property
    def job(self) -> Path:
        """The import that was submitted."""
        return self.path / "import.json"

    @property
    def rope(self) -> Path:
        """The held-out loss with Bedrock's scaling of positions."""
        return self.path / "rope.json"

    @property
    def tuning(self) -> Path:
        """What fine-tuning in Bedrock would be."""
        return self.path / "tuning.json"

    @property
    def judge(self) -> Path:
        """The files of an evaluation job."""
        return self.path / "judge"
