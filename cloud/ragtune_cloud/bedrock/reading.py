"""Whether Bedrock reads the prompts as they are read here: it is sent text, and encodes it itself.

There the tokenizer's own special tokens are put around a text, and what a user wrote may become a
control token; here neither happens.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ragtune.core.files import read_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.prompts.base import Prompt
from ragtune.prompts.registry import format_of
from ragtune.recipe.schema import Recipe
from ragtune.sources.records import Record
from ragtune_cloud.bedrock.source import ModelFiles

PARTS = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "config.json")
"""What a tokenizer is loaded from."""


@dataclass(frozen=True)
class Reading:
    """Of how many prompts the tokens are the same there, and the first question that differs."""

    prompts: int
    same: int
    first: str = ""
    more: int = 0

    def __str__(self) -> str:
        told = f"{self.same} of {self.prompts} prompts are the same tokens there"
        if self.same == self.prompts:
            return told
        return f"{told}; the prompt of question {self.first} has {self.more:+d} tokens"


def tokenizer_of(files: ModelFiles) -> Any:
    """The tokenizer among a model's files; raises ModelError where it cannot be loaded."""
    from ragtune.models.load import load_tokenizer

    with tempfile.TemporaryDirectory(prefix="ragtune-tokenizer-") as made:
        for name in PARTS:
            if name in files.sizes:
                (Path(made) / name).write_bytes(files.read(name))
        return load_tokenizer(Path(made))


def as_sent(prompt: Prompt, tokenizer: Any) -> str:
    """A prompt's text such that encoding it, as Bedrock does, gives its one BOS and no second."""
    if tokenizer.bos_token_id is None or not prompt.ids:
        return prompt.text
    bos, token = tokenizer.bos_token_id, str(tokenizer.bos_token)
    text = prompt.text.removeprefix(token)
    adds = list(tokenizer("")["input_ids"][:1]) == [bos]
    return text if adds or prompt.ids[0] != bos else token + text


def compare(recipe: Recipe, run: RunFolder, tokenizer: Any) -> Reading:
    """Encode the prompts of the held-out questions both ways."""
    form = format_of(recipe.template.build(), tokenizer)
    shown = recipe.records.context == "input"
    questions = [Record.from_json(row) for row in read_jsonl(run.questions)]
    same, first, more = 0, "", 0
    for question in questions:
        prompt = form.prompt(question.instruction, question.own(with_context=shown))
        there = list(tokenizer(as_sent(prompt, tokenizer))["input_ids"])
        if there == prompt.ids:
            same += 1
        elif not first:
            first, more = question.id, len(there) - len(prompt.ids)
    return Reading(len(questions), same, first, more)
