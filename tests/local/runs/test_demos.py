"""What the demos' recipes promise of themselves, without a run."""

from functools import cache

import pytest

from ragtune.core import bundled
from ragtune.prompts.base import common_prefix
from ragtune.prompts.registry import format_of
from ragtune.recipe.schema import Recipe
from ragtune.results.faults import STEPS
from ragtune.runs import defaults
from ragtune.runs.materials import Materials
from ragtune.tuning import samples
from ragtune.tuning.rows import training_rows
from ragtune.tuning.samples import Samples

DEMOS = ("handbook", "mailroom")


@cache
def opened(name: str) -> tuple[Recipe, Materials]:
    recipe = defaults.load(bundled.data_folder() / "demo" / name / "recipe.yaml")
    return recipe, Materials(recipe)


def prepared(name: str) -> Samples:
    recipe, materials = opened(name)
    template, tune = recipe.template.build(), recipe.tune
    rows = training_rows(materials.train, recipe.records, template, seed=recipe.seed)
    length = samples.block_length(tune, materials.tokenizer, materials.context_length)
    return samples.prepare(rows, tune, format_of(template, materials.tokenizer), length)


@pytest.mark.parametrize("name", DEMOS)
def test_whole_rows_are_trained_in_enough_steps(name: str) -> None:
    recipe, _ = opened(name)
    census = prepared(name).census
    assert (census.rows_cut, census.rows_without_supervision, census.rows_straddling) == (0, 0, 0)
    assert census.supervised < 0.25 * census.tokens
    assert census.steps_an_epoch * recipe.tune.epoch > STEPS


@pytest.mark.parametrize("name", DEMOS)
def test_a_reference_fits_into_an_answer(name: str) -> None:
    recipe, materials = opened(name)
    references = [text for one in materials.questions for text in one.references]
    lengths = map(len, materials.tokenizer(references, add_special_tokens=False)["input_ids"])
    assert max(lengths) + 1 <= recipe.study.max_new_tokens


def test_what_the_mailrooms_messages_begin_with_alike_is_read_once() -> None:
    rows = [one.ids for one in prepared("mailroom").train]
    alike = min(common_prefix(rows[0], row) for row in rows)
    assert alike >= 0.2 * sum(map(len, rows)) / len(rows)
