"""A prompt format that ragtune does not know: a dialogue whose turns end with the line."""

from collections.abc import Sequence
from typing import Any

from ragtune.prompts.base import IGNORED, UNLIMITED, Prompt, Row


class Dialogue:
    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.hash = "dialogue-1"
        self.stops: tuple[int, ...] = (self.ids("\n")[-1],)

    def ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def prompt(
        self, instruction: str, own: str = "", passages: Sequence[str] = (), limit: int = UNLIMITED
    ) -> Prompt:
        text = self.question(instruction, self.context(own, passages))
        ids = [self.tokenizer.bos_token_id, *self.ids(text)]
        return Prompt(ids[-limit:], text, len(passages), max(0, len(ids) - limit))

    def row(self, instruction: str, context: str, response: str, limit: int | None = None) -> Row:
        asked = self.prompt(instruction, context).ids
        said = [*self.ids(self.answer(response)), self.tokenizer.eos_token_id]
        return Row([*asked, *said][:limit], [*[IGNORED] * len(asked), *said][:limit])

    def context(self, own: str, passages: Sequence[str]) -> str:
        return "\n".join([own, *(f"> {text}" for text in passages)]).strip()

    def question(self, instruction: str, context: str) -> str:
        return f"user: {instruction}\n{context}\nassistant: "

    def answer(self, response: str) -> str:
        return response + "\n"

    def response(self, text: str) -> str:
        return text.strip()
