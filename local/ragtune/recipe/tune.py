"""The section of a recipe that says how it is tuned."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from ragtune.recipe.arms import Adapter
from ragtune.recipe.section import Section, Share

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""Llama's, which most other decoders have too, and all that JumpStart knows."""
_NAME = re.compile(r"[A-Za-z_]\w*")


class TuneLocal(Section):
    """What only the local side can do; a recipe that departs from the defaults is not promotable.

    The defaults are the cloud job's: blocks and loss on every token.
    """

    layout: Literal["blocks", "rows", "packed"] = Field(
        "blocks",
        description="`blocks`: rows concatenated and cut; `rows`: one row a sample; `packed`: "
        "whole rows side by side, none seeing another",
    )
    loss: Literal["all", "completion"] = Field("all", description="tokens that are trained on")
    quantize: Literal["nf4"] | None = Field(
        None, description="the frozen weights in 4 bits while tuning (QLoRA, Dettmers et al. 2023)"
    )
    dora: bool = Field(False, description="weight-decomposed LoRA (Liu et al. 2024)")
    rslora: bool = Field(
        False, description="LoRA scaled by alpha / sqrt(r) (Kalajdzievski 2023), not alpha / r"
    )


class Search(Section):
    """A search for the settings of tuning, on a part of the training records."""

    minutes: Annotated[float, Field(gt=0, le=1440)] = Field(
        description="of trials on this machine, the same for each adapter; no test question is read"
    )


class WithPassages(Section):
    """What the adapter of tuned+rag takes instead, where it has its own: its rows are longer."""

    epoch: Annotated[int, Field(ge=1, le=1000)] | None = Field(None, description="null: tune.epoch")
    learning_rate: Annotated[float, Field(ge=1e-8, le=1)] | None = Field(
        None, description="null: tune.learning_rate"
    )
    max_input_length: Annotated[int, Field(ge=1)] | None = Field(
        None, description="null: tune.max_input_length"
    )


class Tune(Section):
    """LoRA tuning, under JumpStart's names, bounds and defaults."""

    adapters: Literal["own", "shared"] = Field(
        "own",
        description="`own`: tuned+rag has an adapter of its own, trained with passages; `shared`: "
        "one adapter for both tuned arms, trained on rows of both kinds",
    )
    search: Search | None = Field(
        None,
        description="try learning rate, epochs, rank and target modules around those given here on "
        "a part of the training records, and tune with the best; null: tune with those given here",
    )

    epoch: Annotated[int, Field(ge=1, le=1000)] = 5
    learning_rate: Annotated[float, Field(ge=1e-8, le=1)] = 1e-4
    lora_r: Annotated[int, Field(ge=1, le=4096)] = 8
    lora_alpha: Annotated[int, Field(ge=1)] = 32
    lora_dropout: Share = 0.05
    target_modules: str = Field(
        "q_proj,v_proj",
        description="comma list of the model's linear layers; `check` names those that it has",
    )
    instruction_tuned: Literal[True] = Field(True, description="the only form tuned here")
    max_input_length: Annotated[int, Field(ge=-1)] = Field(
        -1, description="tokens a block; -1: at most 1024 and what the model reads"
    )
    per_device_train_batch_size: Annotated[int, Field(ge=1, le=1000)] = 4
    per_device_eval_batch_size: Annotated[int, Field(ge=1, le=1000)] = 1
    gradient_accumulation_steps: Annotated[int, Field(ge=1)] = Field(
        4, description="takes the place of the cloud instance's devices: 4 on ml.g5.12xlarge"
    )
    validation_split_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.2
    train_data_split_seed: Annotated[int, Field(ge=0)] = 0
    max_train_samples: Annotated[int, Field(ge=-1)] = -1
    max_val_samples: Annotated[int, Field(ge=-1)] = -1
    with_passages: WithPassages = WithPassages()
    local: TuneLocal = TuneLocal()

    def of(self, adapter: Adapter) -> "Tune":
        """What an adapter is tuned with."""
        if adapter == "tuned":
            return self
        own = self.with_passages.model_dump(exclude_none=True)
        return self.model_copy(update={**own, "with_passages": WithPassages()})

    @field_validator("target_modules")
    @classmethod
    def _names_of_layers(cls, value: str) -> str:
        if wrong := [name for name in value.split(",") if not _NAME.fullmatch(name)]:
            raise ValueError(
                f"{wrong[0]!r} is no name of a layer; allowed: a comma list without spaces, such "
                f"as {','.join(PROJECTIONS[:4])}"
            )
        return value

    @field_validator("max_input_length")
    @classmethod
    def _a_length(cls, value: int) -> int:
        if value == 0:
            raise ValueError("a block needs tokens: -1, or 1 and more")
        return value
