"""The first half of the tour: a reseller, its packages and clients, and the rate deck that all prices start from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from local.demo import sample
from local.demo.checks import Checks
from local.demo.http import Api, Json, Problem, wait_for
from local.demo.output import Output, count

ZONE = "America/Toronto"
MONTREAL = "1514"
"""A prefix with a custom rate: the tour ends by explaining a call to it."""


@dataclass
class Shop:
    """The reseller of the tour. ``api`` has its key; ``clients`` are by id, ``package_of`` by user name."""

    api: Api
    reseller: Json
    packages: dict[str, Json] = field(default_factory=dict)
    clients: dict[str, Json] = field(default_factory=dict)
    package_of: dict[str, str] = field(default_factory=dict)
    did: str = ""


def open_shop(operator: Api, output: Output) -> Shop:
    """The operator makes the reseller; its key is in the answer, once."""
    output.section("The operator makes a reseller")
    body = {"name": "Maple Voice", "email": "owner@maple-voice.example", "currency": "USD"}
    made = operator.post("/v1/resellers", {**body, "time_zone": ZONE, "home_country": "CA"})
    output.table(
        ["reseller", "id", "time zone", "home country", "status"],
        [[made["name"], made["id"], made["time_zone"], made["home_country"], made["status"]]],
    )
    return Shop(Api(operator.url, made["api_key"]), made)


def publish_deck(operator: Api, output: Output, day: date) -> list[sample.DeckLine]:
    """Upload the deck by presigned URL and wait until it is in force from ``day``."""
    output.section("The operator uploads a rate deck: what calls cost")
    lines = sample.deck_lines()
    data = sample.deck_csv(lines)
    before = sum(1 for _ in operator.every("/v1/decks"))
    day_text = day.isoformat()
    operator.upload(data, kind="deck", filename="value.csv", route="value", effective_from=day_text)

    def look() -> Json | None:
        decks = list(operator.every("/v1/decks"))
        settled = all(deck["status"] != "publishing" for deck in decks)
        ours = [deck for deck in decks if (deck["route"], deck["effective_from"]) == ("value", day_text)]
        return ours[0] if len(decks) > before and settled else None

    deck = wait_for("the deck", look)
    if deck["status"] != "published":
        raise Problem(f"the deck was {deck['status']}: {deck['errors'][:3]}")
    output.table(
        ["route", "in force from", "status", ">prefixes", ">bytes"],
        [[deck["route"], deck["effective_from"], deck["status"], count(deck["prefixes"]), count(len(data))]],
    )
    return lines


def sell_packages(shop: Shop, output: Output) -> None:
    """Two packages, and two custom rates that replace the markup of the first."""
    output.section("The reseller makes packages: what calls are sold for")
    everyday: Json = {"name": "Everyday", "markup_percent": "20", "setup_fee": "3.00", "monthly_fee": "5.00"}
    pulse = {"initial": 60, "increment": 60}
    bundle: Json = {
        "name": "Canada 1000",
        "markup_percent": "35",
        "pulse": pulse,
        "monthly_fee": "15.00",
        "setup_fee": "5.00",
    }
    bundle |= {"free_minutes": 1000, "free_minutes_scope": ["canada"]}
    for body in (everyday, bundle):
        made = shop.api.post("/v1/packages", body)
        shop.packages[made["name"]] = made
    rates = f"/v1/packages/{shop.packages['Everyday']['id']}/rates"
    shop.api.put(f"{rates}/prefix/{MONTREAL}", {"rate_per_minute": "0.007", "pulse": {"initial": 30, "increment": 6}})
    shop.api.put(f"{rates}/group/canada", {"rate_per_minute": "0.009"})
    rows = [_package_row(made) for made in shop.packages.values()]
    output.table(["package", ">markup", "pulse", ">free minutes", ">monthly fee", ">set-up fee"], rows)
    output.say("")
    shown = shop.api.every(rates)
    rows = [["Everyday", rate["scope"], rate["code"], rate["rate_per_minute"], _pulse(rate)] for rate in shown]
    output.table(["custom rates of", "scope", "code", ">per minute", "pulse"], rows)


def _package_row(made: Json) -> list[object]:
    percent = f"{Decimal(made['markup_percent']).normalize():f} %"
    minutes = (
        f"{count(made['free_minutes'])} ({', '.join(made['free_minutes_scope'])})" if made["free_minutes"] else "-"
    )
    return [made["name"], percent, _pulse(made), minutes, made["monthly_fee"], made["setup_fee"]]


def _pulse(made: Json) -> str:
    pulse = made["pulse"]
    return f"{pulse['initial']}/{pulse['increment']}" if pulse else "the deck's"


def explain_seed(shop: Shop, output: Output, checks: Checks) -> None:
    """The example of the manual: cost 0.01 a minute, nothing fixed, 20 %."""
    output.section("One price, explained before any call is made")
    package_id = shop.packages["Everyday"]["id"]
    quote = shop.api.get(f"/v1/packages/{package_id}/quote", number=sample.SEED_NUMBER, seconds=60)
    cost, price = quote["cost"], quote["price"]
    output.say(
        f"60 seconds to {quote['number']} ({quote['country']}) on Everyday: the cost is {cost['rate_per_minute']} a "
        f"minute, the markup 0 fixed and 20 %. The price is {price['amount']} USD."
    )
    output.steps(quote["steps"])
    checks.same("the deck's cost per minute", cost["rate_per_minute"], sample.SEED_COST)
    checks.same("the seed example's price", price["amount"], "0.012")
    checks.same("the seed example's rule", price["rule"], "markup")


def welcome_clients(shop: Shop, output: Output) -> None:
    """Three clients with what they paid in, and their sub-accounts."""
    output.section("The reseller takes clients, their payments, and gives them sub-accounts")
    wanted = (
        ({"company": "Acme Imports", "balance_mode": "permissive", "credit_limit": "1000.00"}, "200.00", "Everyday", 2),
        ({"company": "Boreal Travel", "balance_mode": "strict"}, "1500.00", "Canada 1000", 2),
        (
            {"company": "Cedar Clinic", "balance_mode": "strict", "low_balance_threshold": "20.00"},
            "40.00",
            "Everyday",
            1,
        ),
    )
    rows = []
    for body, paid, package, how_many in wanted:
        client = shop.api.post("/v1/clients", body)
        shop.api.post(f"/v1/clients/{client['id']}/payments", {"amount": paid, "description": "Bank transfer"})
        names = [_subaccount(shop, client, package, number) for number in range(1, how_many + 1)]
        shop.clients[client["id"]] = client
        limit = client["credit_limit"] or "-"
        rows.append([client["company"], client["balance_mode"], limit, paid, package, ", ".join(names)])
    output.table(["client", "mode", ">credit limit", ">paid in", "package", "sub-accounts"], rows)


def _subaccount(shop: Shop, client: Json, package: str, number: int) -> str:
    """Make one; the first of a client is charged its package's set-up fee."""
    username = f"{client['company'].split()[0].lower()}-{number}"
    package_id = shop.packages[package]["id"]
    body = {"username": username, "client_id": client["id"], "package_id": package_id}
    shop.api.post("/v1/subaccounts", {**body, "charge_setup_fee_now": number == 1})
    shop.package_of[username] = package_id
    return username


NUMBER_PRICES = {"monthly": "2.50", "setup": "1.00", "per_minute": "0.012"}
"""What the reseller's clients pay for a number."""


def assign_number(operator: Api, shop: Shop, output: Output) -> None:
    """A phone number: into the inventory, ordered by the reseller, assigned to the first client."""
    output.section("A phone number: stocked, ordered, assigned")
    client_id, client = next(iter(shop.clients.items()))
    stocked = buy_number(operator, shop, client_id)
    shop.did = str(stocked["number"])
    rows = [
        ["costs Maple Voice", *(stocked[name] for name in NUMBER_PRICES)],
        [f"costs {client['company']}", *NUMBER_PRICES.values()],
    ]
    output.table([shop.did, ">monthly", ">set-up", ">per minute"], rows)


def buy_number(operator: Api, shop: Shop, client_id: str) -> Json:
    """Stock a number, order it and assign it to a client; the number as it is in the inventory."""
    stocked = _stock(operator)
    shop.api.post(f"/v1/dids/{stocked['number']}/order")
    # Not in the month that the tour pretends, or the client would be charged before its balance is read again.
    due = (datetime.now(UTC) + timedelta(days=62)).date().isoformat()
    body = {"client_id": client_id, "next_billing_date": due, **NUMBER_PRICES}
    shop.api.post(f"/v1/dids/{stocked['number']}/assign", body)
    return stocked


def _stock(operator: Api) -> Json:
    """A fictional number that this stack does not have yet."""
    for last in range(100, 200):
        try:
            body = {"number": f"+1416555{last:04d}", "monthly": "1.20", "setup": "0.40", "per_minute": "0.006"}
            return operator.post("/v1/inventory", body)
        except Problem as taken:
            if taken.status != 409:
                raise
    raise Problem("all hundred numbers of the tour are in the inventory already")
