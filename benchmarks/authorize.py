"""How long a switch waits for an answer: may this call start?

``python -m benchmarks.authorize ASKED DECK CLIENTS ACCOUNTS RATES`` asks in its own process, on an emulated AWS, after
everything is warm. The emulator answers in a process of its own on the same machine, so its time is measured apart from
ours.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.cost import in_process, sender
from benchmarks.prefixes import prefixes
from benchmarks.sample import Samples
from benchmarks.shop import DECK_DAY, World, open_shop

WARMING = 100
Taken = dict[str, list[float]]
"""Seconds of each answer: ``cpu`` of our processor time, ``wall`` by the clock, the emulator's answers included."""


def measure(samples: Samples, count: int, deck_size: int) -> dict[str, Any]:
    """``Taken`` by what was measured."""
    world = samples.world
    counts = (world.clients, world.accounts, world.custom_prefixes)
    return machine.in_child("authorize", count, samples.deck(deck_size), *counts)


def main() -> None:
    """In the child: the sample's reseller with clients who pay first, and calls of theirs to numbers all over."""
    count, deck, world = int(sys.argv[1]), Path(sys.argv[2]), World(*map(int, sys.argv[3:]))
    from local.emulator import Emulator
    from local.settings import app_environment

    with Emulator() as emulator:
        names = app_environment("fo_" + "benchmark" * 5, "benchmark")
        os.environ.update(emulator.environment() | names | {"FORFAIT_REQUESTS_PER_MINUTE": "0"})
        emulator.provision(names["FORFAIT_TABLE"], names["FORFAIT_BUCKET"], names["FORFAIT_QUEUE"])
        print(json.dumps(_ask(world, deck, count, names)))


def _ask(world: World, deck: Path, count: int, names: dict[str, str]) -> dict[str, Taken]:
    from chalicelib.aws import objects
    from chalicelib.aws.transactions import Scope
    from chalicelib.principals import Principal
    from chalicelib.rating.authorizations import service as hold_service
    from chalicelib.rating.decks import publish
    from chalicelib.rating.shapes.authorizations import AuthorizationIn

    key = f"incoming/decks/value/{DECK_DAY}.csv"
    put = objects.s3().put_object(Bucket=names["FORFAIT_BUCKET"], Key=key, Body=deck.read_bytes())
    publish.publish(Scope("system:benchmark", int(time.time())), key, put["VersionId"])
    gateway = in_process()
    shop = open_shop(world, sender(gateway, names["FORFAIT_OPERATOR_KEY"]), lambda key: sender(gateway, key))
    send, who = sender(gateway, shop.key), Principal("reseller", "benchmark", shop.reseller_id)
    for client in send("GET", f"/v1/clients?limit={world.clients}", None)["items"]:
        limits = {"balance_mode": "strict", "daily_spend_limit": "5000.00", "max_rate_per_minute": "10"}
        send("PATCH", f"/v1/clients/{client['id']}", limits)
        send("POST", f"/v1/clients/{client['id']}/payments", {"amount": "100000", "description": "paid"})

    def service(**body: Any) -> Any:
        return hold_service.ask(Scope("key:benchmark", int(time.time())), who, AuthorizationIn(**body))

    def handler(**body: Any) -> Any:
        return send("POST", "/v1/authorizations", body)

    calls = _calls(world)
    held = ({**call, "call_id": str(n), "reserve_seconds": 600} for n, call in enumerate(_calls(world)))
    return {
        "service": _timed(service, calls, count),
        "service, held": _timed(service, held, count),
        "handler": _timed(handler, calls, count),
        "handler, held": _timed(handler, held, count),
    }


def _calls(world: World) -> Iterator[dict[str, Any]]:
    """Calls of all sub-accounts in turn, each to another number."""
    accounts = cycle(world.username(n) for n in range(world.accounts))
    for account, prefix in zip(accounts, prefixes(), strict=False):
        yield {"account": account, "number": f"+{prefix}5550199"[:16]}


def _timed(ask: Callable[..., Any], calls: Iterator[dict[str, Any]], count: int) -> Taken:
    for call in islice(calls, WARMING):
        ask(**call)
    taken: Taken = {"cpu": [], "wall": []}
    for call in islice(calls, count):
        wall, cpu = time.perf_counter(), time.process_time()
        ask(**call)
        taken["cpu"].append(time.process_time() - cpu)
        taken["wall"].append(time.perf_counter() - wall)
    return taken


if __name__ == "__main__":
    main()
