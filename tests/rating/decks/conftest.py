"""Fixtures of the tests of decks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from builders import World, csv_file, line


@pytest.fixture
def listed(world: World) -> Iterator[World]:
    """A world whose reseller is in the operator's list."""
    from chalicelib.accounts.store.owners import ResellerPointer

    pointer = ResellerPointer(*ResellerPointer.key(world.reseller_id))
    pointer.save()
    yield world
    pointer.delete()


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


@pytest.fixture
def called(listed: World) -> World:
    """A world that called New York for a minute and the UK for three."""
    batch = listed.rate(csv_file(line("1"), line("2", seconds=180, to="+442071234567")))
    assert (batch.status, int(batch.rated)) == ("done", 2)
    return listed
