import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragtune.core import bundled as builtin
from ragtune.models.load import load_tokenizer
from ragtune.prompts.base import IGNORED, Example, PromptFormat
from ragtune.prompts.instruct import InstructFormat, Template, fields_of

PUBLISHED = (
    "Below is an instruction that describes a task, paired with an input that provides further "
    "context. Write a response that appropriately completes the request.\n\n### Instruction:\n"
    "Sum it up.\n\n### Input:\nLong text.\n\n\n\n### Response:\n"
)


@pytest.fixture
def form(tiny_tokenizer: Any) -> InstructFormat:
    return InstructFormat(Template(), tiny_tokenizer)


def test_the_default_prompt_is_the_published_notebooks() -> None:
    assert Template().question("Sum it up.", "Long text.") == PUBLISHED


def test_passages_are_numbered_behind_the_records_own_context() -> None:
    template = Template()
    assert template.context("", ["a", "b"]) == "[1] a\n\n[2] b"
    assert template.context("own", ["a"]) == "own\n\n[1] a"
    assert template.context("", []) == ""


def test_braces_in_the_text_are_left_alone() -> None:
    template = Template()
    assert "{x} {instruction}" in template.question("{x} {instruction}", "{context}")
    assert template.answer("{response}") == "{response}"


@pytest.mark.parametrize(
    ("completion", "written", "said"),
    [
        ("{response}", " six\n", "six"),
        ("Answer: {response}.", "Answer: at six.", "at six"),
        ("Answer: {response}.", "Answer: at", "at"),
        ("Answer: {response}.", "at six", "at six"),
        ("{{{response}}}", "{six}", "six"),
    ],
)
def test_a_response_is_what_stands_within_the_completions_words(
    completion: str, written: str, said: str
) -> None:
    assert Template(completion=completion).response(written) == said


def test_a_format_says_what_its_template_says(tiny_tokenizer: Any) -> None:
    template = Template(completion="Answer: {response}.")
    form: PromptFormat = InstructFormat(template, tiny_tokenizer)
    assert (form.hash, form.stops) == (template.hash, ())
    assert form.context("own", ["a"]) == template.context("own", ["a"])
    assert form.question("q", "c") + form.answer("six") == (
        template.question("q", "c") + "Answer: six."
    )
    assert form.response(" Answer: six.") == "six"
    assert form.prompt("q", "own", ["a"]).text == form.question("q", form.context("own", ["a"]))


def test_a_row_has_one_bos_supervises_the_completion_and_ends_in_eos(
    form: InstructFormat, tiny_tokenizer: Any
) -> None:
    row = form.row("When?", "At six.", "six")
    assert row.ids.count(tiny_tokenizer.bos_token_id) == 1
    assert row.ids[0] == tiny_tokenizer.bos_token_id
    assert row.ids[-1] == row.labels[-1] == tiny_tokenizer.eos_token_id
    supervised = [label for label in row.labels if label != IGNORED]
    assert tiny_tokenizer.decode(supervised[:-1]) == "six"
    assert row.supervised == len(supervised)


def test_the_inference_prompt_is_the_start_of_the_training_row(form: InstructFormat) -> None:
    row = form.row("When?", "At six.", "six")
    prompt = form.prompt("When?", "At six.")
    assert row.ids[: len(prompt.ids)] == prompt.ids
    assert row.labels[: len(prompt.ids)] == [IGNORED] * len(prompt.ids)


def test_a_completion_that_merges_with_the_prompts_end_is_marked(tiny_tokenizer: Any) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    merging = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(
            models.BPE(vocab={"a": 0, "b": 1, "ab": 2, "</s>": 3}, merges=[("a", "b")])
        ),
        eos_token="</s>",
    )
    merging.backend_tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    plain = Template(prompt="{instruction}", separator="a")
    row = InstructFormat(plain, merging).row("b", "", "b")
    assert (row.ids, row.labels, row.straddles) == ([1, 2, 3], [IGNORED, 2, 3], True)
    assert not InstructFormat(plain, merging).row("b", "", "a").straddles


def test_the_built_in_tokenizer_never_merges_prompt_and_completion() -> None:
    demo = builtin.data_folder() / "demo" / "handbook"
    lines = (demo / "records.jsonl").read_text(encoding="utf-8").splitlines()
    form = InstructFormat(Template(), load_tokenizer(builtin.builtin_model()))
    for line in lines:
        record = json.loads(line)
        row = form.row(record["instruction"], "", record["response"])
        assert not row.straddles, record["response"]


def test_a_response_that_holds_eos_or_pad_text_stays_supervised(
    form: InstructFormat, tiny_tokenizer: Any
) -> None:
    row = form.row("q", "", "a</s>b<pad>c")
    assert row.supervised == len(row.ids) - len(form.prompt("q").ids)
    assert row.labels[-1] == tiny_tokenizer.eos_token_id


def test_control_tokens_are_the_templates_not_the_users(tiny_tokenizer: Any) -> None:
    template = Template(prompt="{instruction}</s>{context}", completion="{response}<pad>")
    form = InstructFormat(template, tiny_tokenizer)
    end, pad = tiny_tokenizer.eos_token_id, tiny_tokenizer.pad_token_id
    row, asked = form.row("a<s>", "</s>b", "c</s>"), form.prompt("a<s>", "</s>b")
    assert [i for i in row.ids if i < 3] == [tiny_tokenizer.bos_token_id, end, pad, end]
    assert row.ids[: len(asked.ids)] == asked.ids
    assert tiny_tokenizer.decode(asked.ids[1:]) == asked.text


def test_an_example_is_a_whole_row_and_a_blank_line(
    form: InstructFormat, tiny_tokenizer: Any
) -> None:
    shown = form.prompt("When?", examples=[Example("Where?", "At sea.", "here")])
    row, asked = form.row("Where?", "At sea.", "here"), form.prompt("When?")
    assert shown.ids[: len(row.ids)] == row.ids
    assert shown.ids[-len(asked.ids) + 1 :] == asked.ids[1:]
    assert shown.ids.count(tiny_tokenizer.bos_token_id) == 1
    assert shown.text == (
        form.question("Where?", "At sea.") + "here</s>\n\n" + form.question("When?", "")
    )


@pytest.mark.parametrize("name", ["TinyStories-656K", "stories260K-hf"])
def test_sentencepiece_tokenizers_supervise_the_completion(shared: Path, name: str) -> None:
    tokenizer = load_tokenizer(shared / "models" / name)
    row = InstructFormat(Template(), tokenizer).row(
        "What is it?", "Some context here.", "Paris is."
    )
    supervised = [label for label in row.labels if label != IGNORED]
    assert supervised[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(supervised[:-1]) == "Paris is."
    assert row.ids.count(tokenizer.bos_token_id) == 1


def test_what_does_not_fit_goes_from_the_last_passage(form: InstructFormat) -> None:
    passages = ["one " * 20, "two " * 20, "three " * 20]
    whole = form.prompt("q", "", passages)
    assert (whole.passages, whole.cut) == (3, 0)
    less = form.prompt("q", "", passages, limit=len(whole.ids) - 1)
    assert less.passages == 2
    assert "two" in less.text
    assert "three" not in less.text


@settings(max_examples=40, deadline=None)
@given(
    instruction=st.text(max_size=200),
    own=st.text(max_size=400),
    passages=st.lists(st.text(max_size=200), max_size=3),
    room=st.integers(0, 300),
)
def test_a_prompt_never_exceeds_its_limit_and_keeps_the_template(
    tiny_tokenizer: Any, instruction: str, own: str, passages: list[str], room: int
) -> None:
    form = InstructFormat(Template(), tiny_tokenizer)
    limit = len(form.prompt("", "").ids) + room
    prompt = form.prompt(instruction, own, passages, limit)
    assert len(prompt.ids) <= limit
    assert prompt.text.endswith("\n\n\n\n### Response:\n")
    assert prompt.cut == 0 or prompt.passages == 0


def test_a_limit_under_the_template_itself_is_an_error(form: InstructFormat) -> None:
    with pytest.raises(ValueError, match="the template alone has"):
        form.prompt("q", limit=5)


def test_a_row_is_cut_at_its_end(form: InstructFormat) -> None:
    whole = form.row("q", "c", "a long response")
    cut = form.row("q", "c", "a long response", limit=len(whole.ids) - 3)
    assert cut.cut == 3
    assert cut.ids == whole.ids[:-3]
    assert cut.labels == whole.labels[:-3]


def test_fields_are_read_from_a_format_string() -> None:
    assert fields_of("{a} {{b}} {c!r:>4}") == {"a", "c"}
    with pytest.raises(ValueError, match=r"brace|expected"):
        fields_of("{a")
