"""Texts → vectors, by a sentence-transformers model."""

import contextlib
import functools
import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragtune.core import system
from ragtune.core.errors import ModelError
from ragtune.models.hardware import Hardware
from ragtune.models.load import quiet_libraries

if TYPE_CHECKING:
    from ragtune.retrieval.encoder import PlainEncoder

BATCH = 64
"""Texts that llama-index embeds together."""
KEPT = 10_000
"""Questions whose vectors are kept: 15 MB of 384 numbers each."""
PASSAGE_PROMPTS = ("passage", "document", "corpus", "text")
"""What sentence-transformers' models call the prompt of what is searched in."""


@dataclass(frozen=True)
class Prompts:
    """What an embedder wants before a question, and before a passage; mostly nothing."""

    query: str = ""
    passage: str = ""


def prompts_of(folder: Path) -> Prompts:
    """The prompts that an embedder's ``config_sentence_transformers.json`` names."""
    try:
        file = folder / "config_sentence_transformers.json"
        found = json.loads(file.read_text(encoding="utf-8")).get("prompts") or {}
        passage = next((found[name] for name in PASSAGE_PROMPTS if found.get(name)), "")
        return Prompts(str(found.get("query") or ""), str(passage))
    except (OSError, ValueError, AttributeError, RecursionError):
        return Prompts()


class Embedder:
    """An embedder on the device; vectors have unit length, so cosine is the dot product."""

    def __init__(self, folder: Path, hardware: Hardware) -> None:
        self._folder, self._hardware = folder, hardware
        self.prompts = prompts_of(folder)
        self._asked: dict[str, array[float]] = {}

    @functools.cached_property
    def model(self) -> Any:
        """The sentence-transformers model."""
        quiet_libraries()
        from sentence_transformers import SentenceTransformer

        # Prompts are written before the texts here, the same in every way that a text can take.
        with self._loading():
            return SentenceTransformer(
                str(self._folder), device=self._hardware.device, prompts={"query": "", "text": ""}
            )

    @functools.cached_property
    def _plain(self) -> "PlainEncoder | None":
        """What embeds where the model is of the plain kind, without sentence-transformers."""
        from ragtune.retrieval.encoder import encoder, is_plain

        with self._loading():
            return encoder(self._folder, self._hardware) if is_plain(self._folder) else None

    @contextlib.contextmanager
    def _loading(self) -> Iterator[None]:
        """While libraries read the folder, which raise what they like where it is broken."""
        try:
            yield
        except ImportError:
            raise
        except Exception as error:
            if system.explain(error) is not None:
                raise
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
            raise ModelError(
                f"rag.embedder: {self._folder}: no usable embedder: {reason}; take a whole copy"
            ) from error

    @functools.cached_property
    def llama_index(self) -> Any:
        """The same model as llama-index's embedding class, loaded once more, in fp32."""
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding

        return HuggingFaceEmbedding(
            model_name=str(self._folder),
            device=self._hardware.device,
            embed_batch_size=BATCH,
            query_instruction=self.prompts.query,
            text_instruction=self.prompts.passage,
        )

    @property
    def dimension(self) -> int:
        """Numbers a vector."""
        return self._plain.dimension if self._plain else int(self.model.get_embedding_dimension())

    def tokens(self, text: str) -> list[int]:
        """The text in the embedder's own tokens, special ones left out."""
        if self._plain is not None:
            return self._plain.tokens(text)
        tokenizer = self.model.tokenizer
        return list(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a passage, in bf16 autocast where the processor computes it.

        A text has the same vector whatever it is embedded with.
        """
        return self._embed(texts, self.prompts.passage)

    def embed_questions(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector a question, always computed: what a search takes is measured.

        Those of up to `KEPT` questions that came with others are kept for ``known``.
        """
        vectors = self._embed(texts, self.prompts.query)
        if 1 < len(texts) <= KEPT - len(self._asked):
            self._asked |= {t: array("f", v) for t, v in zip(texts, vectors, strict=True)}
        return vectors

    def known(self, texts: Sequence[str]) -> list[list[float]]:
        """As ``embed_questions``, but nothing is computed that was before in this process."""
        new = [text for text in dict.fromkeys(texts) if text not in self._asked]
        made = dict(zip(new, self.embed_questions(new), strict=True)) if new else {}
        return [made[text] if text in made else self._asked[text].tolist() for text in texts]

    def _embed(self, texts: Sequence[str], prompt: str) -> list[list[float]]:
        import torch

        texts = [prompt + text for text in texts]
        half = self._hardware.train_dtype == "bfloat16"
        with (
            torch.autocast(self._hardware.device, torch.bfloat16)
            if half
            else contextlib.nullcontext()
        ):
            if self._plain is not None:
                return self._plain.embed(texts)
            vectors = self.model.encode(  # one at a time: see `retrieval.encoder`
                texts, batch_size=1, normalize_embeddings=True, show_progress_bar=False
            )
        rows: list[list[float]] = vectors.tolist()
        return rows
