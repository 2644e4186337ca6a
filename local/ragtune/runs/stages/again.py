"""Tuning once more, on other rows or with another seed, and asking the arms that it serves."""

import contextlib
import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ragtune.arms.arm import Arm
from ragtune.core.files import write_jsonl
from ragtune.recipe.arms import Adapter
from ragtune.recipe.arms import Arm as ArmName
from ragtune.recipe.schema import Recipe
from ragtune.runs.stage import Work
from ragtune.runs.stages import answers, parts, tune
from ragtune.tuning.samples import Samples


@dataclasses.dataclass(frozen=True)
class Read:
    """Fields, materials and stages that a stage depends on, each once."""

    fields: tuple[str, ...]
    materials: tuple[str, ...]
    after: tuple[str, ...]


def reads(recipe: Recipe, arms: Sequence[ArmName]) -> Read:
    """What tuning and asking these arms depends on, but for their rows and their adapters."""
    searches = [f"search/{recipe.adapter(arm)}" for arm in arms] if recipe.tune.search else []
    read = [answers.reads(arm, recipe) for arm in arms]
    after = [name for r in read for name in r["after"] if not name.startswith("tune/")]
    return Read(
        fields=_each(tune.FIELDS, ("study.batch_size",), *(r["fields"] for r in read)),
        materials=_each(*(r["materials"] for r in read)),
        after=_each(after, searches),
    )


def joined(first: Read, *more: Read) -> Read:
    """All that any of them depends on."""
    every = (first, *more)
    return Read(
        _each(*(r.fields for r in every)),
        _each(*(r.materials for r in every)),
        _each(*(r.after for r in every)),
    )


def tuned_and_asked(
    work: Work,
    recipe: Recipe,
    samples: Samples,
    arms: Sequence[ArmName],
    place: Callable[[ArmName], Path],
    *,
    title: str,
    adapter: Adapter,
    seed: int,
    scratch: Path,
) -> dict[str, Any]:
    """Tune on the samples and write each arm's answers to its place; what training came to.

    ``recipe`` is the whole one, which says what answers.
    """
    scratch.mkdir(parents=True, exist_ok=True)
    spec = parts.settings(work, adapter)
    tuned = tune.trained(work, samples, scratch, spec=spec, title=f"tune {title}", seed=seed)
    engine = parts.answerer(work, recipe, scratch / tune.ADAPTER)
    questions, size = parts.questions(work), work.recipe.study.batch_size
    for name in arms:
        found = answers.found(work, name)
        with contextlib.ExitStack() as stack:
            arm: Arm = stack.enter_context(answers.opened(name, work, engine))
            advance = stack.enter_context(work.watcher.progress(f"answers {title}: {name}"))
            given = arm.ask_all(questions, found, size, advance)
        write_jsonl(place(name), [answer.to_json() for answer in given])
    return tuned


def _each(*groups: Sequence[str]) -> tuple[str, ...]:
    """All names of all groups, each once."""
    return tuple(dict.fromkeys(name for group in groups for name in group))
