"""A model of a folder, with an adapter or without, opened by the engine that suits it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ragtune.models.adapter import check_adapter, load_tuned
from ragtune.models.direct.shape import Shape
from ragtune.models.engines.local import LocalEngine, named_ends
from ragtune.models.folder import check_weights, family_at, read_config
from ragtune.models.hardware import Hardware
from ragtune.models.load import load_base

if TYPE_CHECKING:
    from ragtune.models.direct.decoder import Decoder


def open_engine(
    folder: Path,
    tokenizer: Any,
    hardware: Hardware,
    fingerprint: Callable[[], str],
    adapter: tuple[Path, str] | None = None,
) -> LocalEngine:
    """The model of a folder, ready to answer; ``adapter``: its folder, and its template's hash.

    Raises ModelError for a model that cannot be loaded, and for an adapter that is missing or was
    tuned with another template.
    """
    if adapter is not None:
        check_adapter(*adapter)
    decoder = _decoder(folder, hardware, adapter and adapter[0])
    if decoder is not None:
        from ragtune.models.engines.direct import DirectEngine

        stops = ends(folder, tokenizer)
        return DirectEngine(decoder, tokenizer, stops, fingerprint, int8=hardware.int8)
    from ragtune.models.engines.torch import TorchEngine

    model = (
        load_base(folder, hardware) if adapter is None else load_tuned(folder, *adapter, hardware)
    )
    return TorchEngine(model, tokenizer, family_at(folder), fingerprint, hardware.packs)


def direct_shape(folder: Path, hardware: Hardware) -> Shape | None:
    """The shape of a model that is computed directly; None where transformers computes it."""
    if hardware.device != "cpu" or not family_at(folder).direct:
        return None
    return Shape.of(read_config(folder))


def _decoder(folder: Path, hardware: Hardware, adapter: Path | None) -> "Decoder | None":
    """The model computed directly; None where it, its adapter or the machine asks for more."""
    shape = direct_shape(folder, hardware)
    if shape is None:
        return None
    import torch

    from ragtune.models.direct.decoder import Decoder
    from ragtune.models.direct.weights import add_adapter, read

    check_weights(folder)
    tensors = read(folder, shape, getattr(torch, hardware.load_dtype))
    if not tensors or (adapter is not None and not add_adapter(tensors, adapter)):
        return None
    return Decoder(shape, tensors, hardware.packs)


def ends(folder: Path, tokenizer: Any) -> frozenset[int]:
    """The tokens that end an answer: tokenizer's, configuration's and generation's."""
    path = folder / "generation_config.json"
    generation = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return named_ends(
        tokenizer.eos_token_id,
        read_config(folder).get("eos_token_id"),
        generation.get("eos_token_id"),
    )
