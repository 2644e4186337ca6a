from importlib.metadata import EntryPoint
from typing import Any

import pytest

from ragtune.core.errors import ModelError
from ragtune.models.families import registry
from ragtune.models.families.base import Decoder
from ragtune.models.families.llama import Llama
from ragtune.models.families.registry import families, family_of, register


class Other(Decoder):
    name = "other"


@pytest.fixture(autouse=True)
def unchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_families", [*registry._families])


ALLOWED = "; allowed: causal language models that transformers has, for text alone"


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"model_type": "t5", "is_encoder_decoder": True}, "type t5, an encoder with a decoder"),
        ({"model_type": "qwen2_vl", "vision_config": {}}, "type qwen2_vl, which reads more than"),
        ({"model_type": "gemma3", "vision_config": {"a": 1}}, "gemma3, which reads more than text"),
        ({"model_type": "bart"}, "type bart, an encoder with a decoder"),
        ({"model_type": "moshi"}, "type moshi, which reads more than text"),
        ({"model_type": "bert"}, "a model of type bert, which reads a text both ways"),
        ({"model_type": "mine", "auto_map": {}}, "mine, which is no causal language model of"),
        ({"model_type": "mine", "auto_map": {"A": "b"}}, "mine, whose code is in its folder and"),
        ({"model_type": "vit"}, "vit, which is no causal language model of transformers"),
        ({}, "a configuration without model_type"),
    ],
)
def test_what_is_no_causal_language_model_is_refused_with_what_is_allowed(
    config: dict[str, Any], why: str
) -> None:
    with pytest.raises(ModelError) as caught:
        family_of(config)
    assert why in str(caught.value)
    assert str(caught.value).endswith(ALLOWED)
    assert "\n" not in str(caught.value)


def test_a_causal_model_that_no_family_knows_has_one_made_for_it() -> None:
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "intermediate_size": 64}
    family = family_of({"model_type": "gpt_neox", "num_attention_heads": 2, **sizes})
    assert (family.name, family.segments, family.together) == ("gpt_neox", False, False)
    assert family.targets == ("query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h")


def test_a_family_that_is_registered_comes_before_those_that_are_here() -> None:
    class Mine(Llama):
        segments = False

    assert family_of({"model_type": "llama"}).segments
    register(Mine())
    assert isinstance(family_of({"model_type": "llama"}), Mine)
    names = [f.name for f in families()]
    assert names[0] == "llama"
    assert len(names) == len({*names})


def test_a_package_brings_a_family_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("other", f"{__name__}:Other", registry.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: Other)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    registry._installed.cache_clear()
    try:
        assert family_of({"model_type": "other"}).name == "other"
    finally:
        registry._installed.cache_clear()
