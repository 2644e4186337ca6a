from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ragtune.models.families.llama import Llama
from ragtune.models.hardware import Hardware
from ragtune.models.load import load_base
from ragtune.recipe import file as recipe_file
from ragtune.tuning import lora, memory
from ragtune.tuning.batches import collate
from ragtune.tuning.samples import Sample


@pytest.mark.parametrize(
    ("available", "micro_batch", "checkpointing"),
    [(1000, 4, False), (499, 2, False), (249, 1, False), (124, 1, True)],
)
def test_the_micro_batch_is_halved_until_a_step_takes_four_fifths_of_what_is_free(
    available: int, micro_batch: int, checkpointing: bool
) -> None:
    found = memory.fit(100, 4, available)
    assert (found.micro_batch, found.checkpointing) == (micro_batch, checkpointing)


def test_what_a_step_keeps_is_measured_and_less_with_checkpointing(
    project: Callable[..., Path], tiny_llama: Path
) -> None:
    hardware = Hardware("cpu", "test", 1, "float32", "float32")
    base = load_base(tiny_llama, hardware, training=True)
    family = Llama()
    model = lora.with_lora(base, recipe_file.load(project()).tune, family)
    batches = [collate([Sample([5] * n, [5] * n)]) for n in (100, 400)]
    short, long = (memory.measured(model, batch, family) for batch in batches)
    assert 3.5 * short < long < 4.5 * short
    hidden_state = 400 * 32 * 4
    assert long > 10 * hidden_state
    model.get_base_model().activation_checkpointing_enable({"use_reentrant": False})
    assert memory.measured(model, batches[1], family) < long / 2


def test_running_out_of_memory_is_told_from_other_errors() -> None:
    assert memory.is_exhausted(torch.OutOfMemoryError("CUDA out of memory"))
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert memory.is_exhausted(caught.value)
    with pytest.raises(RuntimeError) as caught:
        torch.zeros(2) @ torch.zeros(3)
    assert not memory.is_exhausted(caught.value)
