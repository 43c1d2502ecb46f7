"""Fixtures of the tests of decks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def alone(aws: str) -> Iterator[None]:
    """The resellers of other tests leave the operator's list: their calls and open batches do not count here."""
    from chalicelib.accounts.store.owners import ResellerPointer

    others = ResellerPointer.under(*ResellerPointer.every())
    for pointer in others:
        pointer.delete()
    yield
    for pointer in others:
        pointer.save()
