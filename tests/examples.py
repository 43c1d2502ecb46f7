"""How much a property test tries: what it says in continuous integration, a part of it by hand, a multiple at length.

The environment variable ``TEST_PROFILE`` names the profile: ``quick`` (the default), ``ci`` or ``long``.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import settings

PROFILE = os.environ.get("TEST_PROFILE") or "quick"
_SHARES = {"quick": 0.1, "ci": 1, "long": 10}
_DEFAULT = 100
"""Hypothesis's own number of examples, for a test that says none."""


def share(count: int, least: int = 1) -> int:
    """The part of ``count`` that this profile tries, but ``least`` at least."""
    return max(least, round(count * _SHARES[PROFILE]))


def step(every: int) -> int:
    """1 at length, else ``every``: of the places to try, every how many-th is tried."""
    return 1 if PROFILE == "long" else every


def examples(count: int, least: int = 1, **more: Any) -> settings:
    """Settings of a property test that tries ``count`` examples in continuous integration, and ``least`` by hand."""
    return settings(max_examples=share(count, least), **more)


def load() -> None:
    """Make the profile Hypothesis's own; ``deadline`` is off, because nothing asserts a duration."""
    for name in _SHARES:
        settings.register_profile(name, max_examples=round(_DEFAULT * _SHARES[name]), deadline=None)
    settings.load_profile(PROFILE)
