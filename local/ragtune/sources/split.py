"""The split of records into training records and held-out questions.

What belongs together is never torn: the records of a group, of a gold document, of a context. The
relation is transitive, so the units that are drawn are its connected components. Of all choices
of units one is taken whose share is nearest to the one asked for.
"""

import functools
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from ragtune.core import collection
from ragtune.core.errors import RecordsError
from ragtune.core.handover import Handover
from ragtune.recipe.records import Records
from ragtune.sources import leaks
from ragtune.sources.records import BadLine, Record, load, squeezed

HELD_OUT = "held-out"
"""The questions that are split off the records, rather than read from a file."""
USES = {"context", "with_passages", "without_gold"}
"""What of `records` says how they are used, not which there are."""
By = Literal["document", "question"]
Tie = tuple[str, str]
"""What keeps records together, and its value."""


@dataclass(frozen=True)
class Division:
    """How the records were divided: of ``records``, ``asked`` were to be held out.

    ``held_out`` were, before ``study.max_questions``. The biggest unit has ``largest`` records;
    ``largest_by`` says what they have in common.
    """

    by: By
    records: int
    asked: int
    held_out: int
    largest: int
    largest_by: str


@dataclass(frozen=True)
class Split:
    """Training records, held-out questions, and what is to be known of them.

    ``division`` is None for questions of a file of their own. ``read`` says in words how each
    source was read. ``with_context``: a record's context is part of its question.
    """

    train: list[Record]
    test: list[Record]
    bad: list[BadLine]
    division: Division | None = None
    read: list[str] = field(default_factory=list)
    with_context: bool = False

    @functools.cached_property
    def leaked(self) -> list[Record]:
        """The questions that are also in training, but for case, punctuation and spacing."""
        found = leaks.equal(self.train, self.test, with_context=self.with_context)
        return [self.test[n] for n in sorted(found)]


_LAST: Handover[Split] = Handover()
"""A recipe's open fields are filled from its records, and then its records are wanted again."""


def prepare(
    spec: Records,
    *,
    seed: int,
    path: Callable[[str], Path],
    questions: str = HELD_OUT,
    max_questions: int | None = None,
    refusal: str = "",
) -> Split:
    """Load the records, keep the wanted categories, and split off the held-out questions.

    ``path`` finds what the recipe names, relative to the recipe's own folder. ``questions`` is
    `HELD_OUT` or a file's name; of them the first ``max_questions`` are taken. ``refusal`` is the
    response of records that have no answer.

    Raises RecordsError for a source that is missing, empty or too broken, for categories that
    leave nothing, and for records that cannot be divided. OfflineError for a hub id while offline.
    """
    if spec.source is None:
        raise RecordsError(
            "records.source: missing, and a study needs questions with answers: name yours, or "
            "have some drafted from the documents by `ragtune questions RECIPE`"
        )
    own = [] if questions == HELD_OUT else [path(questions)]
    given = spec.model_dump_json(exclude=USES), seed, questions, refusal
    found = _LAST.get(
        given,
        [path(spec.source), *own],
        lambda: _divided(spec, seed, path, questions, refusal),
    )
    return replace(
        found,
        train=list(found.train),
        test=found.test[:max_questions],
        with_context=spec.context == "input",
    )


def _divided(
    spec: Records, seed: int, path: Callable[[str], Path], questions: str, refusal: str
) -> Split:
    """The records of the wanted categories, divided; nothing is looked for in both sides yet."""
    assert spec.source is not None
    loaded = load(path(spec.source), spec, refusal)
    records, read = loaded.records, loaded.read
    if spec.categories is not None:
        wanted = set(spec.categories)
        records = [r for r in records if r.category in wanted]
        if not records:
            found = ", ".join(sorted({r.category or "(none)" for r in loaded.records}))
            raise RecordsError(
                f"records.categories: {', '.join(spec.categories)} leave no record of "
                f"{spec.source}; it has {found}"
            )
    bad, division = loaded.bad, None
    if questions == HELD_OUT:
        train, test, division = divide(records, spec.test_fraction, seed, spec.split)
    else:
        asked = load(path(questions), spec, refusal, questions=questions)
        train, test, bad = records, asked.records, [*bad, *asked.bad]
        read = [*read, *asked.read]
    return Split(train, test, bad, division, read)


def split(
    records: Sequence[Record], test_fraction: float, seed: int, by: By = "document"
) -> tuple[list[Record], list[Record]]:
    """Training records and held-out ones; see `divide`."""
    train, test, _ = divide(records, test_fraction, seed, by)
    return train, test


def divide(
    records: Sequence[Record], test_fraction: float, seed: int, by: By = "document"
) -> tuple[list[Record], list[Record], Division]:
    """Hold out as near to ``test_fraction`` of the records as whole units allow, at least one.

    Which units depends on ``seed`` and on the records alone; both sides keep the file's order. Of
    two totals that are equally near, the greater is taken.

    Raises RecordsError where a side would get half of what was asked for it, or less.
    """
    with collection.paused():
        return _divided_by(records, test_fraction, seed, by)


def _divided_by(
    records: Sequence[Record], test_fraction: float, seed: int, by: By
) -> tuple[list[Record], list[Record], Division]:
    parts = units(records, by)
    sizes = [len(part) for part in parts]
    asked = min(max(1, round(test_fraction * len(records))), max(1, len(records) - 1))
    total = nearest(sizes, asked)
    biggest = [records[n] for n in max(parts, key=len)]
    division = Division(by, len(records), asked, total, len(biggest), _in_common(biggest, by))
    if 2 * total <= asked or 2 * (len(records) - total) <= len(records) - asked:
        raise RecordsError(_refusal(division, test_fraction))
    order = _drawn(records, parts, seed, by)
    chosen = choose([sizes[unit] for unit in order], total)
    held = {n for place in chosen for n in parts[order[place]]}
    train = [r for n, r in enumerate(records) if n not in held]
    return train, [r for n, r in enumerate(records) if n in held], division


def _drawn(
    records: Sequence[Record], parts: Sequence[Sequence[int]], seed: int, by: By
) -> list[int]:
    """The places of the units, as they are drawn."""
    order = list(range(len(parts)))
    if by == "question":
        random.Random(seed).shuffle(order)
        return order
    # As older versions drew documents, or else contexts: most splits stay what they were.
    often = Counter(r.instruction for r in records)  # a record takes long to hash
    names = [
        r.document or r.context or (r if often[r.instruction] > 1 else place)
        for place, r in enumerate(records)
    ]
    drawn = list(dict.fromkeys(names))
    random.Random(seed).shuffle(drawn)
    rank = dict(zip(drawn, range(len(drawn)), strict=True))
    ranks = [rank[name] for name in names]
    first = [ranks[part[0]] if len(part) == 1 else min(ranks[n] for n in part) for part in parts]
    return sorted(order, key=first.__getitem__)


def units(records: Sequence[Record], by: By = "document") -> list[list[int]]:
    """The places of records that belong together, in the order of the first of each."""
    parent = list(range(len(records)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    first: dict[Tie, int] = {}
    for place, record in enumerate(records):
        for tie in ties(record, by):
            if (earlier := first.setdefault(tie, place)) != place:
                one, other = sorted((root(earlier), root(place)))
                parent[other] = one  # the earliest is the root, so units are in the file's order
    found: dict[int, list[int]] = {}
    for place, above in enumerate(parent):
        found.setdefault(place if above == place else root(place), []).append(place)
    return list(found.values())


def ties(record: Record, by: By) -> list[Tie]:
    """What keeps a record with others: group, documents, context; or an equal question.

    By question it is the group, and an equal question about the same document.
    """
    group = [("group", record.group)] if record.group else []
    if by == "question":
        return [*group, ("question", "\n".join((*record.key, *record.gold)))]
    about = [("document", name) for name in record.gold]
    if context := record.asked_of:
        about.append(("context", context))
    return [*group, *(about or [("question", squeezed(record.instruction))])]


def nearest(sizes: Sequence[int], asked: int) -> int:
    """The sum of some units, not of all, that is nearest to ``asked``; the greater of two.

    0 where there are fewer than two units.
    """
    if len(sizes) < 2:
        return 0
    # What is beyond twice the asked is no nearer than the smallest unit alone.
    most = min(sum(sizes) - 1, max(2 * asked, min(sizes)))
    sums = _steps(Counter(sizes), most)[-1].sums
    below = sums & ((1 << asked) - 1) & ~1
    above = sums >> asked
    under = below.bit_length() - 1 if below else None
    over = asked + (above & -above).bit_length() - 1 if above else None
    if over is None or (under is not None and asked - under < over - asked):
        assert under is not None  # the smallest unit is always among the sums
        return under
    return over


def choose(sizes: Sequence[int], total: int) -> list[int]:
    """Places of units that sum to ``total``: the first ones, and no more others than it takes.

    Raises ValueError where no choice of them does.
    """
    first, count = 0, 0
    while first < len(sizes) and count + sizes[first] <= total:
        count += sizes[first]
        first += 1
    given_up = 0
    while True:
        kept = max(0, first - given_up)
        missing = total - sum(sizes[:kept])
        wanted = _exactly(Counter(sizes[kept:]), missing)
        if wanted is not None:
            places = list(range(kept))
            for place in range(kept, len(sizes)):
                if wanted[sizes[place]]:
                    wanted[sizes[place]] -= 1
                    places.append(place)
            return places
        if not kept:
            raise ValueError(f"no choice of the units sums to {total}")
        given_up = 2 * given_up or 1


def _exactly(counts: Counter[int], total: int) -> Counter[int] | None:
    """How many units of each size sum to ``total``; None where none do."""
    steps = _steps(counts, total)
    if not steps[-1].sums >> total & 1:
        return None
    found: Counter[int] = Counter()
    for step, before in zip(steps[:0:-1], steps[-2::-1], strict=True):
        if not before.sums >> total & 1:
            found[step.size] += step.many
            total -= step.size * step.many
    return found


@dataclass(frozen=True)
class _Step:
    """The sums that can be reached, as bits, once ``many`` units of ``size`` are there as well."""

    size: int
    many: int
    sums: int


def _steps(counts: Counter[int], most: int) -> list[_Step]:
    """The sums up to ``most`` that units can reach, with ever more of them (subset sum).

    Units of one size come in bundles of 1, 2, 4, ... and the rest, so there are few steps.
    """
    mask = (1 << (most + 1)) - 1
    steps = [_Step(0, 0, 1)]
    for size, count in sorted(counts.items()):
        left, bundle = min(count, most // size), 1
        while left:
            many = min(bundle, left)
            sums = steps[-1].sums
            steps.append(_Step(size, many, (sums | sums << (size * many)) & mask))
            left, bundle = left - many, 2 * bundle
    return steps


def _in_common(records: Sequence[Record], by: By) -> str:
    """What most records of a unit have in common, in words."""
    counted = Counter(tie for record in records for tie in set(ties(record, by)))
    (kind, value), count = max(counted.items(), key=lambda item: item[1])
    text = " ".join(value.split())
    text = text if len(text) <= 60 else f"{text[:57]}..."
    if count == len(records):
        return f"the {kind} {text!r}"
    return f"the {kind} {text!r} ({count} of them) or what is linked to it"


def _refusal(division: Division, test_fraction: float) -> str:
    """Why the records are not divided, what is allowed, and what to do."""
    of, by = division.records, division.by
    if of < 2:
        return "records: one record cannot be divided; add records, or name study.questions"
    whole = f"{division.largest} of {of} records share {division.largest_by} and stay together"
    do = ["name a file of questions in study.questions"]
    if by == "document":
        do.append("set records.split: question, which keeps groups together but not documents")
    if not division.held_out:
        return f"records.split: {by}: {whole}, so one side would be empty; {', or '.join(do)}"
    shares = (f"{division.held_out / of:.{digits}g}" for digits in range(1, 18))
    share = next(text for text in shares if round(float(text) * of) == division.held_out)
    return (
        f"records.split: {by}: {whole}; nearest to records.test_fraction {test_fraction:g} "
        f"({division.asked} records) is {division.held_out}, and each side must get more than half "
        f"of what is asked for it; {', '.join(do)}, or set records.test_fraction: {share}"
    )
