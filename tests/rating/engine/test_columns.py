"""Sums of columns."""

from __future__ import annotations

import numpy as np
import pytest

from chalicelib.rating.engine.columns import exact_sum

LARGEST = 2**63 - 1


@pytest.mark.parametrize(
    "values",
    [
        [],
        [0],
        [LARGEST],
        [LARGEST, LARGEST, 1],
        [-LARGEST - 1, -LARGEST - 1, -1],
        [LARGEST, -LARGEST - 1, 5, 2**32, 2**32 - 1],
        [3 * 10**17] * 31,
        [2**62, 2**62 - 1],
        [2**62] * 1000,
    ],
)
def test_a_sum_that_leaves_64_bits_is_exact(values: list[int]) -> None:
    assert exact_sum(np.array(values, np.int64)) == sum(values)
