"""States of many timelines at once: who held a number, and which terms held, at each call's start."""

from __future__ import annotations

import random
from bisect import bisect_right

import numpy as np
import pytest

from chalicelib.rating.engine.vector.owners import Timelines

FIRST = -(2**62)


@pytest.mark.parametrize("seed", range(20))
def test_the_place_of_a_state_is_the_same_whether_something_changes_meanwhile_or_not(seed: int):
    dice = random.Random(seed)
    changes = [sorted(dice.sample([FIRST, 0, 10, 11, 500, 501, 900], dice.randrange(4))) for _ in range(5)]
    firsts = np.cumsum([0, *(len(own) + 1 for own in changes)]).tolist()
    for earliest, latest in ((0, 1000), (10, 10), (11, 499), (499, 500), (500, 500), (901, 5000), (-9, -1)):
        # Fewer calls than timelines, and more: they are searched in different ways.
        for calls in (0, 1, 4, 40):
            which = [dice.randrange(5) for _ in range(calls)]
            at = [dice.randint(earliest, latest) for _ in range(calls)]
            found = Timelines(changes).place(np.array(which, np.int64), np.array(at, np.int64))
            expected = [firsts[each] + bisect_right(changes[each], when) for each, when in zip(which, at, strict=True)]
            assert found.tolist() == expected
