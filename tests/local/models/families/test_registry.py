from importlib.metadata import EntryPoint

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


def test_an_unknown_type_is_named_with_those_known_and_what_to_do() -> None:
    register(Other())
    with pytest.raises(ModelError) as caught:
        family_of({"model_type": "gpt2"})
    assert str(caught.value) == (
        "a model of type gpt2; known types: llama, other; name another in model.local, or install "
        "a package with its family (ragtune.families)"
    )
    with pytest.raises(ModelError, match="a model of type unknown"):
        family_of({})


def test_a_family_that_is_registered_comes_before_those_that_are_here() -> None:
    class Mine(Llama):
        segments = False

    assert family_of({"model_type": "llama"}).segments
    register(Mine())
    assert isinstance(family_of({"model_type": "llama"}), Mine)
    assert [f.name for f in families()] == ["llama"]


def test_a_package_brings_a_family_by_an_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = EntryPoint("other", f"{__name__}:Other", registry.GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: Other)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    registry._installed.cache_clear()
    try:
        assert family_of({"model_type": "other"}).name == "other"
    finally:
        registry._installed.cache_clear()
