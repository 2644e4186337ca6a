"""Documents → chunks: llama-index nodes with an id, a place, and the text that is embedded."""

import contextlib
import io
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ragtune.retrieval.embedder import Embedder
from ragtune.retrieval.section import Chunking
from ragtune.retrieval.sentences import sentences
from ragtune.sources.readers import Document

NAMESPACE = uuid.UUID("6f1c5a52-3d0e-5b63-9a55-9d0c6f0c2f11")
"""Of the point ids: uuid5 of the document's name and the chunk's number in it."""
SPECIAL = 2
"""Tokens that the embedder puts around a text."""


class Chunker:
    """Splits documents into llama-index nodes of at most ``chunk_tokens`` of the embedder's tokens.

    Sentences stay whole where they fit, and no chunk spans two pages. The title is embedded with
    each chunk, and counted; a long one is cut to half a chunk.
    """

    def __init__(self, rag: Chunking, embedder: Embedder) -> None:
        from llama_index.core.node_parser import SentenceSplitter

        self._tokens, self._title = embedder.tokens, rag.chunk_tokens // 2
        self._splitter = SentenceSplitter(
            chunk_size=rag.chunk_tokens - SPECIAL,
            chunk_overlap=int(rag.chunk_overlap * rag.chunk_tokens),
            tokenizer=embedder.tokens,
            chunking_tokenizer_fn=sentences(),
            include_prev_next_rel=False,
        )

    def split(self, documents: Sequence[Document]) -> list[Any]:
        """The chunks of documents in order; all documents of one name have to be given together."""
        numbers: dict[str, int] = {}
        nodes: list[Any] = []
        for document in documents:
            for node in self._nodes(document):
                number = numbers.get(document.name, 0)
                numbers[document.name] = number + 1
                node.id_ = str(uuid.uuid5(NAMESPACE, f"{document.name}\0{number}"))
                start = node.start_char_idx or 0
                end = node.end_char_idx or len(document.text)
                node.metadata["locator"] = document.locator_at(start, end)
                nodes.append(node)
        return nodes

    def _nodes(self, document: Document) -> list[Any]:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints advice on short chunks
            source = _source(replace(document, title=self._shortened(document.title)))
            return list(self._splitter.get_nodes_from_documents([source]))

    def _shortened(self, title: str) -> str:
        while len(title) > self._title and (count := len(self._tokens(title))) > self._title:
            title = title[: len(title) * self._title // count].rstrip()
        return title


def _source(document: Document) -> Any:
    """The document as llama-index's; all of a file's have the file's name as their id."""
    from llama_index.core.schema import Document as LlamaDocument

    shown = {"title"} if document.title else set()
    metadata = {
        "document": document.name,
        "locator": document.locator,
        "title": document.title,
        "kind": document.name.rpartition(".")[2].lower() if "." in document.name else "",
        **({} if document.page is None else {"page": document.page}),
    }
    return LlamaDocument(
        text=document.text,
        id_=document.name,
        metadata=metadata,
        excluded_embed_metadata_keys=[key for key in metadata if key not in shown],
        excluded_llm_metadata_keys=list(metadata),
        metadata_template="{value}",
    )
