"""The prompt formats that are known, by the name that a recipe's ``template.format`` gives."""

from collections.abc import Callable

from ragtune.core.errors import ModelError
from ragtune.prompts.base import PromptFormat, Tokenizer
from ragtune.prompts.chat import ChatFormat
from ragtune.prompts.instruct import InstructFormat
from ragtune.prompts.messages import MessagesFormat
from ragtune.prompts.template import CHAT, INSTRUCT, Template

Maker = Callable[[Template, Tokenizer], PromptFormat]
"""Binds a recipe's template to a model's tokenizer; a format's class is one."""

formats: dict[str, Maker] = {INSTRUCT: InstructFormat, CHAT: ChatFormat}


def format_of(template: Template, tokenizer: Tokenizer | None) -> PromptFormat:
    """The format of a recipe's template, bound to a tokenizer; None: a server has the only one.

    Raises ModelError where the tokenizer has not what the format needs.
    """
    if tokenizer is None:
        if template.format != CHAT:
            raise ModelError(
                f"template.format: {template.format} needs a tokenizer to render it; name the "
                "server's model in model.local as well, or ask with template.format: chat"
            )
        return MessagesFormat(template)
    return formats[template.format](template, tokenizer)
