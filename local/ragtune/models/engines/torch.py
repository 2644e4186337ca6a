"""A transformers model that PyTorch runs in this process."""

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any

import torch

from ragtune.models.engines.alone import decode_alone
from ragtune.models.engines.decoding import decode
from ragtune.models.engines.groups import Group
from ragtune.models.engines.local import LocalEngine, named_ends
from ragtune.models.engines.masked import MaskedReader
from ragtune.models.engines.packed import pack
from ragtune.models.families.base import ModelFamily
from ragtune.prompts.base import IGNORED, Row


class TorchEngine(LocalEngine):
    """A transformers model in evaluation mode, of any family."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        family: ModelFamily,
        fingerprint: str | Callable[[], str],
        packs: bool = True,
    ) -> None:
        """Bind a model; of a known family it is packed, and can answer and no more afterwards."""
        super().__init__(tokenizer, fingerprint)
        self.together = family.together
        if packs and family.together:  # of other kinds nobody knows what they do with their weights
            pack(model)
        self.model, self.family = model, family

    @property
    def context_length(self) -> int:
        """Positions that the model was made for."""
        return int(getattr(self.model.config, "max_position_embeddings", 2048))

    @property
    def ends(self) -> frozenset[int]:
        """Those of the tokenizer, the configuration and the generation's configuration."""
        generation = getattr(self.model, "generation_config", None)
        return named_ends(
            self.tokenizer.eos_token_id,
            self.model.config.eos_token_id,
            getattr(generation, "eos_token_id", None),
        )

    def decode(
        self,
        prompts: Sequence[list[int]],
        groups: list[Group],
        limit: int,
        ends: AbstractSet[int],
    ) -> Iterator[list[list[int]]]:
        """What every row has written, after each step."""
        if self.family.together:
            reader = partial(MaskedReader, self.model)
            return decode(reader, prompts, groups, limit=limit, ends=ends)
        ((place,),) = (group.places for group in groups)
        return decode_alone(self.model, prompts[place], limit=limit, ends=ends)

    @torch.inference_mode()
    def batch_loss(self, rows: Sequence[Row]) -> tuple[float, int]:
        """The summed loss over the rows' supervised tokens, and how many there are."""
        padded = collate(rows, self.tokenizer.pad_token_id)
        batch = {name: tensor.to(self.model.device) for name, tensor in padded.items()}
        targets = batch.pop("labels")[:, 1:]
        chosen = targets != IGNORED
        hidden = self.family.backbone(self.model)(**batch).last_hidden_state[:, :-1]
        logits = self.family.logits(self.model, hidden[chosen]).float()
        loss = torch.nn.functional.cross_entropy(logits, targets[chosen], reduction="sum")
        return float(loss), int(chosen.sum())


def collate(batch: Sequence[Row], pad: int) -> dict[str, torch.Tensor]:
    """Stack rows, padded on the right; a mask is given only where something was padded."""
    width = max(len(row.ids) for row in batch)
    gaps = [width - len(row.ids) for row in batch]
    both = list(zip(batch, gaps, strict=True))
    tensors = {
        "input_ids": torch.tensor([row.ids + [pad] * gap for row, gap in both]),
        "labels": torch.tensor([row.labels + [IGNORED] * gap for row, gap in both]),
    }
    if any(gaps):
        mask = [[1] * len(row.ids) + [0] * gap for row, gap in both]
        tensors["attention_mask"] = torch.tensor(mask)
    return tensors
