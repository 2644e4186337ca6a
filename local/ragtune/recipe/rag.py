"""The recipe's section on retrieval."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from ragtune.core.text.language import ENGLISH, NAMES, codes_of
from ragtune.recipe.place import Place
from ragtune.recipe.section import Section
from ragtune.recipe.server import server_url


class Rag(Section):
    """Retrieval-augmented generation."""

    chunk_tokens: Annotated[int, Field(ge=16)] = Field(
        256, description="tokens of the embedder a chunk"
    )
    chunk_overlap: Annotated[float, Field(ge=0, le=0.5)] = Field(0.2, description="share")
    language: str = Field(
        ENGLISH,
        description="of the documents: a code such as `de`, or several as `de, en`; `auto`: found "
        "in a sample of the documents",
    )
    top_k: Annotated[int, Field(ge=1, le=100)] = 4
    search: Literal["dense", "keyword", "hybrid"] = "hybrid"
    rerank: Place | None = Field(
        None, description="a cross-encoder's folder, to rank again what was found; null: none"
    )
    refuse_below: Literal["calibrated"] | float | None = Field(
        None,
        description="score of the best passage below which the answer is study.refusal; "
        "`calibrated`: refuses 5 % of the training questions; null: the model is always asked",
    )
    embedder: Place = Field(
        "builtin",
        description="`builtin` (all-MiniLM-L6-v2, English), `multilingual` (multilingual-e5-small, "
        "about 100 languages), a folder or hub id",
    )
    qdrant: str = Field(
        "embedded",
        description="`embedded`: Qdrant's engine in this process; or a server's http(s) URL, its "
        "key in QDRANT_API_KEY",
    )

    @field_validator("language", mode="before")
    @classmethod
    def _codes(cls, value: Any) -> Any:
        """Codes in a list or a text; YAML reads Norway's as false."""
        parts = value.split(",") if isinstance(value, str) else value
        listed = parts if isinstance(parts, list) else [parts]
        if not listed:
            raise ValueError("names no language; a code such as `de`, several, or `auto`")
        codes = ["no" if code is False else str(code).strip().lower() for code in listed]
        if unknown := [code for code in codes if code not in NAMES]:
            if codes == ["auto"]:
                return "auto"
            raise ValueError(f"{unknown[0]!r} is none of auto, {', '.join(NAMES)}")
        return ", ".join(dict.fromkeys(codes))

    @property
    def languages(self) -> list[str]:
        """The codes of ``language``; English where it was left to be found."""
        return codes_of(self.language)

    @field_validator("qdrant")
    @classmethod
    def _embedded_or_a_server(cls, value: str) -> str:
        return server_url(value, "QDRANT_API_KEY", "embedded")
