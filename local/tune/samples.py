"""Training rows → samples of token ids and labels, and a census of what will be learnt from."""

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from local.errors import RecordsError
from local.recipe import Tune
from local.template import IGNORED, Renderer, Row

TrainingRow = dict[str, str]
"""``instruction``, ``context`` and ``response``: a line of ``data/train.jsonl``."""


@dataclass(frozen=True)
class Sample:
    """What the model reads at once: a block of rows, or one row; ``ids`` and ``labels`` align."""

    ids: list[int]
    labels: list[int]


@dataclass(frozen=True)
class Census:
    """What there is to learn from; ``supervised`` counts tokens that the loss is taken on.

    ``rows_straddling`` are those whose completion the tokenizer merges with the prompt's end.
    """

    rows: int
    tokens: int
    supervised: int
    longest: int
    rows_cut: int
    rows_without_supervision: int
    rows_straddling: int
    train_samples: int
    validation_samples: int
    samples_dropped_an_epoch: int
    steps_an_epoch: int

    def to_json(self) -> dict[str, Any]:
        """The fields, for ``results.json``."""
        return asdict(self)


@dataclass(frozen=True)
class Samples:
    """The two sides of the validation split, their census, and how they are batched.

    ``micro_batch`` and ``accumulation`` are the recipe's, or less where there are fewer samples.
    """

    train: list[Sample]
    validation: list[Sample]
    census: Census
    micro_batch: int
    accumulation: int

    @property
    def batch(self) -> int:
        """Samples an optimiser step."""
        return self.micro_batch * self.accumulation


def block_length(tune: Tune, tokenizer: Any, context: int) -> int:
    """Tokens a sample may have: JumpStart's -1 means 1,024, or less where the model reads less."""
    if tune.max_input_length == -1:
        return min(1024, context, int(min(tokenizer.model_max_length, 1 << 30)))
    return tune.max_input_length


def prepare(rows: Sequence[TrainingRow], tune: Tune, renderer: Renderer, length: int) -> Samples:
    """Render the rows, lay them out, and split off the validation samples.

    As the cloud's container does it, the split follows the layout, by ``train_data_split_seed``.

    Raises RecordsError when nothing would be trained on.
    """
    if tune.max_train_samples != -1:
        rows = rows[: tune.max_train_samples]
    limit = length if tune.local.layout == "rows" else None
    rendered = [renderer.row(r["instruction"], r["context"], r["response"], limit) for r in rows]
    everything = [_supervise(row, tune.local.loss) for row in rendered]
    samples = everything if tune.local.layout == "rows" else _blocks(everything, length)
    train, validation = _split(samples, tune)
    supervised = sum(label != IGNORED for s in train for label in s.labels)
    if not supervised:
        raise RecordsError(
            f"{len(rows)} training rows leave nothing to train on: "
            f"{sum(len(s.ids) for s in everything)} tokens make {len(samples)} samples of "
            f"{length}; lower tune.max_input_length or add records"
        )
    micro = min(tune.per_device_train_batch_size, len(train))
    accumulation = min(tune.gradient_accumulation_steps, len(train) // micro)
    batch = micro * accumulation
    census = Census(
        rows=len(rows),
        tokens=sum(len(s.ids) for s in everything),
        supervised=supervised,
        longest=max(len(s.ids) for s in everything),
        rows_cut=sum(row.cut > 0 for row in rendered),
        rows_without_supervision=sum(row.supervised == 0 for row in rendered),
        rows_straddling=sum(row.straddles for row in rendered),
        train_samples=len(train),
        validation_samples=len(validation),
        samples_dropped_an_epoch=len(train) % batch,
        steps_an_epoch=len(train) // batch,
    )
    return Samples(train, validation, census, micro, accumulation)


def _supervise(row: Row, loss: str) -> Sample:
    return Sample(row.ids, list(row.ids) if loss == "all" else row.labels)


def _blocks(rows: Sequence[Sample], length: int) -> list[Sample]:
    """Concatenate the rows and cut them into blocks of ``length``; the residue is lost."""
    ids = [i for row in rows for i in row.ids]
    labels = [label for row in rows for label in row.labels]
    starts = range(0, len(ids) - length + 1, length)
    return [Sample(ids[s : s + length], labels[s : s + length]) for s in starts]


def _split(samples: list[Sample], tune: Tune) -> tuple[list[Sample], list[Sample]]:
    """Draw the validation samples; both sides keep their order."""
    count = int(len(samples) * tune.validation_split_ratio)
    drawn = set(random.Random(tune.train_data_split_seed).sample(range(len(samples)), count))
    train = [s for n, s in enumerate(samples) if n not in drawn]
    validation = [s for n, s in enumerate(samples) if n in drawn]
    return train, validation if tune.max_val_samples == -1 else validation[: tune.max_val_samples]
