"""Texts → vectors, by a sentence-transformers model."""

import contextlib
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ragtune.models.hardware import Hardware
from ragtune.models.load import quiet_libraries
from ragtune.retrieval.single import SingleEncoder, is_plain

BATCH = 64
"""Texts that are embedded together."""


class Embedder:
    """An embedder on the device; vectors have unit length, so cosine is the dot product."""

    def __init__(self, folder: Path, hardware: Hardware) -> None:
        self._folder, self._hardware = folder, hardware

    @functools.cached_property
    def model(self) -> Any:
        """The sentence-transformers model."""
        quiet_libraries()
        from sentence_transformers import SentenceTransformer

        # The prompts are those of llama-index's wrapper, so that both give the same vectors.
        return SentenceTransformer(
            str(self._folder), device=self._hardware.device, prompts={"query": "", "text": ""}
        )

    @functools.cached_property
    def _single(self) -> SingleEncoder | None:
        """What embeds one text where sentence-transformers is not loaded yet."""
        if "model" in vars(self) or not is_plain(self._folder):
            return None
        quiet_libraries()
        return SingleEncoder(self._folder, self._hardware)

    @functools.cached_property
    def llama_index(self) -> Any:
        """The same model as llama-index's embedding class, loaded once more, in fp32."""
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        return HuggingFaceEmbedding(
            model_name=str(self._folder), device=self._hardware.device, embed_batch_size=BATCH
        )

    @property
    def dimension(self) -> int:
        """Numbers a vector."""
        return int(self.model.get_embedding_dimension())

    def tokens(self, text: str) -> list[int]:
        """The text in the embedder's own tokens, special ones left out."""
        return list(
            self.model.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
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
            if len(texts) == 1 and self._single is not None:
                return [self._single.embed(texts[0])]
            vectors = self.model.encode(
                list(texts), batch_size=BATCH, normalize_embeddings=True, show_progress_bar=False
            )
        rows: list[list[float]] = vectors.tolist()
        return rows
