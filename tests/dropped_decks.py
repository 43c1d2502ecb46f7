"""Deck files that are dropped, confirmed and withdrawn, for the tests of decks."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

from builders import NOW

from chalicelib import periods
from chalicelib.aws import objects

HEADER = "prefix,destination,rate_per_minute,initial,increment,match\n"
NEW_YORK = "1,NANP,0.01,60,60,\n1212,New York,0.0052,6,6,\n"
SAME = f"{NEW_YORK}44,UK,0.02,1,1,\n502,Guatemala,0.25,60,60,\n411,Information,0.50,60,60,number\n"
"""The lines of the deck that all worlds are rated with."""
_days = itertools.count(1)


def dropped(day: str, lines: str = SAME, route: str = "value", **upload: Any) -> tuple[str, str]:
    """A deck file in the bucket; ``upload``: what the operator said of it when it asked for its address."""
    from chalicelib.aws.transactions import Put, commit
    from chalicelib.config import settings
    from chalicelib.rating.decks.store import DeckUpload

    key = f"incoming/decks/{route}/{day}-{uuid.uuid4().hex}.csv"
    if upload:
        item = DeckUpload(*DeckUpload.key(key), file="carrier.csv", by="operator", **upload)
        commit(scope(), [Put(item)])
    return key, objects.s3().put_object(Bucket=settings.bucket, Key=key, Body=(HEADER + lines).encode())["VersionId"]


def scope(now: int = NOW) -> Any:
    from chalicelib.aws.transactions import Scope

    return Scope("operator", now)


def take(key: str, version: str) -> Any:
    from chalicelib.rating.decks import publish

    return publish.publish(scope(), key, version)


def shown(drop: Any) -> Any:
    from chalicelib.rating.decks import queries

    return queries.one(drop.deck_id, NOW)


def codes(drop: Any) -> list[str]:
    return [each["code"] for each in drop.suspicions]


def confirm(drop: Any, *accept: str, **fx: Any) -> Any:
    from chalicelib.rating.decks import life

    return life.confirm(scope(), drop.deck_id, accept, fx.get("cost_currency"), fx.get("fx_e10"))


def put_in_force(key: str, version: str) -> None:
    """Publish a deck, and confirm it if it is held: its prices are odd, or other tests have published others."""
    drop = take(key, version)
    if drop.status == "held":
        drop = confirm(drop, *codes(drop))
    assert drop.status == "published", drop.errors


def withdraw(drop: Any) -> None:
    from chalicelib.rating.decks import life

    life.withdraw(scope(), drop.deck_id)


def version_rows(drop: Any) -> list[Any]:
    from chalicelib.rating.decks.store import decks_upto

    return [row for row in decks_upto(drop.route, 2**40) if row.deck_id == drop.deck_id]


def far_day() -> str:
    """A day after all calls, each time an earlier one: the deck in force then is the one of the worlds."""
    return periods.next_day("2090-01-01", -next(_days))


def held_deck() -> Any:
    drop = take(*dropped(far_day(), cost_currency="EUR"))
    assert drop.status == "held"
    return drop
