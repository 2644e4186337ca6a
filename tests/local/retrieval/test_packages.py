"""Splitting imports what it needs of llama-index and NLTK, and leaves both whole."""

import json
import subprocess
import sys
from typing import Any

import pytest

SPLIT = """
import json, sys
from ragtune.recipe.rag import Rag
from ragtune.retrieval.chunks import Chunker
from ragtune.retrieval.stores.embedded import EmbeddedStore
from ragtune.sources.readers import Document


class Words:
    def tokens(self, text):
        return text.split()


chunker = Chunker(Rag(chunk_tokens=32), Words())
nodes = chunker.split([Document("a.md", "The mill is red. The barn, built in 1901, is not. " * 9)])
"""
PLACES = """
print(json.dumps([len(nodes), sorted({name.partition(".")[0] for name in sys.modules})]))
"""
WHOLE = """
import llama_index.core
import nltk
from llama_index.core import VectorStoreIndex
from llama_index.core.callbacks import CallbackManager
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.node_parser.text import semantic_splitter
from llama_index.core.schema import TextNode
from nltk.tokenize import PunktSentenceTokenizer

assert type(nodes[0]) is TextNode is llama_index.core.schema.TextNode
assert type(chunker._splitter) is SentenceSplitter
assert llama_index.core.node_parser.text.sentence.SentenceSplitter is SentenceSplitter
assert issubclass(VectorStoreIndex, llama_index.core.indices.base.BaseIndex)
assert nltk.tokenize.punkt.PunktSentenceTokenizer is PunktSentenceTokenizer
print(json.dumps([len(nodes), SentenceSplitter(chunk_size=9, chunk_overlap=0).split_text("A b.")]))
"""


@pytest.fixture(scope="module")
def printed() -> list[list[Any]]:
    """What one process says: of the modules after a split, then of all of llama-index."""
    program = SPLIT + PLACES + WHOLE
    done = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_splitting_a_document_imports_a_part_of_llama_index(printed: list[list[Any]]) -> None:
    count, modules = printed[0]
    assert count > 1
    assert {"llama_index", "nltk"} <= {*modules}
    spared = {"sqlalchemy", "pandas", "aiohttp", "networkx", "banks", "workflows", "scipy", "torch"}
    assert spared.isdisjoint(modules)


def test_all_of_llama_index_can_be_imported_after_that(printed: list[list[Any]]) -> None:
    count, pieces = printed[1]
    assert count > 1
    assert pieces == ["A b."]
