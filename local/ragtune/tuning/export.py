"""Base + adapter → one 16-bit Hugging Face folder, and how far it drifted from the two apart.

The merge is done in fp32 and rounded once. What was written is read back with plain transformers
before it counts, and compared with base and adapter on the held-out rows.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from ragtune.core.errors import ModelError, RunError
from ragtune.models.adapter import check_adapter
from ragtune.models.families.base import ModelFamily
from ragtune.models.folder import check_weights, family_at
from ragtune.models.load import FROM_FOLDER, quiet_libraries

BOUND = 0.05
"""Nats: the most that a next token's log-probability may change on average."""
NOTE = "ragtune.json"


@dataclass(frozen=True)
class Drift:
    """How the merged 16-bit model differs from base and adapter in fp32.

    ``mean_nats`` and ``max_nats`` are absolute differences of the actual next token's
    log-probability, ``max_logit`` is the largest difference of any logit, ``same_choice`` the share
    of positions with the same most likely token.
    """

    mean_nats: float
    max_nats: float
    max_logit: float
    same_choice: float
    tokens: int

    def __str__(self) -> str:
        return (
            f"drift over {self.tokens} tokens: {self.mean_nats:.4f} nats a token on average, "
            f"{self.max_nats:.4f} at most; logits {self.max_logit:.3f} at most; same choice "
            f"{self.same_choice:.1%}"
        )


def export(
    base: Path,
    adapter: Path,
    folder: Path,
    *,
    dtype: str,
    template_hash: str,
    tokenizer: Any,
    rows: Sequence[list[int]],
) -> Drift:
    """Write the merged model and its tokenizer to ``folder``; ``rows`` of token ids measure it.

    Needs memory for the model in fp32, once and a half.

    Raises ModelError where no family knows the base, the adapter does not belong, and where the
    drift is over ``BOUND``: nothing is left then. RunError where the folder holds something else.
    """
    from peft import PeftModel

    quiet_libraries()
    check_adapter(adapter, template_hash)
    ours = (folder / NOTE).exists() and not (folder / "adapter_config.json").exists()
    if folder.exists() and not ours and any(folder.iterdir()):
        raise RunError(f"{folder}: holds something else; name an empty folder with --to")
    family = family_at(base)
    check_weights(base)
    model = PeftModel.from_pretrained(_load(base, family), str(adapter)).eval()
    expected = [_logits(model, row) for row in rows]
    merged = model.merge_and_unload().to(getattr(torch, dtype))
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        merged.save_pretrained(fresh)
        del model, merged
        tokenizer.save_pretrained(fresh)
        drift = _drift(_load(fresh, family), rows, expected)
        if not drift.mean_nats <= BOUND:  # also where it is not a number
            raise ModelError(
                f"{folder}: not written: {drift}, over {BOUND} on average; take another --dtype"
            )
        note = {"template_hash": template_hash, "dtype": dtype, "drift": asdict(drift)}
        (fresh / NOTE).write_text(json.dumps(note, indent=1), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.replace(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return drift


def _load(folder: Path, family: ModelFamily) -> Any:
    return family.load(folder, dtype=torch.float32, **FROM_FOLDER).eval()


@torch.inference_mode()
def _logits(model: Any, row: list[int]) -> torch.Tensor:
    logits: torch.Tensor = model(torch.tensor([row])).logits[0, :-1]
    return logits


def _drift(model: Any, rows: Sequence[list[int]], expected: Sequence[torch.Tensor]) -> Drift:
    nats, largest, same = [], 0.0, 0
    for row, before in zip(rows, expected, strict=True):
        after = _logits(model, row)
        targets = torch.tensor(row[1:])[:, None]
        change = after.log_softmax(-1).gather(1, targets) - before.log_softmax(-1).gather(
            1, targets
        )
        nats.append(change[:, 0].abs())
        largest = max(largest, float((after - before).abs().max()))
        same += int((after.argmax(-1) == before.argmax(-1)).sum())
    everything = torch.cat(nats)
    return Drift(
        mean_nats=float(everything.mean()),
        max_nats=float(everything.max()),
        max_logit=largest,
        same_choice=same / len(everything),
        tokens=len(everything),
    )
