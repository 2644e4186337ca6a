"""The training rows: what is trained on here, and uploaded on promotion."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from ragtune.core.files import write_json, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts

FIELDS = (
    "seed",
    "template",
    "records.context",
    "records.with_passages",
    "records.without_gold",
)
"""Fields that decide the training rows, but for those of the search."""


class Data(Stage):
    """Training rows and JumpStart's ``template.json``."""

    name = "data"
    fields: tuple[str, ...] = FIELDS
    materials: tuple[str, ...] = ("records",)

    def __init__(self, *, passages: bool) -> None:
        self.passages = passages
        if passages:
            self.fields = (*FIELDS, *parts.SEARCH)
            self.materials = ("records", *parts.SEARCHED)
            self.after = ("index",)

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """Rows and template."""
        return [folder.train_rows, folder.template]

    def make(self, work: Work) -> None:
        """Draw and shuffle the rows, with passages for a share of them."""
        opened = parts.retriever(work) if self.passages else contextlib.nullcontext()
        with opened as retriever:
            training = parts.training_rows(work, work.materials.train, retriever)
        write_jsonl(work.out.train_rows, training)
        write_json(work.out.template, work.recipe.template.build().jumpstart)
