"""The one recipe: what its fields are, what each allows, and the identity of a filled one.

Field names are the field's own, JumpStart's for tuning. Reading a recipe from a file, with its
faults and overrides, is ``recipe_file``'s work.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr, field_validator, model_validator

from ragtune.core import hub
from ragtune.prompts.template import fields_of
from ragtune.recipe.arms import (
    ARMS,
    USUAL,
    Adapter,
    Arm,
    cites,
    is_tuned,
    reads_documents,
    searches_records,
)
from ragtune.recipe.cloud import Cloud
from ragtune.recipe.model import Model
from ragtune.recipe.place import Place
from ragtune.recipe.rag import Rag
from ragtune.recipe.records import Records
from ragtune.recipe.section import Section, Share
from ragtune.recipe.template import Template
from ragtune.recipe.tune import PROJECTIONS, Tune


class Documents(Section):
    """What is retrieved from."""

    source: Place = Field(
        description="a folder of text, html, pdf, office files; or `contexts`: the records' own"
    )
    origin: str | None = Field(None, description="where to get them, said where they are missing")
    max_file_mb: Annotated[float, Field(gt=0)] = Field(
        50.0, description="bigger files are left out, named with this reason"
    )


class Study(Section):
    """The held-out questions and how they are asked."""

    questions: Place = Field("held-out", description="`held-out`: the split; or a jsonl file")
    max_questions: Annotated[int, Field(ge=1)] | None = Field(None, description="null: all")
    arms: list[Arm] = Field(list(USUAL), min_length=1)
    seeds: Annotated[int, Field(ge=1, le=20)] = Field(
        1, description="how often tuning and its answers are repeated, each time with another seed"
    )
    shots: Annotated[int, Field(ge=1, le=64)] = Field(
        4, description="training records in the prompt of fewshot, the nearest to the question"
    )
    max_new_tokens: Annotated[int, Field(ge=1, le=4096)] = 100
    batch_size: Annotated[int, Field(ge=1)] = Field(16, description="questions decoded together")
    latency_questions: Annotated[int, Field(ge=1)] = Field(
        32, description="questions asked one at a time to measure latency"
    )
    refusal: str = Field(
        "not in the documents", description="the response that says there is no answer"
    )
    refusals: list[Annotated[str, Field(pattern=r"\S")]] = Field(
        [], description="more phrases that say so in an answer; common wordings are known"
    )
    metric: str = Field(
        "auto",
        description="what decides between arms: `auto` (by the references: `right` for labels and "
        "short ones, `similarity` for long ones), or a metric's name",
    )
    general_text: Place = Field(
        "builtin", description="plain text on which forgetting is measured: `builtin`, or a file"
    )
    learning_curve: list[Annotated[float, Field(gt=0, le=1)]] = Field(
        [], description="shares of the training records to tune on as well; each takes its time"
    )

    @field_validator("arms")
    @classmethod
    def _each_once(cls, value: list[Arm]) -> list[Arm]:
        if len(set(value)) != len(value):
            raise ValueError("an arm is named twice")
        return [arm for arm in ARMS if arm in value]

    @property
    def all_refusals(self) -> tuple[str, ...]:
        """Every phrase of the recipe's own that says there is no answer."""
        return (self.refusal, *self.refusals)

    @field_validator("learning_curve")
    @classmethod
    def _rising(cls, value: list[float]) -> list[float]:
        return sorted(set(value))


class FullSize(Section):
    """What the models of a cloud are weighed with, once they have been asked there."""

    price_per_hour: Annotated[float, Field(ge=0)] | None = Field(
        None, description="of what serves a model; null: the list price, in US dollars"
    )
    hours_per_month: Annotated[float, Field(gt=0, le=744)] = Field(
        730.0, description="that an endpoint is kept; it costs the same when nobody asks"
    )


class Needs(Section):
    """What the recommendation weighs the measurements with; null: it does not matter."""

    p95_latency_ms: Annotated[float, Field(gt=0)] | None = None
    min_quality: Share | None = Field(None, description="of the deciding metric, good enough")
    cite_sources: bool = False
    documents_change: Literal["never", "monthly", "weekly", "daily"] = Field(
        "never", description="daily: only what retrieves will do; else how often to index or tune"
    )
    queries_per_month: Annotated[int, Field(ge=1)] | None = Field(
        None, description="cost is then machine time a month; null: tokens a question"
    )
    price_per_hour: Annotated[float, Field(ge=0)] | None = Field(
        None, description="of the machine, in a currency of yours"
    )
    watts: Annotated[float, Field(gt=0)] | None = Field(
        None, description="that the machine draws at work; null: energy is not told"
    )
    budget_per_month: Annotated[float, Field(ge=0)] | None = Field(
        None, description="in that currency; needs queries_per_month and price_per_hour"
    )
    full_size: FullSize = FullSize()

    @model_validator(mode="after")
    def _budget_can_be_compared(self) -> "Needs":
        if self.budget_per_month is not None:
            for name in ("queries_per_month", "price_per_hour"):
                if getattr(self, name) is None:
                    raise ValueError(f"budget_per_month is compared with a price; give {name} too")
        return self


class Promote(Section):
    """What a run must have shown before its recipe may be submitted."""

    tuned_beats_base: bool = Field(True, description="by more than chance, on token F1, at 95 %")
    no_leaks: bool = Field(True, description="no held-out question also among the training rows")


class Recipe(Section):
    """A whole recipe, filled with its defaults."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")] = Field(
        description="lower-case letters, digits and -, at most 40"
    )
    seed: Annotated[int, Field(ge=1, le=1000)] = 10
    model: Model = Model()
    records: Records = Records()
    documents: Documents | None = None
    template: Template = Template()
    tune: Tune = Tune()
    rag: Rag = Rag()
    study: Study = Study()
    needs: Needs = Needs()
    cloud: Cloud = Cloud()
    promote: Promote = Promote()

    _folder: Path = Path()
    _named: str | None = None
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _parts_agree(self) -> "Recipe":
        if self.records.source is None and self.documents is None:
            raise ValueError(
                "records.source: missing; a file of records, a folder of them, or a hub id; "
                "without records documents can be indexed, searched and asked, and there are none"
            )
        if not self.arms and self.left_out:
            tuned = ", ".join(self.left_out)
            raise ValueError(f"study.arms: a server answers {tuned} only by a name in model.served")
        if not self.arms:
            raise ValueError(f"study.arms {', '.join(self.study.arms)} need documents")
        named = self.tune.target_modules.split(",")
        if self.model.jumpstart and (unknown := [n for n in named if n not in PROJECTIONS]):
            raise ValueError(
                f"tune.target_modules: JumpStart has no {', '.join(unknown)}; allowed: "
                f"{', '.join(PROJECTIONS)}"
            )
        passages = any(map(cites, self.arms))
        if "context" not in fields_of(self.template.prompt):
            for shown, what in (
                (passages, "passages"),
                (self.records.context == "input", "the records' contexts"),
            ):
                if shown:
                    raise ValueError(f"template.prompt: {{context}} is missing, where {what} go")
        return self

    @property
    def arms(self) -> list[Arm]:
        """The arms that this recipe can run: without documents there is nothing to retrieve."""
        return [a for a in self._documented if self.model.answers(a)]

    @property
    def left_out(self) -> list[Arm]:
        """The tuned arms that a server has no model for."""
        return [a for a in self._documented if not self.model.answers(a)]

    @property
    def _documented(self) -> list[Arm]:
        return [a for a in self.study.arms if self.documents is not None or not reads_documents(a)]

    @property
    def adapters(self) -> list[Adapter]:
        """The adapters that the arms need and that are tuned here."""
        tuned = [arm for arm in self.arms if is_tuned(arm) and not self.model.remote]
        return list(dict.fromkeys(self.adapter(arm) for arm in tuned))

    def adapter(self, arm: Arm) -> Adapter:
        """The adapter of a tuned arm; one serves both where they share it or train on like rows."""
        own = self.tune.adapters == "own" and self.records.with_passages > 0
        return "tuned+rag" if arm == "tuned+rag" and own else "tuned"

    def served(self, adapter: Adapter) -> list[Arm]:
        """The arms that an adapter serves."""
        return [arm for arm in self.arms if is_tuned(arm) and self.adapter(arm) == adapter]

    def trains_with_passages(self, adapter: Adapter) -> bool:
        """Whether passages stand in an adapter's training rows."""
        used = "tuned+rag" in self.arms and self.adapter("tuned+rag") == adapter
        return used and self.records.with_passages > 0

    @property
    def retrieves(self) -> bool:
        """Whether an arm, and so perhaps a training row, needs passages of the documents."""
        return any(map(reads_documents, self.arms))

    @property
    def searches_records(self) -> bool:
        """Whether an arm looks for training records."""
        return any(map(searches_records, self.arms))

    def at(self, folder: Path) -> "Recipe":
        """The same recipe with its paths taken from ``folder``, that of its file."""
        recipe = self.model_copy()
        recipe._folder = folder
        return recipe

    def tuned_with(self, tune: Tune) -> "Recipe":
        """The same recipe, of the same identity, with the values that an adapter was tuned with."""
        recipe = self.model_copy(update={"tune": tune})
        recipe._named = self.identity
        return recipe

    def with_fields(self, values: Mapping[str, Any]) -> "Recipe":
        """The same recipe with other values of some fields, which are named with dots.

        Raises ValidationError, of pydantic, for values that are not allowed.
        """
        tree = self.model_dump(mode="json", exclude_unset=True)
        for field, value in values.items():
            *sections, name = field.split(".")
            inner = tree
            for section in sections:
                inner = inner.setdefault(section, {})
            inner[name] = value
        recipe = Recipe.model_validate(tree)
        recipe._folder, recipe._origins = self._folder, self._origins
        return recipe

    def filled_from(self, origins: Mapping[str, str]) -> "Recipe":
        """The same recipe with a note, for fields that it did not give, on who did."""
        recipe = self.model_copy()
        recipe._origins = dict(origins)
        return recipe

    @property
    def origins(self) -> Mapping[str, str]:
        """Where values are from that neither the recipe's file gave nor the schema, by field."""
        return self._origins

    def path(self, value: str) -> Path:
        """A path as written in the recipe: relative to the recipe's own folder."""
        return self._folder / Path(value).expanduser()

    @property
    def hub_ids(self) -> list[str]:
        """What the recipe names on a hub: neither built in, nor a path that exists, nor a word."""
        source = self.records.source
        named = [self.model.local, self.study.questions, self.rag.embedder]
        named += [] if source is None else [source]
        return [name for value in named if (name := hub.named(value, self.path("")))]

    @property
    def filled(self) -> dict[str, Any]:
        """Every field with its value, in the schema's order."""
        return self.model_dump(mode="json")

    @property
    def identity(self) -> str:
        """SHA-256 of the filled recipe less what answers are judged and weighed by, in hexadecimal.

        That is name, needs, cloud, promote, the origins of data, study.metric and study.refusals:
        none changes what is answered, so a run stays valid when they change, and only its figures
        are made again. With tune.search the last two choose what is tuned, and so are part of it.
        Neither does rag.qdrant: where an index lives says nothing of what is found in it.
        """
        if self._named is not None:
            return self._named
        beside = {"name", "needs", "cloud", "promote"}
        what = {k: v for k, v in self.filled.items() if k not in beside}
        judging: set[str] = set() if self.tune.search else {"metric", "refusals"}
        for name in ("records", "documents"):  # where data is from says nothing of what it is
            what[name] = {k: v for k, v in (what[name] or {}).items() if k != "origin"} or None
        what["study"] = {k: v for k, v in what["study"].items() if k not in judging}
        what["rag"] = {**what["rag"], "qdrant": "embedded"}
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()

    @property
    def run_name(self) -> str:
        """The name of its run folder."""
        return f"{self.name}-{self.identity[:8]}"
