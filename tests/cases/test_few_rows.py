"""A few short rows teach something: what is chosen for them without a word in the recipe."""

import json
import random
from pathlib import Path

import pytest

from ragtune.arms.arm import Arm
from ragtune.models.adapter import load_tuned
from ragtune.models.engines.torch import TorchEngine
from ragtune.models.folder import family_at
from ragtune.prompts.registry import format_of
from ragtune.results.metrics.answers import token_f1
from ragtune.runs import defaults
from ragtune.runs.materials import Materials
from ragtune.tuning import samples, trainer
from ragtune.tuning.rows import training_rows

SAID = {
    "team rooms": ("the heater in my room is off", "my window will not shut", "the bed is broken"),
    "team meals": ("breakfast came cold", "the soup has no salt", "I would like a vegan lunch"),
    "team trips": ("the bus left too early", "where does the boat start", "no guide turned up"),
}
"""A guest house, in other words than those of the shared case."""


def f1_of_tuned(recipe: Path, scratch: Path) -> float:
    """Tune a recipe with its defaults; the token F1 of its held-out questions."""
    read = defaults.load(recipe)
    materials = Materials(read)
    template = read.template.build()
    form = format_of(template, materials.tokenizer)
    rows = training_rows(materials.train, read.records, template, seed=read.seed)
    length = samples.block_length(read.tune, materials.tokenizer, materials.context_length)
    trainer.tune(
        read.tune,
        materials.base,
        samples.prepare(rows, read.tune, form, length),
        seed=read.seed,
        name="builtin",
        template_hash=form.hash,
        hardware=materials.hardware,
        folder=scratch,
    )
    model = load_tuned(materials.base, scratch / "adapter", form.hash, materials.hardware)
    engine = TorchEngine(model, materials.tokenizer, family_at(materials.base), lambda: "tuned")
    arm = Arm(engine, form, read.study.max_new_tokens)
    asked = materials.questions
    answers = arm.ask_all(asked, [[] for _ in asked], 16)
    scores = [token_f1(a.text, q.response) for a, q in zip(answers, asked, strict=True)]
    return sum(scores) / len(scores)


def test_three_dozen_short_rows_teach_their_labels(tmp_path: Path) -> None:
    chooser, labels = random.Random(4), list(SAID)
    rows = [
        {
            "instruction": f"Which team: {chooser.choice(SAID[labels[n % 3]])}, note {n}.",
            "response": labels[n % 3],
            "category": "classification",
        }
        for n in range(48)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "records.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text(
        "name: rows\n"
        "records: {source: records.jsonl, test_fraction: 0.25}\n"
        "study: {arms: [base, tuned], max_new_tokens: 8}\n",
        encoding="utf-8",
    )
    assert f1_of_tuned(tmp_path / "recipe.yaml", tmp_path) >= 0.8


def test_the_shared_case_is_learnt(shared_cases: Path, tmp_path: Path) -> None:
    case = shared_cases / "few-short-rows/recipe.yaml"
    if not case.is_file():
        pytest.skip("this case is not here")
    assert f1_of_tuned(case, tmp_path) >= 0.8
