"""The words of a text as a sparse vector, the same in every store and in attribution."""

from typing import Any

import qdrant_edge as qdrant


def bm25() -> Any:
    """The BM25 encoder of every store: English stems and stop words, 64 words a text."""
    return qdrant.Bm25(qdrant.Bm25Config(language="english", avg_len=64))
