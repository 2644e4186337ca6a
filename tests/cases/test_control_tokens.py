"""Control tokens that records and documents spell are letters: in rows, in prompts, in answers."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ragtune.arms.arm import Arm
from ragtune.models.engines.torch import TorchEngine
from ragtune.models.folder import family_at
from ragtune.models.hardware import probe
from ragtune.models.load import load_base
from ragtune.prompts.base import IGNORED, PromptFormat
from ragtune.prompts.registry import format_of
from ragtune.recipe.records import Records
from ragtune.recipe.template import Template
from ragtune.retrieval.passages import Passage
from ragtune.sources.records import Record, load
from ragtune.tuning.rows import training_rows
from ragtune.tuning.samples import rendered_row
from tests.conftest import write_jsonl
from tests.local.prompts.test_dialogue import chatml

SPELT = ["</s>", "<s>", "<|im_end|>", "<|im_start|>user", "<pad>"]
SAID = [{"question": f"Which tag, {mark}?", "answer": f"The tag {mark} ends it."} for mark in SPELT]


def form_of(tokenizer: Any, name: str) -> PromptFormat:
    return format_of(Template.model_validate({"format": name}).build(), tokenizer)


def controls(tokenizer: Any, ids: list[int]) -> Counter[str]:
    """The control tokens among token ids."""
    special = {str(tokenizer.convert_ids_to_tokens(n)) for n in tokenizer.all_special_ids}
    return Counter(t for t in map(str, tokenizer.convert_ids_to_tokens(ids)) if t in special)


@pytest.mark.parametrize("name", ["chat", "instruct"])
def test_they_are_letters_from_file_to_row_and_back(
    name: str, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    tokenizer = chatml(tiny_tokenizer)
    path = write_jsonl(tmp_path / "r.jsonl", SAID)
    spec = Records(source="r.jsonl")
    records, form = load(path, spec).records, form_of(tokenizer, name)
    plain = rendered_row(
        form, training_rows([Record("Which tag, x?", "It is x.")], spec, form, seed=1)[0], None
    )
    for row in training_rows(records, spec, form, seed=1):
        made = rendered_row(form, row, None)
        assert controls(tokenizer, made.ids) == controls(tokenizer, plain.ids)
        learnt = [label for label in made.labels if label != IGNORED]
        assert tokenizer.decode(learnt, skip_special_tokens=True).strip() == row["response"]


@pytest.mark.parametrize("name", ["chat", "instruct"])
def test_they_are_letters_in_questions_and_passages(
    name: str, tiny_llama: Path, tiny_tokenizer: Any
) -> None:
    tokenizer = chatml(tiny_tokenizer)
    model = load_base(tiny_llama, probe("float32"))
    engine = TorchEngine(model, tokenizer, family_at(tiny_llama), lambda: "tiny")
    arm = Arm(engine, form_of(tokenizer, name), 8)
    passage = Passage("p", "ssml.md", "", f"The tags are {' and '.join(SPELT)}.", 1.0)
    asked = arm.prompt(Record(f"What is {SPELT[0]}?", "a", context=SPELT[2]), [passage])
    other = Passage("p", "ssml.md", "", "The tags are x.", 1.0)
    plain = arm.prompt(Record("What is x?", "a", context="x"), [other])
    assert controls(tokenizer, asked.ids) == controls(tokenizer, plain.ids)
    assert all(mark in tokenizer.decode(asked.ids) for mark in SPELT)


def test_the_shared_case_teaches_whole_responses(shared_cases: Path, tiny_tokenizer: Any) -> None:
    path = shared_cases / "special-tokens/records.jsonl"
    spec = Records(source="records.jsonl", context="passage")
    records, form = load(path, spec).records, form_of(tiny_tokenizer, "instruct")
    assert len(records) == 20
    for row in training_rows(records, spec, form, seed=1):
        made = rendered_row(form, row, None)
        assert controls(tiny_tokenizer, made.ids) == Counter({"<s>": 1, "</s>": 1})
        learnt = [label for label in made.labels if label != IGNORED]
        assert tiny_tokenizer.decode(learnt[:-1]) == row["response"]
        assert made.ids[-1] == tiny_tokenizer.eos_token_id
