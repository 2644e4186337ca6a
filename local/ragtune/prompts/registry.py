"""The prompt formats that are known, by name.

A recipe cannot name one yet: all are asked in ``INSTRUCT``.
"""

from collections.abc import Callable

from ragtune.prompts.base import PromptFormat, Tokenizer
from ragtune.prompts.instruct import InstructFormat, Template

INSTRUCT = "instruct"

Maker = Callable[[Template, Tokenizer], PromptFormat]
"""Binds a recipe's template to a model's tokenizer; a format's class is one."""

formats: dict[str, Maker] = {INSTRUCT: InstructFormat}


def format_of(template: Template, tokenizer: Tokenizer) -> PromptFormat:
    """The format of a recipe's template, bound to a tokenizer."""
    return formats[INSTRUCT](template, tokenizer)
