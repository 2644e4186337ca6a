"""Training rows → samples of token ids and labels, and a census of what will be learnt from."""

import bisect
import itertools
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

from ragtune.core.errors import RecordsError
from ragtune.prompts.base import IGNORED, DialogueFormat, Example, PromptFormat, Row
from ragtune.recipe.tune import Tune

TrainingRow = dict[str, Any]
"""A line of ``data/train.jsonl``: ``instruction``, ``context`` and ``response``, all of them text.

A form that shows turns as such also has ``earlier``, pairs of what was asked and answered before.
"""


@dataclass(frozen=True)
class Sample:
    """What the model reads at once: a block of rows, or one row; ``ids`` and ``labels`` align.

    ``segments`` are the lengths of its parts that must not see one another, empty for one part;
    ``rows`` are the lines of ``data/train.jsonl`` that it is made of, from 1.
    """

    ids: list[int]
    labels: list[int]
    segments: tuple[int, ...] = ()
    rows: tuple[int, ...] = ()

    @property
    def lengths(self) -> tuple[int, ...]:
        """The lengths of its parts."""
        return self.segments or (len(self.ids),)

    @property
    def supervised(self) -> int:
        """How many tokens the loss is taken on: the first of a part follows nothing."""
        firsts = {sum(self.lengths[:n]) for n in range(len(self.lengths))}
        return sum(
            label != IGNORED and place not in firsts for place, label in enumerate(self.labels)
        )


@dataclass(frozen=True)
class Census:
    """What there is to learn from; ``supervised`` counts tokens that the loss is taken on.

    ``rows_without_supervision`` are those with no such token, ``rows_straddling`` those whose
    completion the tokenizer merges with the prompt's end. ``residue`` are the tokens after the last
    whole block, which are in no sample. ``answers`` counts the tokens of all rows' completions.
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
    residue: int = 0
    answers: int = 0

    @property
    def warnings(self) -> list[str]:
        """What is wrong with the rows, and what to do about it."""
        found = []
        if self.rows_without_supervision:
            found.append(
                f"{self.rows_without_supervision} of {self.rows} rows are cut before their "
                "completion and teach nothing; raise tune.max_input_length"
            )
        if self.rows_straddling:
            found.append(
                f"in {self.rows_straddling} of {self.rows} rows the tokenizer merges the prompt's "
                "end with the completion; end template.separator in another way"
            )
        return found

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


def prepare(rows: Sequence[TrainingRow], tune: Tune, format: PromptFormat, length: int) -> Samples:
    """Render the rows, lay them out, and split off the validation samples.

    As the cloud's container does it, the split follows the layout, by ``train_data_split_seed``.
    Rows of which nothing is trained on are left out; only in blocks are they kept, before others.

    Raises RecordsError when nothing would be trained on.
    """
    if tune.max_train_samples != -1:
        rows = rows[: tune.max_train_samples]
    layout = tune.local.layout
    limit = None if layout == "blocks" else length
    rendered = [rendered_row(format, row, limit) for row in rows]
    everything = [_supervise(row, n, tune.local.loss) for n, row in enumerate(rendered, 1)]
    taught = [row for row in everything if row.supervised]
    if not taught and any(row.cut for row in rendered):
        raise RecordsError(
            f"each of {len(rows)} training rows is cut before its response, so nothing is left "
            f"to train on: rows have up to {max(len(r.ids) + r.cut for r in rendered)} tokens, "
            f"tune.max_input_length allows {length}; raise it, or shorten the contexts"
        )
    if layout == "blocks":
        samples = _blocks(everything, length)
    else:
        samples = _packed(taught, length) if layout == "packed" else taught
    train, validation = _split(samples, tune)
    supervised = sum(s.supervised for s in train)
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
        rows_without_supervision=len(everything) - len(taught),
        rows_straddling=sum(row.straddles for row in rendered),
        train_samples=len(train),
        validation_samples=len(validation),
        samples_dropped_an_epoch=len(train) % batch,
        steps_an_epoch=len(train) // batch,
        residue=sum(len(s.ids) for s in everything) % length if layout == "blocks" else 0,
        answers=sum(label != IGNORED for row in rendered for label in row.labels),
    )
    return Samples(train, validation, census, micro, accumulation)


def rendered_row(format: PromptFormat, row: TrainingRow, limit: int | None) -> Row:
    """A training row as token ids; only a format that takes turns is given rows that have some."""
    told = row["instruction"], row["context"], row["response"], limit
    if earlier := row.get("earlier"):
        turns = [Example(asked, "", answer) for asked, answer in earlier]
        return cast(DialogueFormat, format).row(*told, earlier=turns)
    return format.row(*told)


def _supervise(row: Row, number: int, loss: str) -> Sample:
    return Sample(row.ids, list(row.ids) if loss == "all" else row.labels, rows=(number,))


def _blocks(rows: Sequence[Sample], length: int) -> list[Sample]:
    """Concatenate the rows and cut them into blocks of ``length``; the residue is lost."""
    ids = [i for row in rows for i in row.ids]
    labels = [label for row in rows for label in row.labels]
    ends = list(itertools.accumulate(len(row.ids) for row in rows))
    return [
        Sample(
            ids[start : start + length],
            labels[start : start + length],
            rows=tuple(
                range(
                    bisect.bisect_right(ends, start) + 1,
                    bisect.bisect_left(ends, start + length) + 2,
                )
            ),
        )
        for start in range(0, len(ids) - length + 1, length)
    ]


def _packed(rows: Sequence[Sample], length: int) -> list[Sample]:
    """Whole rows, side by side in bins of at most ``length`` tokens; none sees another.

    Best fit, longest first (Johnson 1973): each row goes where the least room is left over.
    """
    bins: list[list[Sample]] = []
    room: list[tuple[int, int]] = []  # (tokens left, bin), ascending
    for row in sorted(rows, key=lambda r: -len(r.ids)):
        place = bisect.bisect_left(room, (len(row.ids), -1))
        if place == len(room):
            bins.append([])
            left, chosen = length, len(bins) - 1
        else:
            left, chosen = room.pop(place)
        bins[chosen].append(row)
        bisect.insort(room, (left - len(row.ids), chosen))
    return [
        Sample(
            [i for row in bin_ for i in row.ids],
            [label for row in bin_ for label in row.labels],
            tuple(len(row.ids) for row in bin_),
            tuple(n for row in bin_ for n in row.rows),
        )
        for bin_ in bins
    ]


def _split(samples: list[Sample], tune: Tune) -> tuple[list[Sample], list[Sample]]:
    """Draw the validation samples as ``datasets.train_test_split`` does; both keep their order.

    Its size is rounded up (the published job: 553 blocks give 442 and 111), but one sample at
    least is left to train on.
    """
    import numpy as np

    count = min(math.ceil(len(samples) * tune.validation_split_ratio), max(0, len(samples) - 1))
    order = np.random.default_rng(tune.train_data_split_seed).permutation(len(samples))
    drawn = set(order[:count].tolist())
    train = [s for n, s in enumerate(samples) if n not in drawn]
    validation = [s for n, s in enumerate(samples) if n in drawn]
    return train, validation if tune.max_val_samples == -1 else validation[: tune.max_val_samples]
