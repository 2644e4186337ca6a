"""Model folders that are broken or made to do harm: refused in one line, none is waited for."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.bundled import builtin_embedder
from ragtune.core.errors import ModelError
from ragtune.models import find
from ragtune.models.adapter import check_adapter
from ragtune.models.folder import family_at, shape
from ragtune.models.hardware import Hardware
from ragtune.models.load import load_base
from ragtune.recipe.model import Model
from ragtune.retrieval.embedder import Embedder

CPU = Hardware("cpu", "CPU", 1, "float32", "float32")
DEEP = "[" * 100_000


@pytest.fixture
def copy(tiny_llama: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_llama, tmp_path / "model")


def changed(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def a_pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def shards(*names: object) -> Callable[[Path], object]:
    index = {"weight_map": {str(number): name for number, name in enumerate(names)}}
    return lambda folder: (folder / "model.safetensors.index.json").write_text(json.dumps(index))


FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "nested configuration": (lambda f: (f / "config.json").write_text(DEEP), "cannot be read"),
    "pipe for it": (lambda f: a_pipe(f / "config.json"), "config.json: is a named pipe"),
    "pipe for words": (lambda f: a_pipe(f / "tokenizer.json"), "tokenizer.json: is a named pipe"),
    "type that is a list": (
        lambda f: changed(f / "config.json", model_type=["llama"]),
        r"model_type: \['llama'\], but it is a name",
    ),
    "weights outside": (shards("../../x.safetensors"), "x.safetensors leads out of the folder"),
    "weights at the root": (shards("/x.safetensors"), "x.safetensors leads out of the folder"),
    "weights with a number for a name": (shards(5), "5 of the weights missing"),
    "nested index": (
        lambda f: (f / "model.safetensors.index.json").write_text(DEEP),
        "index.json: cannot be read",
    ),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder_that_is_no_model_is_refused_before_anything_is_loaded(
    copy: Path, kind: str
) -> None:
    make, reason = FOLDERS[kind]
    make(copy)
    with pytest.raises(ModelError, match=reason):
        find.model_folder(Model(local=str(copy)), copy.parent)


@pytest.mark.parametrize("length", [-5, 0])
def test_a_context_of_no_length_is_refused(copy: Path, length: int) -> None:
    changed(copy / "config.json", max_position_embeddings=length)
    with pytest.raises(ModelError, match=f"max_position_embeddings: {length}, but it is a number"):
        shape(copy)


@pytest.mark.parametrize(
    ("layers", "reason"),
    [(1_000_000, "num_hidden_layers: 1000000, but the weights have"), (0, "has no layer for")],
)
def test_layers_that_the_weights_do_not_have_are_neither_built_nor_left_out(
    copy: Path, layers: int, reason: str
) -> None:
    """A million take minutes; with none the model answered, and nobody said that it was not it."""
    changed(copy / "config.json", num_hidden_layers=layers)
    assert family_at(copy)
    with pytest.raises(ModelError, match=reason):
        load_base(copy, CPU)


@pytest.mark.parametrize("note", ["", DEEP, "[]", "{}"])
def test_an_adapter_whose_note_is_broken_is_to_be_tuned_again(tmp_path: Path, note: str) -> None:
    (tmp_path / "ragtune.json").write_text(note)
    with pytest.raises(ModelError, match=r"ragtune.json: cannot be read: .*; tune again"):
        check_adapter(tmp_path, "0" * 64)


EMBEDDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut weights": (lambda f: (f / "model.safetensors").write_bytes(b"abc"), "no usable embedder"),
    "no words": (lambda f: (f / "tokenizer.json").write_text("{}"), "no usable embedder"),
    "another width": (lambda f: changed(f / "config.json", hidden_size=10), "hidden_size: 10, but"),
    "no layers": (
        lambda f: changed(f / "config.json", num_hidden_layers=0),
        "num_hidden_layers: 0, but",
    ),
    "no heads": (lambda f: changed(f / "config.json", num_attention_heads=0), "do not divide"),
}


@pytest.mark.parametrize("kind", EMBEDDERS)
def test_an_embedder_that_does_not_fit_its_weights_is_refused(tmp_path: Path, kind: str) -> None:
    folder = shutil.copytree(builtin_embedder(), tmp_path / "embedder")
    make, reason = EMBEDDERS[kind]
    make(folder)
    with pytest.raises(ModelError, match=reason):
        Embedder(folder, CPU).embed(["a"])


def test_an_embedders_modules_are_in_its_folder(tmp_path: Path) -> None:
    folder = shutil.copytree(builtin_embedder(), tmp_path / "embedder")
    modules = (folder / "modules.json").read_text()
    (folder / "modules.json").write_text(modules.replace("1_Pooling", "../../elsewhere"))
    with pytest.raises(ModelError, match=r"elsewhere leads out of the folder"):
        find.embedder_folder(str(folder), tmp_path)
