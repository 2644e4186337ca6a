"""Passages ranked again by a cross-encoder, which reads question and passage together."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ragtune.core.errors import ModelError
from ragtune.models.hardware import Hardware
from ragtune.models.load import quiet_libraries
from ragtune.retrieval.passages import Passage

CANDIDATES = 20
"""Passages that are read again, or as many as are asked for."""


class Reranker:
    """A sentence-transformers cross-encoder from a local folder."""

    def __init__(self, folder: Path, hardware: Hardware) -> None:
        """Load the cross-encoder.

        Raises ModelError where the folder holds none.
        """
        quiet_libraries()
        from sentence_transformers import CrossEncoder

        try:
            self._model: Any = CrossEncoder(
                str(folder), num_labels=1, device=hardware.device, local_files_only=True
            )
        except Exception as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise ModelError(f"rag.rerank: {folder}: no usable cross-encoder: {reason}") from None

    def rank(self, question: str, passages: Sequence[Passage], top_k: int) -> list[Passage]:
        """The best of the passages, best first; their scores are the cross-encoder's."""
        if not passages:
            return []
        scores = self._model.predict([(question, p.text) for p in passages])
        scored = [replace(p, score=float(s)) for p, s in zip(passages, scores, strict=True)]
        return sorted(scored, key=lambda p: (-p.score, p.id))[:top_k]
