"""What an index costs there: dated list prices, and sums of them."""

import functools
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ragtune.core.errors import RecipeError
from ragtune_cloud.index.stock import FLOAT, Measures
from ragtune_cloud.target import Price

HOURS_A_MONTH = 730


@functools.cache
def load() -> dict[str, Any]:
    """The content of ``prices.json``; each part says beside it where it is from."""
    path = Path(__file__).parent / "prices.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True)
class Embedder:
    """An embedder of Bedrock: numbers a vector, tokens that it reads, US dollars a 1,000 tokens."""

    id: str
    dimension: int
    max_tokens: int
    usd_per_thousand_tokens: float


def embedder(name: str) -> Embedder:
    """The embedder of that Bedrock id, with its own default dimension.

    Raises RecipeError for one that is not in ``prices.json``.
    """
    known = load()["embedders"]
    if name not in known:
        raise RecipeError(f"--embedder {name}: allowed: {', '.join(known)}")
    found = known[name]
    return Embedder(
        name, found["dimensions"][0], found["max_tokens"], found["usd_per_thousand_tokens"]
    )


@dataclass(frozen=True)
class IndexCost(Price):
    """US dollars: once for moving it there, a month for keeping it, a million searches.

    ``usd_likely`` is moving it there and one month; ``usd_ceiling`` is None, as nothing stops it.
    """

    usd_once: float | None = None
    usd_per_month: float | None = None
    usd_per_million_searches: float | None = None

    @property
    def usd_per_hour(self) -> float | None:
        """What keeping it costs an hour."""
        return None if self.usd_per_month is None else self.usd_per_month / HOURS_A_MONTH

    def to_json(self) -> dict[str, Any]:
        """The fields."""
        return asdict(self)


def gigabytes(measures: Measures, dimension: int) -> float:
    """What vectors of that dimension take with their keys and metadata, in GB of 10^9 bytes."""
    return (measures.chunks * FLOAT * dimension + measures.bytes) / 1e9


def s3_vectors(measures: Measures, dimension: int, queries: int = 1) -> IndexCost:
    """Vectors in S3 Vectors, searched with so many queries a question."""
    price, size = load()["s3_vectors"], gigabytes(measures, dimension)
    return _cost(
        once=size * price["put_usd_per_gb"],
        month=size * price["storage_usd_per_gb_month"],
        searches=queries * price["usd_per_million_queries"],
    )


def knowledge_base(measures: Measures, model: Embedder, objects: int, questions: int) -> IndexCost:
    """A Knowledge Base over S3 Vectors: embedding, objects in S3, vectors, searches.

    ``questions`` is the mean length of a question in characters. Tokens are estimated from
    characters.
    """
    prices = load()
    thousand = 1000 * prices["characters_per_token"]
    vectors = s3_vectors(measures, model.dimension)
    embedding = measures.characters / thousand * model.usd_per_thousand_tokens
    puts = objects / 1000 * prices["s3"]["usd_per_thousand_puts"]
    stored = measures.bytes / 1e9 * prices["s3"]["storage_usd_per_gb_month"]
    asked = 1e6 * questions / thousand * model.usd_per_thousand_tokens
    return _cost(
        once=(vectors.usd_once or 0) + embedding + puts,
        month=(vectors.usd_per_month or 0) + stored,
        searches=(vectors.usd_per_million_searches or 0) + asked,
    )


def _cost(once: float, month: float, searches: float) -> IndexCost:
    return IndexCost(
        usd_likely=round(once + month, 9),
        usd_ceiling=None,
        usd_once=round(once, 9),
        usd_per_month=round(month, 9),
        usd_per_million_searches=round(searches, 4),
    )
