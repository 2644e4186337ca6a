"""A prompt format as turns of a chat, and the chat templates that write it elsewhere.

A server is sent messages; these templates make of them the very prompt that the run trained with.
The user's turn holds the question and, where there is one, the context, with the words of the
format between the two, as a rendered prompt has them. Without these words it is a question alone.
"""

import json
import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ragtune.prompts.encoding import text_of
from ragtune.prompts.instruct import BETWEEN
from ragtune.prompts.template import CHAT, INSTRUCT, Template
from ragtune.prompts.turns import Turns

USER, ANSWER, AGAIN, SYSTEM = "\ue010", "\ue011", "\ue012", "\ue013"
"""Where contents go: private-use characters, which no template holds."""
SYSTEM_REFUSED = "This model was tuned without a system turn."
ALTERNATE = "Turns must alternate: user, assistant, user, ..."


@dataclass(frozen=True)
class Words:
    """The format's words around a question and its context, in one turn of the user's."""

    before: str
    between: str
    after: str
    context_first: bool

    def turn(self, instruction: str, context: str = "") -> str:
        """What a user's turn holds: the question, and the context with the words between."""
        if not context:
            return instruction
        parts = (context, instruction) if self.context_first else (instruction, context)
        return self.between.join(parts)


@dataclass(frozen=True)
class Dialogue:
    """A prompt format as turns.

    ``opening`` comes before the user's first words; ``answering`` after the last ones, before the
    model's answer; ``replying`` before an earlier answer, ``closing`` after it, and ``ending``
    after an answer that is the last turn. ``bos`` is put first where ``adds_bos``. ``system`` is
    what comes before and after the words of another system turn; None: there can be none.
    ``trims``: white space around a turn is left out.
    """

    bos: str
    adds_bos: bool
    opening: str
    system: tuple[str, str] | None
    words: Words
    answering: str
    replying: str
    completion: tuple[str, str]
    closing: str
    ending: str
    trims: bool

    @property
    def plain(self) -> bool:
        """Whether a turn is written as it is sent, whatever is in it."""
        words = self.words
        return self.trims and not (words.before + words.between + words.after).strip()

    def jinja(self) -> str:
        """A chat template for transformers, vLLM and llama.cpp's server."""
        trim = " | trim" if self.trims else ""
        content = f"message['content']{trim}"
        said = content if self.plain else f"({self._wrapped(content)}){trim}"
        before, after = map(quoted, self.completion)
        first = quoted((self.bos if self.adds_bos else "") + self.opening)
        if self.system is None:
            start = f"{{{{- raise_exception({quoted(SYSTEM_REFUSED)}) }}}}"
        else:
            left = quoted((self.bos if self.adds_bos else "") + self.system[0])
            start = (
                f"{{{{- {left} + (messages[0]['content'] | trim) + {quoted(self.system[1])} }}}}"
            )
            start += "{%- set turns = messages[1:] %}"
        return (
            "{%- set turns = messages %}"
            f"{{%- if messages[0]['role'] == 'system' %}}{start}"
            f"{{%- else %}}{{{{- {first} }}}}{{%- endif %}}"
            "{%- for message in turns %}"
            "{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
            f"{{{{- raise_exception({quoted(ALTERNATE)}) }}}}{{%- endif %}}"
            f"{{%- if message['role'] == 'user' %}}{{{{- {said} }}}}"
            f"{{%- if not loop.last %}}{{{{- {quoted(self.replying)} }}}}"
            f"{{%- elif add_generation_prompt %}}{{{{- {quoted(self.answering)} }}}}{{%- endif %}}"
            f"{{%- else %}}{{{{- {before} + {content} + {after} }}}}"
            f"{{%- if loop.last %}}{{{{- {quoted(self.ending)} }}}}"
            f"{{%- else %}}{{{{- {quoted(self.closing)} }}}}{{%- endif %}}"
            "{%- endif %}{%- endfor %}"
        )

    def go(self, *, with_context: bool, adds_bos: bool) -> str:
        """Ollama's `TEMPLATE`, in the template language of Go.

        Without a system turn, Ollama's system text is the context: Go's templates cannot look into
        a message. Otherwise a user's turn holds both where the run's prompts have a context
        (``with_context``). ``adds_bos``: the engine puts BOS before it.
        """
        start = self.opening.removeprefix(self.bos) if adds_bos and self.bos else self.opening
        words, after = self.words, self.answering
        if self.system is None:
            fields = ["{{ .System }}", "{{ .Prompt }}"]
            ordered = fields if words.context_first else fields[::-1]
            asked = literal(words.between).join(ordered if words.between else fields[1:])
            left, right = map(literal, self.completion)
            return (
                f"{literal(start + words.before)}{asked}{literal(words.after + after)}"
                f"{left}{{{{ .Response }}}}{right}{literal(self.closing)}"
            )
        content = "{{ $m.Content }}"
        said = content
        if not self.plain:
            between = "" if with_context else literal(words.between)
            alone = between + content if words.context_first else content + between
            said = literal(words.before) + alone + literal(words.after)
        left, right = self.system
        left = left.removeprefix(self.bos) if adds_bos and self.bos else left
        return (
            "{{ range $i, $m := .Messages }}{{ $last := eq (len (slice $.Messages $i)) 1 }}"
            f'{{{{ if eq $m.Role "system" }}}}{literal(left)}{content}{literal(right)}'
            '{{ else if eq $m.Role "user" }}'
            f"{{{{ if eq $i 0 }}}}{literal(start)}{{{{ end }}}}{said}"
            f"{{{{ if $last }}}}{literal(after)}{{{{ else }}}}{literal(self.replying)}{{{{ end }}}}"
            '{{ else if eq $m.Role "assistant" }}'
            f"{literal(self.completion[0])}{content}{literal(self.completion[1])}"
            f"{{{{ if not $last }}}}{literal(self.closing)}{{{{ end }}}}"
            "{{ end }}{{ end }}"
        )

    def _wrapped(self, content: str) -> str:
        words = self.words
        between = quoted(words.between)
        alone = f"{between} + {content}" if words.context_first else f"{content} + {between}"
        filled = f"({content} if {between} in {content} else {alone})"
        if not words.between:
            filled = content
        return f"{quoted(words.before)} + {filled} + {quoted(words.after)}"


def literal(text: str) -> str:
    """A text in a Go template: as it is, or quoted where it would be read as something else."""
    special = "{{" in text or "}}" in text or '""' in text
    return f"{{{{ {quoted(text)} }}}}" if special else text


def quoted(text: str) -> str:
    """A string literal that Jinja and Go read alike."""
    return json.dumps(text, ensure_ascii=False)


def dialogue_of(template: Template, tokenizer: Any) -> Dialogue | None:
    """A recipe's format as turns; None where it cannot be written so.

    That is a format of another package, or a prompt that names a field twice.

    Raises ModelError where the tokenizer's chat template cannot be used.
    """
    words = _words(template.prompt)
    if words is None:
        return None
    if template.format == INSTRUCT:
        return _instructed(template, words, tokenizer)
    return _chatted(template, words, tokenizer) if template.format == CHAT else None


def _words(prompt: str) -> Words | None:
    parts = [(text, name) for text, name, _, _ in string.Formatter().parse(prompt)]
    names = [name for _, name in parts if name is not None]
    if sorted(names) not in (["instruction"], ["context", "instruction"]):
        return None
    texts = [""]
    for text, name in parts:
        texts[-1] += text
        if name is not None:
            texts.append("")
    between = texts[1] if len(names) == 2 else ""
    return Words(texts[0], between, texts[-1], context_first=names[0] == "context")


def _completion(template: Template) -> tuple[str, str]:
    before, _, after = template.answer(ANSWER).partition(ANSWER)
    return before, after


def _instructed(template: Template, words: Words, tokenizer: Any) -> Dialogue:
    end = tokenizer.eos_token or ""
    return Dialogue(
        bos=tokenizer.bos_token or "",
        adds_bos=tokenizer.bos_token_id is not None,
        opening="",
        system=None,
        words=words,
        answering=template.separator,
        replying=template.separator,
        completion=_completion(template),
        closing=end + BETWEEN,
        ending=end,
        trims=False,
    )


def _chatted(template: Template, words: Words, tokenizer: Any) -> Dialogue | None:
    turns = Turns(tokenizer, template.system)
    split = _statics(turns, (USER, ANSWER, AGAIN))
    once = _statics(turns, (USER,))
    if once is None or split is None or [split[0], split[3]] != once:
        return None  # a template that writes a turn otherwise when others follow
    pieces = turns.asked([USER])
    bos = tokenizer.bos_token or ""
    starts = bool(bos) and split[0].startswith(bos)
    first = turns.encode(pieces)[:1]
    other = _statics(Turns(tokenizer, SYSTEM), (SYSTEM, USER), (USER,))
    return Dialogue(
        bos=bos,
        adds_bos=not starts and bool(bos) and first == [tokenizer.bos_token_id],
        opening=split[0],
        system=other and (other[0], other[1]),
        words=words,
        answering=split[3],
        replying=split[1],
        completion=_completion(template),
        closing=split[2],
        ending=turns.after or tokenizer.eos_token or "",
        trims=True,
    )


def _statics(turns: Turns, marks: Sequence[str], said: Sequence[str] = ()) -> Any:
    """The texts around marks in a dialogue of these contents; None where one is not there once."""
    text, found = text_of(turns.asked(list(said or marks))), []
    for mark in marks:
        before, there, text = text.partition(mark)
        if not there or mark in text:
            return None
        found.append(before)
    return [*found, text]
