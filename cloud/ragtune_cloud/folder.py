"""What promotion keeps in a run folder, below ``cloud/``, each path written down once.

::

    cloud/
      plan.json               contract, cost, checks and the request that would be sent
      jumpstart.lock.json     the model's artefacts and bounds, dated
      job.json                the job that was submitted last
      jobs.json               every job that was ever submitted, each noted before it was
      ledger.json             what was created and costs money until it is deleted
      training.json           its losses
      study/<job>/            a run folder: the answers of the models that are served there
      comparison.json         local and cloud side by side
      index/                  plan.json, what each home of the index said, results.json
      fetched/                the tuned model, and a recipe and runs that study it
"""

from dataclasses import dataclass
from pathlib import Path

from ragtune.core.files import read_json
from ragtune.core.run_folder import RunFolder

UNTRAINED = "base"
"""In the place of a job's name, where the base model alone is studied."""


@dataclass(frozen=True)
class CloudFolder:
    """The ``cloud/`` folder of a run."""

    run: RunFolder

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.run.path / "cloud"

    @property
    def plan(self) -> Path:
        """What promotion would do."""
        return self.path / "plan.json"

    @property
    def artefacts(self) -> Path:
        """The dated lock of the model's artefacts and bounds."""
        return self.path / "jumpstart.lock.json"

    @property
    def job(self) -> Path:
        """The job that was submitted last."""
        return self.path / "job.json"

    @property
    def jobs(self) -> Path:
        """Every job that was ever submitted, in any region, each noted before it was."""
        return self.path / "jobs.json"

    @property
    def ledger(self) -> Path:
        """What was created and costs money until it is deleted."""
        return self.path / "ledger.json"

    @property
    def training(self) -> Path:
        """The job's losses, by epoch."""
        return self.path / "training.json"

    def study(self, job: str) -> RunFolder:
        """Answers of a job's models where they are served, as a run folder keeps them.

        Without a job they are of the base model alone: ``UNTRAINED``.
        """
        return RunFolder(self.path / "study" / job)

    @property
    def index_plan(self) -> Path:
        """What moving the index would do."""
        return self.path / "index" / "plan.json"

    def index_home(self, home: str) -> Path:
        """What a home said when the index was built there."""
        return self.path / "index" / f"{home}.json"

    @property
    def index_results(self) -> Path:
        """How the index searches in each home, beside the local one."""
        return self.path / "index" / "results.json"

    @property
    def comparison(self) -> Path:
        """Local and cloud side by side."""
        return self.path / "comparison.json"

    @property
    def fetched(self) -> Path:
        """The folder of the tuned model that was brought here."""
        return self.path / "fetched"

    @property
    def fetched_note(self) -> Path:
        """Which job the fetched model is of."""
        return self.fetched / "fetched.json"

    @property
    def fetched_model(self) -> Path:
        """The fetched model's files."""
        return self.fetched / "model"

    @property
    def fetched_recipe(self) -> Path:
        """The recipe that studies the fetched model."""
        return self.fetched / "recipe.yaml"

    @property
    def fetched_runs(self) -> Path:
        """Where the runs of that recipe are kept."""
        return self.fetched / "runs"


def noted_job(run: RunFolder) -> str | None:
    """The name of the job that was submitted from a run; None where there is none."""
    path = CloudFolder(run).job
    return str(read_json(path)["job"]) if path.exists() else None
