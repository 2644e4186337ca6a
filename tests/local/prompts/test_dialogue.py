"""Earlier turns of a conversation: turns that are learnt in a chat's form, text in the other."""

import copy
from typing import Any

import pytest

from ragtune.arms.arm import Arm
from ragtune.models.engines.torch import TorchEngine
from ragtune.models.folder import family_at
from ragtune.models.hardware import probe
from ragtune.models.load import load_base
from ragtune.prompts.base import IGNORED, Example
from ragtune.prompts.chat import ChatFormat
from ragtune.prompts.instruct import InstructFormat
from ragtune.recipe.records import Records
from ragtune.recipe.template import Template
from ragtune.results import heldout
from ragtune.sources.records import Record
from ragtune.tuning.rows import stand_in_rows, training_rows
from ragtune.tuning.samples import rendered_row

CHATML = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] | trim + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
THINKS = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n<think></think>' }}"
    "{% endif %}"
)
PLAIN = "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}"
TALK = Record(
    "And in fog?",
    "It rings twice.",
    context="Rules of 2026.",
    earlier=("When does it open?", "At six.", "On </s> Sundays <|im_end|>?", "At ten."),
    system="Be brief.",
)
SPEC = Records(source="r.jsonl")


def chatml(tokenizer: Any, template: str = CHATML) -> Any:
    found = copy.deepcopy(tokenizer)
    found.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    found.chat_template = template
    return found


def chat(tokenizer: Any, **fields: Any) -> ChatFormat:
    return ChatFormat(Template.model_validate({"format": "chat", **fields}).build(), tokenizer)


def learnt(tokenizer: Any, labels: list[int]) -> list[str]:
    """The parts that the loss is taken on."""
    parts: list[list[int]] = [[]]
    for label in labels:
        if label != IGNORED:
            parts[-1].append(label)
        elif parts[-1]:
            parts.append([])
    return [tokenizer.decode(part) for part in parts if part]


@pytest.mark.parametrize("system", [None, "You help."])
@pytest.mark.parametrize("template", [CHATML, THINKS])
def test_every_answer_of_the_assistant_is_learnt_and_nothing_else(
    tiny_tokenizer: Any, template: str, system: str | None
) -> None:
    tokenizer = chatml(tiny_tokenizer, template)
    form = chat(tokenizer, system=system)
    (row,) = training_rows([TALK], SPEC, form, seed=1)
    made = rendered_row(form, row, None)
    end = "<|im_end|>"
    assert learnt(tokenizer, made.labels) == [
        f"At six.{end}",
        f"At ten.{end}",
        f"It rings twice.{end}",
    ]
    text = tokenizer.decode(made.ids)
    first, second = "Be brief.\n\nWhen does it open?", "On </s> Sundays <|im_end|>?"
    assert text.index(first) < text.index(second) < text.index("Rules of 2026.\n\nAnd in fog?")
    assert made.ids.count(tokenizer.convert_tokens_to_ids(end)) == 6 + (system is not None)


def test_answers_without_an_end_token_are_learnt_as_well(tiny_tokenizer: Any) -> None:
    form = chat(chatml(tiny_tokenizer, PLAIN))
    row = rendered_row(form, training_rows([TALK], SPEC, form, seed=1)[0], None)
    said = learnt(tiny_tokenizer, row.labels)
    assert [part.strip() for part in said[:2]] == ["At six.", "At ten."]
    assert said[2].endswith("It rings twice.</s>")


def test_a_row_without_earlier_turns_stays_as_it_was(tiny_tokenizer: Any) -> None:
    form = chat(chatml(tiny_tokenizer))
    alone = Record("When?", "six", context="At six.")
    (row,) = training_rows([alone], SPEC, form, seed=1)
    assert row == {"instruction": "When?", "context": "At six.", "response": "six"}
    assert form.row("When?", "At six.", "six", earlier=()) == form.row("When?", "At six.", "six")


def test_in_the_instruction_form_earlier_turns_are_text(tiny_tokenizer: Any) -> None:
    template = Template().build()
    (row,) = training_rows([TALK], SPEC, template, seed=1)
    assert row["context"] == (
        "Be brief.\n\nUser: When does it open?\nAssistant: At six.\n\n"
        "User: On </s> Sundays <|im_end|>?\nAssistant: At ten.\n\nRules of 2026."
    )
    assert set(row) == {"instruction", "context", "response"}
    assert row == stand_in_rows([TALK], SPEC, template, seed=1)[0]
    made = rendered_row(InstructFormat(template, tiny_tokenizer), row, None)
    assert learnt(tiny_tokenizer, made.labels) == ["It rings twice.</s>"]


@pytest.mark.parametrize("form", ["chat", "instruct"])
def test_a_question_is_asked_as_its_row_is_learnt(
    form: str, tiny_llama: Any, tiny_tokenizer: Any
) -> None:
    tokenizer = chatml(tiny_tokenizer)
    template = Template.model_validate({"format": form}).build()
    bound = chat(tokenizer) if form == "chat" else InstructFormat(template, tokenizer)
    engine = TorchEngine(
        load_base(tiny_llama, probe("float32")), tokenizer, family_at(tiny_llama), lambda: "tiny"
    )
    asked = Arm(engine, bound, 16).prompt(TALK, [])
    row = rendered_row(bound, training_rows([TALK], SPEC, template, seed=1)[0], None)
    assert row.ids[: len(asked.ids)] == asked.ids
    assert asked.examples == 0
    lost = heldout.row(bound, TALK, 10_000, show_context=True)
    assert lost.ids == row.ids
    end = "<|im_end|>" if form == "chat" else "</s>"
    assert learnt(tokenizer, lost.labels) == [f"It rings twice.{end}"]


def test_earlier_turns_go_before_passages_where_not_all_fit(tiny_tokenizer: Any) -> None:
    form = chat(chatml(tiny_tokenizer))
    turns = [Example(asked, "", said) for asked, said in TALK.exchanges]
    whole = form.prompt("And in fog?", "", ["The bell rings twice."], examples=turns)
    less = form.prompt("And in fog?", "", ["The bell rings twice."], len(whole.ids) - 1, turns)
    assert (whole.examples, less.examples, less.passages) == (2, 1, 1)


def test_a_search_also_looks_for_the_turn_before() -> None:
    assert TALK.query(with_context=False) == "On </s> Sundays <|im_end|>?\nAnd in fog?"
    assert Record("When?", "six").query(with_context=False) == "When?"


def test_equal_last_questions_of_different_conversations_are_not_equal() -> None:
    other = Record("And in fog?", "Once.", earlier=("Is there a horn?", "Yes."))
    assert other.key != TALK.key
    assert Record.from_json(TALK.to_json()) == TALK
