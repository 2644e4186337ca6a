"""The paths of a run folder, each written down once.

::

    runs/handbook-3f9a1c02/
      recipe.yaml  lock.json      the filled recipe; what each stage was made from, and its outputs
      data/                       test.jsonl; what promotion uploads: train.jsonl, template.json
      adapter/                    the LoRA adapter, training.json (losses), tensorboard/
      adapter-rag/                that of tuned+rag, where it has its own; data/train-rag.jsonl
      search/<adapter>.json       the settings that were tried for it
      recall/<adapter>.jsonl      its answers to training questions
      seeds/<n>/                  answers of the tuned arms after tuning with another seed
      index/  index-records/      the Qdrant stores and their manifests
      coverage.json               which questions the training records cover
      retrieval.jsonl             the passages found for each question
      retrieval-records.jsonl     training records found for each, as passages
      examples.jsonl              training records found for each, as examples
      leaks.json  gold.json       near-duplicates of the questions, gold that does not exist
      threshold.json              the calibrated score, with rag.refuse_below: calibrated
      answers/<arm>.jsonl         a line a question
      latency/<arm>.jsonl         seconds of questions asked alone
      heldout.json  forgetting.json  freshness.json
      curve/<share>/              answers after tuning on a share of the records
      results.json  report.html
      .open/<process>-<n>/        copies of the indexes that a process searches
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

    def train_rows(self, adapter: str) -> Path:
        """The training rows of an adapter."""
        return self.data / f"train{_of(adapter)}.jsonl"

    @property
    def template(self) -> Path:
        """JumpStart's ``template.json``."""
        return self.data / "template.json"

    @property
    def questions(self) -> Path:
        """The held-out questions."""
        return self.data / "test.jsonl"

    def adapter(self, name: str) -> Path:
        """The LoRA adapter of that name."""
        return self.path / f"adapter{_of(name)}"

    def training(self, adapter: str) -> Path:
        """Census and losses of an adapter's training run."""
        return self.adapter(adapter) / "training.json"

    def tensorboard(self, adapter: str) -> Path:
        """The curves for TensorBoard."""
        return self.adapter(adapter) / "tensorboard"

    def recall(self, adapter: str) -> Path:
        """An adapter's answers to questions that it was trained on."""
        return self.path / "recall" / f"{adapter}.jsonl"

    def search(self, adapter: str) -> Path:
        """The settings that were tried for an adapter."""
        return self.path / "search" / f"{adapter}.json"

    def seed_answers(self, number: int, arm: str) -> Path:
        """An arm's answers after tuning for the n-th time, from 2, with another seed."""
        return self.path / "seeds" / str(number) / f"{arm}.jsonl"

    def seed_training(self, number: int, adapter: str) -> Path:
        """The losses of tuning an adapter for the n-th time."""
        return self.path / "seeds" / str(number) / f"{adapter}.json"

    @property
    def checkpoint(self) -> Path:
        """Where a training run that was stopped goes on from; only in a scratch folder."""
        return self.path / "checkpoint"

    @property
    def index(self) -> Path:
        """The index: a store and its manifest."""
        return self.path / "index"

    @property
    def records_index(self) -> Path:
        """The index of the training records."""
        return self.path / "index-records"

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
    def retrieval_records(self) -> Path:
        """The training records found for each question, as passages."""
        return self.path / "retrieval-records.jsonl"

    @property
    def examples(self) -> Path:
        """The training records found for each question, as examples."""
        return self.path / "examples.jsonl"

    @property
    def leaks(self) -> Path:
        """Near-duplicates between training records and questions."""
        return self.path / "leaks.json"

    @property
    def languages(self) -> Path:
        """Languages that embedder or model do not know."""
        return self.path / "languages.json"

    @property
    def gold(self) -> Path:
        """Questions whose gold does not exist."""
        return self.path / "gold.json"

    @property
    def threshold(self) -> Path:
        """The calibrated score."""
        return self.path / "threshold.json"

    @property
    def engine(self) -> Path:
        """The server that answered, and how often it agrees with the loop here."""
        return self.path / "engine.json"

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

    def curve_training(self, share: float, adapter: str) -> Path:
        """The losses of tuning an adapter on a share of the records."""
        return self.curve(share) / f"{adapter}.json"

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
    def copies(self) -> Path:
        """Where processes that have the run open keep the copies that they search."""
        return self.path / ".open"

    @property
    def merged(self) -> Path:
        """Where ``export`` writes."""
        return self.path / "merged"

    def relative(self, path: Path) -> str:
        """A path inside the folder, as it is written down in ``lock.json``."""
        return path.relative_to(self.path).as_posix()


def _of(adapter: str) -> str:
    """What names of files say of an adapter that is not the first."""
    return "-rag" if adapter == "tuned+rag" else ""
