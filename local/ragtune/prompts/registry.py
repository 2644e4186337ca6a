"""The prompt formats that are known, by the name that a recipe's ``template.format`` gives."""

from collections.abc import Callable

from ragtune.prompts.base import PromptFormat, Tokenizer
from ragtune.prompts.chat import ChatFormat
from ragtune.prompts.instruct import InstructFormat
from ragtune.prompts.template import CHAT, INSTRUCT, Template

Maker = Callable[[Template, Tokenizer], PromptFormat]
"""Binds a recipe's template to a model's tokenizer; a format's class is one."""

formats: dict[str, Maker] = {INSTRUCT: InstructFormat, CHAT: ChatFormat}


def format_of(template: Template, tokenizer: Tokenizer) -> PromptFormat:
    """The format of a recipe's template, bound to a tokenizer.

    Raises ModelError where the tokenizer has not what the format needs.
    """
    return formats[template.format](template, tokenizer)
