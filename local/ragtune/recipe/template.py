"""The template section: the words of a prompt, and the form that they are put into."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator, model_validator

from ragtune.prompts import registry
from ragtune.prompts import template as forms
from ragtune.recipe.section import Section


class Template(Section):
    """The form of a prompt, its words, and how a passage is shown.

    ``template: chat`` in a recipe is short for ``template: {format: chat}``.
    """

    format: str = Field(
        forms.INSTRUCT,
        description="`instruct`: JumpStart's template.json and the separator; `chat`: the "
        "tokenizer's own chat template",
    )
    system: str | None = Field(
        None, description="the system turn of a chat; null: what its template does by itself"
    )
    prompt: str = Field(
        forms.PROMPT,
        description="with {instruction} and {context}; of a chat: the user's turn, by itself "
        "the context before the instruction",
    )
    completion: str = Field(forms.COMPLETION, description="with {response}")
    separator: str = Field(
        forms.SEPARATOR, description="between prompt and completion; a chat template has its own"
    )
    passage: str = Field(forms.PASSAGE, description="with {number} and {text}")

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, given: Any) -> Any:
        """A bare name as the section that it is short for; a chat's own words for its prompt."""
        if isinstance(given, str):
            given = {"format": given}
        elif not isinstance(given, Mapping | cls):
            raise ValueError(f"a form ({_names()}) or a section with template.format")
        if isinstance(given, Mapping) and given.get("format") == forms.CHAT:
            return {"prompt": forms.CHAT_PROMPT, **given}
        return given

    @field_validator("format")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in registry.formats:
            raise ValueError(f"allowed: {_names()}; got {name!r}")
        return name

    @field_validator("prompt", "completion", "passage")
    @classmethod
    def _has_its_fields(cls, form: str, info: Any) -> str:
        allowed = {
            "prompt": forms.PROMPT_FIELDS,
            "completion": forms.COMPLETION_FIELDS,
            "passage": forms.PASSAGE_FIELDS,
        }[info.field_name]
        found = forms.fields_of(form)
        if unknown := found - allowed:
            raise ValueError(f"unknown {_braced(unknown)}; allowed: {_braced(allowed)}")
        required = allowed - {"context", "number"}
        if missing := required - found:
            raise ValueError(f"{_braced(missing)} is missing")
        return form

    @model_validator(mode="after")
    def _parts_agree(self) -> "Template":
        if self.format == forms.INSTRUCT and self.system is not None:
            raise ValueError("system: the instruction form has no system turn; use format: chat")
        if self.format == forms.CHAT and self.separator != forms.SEPARATOR:
            raise ValueError("separator: a chat template has its own; leave it out")
        return self

    def build(self) -> forms.Template:
        """The template that renders."""
        return forms.Template(**self.model_dump())


def _names() -> str:
    return ", ".join(f"`{name}`" for name in registry.formats)


def _braced(names: set[str] | frozenset[str]) -> str:
    return ", ".join("{" + name + "}" for name in sorted(names))
