"""The run's prompt, as a server renders it from messages."""

import copy
from typing import Any

import pytest

from ragtune.prompts.base import Example
from ragtune.prompts.registry import format_of
from ragtune.prompts.template import CHAT, CHAT_PROMPT, Template
from ragtune.tuning.handover.dialogue import Dialogue, dialogue_of, literal

CHATML = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
    "{{ '<s>system\nBe brief.</s>\n' }}{% endif %}"
    "{{ '<s>' + message['role'] + '\n' + message['content'] + '</s>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<s>assistant\n' }}{% endif %}"
)
"""SmolLM2's: a system turn of its own where there is none."""
GEMMA = (
    "{{ bos_token }}"
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('none') }}{% endif %}"
    "{% for message in messages %}"
    "{{ '<t>' + ('model' if message['role'] == 'assistant' else message['role']) + '\n' }}"
    "{{ message['content'] | trim + '<e>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<t>model\n' }}{% endif %}"
)
"""Gemma's: BOS, no system turn."""
FORMS = [
    (Template(), None),
    (Template(prompt="### Input:\n{context}\n\n### Instruction:\n{instruction}"), None),
    (Template(prompt="{instruction}\n", completion=" {response}.", separator=""), None),
    (Template(prompt='Say "{{}}" to {instruction} \\ of {context}é'), None),
    (Template(format=CHAT, prompt=CHAT_PROMPT), CHATML),
    (Template(format=CHAT, prompt="Look:\n{context}\nQuestion: {instruction}\n"), CHATML),
    (Template(format=CHAT, prompt=CHAT_PROMPT, system=" Answer in rhyme. "), CHATML),
    (Template(format=CHAT, prompt=CHAT_PROMPT), GEMMA),
    (Template(format=CHAT, prompt=CHAT_PROMPT, system="Answer in rhyme."), GEMMA),
]


def bound(template: Template, chat: str | None, tokenizer: Any) -> tuple[Any, Any, Dialogue]:
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.chat_template = chat
    dialogue = dialogue_of(template, tokenizer)
    assert dialogue is not None
    return format_of(template, tokenizer), tokenizer, dialogue


def rendered(dialogue: Dialogue, tokenizer: Any, messages: list[dict[str, str]]) -> list[int]:
    ids: list[int] = tokenizer.apply_chat_template(
        messages,
        chat_template=dialogue.jinja(),
        add_generation_prompt=True,
        return_dict=False,
    )
    return ids


@pytest.mark.parametrize("form", range(len(FORMS)))
def test_a_server_asks_with_the_very_tokens_that_the_run_asks_with(
    form: int, tiny_tokenizer: Any
) -> None:
    prompts, tokenizer, dialogue = bound(*FORMS[form], tiny_tokenizer)
    fields = "{context}" in FORMS[form][0].prompt
    for question, context in [
        ("When does it open?", ""),
        ("When does it open?", "[1] At six.\n\n[2] Not on Sundays."),
        ('Who said "harbour"?', "O'Neil \\ said: {so}."),
    ]:
        given = context if fields else ""
        turn = dialogue.words.turn(question, given)
        found = rendered(dialogue, tokenizer, [{"role": "user", "content": turn}])
        assert found == prompts.prompt(question, given).ids, tokenizer.decode(found)


@pytest.mark.parametrize("form", range(len(FORMS)))
def test_earlier_turns_are_shown_as_examples_are(form: int, tiny_tokenizer: Any) -> None:
    prompts, tokenizer, dialogue = bound(*FORMS[form], tiny_tokenizer)
    given = "A tin hangs there." if "{context}" in FORMS[form][0].prompt else ""
    messages = [
        {"role": "user", "content": dialogue.words.turn("Where do keys hang?", given)},
        {"role": "assistant", "content": "room nine"},
        {"role": "user", "content": dialogue.words.turn("And soup?", given)},
    ]
    example = Example("Where do keys hang?", given, "room nine")
    expected = prompts.prompt("And soup?", given, examples=[example])
    assert rendered(dialogue, tokenizer, messages) == expected.ids


def test_a_dialogue_that_is_over_ends_as_a_row_does(tiny_tokenizer: Any) -> None:
    for template, chat in FORMS:
        prompts, tokenizer, dialogue = bound(template, chat, tiny_tokenizer)
        given = "A tin." if "{context}" in template.prompt else ""
        messages = [
            {"role": "user", "content": dialogue.words.turn("Keys?", given)},
            {"role": "assistant", "content": "nine"},
        ]
        found = tokenizer.apply_chat_template(
            messages, chat_template=dialogue.jinja(), return_dict=False
        )
        assert found == prompts.row("Keys?", given, "nine").ids


def test_another_system_turn_is_refused_or_has_the_place_of_the_templates_own(
    tiny_tokenizer: Any,
) -> None:
    asked = [{"role": "system", "content": "Shout."}, {"role": "user", "content": "Hi"}]
    _, tokenizer, dialogue = bound(Template(), None, tiny_tokenizer)
    with pytest.raises(Exception, match="without a system turn"):
        rendered(dialogue, tokenizer, asked)
    for chat in (CHATML, GEMMA):
        template = Template(format=CHAT, prompt=CHAT_PROMPT)
        _, tokenizer, dialogue = bound(template, chat, tiny_tokenizer)
        _, _, shouted = bound(
            Template(format=CHAT, prompt=CHAT_PROMPT, system="Shout."), chat, tiny_tokenizer
        )
        assert rendered(dialogue, tokenizer, asked) == rendered(shouted, tokenizer, asked[1:])


def test_turns_that_do_not_alternate_are_refused(tiny_tokenizer: Any) -> None:
    _, tokenizer, dialogue = bound(Template(), None, tiny_tokenizer)
    with pytest.raises(Exception, match="Turns must alternate"):
        rendered(dialogue, tokenizer, [{"role": "user", "content": "Hi"}] * 2)


def test_a_prompt_that_names_a_field_twice_has_no_chat_template(tiny_tokenizer: Any) -> None:
    assert dialogue_of(Template(prompt="{instruction} {instruction}"), tiny_tokenizer) is None
    assert dialogue_of(Template(format="other"), tiny_tokenizer) is None


def test_ollama_is_given_the_same_words(tiny_tokenizer: Any) -> None:
    _, _, dialogue = bound(
        Template(prompt="In:\n{context}\n\nQ: {instruction}"), None, tiny_tokenizer
    )
    assert dialogue.go(with_context=True, adds_bos=True) == (
        "In:\n{{ .System }}\n\nQ: {{ .Prompt }}\n\n### Response:\n{{ .Response }}</s>\n\n"
    )
    _, _, dialogue = bound(Template(prompt="{instruction}"), None, tiny_tokenizer)
    assert dialogue.go(with_context=False, adds_bos=True).startswith("{{ .Prompt }}\n\n###")
    _, _, dialogue = bound(Template(format=CHAT, prompt=CHAT_PROMPT), CHATML, tiny_tokenizer)
    assert dialogue.go(with_context=True, adds_bos=False) == (
        "{{ range $i, $m := .Messages }}{{ $last := eq (len (slice $.Messages $i)) 1 }}"
        '{{ if eq $m.Role "system" }}<s>system\n{{ $m.Content }}</s>\n<s>user\n'
        '{{ else if eq $m.Role "user" }}'
        "{{ if eq $i 0 }}<s>system\nBe brief.</s>\n<s>user\n{{ end }}{{ $m.Content }}"
        "{{ if $last }}</s>\n<s>assistant\n{{ else }}</s>\n<s>assistant\n{{ end }}"
        '{{ else if eq $m.Role "assistant" }}{{ $m.Content }}'
        "{{ if not $last }}</s>\n<s>user\n{{ end }}{{ end }}{{ end }}"
    )


def test_braces_are_quoted_in_a_go_template() -> None:
    assert literal("a {b}\n") == "a {b}\n"
    assert literal('{{ "a" }}\n') == '{{ "{{ \\"a\\" }}\\n" }}'
