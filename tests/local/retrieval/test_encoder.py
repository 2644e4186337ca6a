"""A text's vector is its own: whatever else is embedded, and in whichever order."""

import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from ragtune.core import bundled
from ragtune.models.hardware import Hardware, probe
from ragtune.recipe.rag import Rag
from ragtune.retrieval import index
from ragtune.retrieval.embedder import Embedder
from ragtune.retrieval.encoder import BatchEncoder, DirectEncoder, encoder
from ragtune.sources import documents
from ragtune.sources.readers import Document
from tests.local.retrieval import killing

SAID = "the harbour opens at six and a ferry called Petrel waits in fog for its bell"
WORDS = SAID.split()
TEXTS = [" ".join(WORDS[n % 7 :] * (1 + n % 3)) for n in range(9)]
KINDS = [TEXTS[1], "  \u6e2f\u53e3\u51e0\u70b9\u5f00\u95e8?  ", "word " * 600]
HALF = Hardware("cpu", "any", 1, "bfloat16", "bfloat16")


def test_a_vector_does_not_depend_on_the_texts_beside_it() -> None:
    embedder = Embedder(bundled.builtin_embedder(), HALF)
    alone = [embedder.embed([text])[0] for text in TEXTS]
    assert embedder.embed(TEXTS) == alone
    assert embedder.embed(TEXTS[::-1]) == alone[::-1]
    assert embedder.embed([]) == []


@pytest.mark.parametrize("kind", ["bfloat16", "float32"])
def test_threads_that_take_texts_each_give_the_vectors_of_one(kind: str) -> None:
    import torch

    before = torch.get_num_threads()
    embedder = Embedder(bundled.builtin_embedder(), Hardware("cpu", "any", 1, kind, kind))
    try:
        torch.set_num_threads(1)
        alone = [embedder.embed([text])[0] for text in TEXTS]
        torch.set_num_threads(3)
        assert embedder.embed(TEXTS) == alone
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert not [t for t in threading.enumerate() if t.name.startswith("rows")]


def test_where_many_are_computed_together_the_batch_has_always_the_same_shape() -> None:
    import torch

    batches = BatchEncoder(bundled.builtin_embedder(), HALF, 256, lower=False, rows=4)
    with torch.autocast("cpu", torch.bfloat16):
        alone = [batches.embed([text])[0] for text in TEXTS]
        assert batches.embed(TEXTS) == alone
        assert batches.embed(TEXTS[::-1]) == alone[::-1]


@pytest.mark.parametrize("kind", ["bfloat16", "float32"])
def test_it_is_the_vector_of_sentence_transformers(kind: str) -> None:
    import numpy as np
    import torch

    hardware = Hardware("cpu", "any", 1, kind, kind)
    embedder = Embedder(bundled.builtin_embedder(), hardware)
    with torch.autocast("cpu", torch.bfloat16, enabled=kind == "bfloat16"):
        theirs = embedder.model.encode(KINDS, batch_size=1, normalize_embeddings=True)
    assert np.allclose(embedder.embed(KINDS), theirs, atol=2e-3 if kind == "bfloat16" else 1e-6)


def test_an_updated_index_is_a_rebuilt_one(tmp_path: Path) -> None:
    before = {f"{n}.md": text for n, text in enumerate(TEXTS)}
    after = before | {"1.md": f"{TEXTS[1]} twice", "9.md": TEXTS[2][::-1]}
    del after["4.md"]
    updated, rebuilt = tmp_path / "updated", tmp_path / "rebuilt"
    embedder: Any = Embedder(bundled.builtin_embedder(), probe())
    rag = Rag(chunk_tokens=32)
    for folder, texts in ((updated, before), (updated, after), (rebuilt, after)):
        corpus = documents.from_documents(Document(name, text) for name, text in texts.items())
        index.update(corpus, rag, embedder, fingerprint="f", folder=folder)
    assert killing.content(updated, 12) == killing.content(rebuilt, 12)


def test_encoders_of_other_kinds_are_read_by_transformers(tmp_path: Path) -> None:
    other = Path(shutil.copytree(bundled.builtin_embedder(), tmp_path / "other"))
    (other / "tokenizer.json").unlink()
    exact = Hardware("cpu", "any", 1, "float32", "float32")
    theirs, ours = encoder(other, exact), encoder(bundled.builtin_embedder(), exact)
    assert (type(theirs), type(ours)) == (BatchEncoder, DirectEncoder)
    assert theirs.tokens(KINDS[2]) == ours.tokens(KINDS[2])
    assert theirs.dimension == ours.dimension
    for one, two in zip(theirs.embed(KINDS), ours.embed(KINDS), strict=True):
        assert one == pytest.approx(two, abs=1e-5)
