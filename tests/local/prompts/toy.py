"""A prompt format that ragtune does not know: a dialogue whose turns end with the line."""

from collections.abc import Sequence

from ragtune.core.files import digest
from ragtune.prompts.base import IGNORED, UNLIMITED, Example, Prompt, Row, Tokenizer
from ragtune.prompts.instruct import Template


class Dialogue:
    def __init__(self, template: Template, tokenizer: Tokenizer) -> None:
        self.context, self.tokenizer = template.context, tokenizer
        self.hash, self.stops = digest(["dialogue", template.passage]), (self._ids("\n")[-1],)

    def question(self, instruction: str, context: str) -> str:
        return f"{context}\nuser: {instruction}\nassistant:"

    def answer(self, response: str) -> str:
        return f" {response}\n"

    def response(self, text: str) -> str:
        return text.strip()

    def prompt(
        self,
        instruction: str,
        own: str = "",
        passages: Sequence[str] = (),
        limit: int = UNLIMITED,
        examples: Sequence[Example] = (),
    ) -> Prompt:
        earlier = [
            self.question(e.instruction, e.context) + self.answer(e.response) for e in examples
        ]
        for shown, kept in (
            *((n, len(passages)) for n in range(len(examples), 0, -1)),
            *((0, n) for n in range(len(passages), -1, -1)),
        ):
            text = self.question(instruction, self.context(own, passages[:kept]))
            text = "".join([*earlier[len(earlier) - shown :], text])
            if len(ids := self._ids(text, self.tokenizer.bos_token_id)) <= limit:
                return Prompt(ids, text, kept, examples=shown)
        raise ValueError(f"the question alone has more than {limit} tokens")

    def row(self, instruction: str, context: str, response: str, limit: int | None = None) -> Row:
        asked, said = self.prompt(instruction, context).ids, self._ids(self.answer(response))
        ids, labels = asked + said, [IGNORED] * len(asked) + said
        return Row(ids[:limit], labels[:limit], max(0, len(ids) - (limit or len(ids))))

    def _ids(self, text: str, bos: int | None = None) -> list[int]:
        ids = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return [*([] if bos is None else [bos]), *ids]
