"""One text's vector is the same without sentence-transformers as with it."""

import shutil
from pathlib import Path

import pytest
import torch

from ragtune.core.bundled import BUILTIN
from ragtune.models.find import embedder_folder
from ragtune.models.hardware import Hardware
from ragtune.retrieval.embedder import Embedder
from ragtune.retrieval.single import SingleEncoder, _by_transformers

CPU = Hardware("cpu", "cpu", 1, "float32", "float32")
TEXTS = ["When does the harbour office open?", "  港口几点开门?  ", "word " * 600]


@pytest.fixture(scope="module")
def folder() -> Path:
    return embedder_folder(BUILTIN, Path())


def test_it_is_that_of_sentence_transformers(folder: Path) -> None:
    single, whole = SingleEncoder(folder, CPU), Embedder(folder, CPU)
    _ = whole.model  # from here on it embeds single texts too
    for text in TEXTS:
        (expected,) = whole.embed([text])
        assert single.embed(text) == pytest.approx(expected, abs=1e-5)


def test_encoders_of_other_kinds_are_read_by_transformers(folder: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    (other / "tokenizer.json").unlink()
    text = TEXTS[0]
    assert SingleEncoder(other, CPU).embed(text) == pytest.approx(
        SingleEncoder(folder, CPU).embed(text), abs=1e-5
    )
    with torch.inference_mode():
        assert _by_transformers(folder, CPU, 8)(TEXTS[2]).shape == (8, 384)
