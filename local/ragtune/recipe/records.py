"""The section of a recipe that says which records there are, and how they are read and used."""

from typing import Annotated, Literal

from pydantic import Field

from ragtune.recipe.place import Place
from ragtune.recipe.section import Section, Share

Column = Literal[
    "instruction",
    "context",
    "response",
    "category",
    "document",
    "evidence",
    "group",
    "unanswerable",
    "system",
    "messages",
]
"""A field of a record that `records.fields` can name a column for."""


class Records(Section):
    """Instruction records: Dolly's instruction, context, response, category, or other forms."""

    source: Place | None = Field(
        None,
        description="a file of records (jsonl, JSON, CSV, TSV, Parquet, XLSX), a folder of them, "
        "or a hub id; null: none, and documents are indexed, searched and asked, but not studied",
    )
    origin: str | None = Field(None, description="where to get it, said where it is missing")
    revision: str | None = Field(None, description="the hub revision, for a hub id")
    hub_split: str = Field("train", description="the split of a hub data set")
    hub_config: str | None = Field(None, description="its configuration, where it has several")
    fields: dict[Column, str] = Field(
        {},
        description="columns by the field that each is, as `{instruction: frage, response: "
        "antwort}`, where their names do not say it; a dotted path leads into an object",
    )
    encoding: str | None = Field(
        None, description="of text files; null: UTF-8 or UTF-16, or another that is certain"
    )
    categories: list[str] | None = Field(None, description="keep these categories; null: all")
    context: Literal["input", "passage"] = Field(
        "input",
        description="`input`: a record's context belongs to its question and is always shown; "
        "`passage`: it is knowledge to be retrieved, hidden from base and tuned",
    )
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.1, description="share held out, see split, when study.questions is held-out"
    )
    split: Literal["document", "question"] = Field(
        "document",
        description="`document`: what is held out is about other documents and contexts; "
        "`question`: about the same ones; records of one `group` stay together in both",
    )
    with_passages: Share = Field(
        1.0, description="share of the rows of tuned+rag that are trained on with passages"
    )
    without_gold: Share = Field(
        0.2, description="share of the rows with passages that get others instead of the gold one"
    )
    max_bad_lines: Share = Field(0.01, description="more broken lines than this share: an error")
