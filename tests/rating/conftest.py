"""Fixtures of a world to rate in; see ``builders``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from builders import NOW, World, make_world

from chalicelib.aws import objects


@pytest.fixture(scope="session")
def deck(aws: str) -> str:
    """One deck on both routes from 2026-01-01: NANP at 0.01 a minute 60/60, UK at 0.02 a second, 411 alone at 0.50."""
    from chalicelib.aws.transactions import Scope
    from chalicelib.config import settings
    from chalicelib.rating.decks import publish

    body = (
        b"prefix,destination,rate_per_minute,initial,increment,match\n"
        b"1,NANP,0.01,60,60,\n1212,New York,0.0052,6,6,\n44,UK,0.02,1,1,\n502,Guatemala,0.25,60,60,\n"
        b"411,Information,0.50,60,60,number\n"
    )
    for route in ("value", "premium"):
        key = f"incoming/decks/{route}/2026-01-01.csv"
        version = objects.s3().put_object(Bucket=settings.bucket, Key=key, Body=body)["VersionId"]
        assert publish.publish(Scope("system:test", NOW), key, version).status == "published"
    return "2026-01-01"


@pytest.fixture
def world(deck: str) -> Iterator[World]:
    """A fresh world; whatever the test did to it, its books must add up when it ends."""
    made = make_world()
    yield made
    assert made.reconciled() == []


@pytest.fixture
def worlds(deck: str) -> Iterator[Any]:
    """Makes as many equal worlds as a test compares."""
    made: list[World] = []

    def make() -> World:
        made.append(make_world())
        return made[-1]

    yield make
    for each in made:
        assert each.reconciled() == []
