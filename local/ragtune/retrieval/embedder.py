"""Texts → vectors, by a sentence-transformers model behind llama-index's interface."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.models.hardware import Hardware
from ragtune.models.load import quiet_libraries


class Embedder:
    """An embedder on the device; vectors have unit length, so cosine is the dot product."""

    def __init__(self, folder: Path, hardware: Hardware) -> None:
        quiet_libraries()
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        self.llama_index = HuggingFaceEmbedding(
            model_name=str(folder), device=hardware.device, embed_batch_size=64
        )
        self._model: Any = self.llama_index._model
        self._hardware = hardware

    @property
    def dimension(self) -> int:
        """Numbers a vector."""
        return int(self._model.get_embedding_dimension())

    def tokens(self, text: str) -> list[int]:
        """The text in the embedder's own tokens, special ones left out."""
        return list(
            self._model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        )

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a text, in bf16 autocast where the processor computes it."""
        import torch

        half = self._hardware.train_dtype == "bfloat16"
        with (
            torch.autocast(self._hardware.device, torch.bfloat16)
            if half
            else contextlib.nullcontext()
        ):
            vectors = self._model.encode(
                list(texts), batch_size=64, normalize_embeddings=True, show_progress_bar=False
            )
        rows: list[list[float]] = vectors.tolist()
        return rows
