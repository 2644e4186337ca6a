import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ragtune.core.errors import ModelError
from ragtune.models.adapter import check_adapter
from ragtune.models.find import context_length, model_folder
from ragtune.models.folder import check_weights
from ragtune.models.hardware import Hardware
from ragtune.models.load import load_base
from ragtune.recipe.model import Model

HARDWARE = Hardware("cpu", "test", 1, "float32", "float32")


@pytest.fixture
def copy(tiny_llama: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_llama, tmp_path / "copy")


def test_a_folder_is_found_beside_the_recipe(copy: Path) -> None:
    assert model_folder(Model(local="copy"), copy.parent) == copy
    assert context_length(copy) == 768


def test_pickled_weights_are_refused_with_what_converts_them(copy: Path) -> None:
    tensors = load_file(copy / "model.safetensors")
    torch.save(tensors, copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    for look in (
        lambda: model_folder(Model(local=str(copy)), Path()),
        lambda: load_base(copy, HARDWARE),
    ):
        with pytest.raises(ModelError, match=r"pytorch_model.bin: pickled weights can run code"):
            look()
    with pytest.raises(ModelError) as caught:
        load_base(copy, HARDWARE)
    command = str(caught.value).split('python -c "')[1].removesuffix('"')
    exec(command)
    assert load_base(copy, HARDWARE) is not None


def test_no_code_of_the_folder_is_run(copy: Path, tmp_path: Path) -> None:
    config = json.loads((copy / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "mine.Mine"}
    (copy / "config.json").write_text(json.dumps(config))
    mark = tmp_path / "mark"
    (copy / "mine.py").write_text(f"open({str(mark)!r}, 'w')\nclass Mine: ...\n")
    load_base(copy, HARDWARE)
    assert not mark.exists()


def test_weights_that_are_not_whole_are_refused_and_not_made_up(copy: Path) -> None:
    tensors = load_file(copy / "model.safetensors")
    for name in [n for n in tensors if "layers.1" in n]:
        del tensors[name]
    save_file(tensors, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"the weights lack model\.layers\.1\..* and 8 other"):
        load_base(copy, HARDWARE)


def test_a_part_of_the_weights_that_is_missing_is_named(copy: Path) -> None:
    whole: Any = load_base(copy, HARDWARE)
    size = (copy / "model.safetensors").stat().st_size
    (copy / "model.safetensors").unlink()
    whole.save_pretrained(copy, max_shard_size=size // 3)
    check_weights(copy)
    load_base(copy, HARDWARE)
    _, second, *_ = sorted(copy.glob("model-*.safetensors"))
    second.unlink()
    with pytest.raises(ModelError, match=f"{second.name} of the weights missing; fetch the whole"):
        check_weights(copy)
    (copy / "model.safetensors.index.json").write_text("[]")
    with pytest.raises(ModelError, match=r"index\.json: cannot be read"):
        check_weights(copy)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no model there: config.json is missing"),
        ("{", "config.json: cannot be read"),
        ("[]", "config.json: cannot be read: not a JSON object"),
        (
            '{"model_type": "t5", "is_encoder_decoder": true}',
            "copy: a model of type t5, an enc",
        ),
    ],
)
def test_a_folder_without_a_usable_configuration_is_named(
    copy: Path, content: str | None, message: str
) -> None:
    (copy / "config.json").unlink()
    if content is not None:
        (copy / "config.json").write_text(content)
    for look in (
        lambda: model_folder(Model(local=str(copy)), Path()),
        lambda: load_base(copy, HARDWARE),
    ):
        with pytest.raises(ModelError, match=message):
            look()


def test_an_adapter_without_safetensors_is_missing(tmp_path: Path) -> None:
    (tmp_path / "ragtune.json").write_text(json.dumps({"template_hash": "0" * 64}))
    torch.save({}, tmp_path / "adapter_model.bin")
    with pytest.raises(ModelError, match=r"adapter_model\.safetensors is missing; tune again"):
        check_adapter(tmp_path, "0" * 64)
