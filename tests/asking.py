"""A switch that asks whether calls may start, straight at the service: requests, holds and records of a ``World``."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

from builders import World, csv_file, line

UK = "+442079460000"
NOW = 1_870_000_000
"""To come, because the emulator deletes what has expired: 2029-04-04T12:26:40Z."""
START = "2029-04-04T12:26:20Z"
PRICE = 2_400_000
"""Of a minute to the UK: 0.02 and 20 %."""


def ask(world: World, account: str | None = "bob", number: str = UK, now: int = NOW, **more: Any) -> Any:
    from chalicelib.aws.transactions import Scope
    from chalicelib.principals import Principal
    from chalicelib.rating.authorizations import service
    from chalicelib.rating.shapes.authorizations import AuthorizationIn

    body = AuthorizationIn(account=account, number=number, **more)
    who = Principal("reseller", "k", world.reseller_id)
    return service.ask(Scope("key:k", now), who, body)


def finish(world: World, hold_id: str, seconds: int = 60) -> Any:
    from chalicelib.rating.authorizations import service

    return service.finish(world.scope, world.reseller_id, hold_id, seconds)


def pay(world: World, amount_e8: int, name: str = "bob") -> None:
    from chalicelib.accounts.ledger import posting
    from chalicelib.accounts.rules import Posting

    kind = "payment" if amount_e8 > 0 else "charge"
    read = partial(posting.get_client, world.reseller_id, world.clients[name])
    posting.post(world.scope, read, Posting(kind, amount_e8, "x", "2026-09"))


def balance(world: World, name: str = "bob") -> int:
    from chalicelib.accounts.ledger import posting

    return int(posting.get_client(world.reseller_id, world.clients[name]).balance_e8)


def held(world: World, name: str = "bob", now: int = NOW) -> int:
    """What is held, by the head; the holds themselves must add up to the same."""
    from chalicelib.rating.authorizations import store

    client_id = world.clients[name]
    sums, holds = store.head_of(client_id).sums(), store.open_holds(client_id, now)
    assert sums.all_free_seconds(now) == sum(int(hold.free_seconds) for hold in holds)
    total = sum(int(hold.amount_e8) for hold in holds)
    assert sums.open_e8(now) == total
    assert now > NOW or sum(sums.by_day.values()) == total
    return total


def held_free(world: World, name: str = "bob", now: int = NOW) -> int:
    """The free seconds that are held, of all packages and months."""
    from chalicelib.rating.authorizations import store

    held(world, name, now)
    return store.head_of(world.clients[name]).sums().all_free_seconds(now)


def call(call_id: str, seconds: int = 60, account: str = "bob", start: str = START, to: str = UK) -> str:
    return line(call_id, account, seconds, start=start, to=to)


def calling(world: World, caller: int, made: list[str], number: str = UK) -> Callable[[], None]:
    """A caller that asks, hangs up and drops its record, six times; ``made`` gets the ids of its calls.

    Every second caller gives no id when it asks, and not every call is finished.
    """
    dice = random.Random(caller)

    def run() -> None:
        for n in range(6):
            call_id = f"{caller}-{n}"
            answer = ask(world, number=number, call_id=call_id if caller % 2 else None, reserve_seconds=60)
            if not answer.allowed:
                continue
            seconds = min(60, answer.hangup_after)
            if dice.random() < 0.7:
                finish(world, answer.id, seconds)
            world.rate(csv_file(call(call_id, seconds, to=number)))
            made.append(call_id)

    return run
