"""The training rows: what is trained on here, and uploaded on promotion."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

from ragtune.core.files import write_json, write_jsonl
from ragtune.core.run_folder import RunFolder
from ragtune.recipe.arms import Adapter
from ragtune.recipe.schema import Recipe
from ragtune.runs.stage import Stage, Work
from ragtune.runs.stages import parts

FIELDS = ("seed", "template", "records.context")
"""Fields that decide the training rows without passages."""
PASSAGES = (*parts.SEARCH, "records.with_passages", "records.without_gold", "tune.adapters")
"""Those that decide the passages in them."""


class Data(Stage):
    """The training rows of an adapter."""

    materials: tuple[str, ...] = ("records",)

    def __init__(self, adapter: Adapter, recipe: Recipe) -> None:
        self.adapter, self.name = adapter, f"data/{adapter}"
        self.passages = recipe.trains_with_passages(adapter)
        self.fields: tuple[str, ...] = FIELDS
        if self.passages:
            self.fields = (*FIELDS, *PASSAGES)
            self.materials = ("records", *parts.SEARCHED)
            self.after = ("index",)

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """The rows."""
        return [folder.train_rows(self.adapter)]

    def make(self, work: Work) -> None:
        """Draw and shuffle the rows, with passages for a share of them."""
        opened = parts.retriever(work) if self.passages else contextlib.nullcontext()
        with opened as retriever:
            training = parts.training_rows(work, work.materials.train, retriever)
        write_jsonl(work.out.train_rows(self.adapter), training)


class Template(Stage):
    """JumpStart's ``template.json``."""

    name = "template"
    fields = ("template",)

    def outputs(self, folder: RunFolder) -> Sequence[Path]:
        """One file."""
        return [folder.template]

    def make(self, work: Work) -> None:
        """Write it down."""
        write_json(work.out.template, work.recipe.template.build().jumpstart)
