"""Training passes of a ``Decoder``, its rows dealt out to threads."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ragtune.models.crew import Crew
from ragtune.models.direct.shape import Shape
from ragtune.models.families.base import ModelFamily
from ragtune.models.hardware import Hardware
from ragtune.models.products import measured
from ragtune.recipe.tune import PROJECTIONS, Tune
from ragtune.tuning.batches import micro_batches
from ragtune.tuning.direct.decoder import Decoder, Gradients
from ragtune.tuning.direct.tree import Row, rows_of
from ragtune.tuning.lora import MasterWeights
from ragtune.tuning.samples import Sample

SHARE = 1 / 16
"""Of the machine's memory: larger weights are there once, as they were loaded."""


def knows(
    config: Mapping[str, Any], spec: Tune, family: ModelFamily, hardware: Hardware, quantized: bool
) -> bool:
    """Whether a model is one that is computed here, as plain LoRA in fp32 or bf16 on a CPU."""
    return (
        hardware.device == "cpu"
        and family.direct
        and family.segments
        and not quantized
        and not spec.local.dora
        and {*spec.target_modules.split(",")} <= {*PROJECTIONS}
        and Shape.of(config) is not None
    )


class DirectPasses:
    """``model`` is one that ``lora.with_lora`` made and that ``knows``; its weights move here."""

    def __init__(
        self, model: Any, weights: MasterWeights, family: ModelFamily, config: Mapping[str, Any]
    ) -> None:
        base, shape = model.get_base_model(), Shape.of(config)
        head = family.head(base)
        assert shape is not None
        assert head is not None
        self.weights, self.crew = weights, Crew()
        self.decoder = Decoder(base, head, shape, _packs(base))
        places = {id(parameter): place for place, parameter in enumerate(self.decoder.trained)}
        self._order = [places[id(parameter)] for parameter in weights.trained]
        self._room: list[tuple[Gradients, list[torch.Tensor]]] = []

    @torch.inference_mode()
    def gradients(self, samples: Sequence[Sample], tokens: int, seed: int) -> float:
        """Each thread's are added in turn."""
        shares = self.crew.shares(rows_of(samples), lambda row: len(row.ids))
        while len(self._room) < len(shares):
            self._room.append(self._made())

        def one(number: int, rows: Sequence[Row]) -> float:
            with torch.inference_mode():
                mine = self._room[number][0]
                return self.decoder.propagate(rows, tokens, seed * 1_009 + number, mine)

        total = sum(self.crew.each(one, shares))
        for _, views in self._room[: len(shares)]:
            self.weights.add(views)
        return total

    def losses(self, samples: Sequence[Sample], size: int) -> float:
        """Each thread reads ``size`` samples at once."""

        def one(number: int, share: Sequence[Sample]) -> float:
            with torch.inference_mode():
                return sum(self.decoder.loss(rows_of(m)) for m in micro_batches(share, size))

        return sum(self.crew.each(one, self.crew.shares(samples, lambda s: len(s.ids))))

    @torch.inference_mode()
    def kept(self, sample: Sample) -> int:
        """Counted in a forward pass."""
        return self.decoder.kept(rows_of([sample]))

    def recompute(self) -> bool:
        """A layer then keeps its input alone."""
        before, self.decoder.recomputes = self.decoder.recomputes, True
        return not before

    def close(self) -> None:
        """End the threads."""
        self.crew.close()

    def _made(self) -> tuple[Gradients, list[torch.Tensor]]:
        gradients = self.decoder.gradients()
        views = self.decoder.views(gradients)
        return gradients, [views[place] for place in self._order]


def _packs(base: Any) -> bool:
    """Whether weights are put into oneDNN's order, where they are there twice."""
    import psutil

    size = sum(p.numel() * p.element_size() for p in base.parameters())
    fits = size <= SHARE * psutil.virtual_memory().total
    return fits and measured().packs(str(base.dtype).removeprefix("torch."))
