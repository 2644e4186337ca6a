"""The paths of a run folder, each written down once.

::

    runs/handbook-3f9a1c02/
      recipe.yaml  lock.json      the filled recipe; what each stage was made from, and its outputs
      data/                       train.jsonl, template.json (what promotion uploads), test.jsonl
      search/<adapter>.json       the settings of tuning that were tried, with tune.search
      adapter/                    the LoRA adapter, training.json (losses), tensorboard/
      index/                      the Qdrant store and its manifest
      coverage.json               which questions the training records cover
      retrieval.jsonl             the passages found for each question
      leaks.json  gold.json       near-duplicates of the questions, gold that does not exist
      threshold.json              the calibrated score, with rag.refuse_below: calibrated
      answers/<arm>.jsonl         a line a question
      latency/<arm>.jsonl         seconds of questions asked alone
      heldout.json  forgetting.json  freshness.json
      curve/<share>/              answers after tuning on a share of the records
      results.json  report.html
      labels.jsonl                a person's marks (`ragtune label`); no stage's output, so editing
                                  it by hand is allowed
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class RunFolder:
    """A run folder, or a scratch folder in which one of its stages is made."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        """The folder's own name."""
        return self.path.name

    @property
    def recipe(self) -> Path:
        """The filled recipe."""
        return self.path / "recipe.yaml"

    @property
    def lock(self) -> Path:
        """What each stage was made from."""
        return self.path / "lock.json"

    @property
    def data(self) -> Path:
        """The folder of rows and questions."""
        return self.path / "data"

    @property
    def train_rows(self) -> Path:
        """The training rows."""
        return self.data / "train.jsonl"

    @property
    def template(self) -> Path:
        """JumpStart's ``template.json``."""
        return self.data / "template.json"

    @property
    def questions(self) -> Path:
        """The held-out questions."""
        return self.data / "test.jsonl"

    def search(self, adapter: str) -> Path:
        """The settings that were tried for an adapter, and the best of them."""
        return self.path / "search" / f"{adapter}.json"

    @property
    def adapter(self) -> Path:
        """The LoRA adapter."""
        return self.path / "adapter"

    @property
    def training(self) -> Path:
        """Census and losses of the training run."""
        return self.adapter / "training.json"

    @property
    def tensorboard(self) -> Path:
        """The curves for TensorBoard."""
        return self.adapter / "tensorboard"

    @property
    def checkpoint(self) -> Path:
        """Where a training run that was stopped goes on from; only in a scratch folder."""
        return self.path / "checkpoint"

    @property
    def index(self) -> Path:
        """The index: a store and its manifest."""
        return self.path / "index"

    @property
    def manifest(self) -> Path:
        """What the index holds."""
        return self.index / "manifest.json"

    @property
    def coverage(self) -> Path:
        """Which questions the training records cover."""
        return self.path / "coverage.json"

    @property
    def retrieval(self) -> Path:
        """The passages found for each question."""
        return self.path / "retrieval.jsonl"

    @property
    def leaks(self) -> Path:
        """Near-duplicates between training records and questions."""
        return self.path / "leaks.json"

    @property
    def gold(self) -> Path:
        """Questions whose gold does not exist."""
        return self.path / "gold.json"

    @property
    def threshold(self) -> Path:
        """The calibrated score."""
        return self.path / "threshold.json"

    def answers(self, arm: str) -> Path:
        """An arm's answers."""
        return self.path / "answers" / f"{arm}.jsonl"

    def latency(self, arm: str) -> Path:
        """Seconds of an arm's questions asked alone."""
        return self.path / "latency" / f"{arm}.jsonl"

    @property
    def heldout(self) -> Path:
        """The loss on the reference answers."""
        return self.path / "heldout.json"

    @property
    def forgetting(self) -> Path:
        """The loss on general text."""
        return self.path / "forgetting.json"

    @property
    def freshness(self) -> Path:
        """Documents that were changed, and the answers after."""
        return self.path / "freshness.json"

    def curve(self, share: float) -> Path:
        """The folder of what was tuned on a share of the records."""
        return self.path / "curve" / f"{share:g}"

    def curve_answers(self, share: float, arm: str) -> Path:
        """An arm's answers after tuning on a share of the records."""
        return self.curve(share) / f"{arm}.jsonl"

    def curve_training(self, share: float) -> Path:
        """The losses of tuning on a share of the records."""
        return self.curve(share) / "training.json"

    @property
    def results(self) -> Path:
        """Every figure."""
        return self.path / "results.json"

    @property
    def report(self) -> Path:
        """The page."""
        return self.path / "report.html"

    @property
    def labels(self) -> Path:
        """A person's marks of answers."""
        return self.path / "labels.jsonl"

    @property
    def partial(self) -> Path:
        """The folder of what is being made."""
        return self.path / ".partial"

    @property
    def merged(self) -> Path:
        """Where ``export`` writes."""
        return self.path / "merged"

    def relative(self, path: Path) -> str:
        """A path inside the folder, as it is written down in ``lock.json``."""
        return path.relative_to(self.path).as_posix()
