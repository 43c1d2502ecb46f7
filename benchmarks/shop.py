"""The reseller of the workload: its packages, clients, sub-accounts and numbers.

The same ``World`` can be made in two ways: as a rate book for the rating core alone, and through the API.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from benchmarks.prefixes import prefixes
from chalicelib import money, periods
from chalicelib.rating.decks.deck import Deck
from chalicelib.rating.pricing.ownership import Holding, Ownership
from chalicelib.rating.pricing.precedence import CustomRate, PackageVersion
from chalicelib.rating.pricing.rate_book import RateBook
from chalicelib.rating.pricing.terms import Terms

ZONE, HOME = "America/Toronto", "US"
DECK_DAY = "2026-01-01"
COUNTRIES_WITH_RATES = ("GB", "MX", "IN", "DE", "FR", "AU", "BR", "ES", "IT", "JP", "PH", "CO")
_LONG_AGO = 0

Send = Callable[[str, str, Any], Any]
"""One request to the API: method, path and body -> the answer's JSON."""


class Package(NamedTuple):
    """A package as the API takes it: price ``(cost + fixed) x (1 + percent / 100)``, and its pulse in seconds."""

    fixed: str
    percent: str
    pulse: tuple[int, int] | None


PACKAGES = (
    Package("0", "20", None),
    Package("0.001", "15", (6, 6)),
    Package("0", "35.5", (60, 60)),
    Package("0.0005", "0", (1, 1)),
    Package("0", "12.25", (30, 6)),
    Package("0.002", "10", None),
    Package("0", "50", (6, 6)),
    Package("0.0015", "27", (60, 60)),
)


class Custom(NamedTuple):
    """A custom rate: the index of its package, scope and code, and the rate per minute."""

    package: int
    scope: str
    code: str
    rate: str


@dataclass(frozen=True)
class World:
    """How many clients, sub-accounts and custom rates for a prefix the reseller has."""

    clients: int = 40
    accounts: int = 200
    custom_prefixes: int = 200

    def username(self, account: int) -> str:
        return f"sub{1000 + account}"

    def client_of(self, account: int) -> int:
        return account % self.clients

    def did(self, client: int) -> str:
        return f"+1416555{client:04d}"

    def client_name(self, client: int) -> str:
        return f"client-{client:02d}"

    def package_of(self, account: int) -> int:
        return account % len(PACKAGES)

    def custom_rates(self) -> list[Custom]:
        """Rates for all US or Canada calls in some packages, twelve countries, and prefixes of the deck."""
        found = [Custom(0, "group", "us", "0.0125"), Custom(3, "group", "us", "0.011")]
        found += [Custom(1, "group", "canada", "0.009"), Custom(3, "group", "canada", "0.0095")]
        count = len(PACKAGES)
        found += [Custom(n % count, "country", code, f"0.0{n + 10}") for n, code in enumerate(COUNTRIES_WITH_RATES)]
        chosen = islice(prefixes(), 1_000, 1_000 + self.custom_prefixes)
        return found + [Custom(n % count, "prefix", code, f"0.{n + 100:04d}") for n, code in enumerate(chosen)]


FULL = World()


# --- for the core alone -------------------------------------------------------------------------------------------


def rate_book(world: World, deck: bytes) -> RateBook:
    """What prices the world's calls, made without a store; ``deck`` is the compiled artefact."""
    packages = [_package(n, each) for n, each in enumerate(PACKAGES)]
    rates = [
        CustomRate(f"p{each.package}", each.scope, each.code, 1, _LONG_AGO, money.parse_rate(each.rate))
        for each in world.custom_rates()
    ]
    accounts = {
        world.username(n): [_holding(world.client_name(world.client_of(n)), f"p{world.package_of(n)}")]
        for n in range(world.accounts)
    }
    dids = {world.did(n): [_holding(world.client_name(n), "")] for n in range(world.clients)}
    versions = [(_LONG_AGO, lambda: Deck.load(deck))]
    return RateBook(
        Ownership(accounts, dids),
        Terms(packages, rates),
        {"value": versions, "premium": versions},
        periods.calendar(ZONE),
    )


def _package(number: int, package: Package) -> PackageVersion:
    initial, increment = package.pulse or (0, 0)
    return PackageVersion(
        f"p{number}",
        1,
        _LONG_AGO,
        markup_fixed_e10=money.parse_rate(package.fixed),
        markup_percent_e4=money.parse_percent(package.percent),
        initial=initial,
        increment=increment,
    )


def _holding(client_id: str, package_id: str) -> Holding:
    rate = money.parse_rate("0.012")
    return Holding(_LONG_AGO, 1, client_id, "", package_id, rate_e10=rate, initial=6, increment=6, cost_e10=rate // 2)


# --- through the API ----------------------------------------------------------------------------------------------


class Shop(NamedTuple):
    """A reseller of the product, with its own key."""

    reseller_id: str
    key: str
    clients: list[str]


def open_shop(world: World, operator: Send, send_as: Callable[[str], Send]) -> Shop:
    """Make the world through the API; ``send_as(key)`` sends with a reseller's key."""
    made = operator(
        "POST",
        "/v1/resellers",
        {"name": "Voix", "email": "a@voix.example", "currency": "USD", "time_zone": ZONE, "home_country": HOME},
    )
    send = send_as(made["api_key"])
    packages = [send("POST", "/v1/packages", _body(n, each))["id"] for n, each in enumerate(PACKAGES)]
    for rate in world.custom_rates():
        path = f"/v1/packages/{packages[rate.package]}/rates/{rate.scope}/{rate.code}"
        send("PUT", path, {"rate_per_minute": rate.rate})
    clients = [send("POST", "/v1/clients", {"company": f"Client {n}"})["id"] for n in range(world.clients)]
    for n in range(world.accounts):
        body = {"username": world.username(n), "client_id": clients[world.client_of(n)]}
        send("POST", "/v1/subaccounts", {**body, "package_id": packages[world.package_of(n)]})
    for n, client_id in enumerate(clients):
        number = world.did(n)
        operator("POST", "/v1/inventory", {"number": number, "per_minute": "0.006"})
        send("POST", f"/v1/dids/{number}/order", {})
        send("POST", f"/v1/dids/{number}/assign", {"client_id": client_id, "per_minute": "0.012"})
    return Shop(made["id"], made["api_key"], clients)


def _body(number: int, package: Package) -> dict[str, Any]:
    pulse = None if package.pulse is None else dict(zip(("initial", "increment"), package.pulse, strict=True))
    fields = {"name": f"Package {number}", "markup_fixed": package.fixed, "markup_percent": package.percent}
    return {**fields, "pulse": pulse}


def over_http(url: str, key: str) -> Send:
    """Requests to the API at ``url`` with a key, over one connection that stays open."""
    return partial(ask, connect(url), key)


def connect(url: str) -> http.client.HTTPConnection:
    """A connection to the API at ``url``."""
    address = urlsplit(url)
    return http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)


def ask(connection: http.client.HTTPConnection, key: str, method: str, path: str, body: Any = None) -> Any:
    """One request with a key -> the answer's JSON; ``RuntimeError`` for an error."""
    data = None if body is None else json.dumps(body)
    headers = {"Authorization": f"Bearer {key}", **({"Content-Type": "application/json"} if data else {})}
    connection.request(method, path, data, headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 400:
        raise RuntimeError(f"{method} {path} answered {answer.status}: {text[:500].decode(errors='replace')}")
    return json.loads(text)
