"""How fast this processor takes the matrix products of an answer, in each precision and order.

What a processor says of itself does not decide it: of two with bf16 instructions one took fp32
products of 16 rows twice as long in oneDNN's order as in MKL's, the other half as long.
"""

import hashlib
import json
import platform
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch

from ragtune.core.files import write_json
from ragtune.models.engines.packed import packed, product
from ragtune.models.unpacked import cached

PROMPT, ROWS, STEPS = 256, 8, 16
"""An answer's share of a batch: tokens that are read at once, then steps of so many rows each."""
WIDTH, INNER = 576, 1536
"""The sizes of SmolLM2-135M's products; the ratios of larger ones are much the same."""
TRIES = 5
FASTER = 1.2
"""How many times as fast bf16 has to be to be worth its rounding."""


@dataclass(frozen=True)
class Products:
    """Seconds of an answer's products, the least of five; None where they cannot be taken so."""

    float32: float
    bfloat16: float
    float32_packed: float | None = None
    bfloat16_packed: float | None = None

    @property
    def dtype(self) -> str:
        """bfloat16 where it is ``FASTER``, each in its better order; else float32."""
        return "bfloat16" if self.ratio >= FASTER else "float32"

    @property
    def ratio(self) -> float:
        """How many times as fast as fp32 bf16 is."""
        return self._best("float32") / self._best("bfloat16")

    def packs(self, dtype: str) -> bool:
        """Whether weights in oneDNN's order are the faster ones in a precision."""
        other = getattr(self, f"{dtype}_packed")
        return other is not None and other <= getattr(self, dtype)

    def _best(self, dtype: str) -> float:
        found: float = getattr(self, f"{dtype}_packed" if self.packs(dtype) else dtype)
        return found


def measured() -> Products:
    """Those of this machine, taken once in a second, kept in the user's cache if it can be written.

    They are taken again for another processor or version of PyTorch.
    """
    path = cached(f"products-{_machine()}.json")
    try:
        return Products(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        taken = measure()
        _keep(taken, path)
        return taken


def measure() -> Products:
    """Take the products now, by one thread: several wait for each other where others work too."""
    in_order = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    orders = (False, True) if in_order else (False,)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = {
            name + ("_packed" if order else ""): _seconds(getattr(torch, name), order)
            for name in ("float32", "bfloat16")
            for order in orders
        }
    finally:
        torch.set_num_threads(threads)
    return Products(**found)


@torch.inference_mode()
def _seconds(dtype: torch.dtype, order: bool) -> float:
    weight = torch.ones((INNER, WIDTH), dtype=dtype)
    prompt, rows = (torch.ones((n, WIDTH), dtype=dtype) for n in (PROMPT, ROWS))
    ready = packed(weight) if order else weight

    def once() -> float:
        started = time.perf_counter()
        product(prompt, ready, None)
        for _ in range(STEPS):
            product(rows, ready, None)
        return time.perf_counter() - started

    return min(once() for _ in range(TRIES))


def _keep(taken: Products, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, asdict(taken))
    except OSError:  # measured again next time
        return


def _machine() -> str:
    """A name of what the figures depend on."""
    said: dict[str, Any] = {
        "measured": [field.name for field in fields(Products)],
        "processor": torch.cpu.get_capabilities(),
        "node": platform.machine(),
        "torch": torch.__version__,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:12]
