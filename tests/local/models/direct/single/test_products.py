"""Products of whole numbers are exact, whichever instructions there are."""

from typing import Any

import numpy as np
import pytest
from numba import njit

from ragtune.models.direct.single import products
from ragtune.models.direct.single.arrays import BLOCK, GROUP
from ragtune.models.direct.single.products import FEATURE, MULTIPLY_ADD, multiply

HERE = [*MULTIPLY_ADD][[*MULTIPLY_ADD].index(FEATURE) :] if FEATURE else []


@pytest.mark.parametrize("feature", [*HERE, ""])
def test_a_block_is_the_exact_sum(feature: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "FEATURE", feature)

    def product(places: tuple[int, ...]) -> None:
        numbers, scales, first, inputs, steps, out = places
        multiply(2, numbers, scales, first, 0, inputs, steps, 3, out, BLOCK)

    make = np.random.default_rng(0)
    numbers = make.integers(-127, 128, (3, GROUP // 2, BLOCK, 2), np.int8)
    inputs = make.integers(-32767, 32768, (2, 3, GROUP), np.int16)
    numbers[0], inputs[0, 0] = 127, 32767  # the largest sum there is
    scales = np.full((3, BLOCK), 0x3F80, np.uint16)  # 1.0
    steps = np.array([[1, 2, 4], [8, 16, 32]], np.float32)
    first, found = np.arange(BLOCK, dtype=np.float32), np.zeros((2, BLOCK), np.float32)
    arrays: list[Any] = [numbers, scales, first, inputs, steps, found]
    njit(product)(tuple(array.ctypes.data for array in arrays))
    weights = numbers.transpose(2, 0, 1, 3).reshape(BLOCK, 3, GROUP).astype(np.int64)
    sums = np.einsum("ogi,tgi->tog", weights, inputs.astype(np.int64))
    expected = first + (sums * steps[:, None].astype(np.int64)).sum(-1)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=4.0)
