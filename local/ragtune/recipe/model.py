"""The model section: what is tuned and asked, and what runs it."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from ragtune.recipe.arms import MAKEUP, Arm
from ragtune.recipe.place import Place
from ragtune.recipe.section import Section
from ragtune.recipe.server import server_url

TORCH = "torch"
VLLM = "vllm"
NONE = "none"
"""``model.local`` where no weights are on this machine, only at a server."""
KEY = "RAGTUNE_API_KEY"
"""The environment variable that holds the server's key; a recipe never does."""
Name = Annotated[str, Field(pattern=r"\S")]


class Model(Section):
    """The model that is tuned and asked."""

    local: Place = Field(
        "builtin",
        description="`builtin`, `smollm2`, `smollm2-reader`, a folder, or a hub id; beside a "
        "server, `none` (its default there), or the model whose tokenizer counts and renders",
    )
    revision: str | None = Field(None, description="the hub revision, for a hub id")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="of answers on a CPU; `auto`: bfloat16 where that is measured to be faster",
    )
    engine: str = Field(
        TORCH,
        description="what answers: `torch`, in this process; `vllm`, in this process where it is "
        "installed; or the http(s) URL of an OpenAI-style "
        f"server such as http://127.0.0.1:8000/v1, its key in {KEY}",
    )
    served: dict[Literal["base", "tuned", "tuned+rag"], Name] = Field(
        {},
        description="the server's names of the models; `base` can be left out where it has one",
    )
    context_length: Annotated[int, Field(ge=64)] | None = Field(
        None, description="tokens that the server's model reads; null: what the server says"
    )
    jumpstart: str | None = Field(None, description="the JumpStart model to promote to")

    @model_validator(mode="before")
    @classmethod
    def _no_weights_beside_a_server(cls, given: object) -> object:
        if isinstance(given, dict) and given.get("engine", TORCH) not in (TORCH, VLLM):
            return {"local": NONE, **given}
        return given

    @field_validator("engine")
    @classmethod
    def _torch_or_a_server(cls, value: str) -> str:
        """A URL that may be shown; one that holds a key is refused without being repeated."""
        return server_url(value, KEY, TORCH, VLLM)

    @model_validator(mode="after")
    def _parts_agree(self) -> "Model":
        if self.remote:
            return self
        for name, empty in (("served", {}), ("context_length", None)):
            if getattr(self, name) != empty:
                raise ValueError(f"{name}: it is about a server; name one in model.engine")
        if self.local == NONE:
            raise ValueError("local: `none` needs a server that answers; name one in model.engine")
        return self

    @property
    def remote(self) -> bool:
        """Whether a server answers."""
        return self.engine not in (TORCH, VLLM)

    @property
    def here(self) -> bool:
        """Whether a model, or at least its tokenizer, is on this machine."""
        return self.local != NONE

    def answers(self, arm: Arm) -> bool:
        """Whether there is a model for an arm: a server tunes none, it may have one."""
        return not self.remote or not MAKEUP[arm].tuned or arm in self.served
