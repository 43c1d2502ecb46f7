"""The whole API over real HTTP on a real stack, in the order in which an operator and a reseller would use it.

One walk, told in steps: each leaves behind what the next ones need. It ends by demanding that every route of the
OpenAPI document has answered at least once.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import ANY

import pytest
from http_walk import Caller, download, fields_of, problem, wait_for

from local.stack import Stack

RESELLER = {"name": "Voix", "email": "a@voix.example", "currency": "USD", "time_zone": "UTC", "home_country": "US"}
RESELLER_FIELDS = {
    "id", "name", "email", "currency", "time_zone", "home_country", "internal_digits", "cost_source", "status",
    "balance", "created_at", "language", "low_balance_threshold", "last_asked_at", "time_zone_next",
}  # fmt: skip
KEY_FIELDS = {"id", "role", "client_id", "scopes", "label", "expires_at", "last_used_at", "created_at"}
CLIENT_FIELDS = {
    "id", "status", "service", "balance_mode", "balance", "credit_limit", "low_balance_threshold", "language",
    "company", "first_name", "last_name", "email", "phone", "address", "city", "state", "country", "zip", "created_at",
    "time_zone", "low_balance_email", "blocked_countries", "max_rate_per_minute", "daily_spend_limit",
    "last_asked_at",
}  # fmt: skip
PACKAGE_FIELDS = {
    "id", "name", "public_name", "warnings", "markup_fixed", "markup_percent", "pulse", "monthly_fee", "setup_fee",
    "free_minutes", "free_minutes_scope", "connection_fee", "minimum_charge", "call_decimals", "rate_decimals",
    "routes", "created_at", "upcoming",
}  # fmt: skip
RATE_FIELDS = {
    "scope", "code", "rate_per_minute", "pulse", "connection_fee", "minimum_charge", "grace_seconds", "effective_from",
}  # fmt: skip
ENTRY_FIELDS = {
    "id", "kind", "amount", "balance_after", "description", "period", "usage_month", "source", "posted_at", "actor",
    "reversal_of",
}  # fmt: skip
SUBACCOUNT_FIELDS = {"id", "username", "client_id", "package_id", "next_billing_date", "created_at"}
DID_FIELDS = {
    "number", "client_id", "subaccount_id", "monthly", "setup", "per_minute", "pulse", "next_billing_date",
    "ordered_at",
}  # fmt: skip
BATCH_FIELDS = {
    "size", "bytes_read", "cost_currency", "fx", "started_at",
    "id", "key", "status", "lines", "rated", "internal", "rejected", "duplicates", "conflicting", "skipped",
    "cost", "revenue", "finished_at", "rejected_url", "conflicts_url", "reason",
}  # fmt: skip
CALL_FIELDS = [
    "call_id", "start", "direction", "client_id", "account", "from", "to", "destination", "country", "disposition",
    "seconds", "billed_seconds", "free_seconds", "rule", "rate_per_minute", "amount", "cost",
]  # fmt: skip
DECK = (
    "prefix,destination,rate_per_minute,initial,increment,match\n44,United Kingdom,0.01,60,60,\n"
    "1416,Toronto,0.0052,6,6,\n1212,New York,0.009,6,6,\n411,Information,0.50,60,60,number\n"
)
HEADER = "call_id,start,direction,account,from,to,disposition,seconds"
OCTOBER = {"date_from": "2025-10-01", "date_to": "2025-10-31"}


@dataclass
class Walk:
    """Who calls, and the ids and keys that steps leave behind."""

    anyone: Caller
    operator: Caller
    reseller: Caller = field(init=False)
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def client(self) -> str:
        """Path of the first client."""
        return f"/v1/clients/{self.ids['acme']}"

    @property
    def package(self) -> str:
        """Path of the package with 20 %."""
        return f"/v1/packages/{self.ids['everyday']}"

    def balance(self, name: str) -> str:
        return str(self.reseller.get(f"/v1/clients/{self.ids[name]}")["balance"])

    def rate(self, data: bytes, filename: str) -> Any:
        """Upload a CDR file; its batch, once it is over."""
        key = self.reseller.upload(data, kind="cdr", filename=filename)

        def look() -> Any:
            batches = self.reseller.get("/v1/batches")["items"]
            return next((b for b in batches if b["key"] == key and b["status"] in ("done", "failed")), None)

        found = wait_for(look)
        assert found.keys() == BATCH_FIELDS
        assert found["lines"] == found["rated"] + found["rejected"] + found["duplicates"]
        return found


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    with Stack(tmp_path_factory.mktemp("walk")) as stack:
        anyone = Caller(stack.url)
        yield Walk(anyone, anyone.holding(stack.operator_key))


def strangers_are_turned_away(walk: Walk) -> None:
    assert walk.anyone.get("/v1/openapi.json")["openapi"] == "3.1.0"
    reply = walk.anyone.send("GET", "/v1/clients")
    assert problem(reply, 401)["errors"] == []
    assert reply.headers["WWW-Authenticate"] == "Bearer"
    walk.anyone.holding("fk_nobody").call(401, "GET", "/v1/clients")
    walk.operator.call(404, "GET", "/v1/nothing")
    walk.operator.call(404, "PUT", "/v1/clients", {})
    walk.operator.call(403, "GET", "/v1/clients")


def unreadable_requests_are_refused(walk: Walk) -> None:
    walk.operator.call(400, "POST", "/v1/resellers", b'{"name": ')
    walk.operator.call(400, "POST", "/v1/resellers", b"[]")
    text = walk.operator.send("POST", "/v1/resellers", b"name=Voix", {"Content-Type": "text/plain"})
    problem(text, 415)
    problem(walk.operator.send("POST", "/v1/resellers", b" " * (11 << 20)), 413)
    wrong = walk.operator.call(422, "POST", "/v1/resellers", {**RESELLER, "currency": "EUR", "colour": "red"})
    assert set(fields_of(wrong)) == {"currency", "colour"}
    assert fields_of(walk.operator.call(422, "POST", "/v1/resellers", {"name": "Voix"})) == ["email"]


def the_operator_makes_resellers(walk: Walk) -> None:
    operator = walk.operator
    again = {"Idempotency-Key": "first-reseller"}
    first = operator.send("POST", "/v1/resellers", {**RESELLER, "activate": False}, again)
    assert first.status == 201
    made = first.json
    assert made.keys() == RESELLER_FIELDS | {"api_key"}
    assert (made["status"], made["balance"], made["cost_source"]) == ("pending", "0.00", "deck")
    replayed = operator.send("POST", "/v1/resellers", {**RESELLER, "activate": False}, again)
    assert (replayed.status, replayed.json) == (201, {**made, "api_key": None})
    problem(operator.send("POST", "/v1/resellers", RESELLER, again), 409)
    rival = operator.post("/v1/resellers", RESELLER)
    assert rival["status"] == "active"
    walk.reseller = walk.anyone.holding(made["api_key"])
    walk.ids |= {"reseller": made["id"], "rival_key": rival["api_key"]}
    assert walk.reseller.patch("/v1/account", {"time_zone": "America/Toronto"})["time_zone"] == "America/Toronto"
    assert [item["id"] for item in operator.pages("/v1/resellers")] == [made["id"], rival["id"]]
    assert fields_of(operator.call(422, "GET", "/v1/resellers", cursor="made-up")) == ["cursor"]
    assert fields_of(operator.call(422, "GET", "/v1/resellers", limit=201)) == ["limit"]


def the_operator_keeps_a_resellers_account(walk: Walk) -> None:
    operator, path = walk.operator, f"/v1/resellers/{walk.ids['reseller']}"
    assert operator.get(path).keys() == RESELLER_FIELDS
    operator.call(404, "GET", "/v1/resellers/unknown")
    assert operator.patch(path, {"name": "Voix Inc."})["name"] == "Voix Inc."
    key = operator.post(f"{path}/keys", {"role": "reseller"})
    assert key.keys() == KEY_FIELDS | {"api_key"}
    assert operator.post(f"{path}/payments", {"amount": "500", "description": "Wire"})["amount"] == "500.00"
    assert operator.post(f"{path}/charges", {"amount": "0.5"})["balance_after"] == "499.50"
    entries = operator.pages(f"{path}/ledger")
    assert [(entry["kind"], entry["amount"]) for entry in entries] == [("charge", "-0.50"), ("payment", "500.00")]
    assert operator.get(path)["balance"] == "499.50"
    operator.post(f"{path}/ledger/{operator.post(f'{path}/charges', {'amount': '3'})['id']}/reverse", {})
    assert operator.get(path)["balance"] == "499.50"


def a_pending_reseller_activates_itself(walk: Walk) -> None:
    reseller = walk.reseller
    assert reseller.get("/v1/account")["status"] == "pending"
    assert "pending" in reseller.call(403, "POST", "/v1/packages", {"name": "Early"})["detail"]
    changed = reseller.patch("/v1/account", {"time_zone": "Asia/Tokyo", "home_country": "CA"})
    # Money has moved, so another zone holds from a month to come.
    assert (changed["time_zone"], changed["home_country"]) == ("America/Toronto", "CA")
    assert changed["time_zone_next"]["time_zone"] == "Asia/Tokyo"
    early = {"time_zone": "Asia/Tokyo", "time_zone_from": "2026-01-01"}
    assert changed["time_zone_next"]["from"] in reseller.call(409, "PATCH", "/v1/account", early)["detail"]
    assert reseller.patch("/v1/account", {"time_zone": "America/Toronto"})["time_zone_next"] is None
    assert fields_of(reseller.call(422, "PATCH", "/v1/account", {"time_zone": "Mars/Olympus"})) == ["time_zone"]
    assert reseller.post("/v1/account/activate", {}, 200)["status"] == "active"
    assert reseller.get("/v1/account/ledger")["items"][0].keys() == ENTRY_FIELDS
    reseller.call(403, "GET", "/v1/resellers")


def keys_of_lesser_roles_are_made_and_revoked(walk: Walk) -> None:
    made = walk.reseller.post("/v1/keys", {"role": "reseller_readonly"})
    reader = walk.anyone.holding(made["api_key"])
    assert reader.get("/v1/account")["id"] == walk.ids["reseller"]
    reader.call(403, "POST", "/v1/clients", {})
    listed = walk.reseller.pages("/v1/keys")
    assert made["id"] in [key["id"] for key in listed]
    assert all("api_key" not in key for key in listed)
    assert fields_of(walk.reseller.call(422, "POST", "/v1/keys", {"role": "client"})) == ["client_id"]
    newer = walk.reseller.post(f"/v1/keys/{made['id']}/rotate", {})
    walk.reseller.delete(f"/v1/keys/{made['id']}")
    reader.call(401, "GET", "/v1/account")
    assert walk.anyone.holding(newer["api_key"]).get("/v1/account")["id"] == walk.ids["reseller"]


def packages_and_custom_rates_are_made(walk: Walk) -> None:
    reseller = walk.reseller
    number = reseller.call(422, "POST", "/v1/packages", {"name": "Everyday", "markup_percent": 20})
    assert fields_of(number) == ["markup_percent"]
    everyday = reseller.post("/v1/packages", {"name": "Everyday", "markup_percent": "20", "setup_fee": "3"})
    assert everyday.keys() == PACKAGE_FIELDS
    assert (everyday["markup_percent"], everyday["setup_fee"], everyday["pulse"]) == ("20.00", "3.00", None)
    assert everyday["routes"] == {"us": "value", "canada": "value", "international": "value"}
    assert (everyday["call_decimals"], everyday["free_minutes_scope"]) == (8, ["us", "canada"])
    bundle = reseller.post(
        "/v1/packages", {"name": "Bundle", "free_minutes": 1, "pulse": {"initial": 60, "increment": 60}}
    )
    spare = reseller.post("/v1/packages", {"name": "Spare"})
    walk.ids |= {"everyday": everyday["id"], "bundle": bundle["id"]}
    assert [item["name"] for item in reseller.pages("/v1/packages")] == ["Everyday", "Bundle", "Spare"]
    path = f"/v1/packages/{spare['id']}"
    assert reseller.patch(path, {"name": "Rest", "minimum_charge": "0.05"})["minimum_charge"] == "0.05"
    assert reseller.get(path)["name"] == "Rest"
    walk.anyone.holding(walk.ids["rival_key"]).call(404, "GET", path)
    reseller.delete(path)
    reseller.call(404, "GET", path)


def custom_rates_are_set_listed_and_withdrawn(walk: Walk) -> None:
    reseller, rates = walk.reseller, f"/v1/packages/{walk.ids['bundle']}/rates"
    pulse = {"initial": 30, "increment": 6}
    made = reseller.put(f"{rates}/prefix/1212", {"rate_per_minute": "0.015", "pulse": pulse, "grace_seconds": 3})
    assert made.keys() == RATE_FIELDS
    assert (made["rate_per_minute"], made["pulse"], made["effective_from"]) == ("0.015", pulse, None)
    reseller.put(f"{rates}/country/GB", {"rate_per_minute": "0.02", "connection_fee": "0.1"})
    reseller.put(f"{rates}/group/canada", {"rate_per_minute": "0.008"})
    assert reseller.get(f"{rates}/country/GB")["connection_fee"] == "0.10"
    listed = [(rate["scope"], rate["code"]) for rate in reseller.pages(rates)]
    assert listed == [("country", "GB"), ("group", "canada"), ("prefix", "1212")]
    reseller.delete(f"{rates}/country/GB")
    reseller.call(404, "GET", f"{rates}/country/GB")
    tried = reseller.call(200, "POST", f"{rates}/import", {"rates": "scope,code,rate_per_minute\ncountry,FR,0.03\n"})
    assert (tried["dry_run"], tried["new"], tried["errors"]) == (True, 1, [])
    reseller.call(404, "PUT", f"{rates}/planet/earth", {"rate_per_minute": "1"})
    assert fields_of(reseller.call(422, "PUT", f"{rates}/group/world", {"rate_per_minute": "1"})) == ["code"]
    assert fields_of(reseller.call(422, "PUT", f"{rates}/group/us", {"rate_per_minute": 1})) == ["rate_per_minute"]


def a_deck_is_published_and_a_bad_one_refused_whole(walk: Walk) -> None:
    walk.operator.upload(DECK.encode(), kind="deck", route="value", effective_from="2025-01-01", filename="deck.csv")
    published = {
        "id": ANY, "route": "value", "effective_from": "2025-01-01", "file": "deck.csv", "by": "operator",
        "status": "published", "prefixes": 4, "in_force": True, "superseded_by": None, "suspicions": [],
        "accepted": [], "confirmed_by": None, "confirmed_at": None, "cost_currency": None, "fx": None,
        "errors": [], "errors_url": None, "created_at": ANY,
    }  # fmt: skip
    assert wait_for(lambda: _deck(walk, "2025-01-01")) == published
    bad = "prefix,destination,rate_per_minute,initial,increment\n44,UK,-1,60,60\n44x,UK,0.02,1,1\n45,DK,0.02,0,1\n"
    packed = gzip.compress(bad.encode())
    walk.operator.upload(packed, kind="deck", route="value", effective_from="2025-02-01", filename="deck.csv.gz")
    refused = wait_for(lambda: _deck(walk, "2025-02-01"))
    assert (refused["status"], refused["prefixes"]) == ("refused", 0)
    assert [(error["line"], error["field"]) for error in refused["errors"]] == [
        (2, "rate_per_minute"),
        (3, "prefix"),
        (4, "initial"),
    ]
    assert len(download(refused["errors_url"]).splitlines()) == 4
    assert [deck["effective_from"] for deck in walk.operator.pages("/v1/decks")] == ["2025-02-01", "2025-01-01"]
    assert fields_of(walk.operator.call(422, "POST", "/v1/uploads", {"kind": "cdr", "filename": "x.csv"})) == ["kind"]
    walk.reseller.call(403, "GET", "/v1/decks")


def a_deck_in_another_currency_waits_and_is_published_and_withdrawn(walk: Walk) -> None:
    day = "2099-01-01"
    walk.operator.upload(
        DECK.encode(), kind="deck", route="premium", effective_from=day, filename="eur.csv", cost_currency="EUR"
    )
    held = wait_for(lambda: _deck(walk, day))
    path = f"/v1/decks/{held['id']}"
    assert (held["status"], held["file"], [each["code"] for each in held["suspicions"]]) == (
        "held",
        "eur.csv",
        ["no_fx"],
    )
    refused = walk.operator.call(409, "POST", f"{path}/publish", {"accept": ["no_fx"]})
    assert "no_fx" in refused["detail"] and fields_of(refused) == ["accept"]
    shown = walk.operator.post(f"{path}/publish", {"fx": "2"}, 200)
    assert (shown["status"], shown["fx"], shown["rated_before"]) == ("published", "2.00", [])
    line = walk.operator.get(f"{path}/lines", prefix="44")["items"][0]
    assert (line["rate_per_minute"], line["given_rate_per_minute"]) == ("0.02", "0.01")
    assert walk.operator.get(f"{path}/diff", to=held["id"])["lines"]["dearer"] == 0
    assert walk.operator.get(f"{path}/losses")["items"] == []
    walk.operator.delete(path)
    assert walk.operator.get(path)["status"] == "withdrawn"
    walk.reseller.call(403, "GET", path)


def _deck(walk: Walk, day: str) -> Any:
    """The deck of a day, once it is settled."""
    found = walk.operator.get("/v1/decks")["items"]
    return next((deck for deck in found if deck["effective_from"] == day and deck["status"] != "publishing"), None)


def a_carriers_deck_is_previewed_and_its_format_declared(walk: Walk) -> None:
    deck = "Code;Land;Preis;Takt\n44;UK;0,0123;60/60\n33;France;0,0045;60/60\n"
    asked = {"text": deck, "route": "value", "effective_from": "2026-12-01", "filename": "carrier.csv"}
    declared = {
        "id": "carrier",
        "pattern": "value/*-carrier.csv",
        "columns": {"prefix": "Code", "destination": "Land", "rate_per_minute": "Preis", "increments": "Takt"},
        "delimiter": ";",
        "decimal": ",",
    }
    shown = walk.operator.put("/v1/deck-formats", declared)
    assert (shown["id"], shown["columns"]["rate_per_minute"]) == ("carrier", "Preis")
    read = walk.operator.call(200, "POST", "/v1/deck-preview", {**asked, "format": shown})
    assert [(one["prefix"], one["rate_per_minute"]) for one in read["items"]] == [("44", "0.0123"), ("33", "0.0045")]
    assert read["errors"] == []
    walk.reseller.call(403, "POST", "/v1/deck-preview", asked)
    assert [one["id"] for one in walk.operator.get("/v1/deck-formats")["items"]] == ["carrier"]
    walk.operator.delete("/v1/deck-formats/carrier")
    walk.operator.call(404, "DELETE", "/v1/deck-formats/carrier")


def a_quote_explains_the_seed_example(walk: Walk) -> None:
    path = f"{walk.package}/quote"
    quote = walk.reseller.get(path, number="+442079460000", seconds=60)
    assert quote.keys() == {"number", "country", "cost", "price", "steps"}
    assert (quote["number"], quote["country"]) == ("+442079460000", "GB")
    line = {"prefix": "44", "destination": "United Kingdom", "rate_per_minute": "0.01"}
    assert quote["cost"] == {**line, "billed_seconds": 60, "amount": "0.01"}
    assert quote["price"] == {"rule": "markup", "rate_per_minute": "0.012", "billed_seconds": 60, "amount": "0.012"}
    assert any("(0.01 + 0.00) x 120 % = 0.012" in step for step in quote["steps"])
    for spelled in ("442079460000", " 442079460000", "011442079460000"):
        assert walk.reseller.get(path, number=spelled, seconds=60) == quote
    assert walk.reseller.get(path, number="+442079460000", seconds=60, at="2025-03-01T00:00:00Z") == quote
    assert walk.reseller.get(path, number="4165550100", seconds=27)["price"]["amount"] == "0.00312"
    assert fields_of(walk.reseller.call(422, "GET", path, number="+4930123456", seconds=60)) == ["number"]
    assert fields_of(walk.reseller.call(422, "GET", path, number="+442079460000", seconds="many")) == ["seconds"]
    bundle = walk.reseller.get(f"/v1/packages/{walk.ids['bundle']}/quote", number="+12125550100", seconds=31)["price"]
    assert bundle == {"rule": "prefix:1212", "rate_per_minute": "0.015", "billed_seconds": 36, "amount": "0.009"}


def the_price_list_says_what_quotes_say(walk: Walk) -> None:
    path = f"/v1/packages/{walk.ids['bundle']}"
    items = walk.reseller.get(f"{path}/price-list", limit=200)["items"]
    rows = {row["prefix"]: row for row in items}
    quote = walk.reseller.get(f"{path}/quote", number="+12125550100")["price"]
    assert (rows["1212"]["rule"], rows["1212"]["rate_per_minute"]) == (quote["rule"], quote["rate_per_minute"])
    reply = walk.reseller.send("GET", f"{path}/price-list", format="csv")
    assert [row["prefix"] for row in csv.DictReader(io.StringIO(reply.body.decode()))] == list(rows)


def clients_are_made_and_pay(walk: Walk) -> None:
    reseller = walk.reseller
    acme = reseller.post("/v1/clients", {"company": "Acme", "credit_limit": "50", "email": "a@acme.example"})
    assert acme.keys() == CLIENT_FIELDS
    assert (acme["status"], acme["service"], acme["balance_mode"]) == ("active", "active", "permissive")
    assert (acme["balance"], acme["credit_limit"], acme["low_balance_threshold"]) == ("0.00", "50.00", None)
    boreal = reseller.post("/v1/clients", {"company": "Boreal", "balance_mode": "strict"})
    assert boreal["service"] == "suspended"
    walk.ids |= {"acme": acme["id"], "boreal": boreal["id"]}
    assert [item["company"] for item in reseller.pages("/v1/clients")] == ["Acme", "Boreal"]
    assert reseller.patch(walk.client, {"city": "Montréal"})["city"] == "Montréal"
    reseller.call(404, "GET", "/v1/clients/unknown")
    walk.anyone.holding(walk.ids["rival_key"]).call(404, "GET", walk.client)
    entry = reseller.post(f"{walk.client}/payments", {"amount": "100.00", "description": "Cheque 7"})
    assert entry.keys() == ENTRY_FIELDS
    assert (entry["kind"], entry["balance_after"], entry["reversal_of"]) == ("payment", "100.00", None)
    assert entry["actor"].startswith("key:")
    charge = reseller.post(f"{walk.client}/charges", {"amount": "0.01"})
    for bad in ("0", "-1", "1e3", 5):
        assert fields_of(reseller.call(422, "POST", f"{walk.client}/charges", {"amount": bad})) == ["amount"]
    reversal = reseller.post(f"{walk.client}/ledger/{charge['id']}/reverse", {})
    assert (reversal["kind"], reversal["amount"], reversal["reversal_of"]) == ("reversal", "0.01", charge["id"])
    reseller.call(409, "POST", f"{walk.client}/ledger/{charge['id']}/reverse", {})
    reseller.call(409, "POST", f"{walk.client}/ledger/{reversal['id']}/reverse", {})
    reseller.call(404, "POST", f"{walk.client}/ledger/99/reverse", {})
    ledger = reseller.pages(f"{walk.client}/ledger")
    assert [entry["balance_after"] for entry in ledger] == ["100.00", "99.99", "100.00"]


def a_stranger_signs_up_and_is_let_in(walk: Walk) -> None:
    reseller, person = walk.reseller, {"company": "Dune", "email": "d@dune.example"}
    link = reseller.post("/v1/signup", None)["path"]
    assert reseller.get("/v1/signup")["path"] == link
    asked = walk.anyone.post(link, person)
    assert (asked.keys(), asked["status"]) == ({"id", "status"}, "waiting")
    waiting = [one["company"] for one in reseller.pages("/v1/clients") if one["status"] == "waiting"]
    assert waiting == ["Dune"]
    path = f"/v1/clients/{asked['id']}"
    assert fields_of(reseller.call(409, "POST", f"{path}/packages", {"package_id": walk.ids["bundle"]})) == []
    assert reseller.patch(path, {"status": "active"})["status"] == "active"
    reseller.delete("/v1/signup")
    walk.anyone.call(404, "POST", link, person)


def clients_move_in_from_elsewhere(walk: Walk) -> None:
    body = {"clients": "ref,company,balance\nold-7,Elm,7.50\n", "subaccounts": "", "dids": ""}
    reseller = walk.reseller
    assert reseller.post("/v1/imports", {**body, "preview": True}, 200)["status"] == "preview"
    wrong = {"clients": "company,country\nElm,XX\n"}
    assert fields_of(reseller.call(422, "POST", "/v1/imports", wrong)) == ["clients"]
    made = reseller.post("/v1/imports", body, 200)
    assert (made["status"], made["clients"], list(made["client_ids"])) == ("done", 1, ["old-7"])
    assert reseller.get(f"/v1/imports/{made['id']}") == made
    listed = reseller.get(f"/v1/imports/{made['id']}/clients")["items"]
    assert {one["ref"]: one["id"] for one in listed} == made["client_ids"]
    assert reseller.post(f"/v1/imports/{made['id']}/resume", {}, 200) == made
    assert reseller.get(f"/v1/clients/{made['client_ids']['old-7']}")["balance"] == "7.50"


def a_payment_sent_twice_counts_once(walk: Walk) -> None:
    path, key = f"/v1/clients/{walk.ids['boreal']}/payments", {"Idempotency-Key": "payment-1"}
    replies = [walk.reseller.send("POST", path, {"amount": "10.00"}, key) for _ in range(2)]
    assert [reply.status for reply in replies] == [201, 201]
    assert replies[0].json == replies[1].json
    problem(walk.reseller.send("POST", path, {"amount": "11.00"}, key), 409)
    boreal = walk.reseller.get(f"/v1/clients/{walk.ids['boreal']}")
    assert (boreal["balance"], boreal["service"]) == ("10.00", "active")


def packages_are_attached_and_clients_closed(walk: Walk) -> None:
    reseller, bundle = walk.reseller, {"package_id": walk.ids["bundle"]}
    attached = reseller.post(f"{walk.client}/packages", bundle)
    assert attached.keys() == {"client_id", "package_id", "attached_at"}
    reseller.call(409, "POST", f"{walk.client}/packages", bundle)
    assert [held["package_id"] for held in reseller.pages(f"{walk.client}/packages")] == [walk.ids["bundle"]]
    assert fields_of(reseller.call(409, "DELETE", walk.client)) == ["packages"]
    reseller.call(409, "DELETE", f"/v1/packages/{walk.ids['bundle']}")
    reseller.delete(f"{walk.client}/packages/{walk.ids['bundle']}")
    gone = f"/v1/clients/{reseller.post('/v1/clients', {})['id']}"
    reseller.delete(gone)
    assert reseller.get(gone)["status"] == "closed"
    reseller.call(409, "POST", f"{gone}/packages", bundle)


def subaccounts_are_made(walk: Walk) -> None:
    reseller, everyday, bundle = walk.reseller, walk.ids["everyday"], walk.ids["bundle"]
    body = {"username": "office", "client_id": walk.ids["acme"], "package_id": everyday}
    office = reseller.post("/v1/subaccounts", {**body, "charge_setup_fee_now": True, "next_billing_date": "2126-12-01"})
    assert office.keys() == SUBACCOUNT_FIELDS
    assert walk.balance("acme") == "97.00"
    for name, client, package in (("100000_van", "boreal", bundle), ("desk", "boreal", everyday)):
        wanted = {"username": name, "client_id": walk.ids[client], "package_id": package}
        walk.ids[name] = reseller.post("/v1/subaccounts", wanted)["id"]
    walk.ids["office"] = office["id"]
    reseller.call(409, "POST", "/v1/subaccounts", body)
    names = [item["username"] for item in reseller.pages("/v1/subaccounts")]
    assert names == ["office", "100000_van", "desk"]
    assert len(reseller.pages("/v1/subaccounts", client_id=walk.ids["boreal"])) == 2
    path = f"/v1/subaccounts/{office['id']}"
    assert reseller.patch(path, {"next_billing_date": None})["next_billing_date"] is None
    assert reseller.get(path)["username"] == "office"
    reseller.delete(f"/v1/subaccounts/{walk.ids['desk']}")
    reseller.call(404, "GET", f"/v1/subaccounts/{walk.ids['desk']}")
    taken = {"username": "desk", "client_id": walk.ids["acme"], "package_id": everyday}
    assert "never used again" in reseller.call(409, "POST", "/v1/subaccounts", taken)["detail"]


def numbers_are_ordered_and_assigned(walk: Walk) -> None:
    reseller, stocked = walk.reseller, {"monthly": "1", "setup": "0.5", "per_minute": "0.006"}
    made = walk.operator.post("/v1/inventory", {"number": "14165550100", **stocked})
    assert made == {
        "number": "+14165550100", "monthly": "1.00", "setup": "0.50", "per_minute": "0.006", "reseller_id": None,
    }  # fmt: skip
    walk.operator.post("/v1/inventory", {"number": "+14165550101"})
    walk.operator.call(409, "POST", "/v1/inventory", {"number": "+14165550100"})
    available = reseller.pages("/v1/dids/available")
    assert [item["number"] for item in available] == ["+14165550100", "+14165550101"]
    assert available[0].keys() == {"number", "monthly", "setup", "per_minute"}
    ordered = reseller.post("/v1/dids/14165550100/order", {}, 200)
    assert ordered.keys() == DID_FIELDS
    reseller.call(409, "POST", "/v1/dids/+14165550100/order", {})
    assert reseller.get("/v1/account")["balance"] == "498.00"
    assert [item["reseller_id"] for item in walk.operator.pages("/v1/inventory")] == [walk.ids["reseller"], None]
    theirs = {"client_id": walk.ids["acme"], "subaccount_id": walk.ids["100000_van"]}
    assert fields_of(reseller.call(422, "POST", "/v1/dids/14165550100/assign", theirs)) == ["subaccount_id"]
    ours = {"client_id": walk.ids["acme"], "subaccount_id": walk.ids["office"], "next_billing_date": "2127-01-15"}
    prices = {"monthly": "2.5", "setup": "1", "per_minute": "0.012", "charge_setup": False}
    did = reseller.post("/v1/dids/14165550100/assign", {**ours, **prices}, 200)
    assert (did["monthly"], did["next_billing_date"], did["client_id"]) == ("2.50", "2127-01-15", walk.ids["acme"])
    assert walk.balance("acme") == "94.50"
    reseller.call(409, "POST", "/v1/dids/14165550100/cancel", {})
    held = fields_of(reseller.call(409, "DELETE", walk.client))
    assert held == ["packages", "subaccounts", "dids"]
    reseller.post("/v1/dids/14165550101/order", {}, 200)
    assert len(reseller.pages("/v1/dids")) == 2
    assert [item["number"] for item in reseller.pages("/v1/dids", client_id=walk.ids["acme"])] == ["+14165550100"]


CALLS = """
a1,2025-10-05T12:00:00Z,outbound,office,+14165550100,+442079460000,ANSWERED,60
a2,2025-10-05T12:05:00Z,outbound,office,+14165550100,4165550199,ANSWERED,27
a3,2025-10-06T12:00:00Z,outbound,office,+14165550100,+12125550100,NO ANSWER,0
a4,2025-10-06T13:00:00Z,inbound,,+442079460000,+14165550100,ANSWERED,3
a5,2025-10-06 23:30:00,outbound,100000_van,,+14165550177,ANSWERED,61
a1,2025-10-05T12:00:00Z,outbound,office,+14165550100,+442079460000,ANSWERED,60
b1,2025-10-05T12:00:00Z,outbound,nobody,+14165550100,+442079460000,ANSWERED,60
b2,2025-10-05T12:00:00Z,outbound,office,+14165550100,+4930123456,ANSWERED,60
b3,2025-10-05T12:00:00Z,outbound,office,+14165550100,+442079460000,ANSWERED,sixty
b4,2025-10-05T12:00:00Z,inbound,,+14165550100,+14165559999,ANSWERED,60
"""


def a_cdr_file_is_rated(walk: Walk) -> None:
    data = (HEADER + CALLS).encode()
    batch = walk.rate(data, "october.csv")
    counts = [batch[name] for name in ("status", "lines", "rated", "rejected", "duplicates")]
    assert counts == ["done", 10, 5, 4, 1]
    # Sold: 0.012 (the seed) + 0.00312 + 0 + 6 s at 0.012 + 60 of 120 s at 0.008; cost: 0.01 + 0.0026 + 0.0006 + 66 s.
    assert (batch["revenue"], batch["cost"]) == ("0.02432", "0.01892")
    assert batch["reason"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", batch["started_at"])
    refused = list(csv.reader(io.StringIO(download(batch["rejected_url"]))))
    assert [row[:2] for row in refused] == [
        ["line", "reason"], ["8", "unknown_account"], ["9", "no_rate"], ["10", "bad_seconds"], ["11", "no_owner"],
    ]  # fmt: skip
    assert refused[1][3] == CALLS.strip().splitlines()[6]
    assert (walk.balance("acme"), walk.balance("boreal")) == ("94.48368", "9.992")
    shown = walk.reseller.get(f"/v1/batches/{batch['id']}")
    assert {**shown, "rejected_url": ""} == {**batch, "rejected_url": ""}, "but for links, which are signed anew"
    walk.reseller.call(404, "GET", "/v1/batches/unknown")
    walk.anyone.holding(walk.ids["rival_key"]).call(404, "GET", f"/v1/batches/{batch['id']}")
    assert (batch["conflicting"], batch["conflicts_url"]) == (0, None)
    longer = CALLS.splitlines()[2].replace(",27", ",28")
    again = walk.rate(f"{HEADER}{CALLS}{longer}\n".encode(), "october-again.csv")
    assert (again["rated"], again["rejected"], again["duplicates"], again["revenue"]) == (0, 4, 7, "0.00")
    assert again["conflicting"] == 1
    (conflict,) = csv.DictReader(io.StringIO(download(again["conflicts_url"])))
    assert (conflict["line"], conflict["original"], conflict["differs"]) == ("12", longer, "seconds")
    assert (conflict["billed_batch_id"], conflict["billed_line"]) == (batch["id"], "3")
    assert (walk.balance("acme"), walk.balance("boreal")) == ("94.48368", "9.992")


VOIPMS = """\
date,callerid,destination,description,account,disposition,duration,seconds,rate,total,uniqueid,destination_type
2025-10-15 20:05:27,\"""Van\"" <4165550100>",4165550123,Toronto,100000_van,ANSWERED,00:00:27,27,0.0052,0.0026,77,
2025-10-15 20:06:00,4165550100,4165550123,Call Recording,100000,ANSWERED,00:00:27,27,0,0,78,
"""


def voipms_rows_and_gzip_are_rated_too(walk: Walk) -> None:
    batch = walk.rate(gzip.compress(VOIPMS.encode()), "voipms.csv.gz")
    assert (batch["rated"], batch["rejected"], batch["revenue"]) == (1, 1, "0.008")
    assert "not_a_call" in download(batch["rejected_url"])
    (call,) = walk.reseller.get("/v1/reports/calls", date_from="2025-10-15", date_to="2025-10-15")["items"]
    # The zone of VoIP.ms is Eastern time, whatever the reseller's.
    assert (call["call_id"], call["start"], call["rule"]) == ("77", "2025-10-16T00:05:27Z", "group:canada")
    assert (call["from"], call["account"]) == ("+14165550100", "100000_van")


def a_file_that_is_no_csv_is_done_with_every_line_refused(walk: Walk) -> None:
    batch = walk.rate(b"Dear all,\nplease find the calls attached.\n", "letter.csv")
    assert (batch["status"], batch["rated"], batch["rejected"]) == ("done", 0, batch["lines"])
    assert len(walk.reseller.pages("/v1/batches")) == 4


def files_of_a_source_are_declared(walk: Walk) -> None:
    declared = {"id": "tokyo", "pattern": "tokyo/*.csv", "time_zone": "Asia/Tokyo"}
    assert walk.reseller.call(200, "PUT", "/v1/cdr-sources", declared)["time_zone"] == "Asia/Tokyo"
    assert [source["id"] for source in walk.reseller.get("/v1/cdr-sources")["items"]] == ["tokyo"]
    assert fields_of(walk.reseller.call(422, "PUT", "/v1/cdr-sources", {"id": "x", "pattern": "*"})) == ["body"]
    walk.reseller.call(204, "DELETE", "/v1/cdr-sources/tokyo")
    walk.reseller.call(404, "DELETE", "/v1/cdr-sources/tokyo")


def the_report_of_calls_filters_and_adds_up(walk: Walk) -> None:
    reseller, path = walk.reseller, "/v1/reports/calls"
    report = reseller.get(path, **OCTOBER)
    assert report.keys() == {"items", "next", "totals"}
    assert list(report["items"][0]) == CALL_FIELDS
    assert [call["call_id"] for call in report["items"]] == ["77", "a5", "a4", "a3", "a2", "a1"]
    assert reseller.pages(path, **OCTOBER) == report["items"]
    totals = {"calls": 6, "seconds": 178, "billed_seconds": 276, "amount": "0.03232", "cost": "0.02152"}
    assert report["totals"] == totals
    assert reseller.get(path, limit=1, **OCTOBER)["totals"] == totals
    seed = report["items"][-1]
    told = [seed[name] for name in ("rule", "rate_per_minute", "billed_seconds", "free_seconds", "amount", "cost")]
    assert told == ["markup", "0.012", 60, 0, "0.012", "0.01"]
    assert (report["items"][1]["free_seconds"], report["items"][1]["amount"]) == (60, "0.008")
    chosen = [
        ({"client_id": walk.ids["boreal"]}, ["77", "a5"]),
        ({"account": "office"}, ["a3", "a2", "a1"]),
        ({"did": "14165550100"}, ["a4"]),
        ({"direction": "inbound"}, ["a4"]),
        ({"disposition": "NO ANSWER"}, ["a3"]),
        ({"country": "GB"}, ["a1"]),
        ({"number_prefix": "1416"}, ["77", "a5", "a4", "a2"]),
        ({"billing": "free"}, ["a3"]),
        ({"account": "office", "billing": "billed"}, ["a2", "a1"]),
        ({"date_from": "2025-10-06", "date_to": "2025-10-06"}, ["a5", "a4", "a3"]),
    ]
    for filters, ids in chosen:
        found = reseller.get(path, **{**OCTOBER, **filters})
        assert [call["call_id"] for call in found["items"]] == ids, filters
        assert found["totals"]["calls"] == len(ids)
    assert reseller.get(path)["items"] == []
    wrong = reseller.call(422, "GET", path, date_from="2025-10-31", date_to="2025-10-01")
    assert fields_of(wrong) == ["date_to"]
    assert fields_of(reseller.call(422, "GET", path, colour="red")) == ["colour"]
    reseller.call(404, "GET", path, client_id="unknown")
    assert walk.anyone.holding(walk.ids["rival_key"]).get(path, **OCTOBER)["items"] == []


def the_report_comes_as_csv_too_unless_it_is_large(walk: Walk) -> None:
    reply = walk.reseller.send("GET", "/v1/reports/calls", None, format="csv", **OCTOBER)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert 'filename="calls.csv"' in reply.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(reply.body.decode(), newline="")))
    assert rows[0] == CALL_FIELDS
    assert rows[-1][-2:] == ["0.012", "0.01"]
    lines = [f"n{n},2025-09-09T12:00:{n % 60:02d}Z,outbound,office,,+12125550100,BUSY,0" for n in range(10_001)]
    assert walk.rate(gzip.compress("\n".join([HEADER, *lines]).encode()), "busy.csv")["rated"] == 10_001
    large = {"format": "csv", "date_from": "2025-09-09", "date_to": "2025-09-09"}
    assert "page by page" in walk.reseller.call(413, "GET", "/v1/reports/calls", **large)["detail"]


def a_clients_key_sees_its_own_and_no_cost(walk: Walk) -> None:
    made = walk.reseller.post("/v1/keys", {"role": "client", "client_id": walk.ids["acme"]})
    client = walk.anyone.holding(made["api_key"])
    assert [item["id"] for item in client.pages("/v1/clients")] == [walk.ids["acme"]]
    assert client.get(walk.client)["balance"] == "94.48368"
    client.call(404, "GET", f"/v1/clients/{walk.ids['boreal']}")
    client.call(403, "GET", "/v1/account")
    client.call(403, "POST", f"{walk.client}/payments", {"amount": "1000"})
    assert [item["username"] for item in client.pages("/v1/subaccounts")] == ["office"]
    assert len(client.pages("/v1/dids")) == 1
    assert client.get(f"{walk.client}/ledger")["items"][0]["kind"] == "call_usage"
    report = client.get("/v1/reports/calls", **OCTOBER)
    assert [call["call_id"] for call in report["items"]] == ["a4", "a3", "a2", "a1"]
    assert {call["cost"] for call in report["items"]} == {None}
    assert report["totals"]["cost"] is None
    text = client.send("GET", "/v1/reports/calls", None, format="csv", **OCTOBER).body.decode()
    assert text.splitlines()[0] == ",".join(CALL_FIELDS[:-1])
    quote = client.get(f"{walk.package}/quote", number="+442079460000")
    assert (quote["cost"], quote["price"]["amount"]) == (None, "0.012")
    assert not any("0.01 " in step or "%" in step for step in quote["steps"])
    client.call(404, "GET", f"/v1/packages/{walk.ids['bundle']}/quote", number="+442079460000")
    cursor = walk.reseller.get("/v1/reports/calls", limit=1, **OCTOBER)["next"]
    assert fields_of(client.call(422, "GET", "/v1/reports/calls", cursor=cursor, **OCTOBER)) == ["cursor"]


def ledgers_agree_with_the_calls(walk: Walk) -> None:
    ledger = walk.reseller.pages(f"{walk.client}/ledger")
    usage = [(entry["amount"], entry["usage_month"]) for entry in ledger if entry["kind"] == "call_usage"]
    assert usage == [("-0.01632", "2025-10")]
    assert walk.reseller.get("/v1/account")["balance"] == "497.97848"


def a_batch_rated_again_leaves_the_books_as_they_were(walk: Walk) -> None:
    names = ("acme", "boreal")
    before = [walk.balance(name) for name in names]
    batch = next(one for one in walk.reseller.pages("/v1/batches") if one["key"].endswith("october.csv"))
    walk.reseller.post(f"/v1/batches/{batch['id']}/rerate", None, 202)
    wait_for(lambda: walk.reseller.get(f"/v1/batches/{batch['id']}")["status"] == "done" or None)
    assert [walk.balance(name) for name in names] == before


def numbers_go_back_where_they_came_from(walk: Walk) -> None:
    reseller = walk.reseller
    early = {"effective_from": "2025-10-01T00:00:00Z"}
    assert "already rated" in reseller.call(409, "POST", "/v1/dids/14165550100/release", early)["detail"]
    released = reseller.post("/v1/dids/14165550100/release", {}, 200)
    assert (released["client_id"], released["subaccount_id"], released["monthly"]) == (None, None, "0.00")
    reseller.call(409, "POST", "/v1/dids/14165550100/release", {})
    assert reseller.post("/v1/dids/14165550100/cancel", {}, 200).keys() == {"number", "monthly", "setup", "per_minute"}
    reseller.call(404, "POST", "/v1/dids/14165550100/cancel", {})
    assert len(reseller.pages("/v1/dids")) == 1


def a_program_is_told_and_the_trail_says_who_did_what(walk: Walk) -> None:
    reseller = walk.reseller
    made = reseller.post("/v1/webhooks", {"url": "https://hooks.voix.example/in", "events": ["batch.rejects"]})
    assert reseller.pages("/v1/webhooks") == [{name: made[name] for name in made if name != "secret"}]
    turned = reseller.post(f"/v1/webhooks/{made['id']}/rotate", {}, 200)
    assert turned["secret"] not in (None, made["secret"])
    reseller.delete(f"/v1/webhooks/{made['id']}")
    wishes = reseller.get("/v1/notifications")
    assert "client.low_balance" in wishes["clients"] and "batch.rejects" in wishes["reseller"]
    assert reseller.put("/v1/notifications", {**wishes, "clients": []})["clients"] == []
    assert {"items", "next"} == reseller.get("/v1/deliveries").keys()
    newest = reseller.get("/v1/audit", limit=1)["items"][0]
    assert newest.keys() == {"id", "at", "kind", "subject", "actor", "role", "label", "changes"}
    assert (newest["kind"], newest["actor"]) == ("notifications.changed", f"key:{reseller.key.split('_')[1]}")
    assert newest["changes"] == [{"field": "clients", "old": sorted(wishes["clients"]), "new": []}]
    assert walk.operator.get("/v1/audit")["items"][0]["actor"] in ("operator", "system:rating")


def a_switch_asks_and_a_file_is_looked_at_first(walk: Walk) -> None:
    reseller, asked = walk.reseller, {"account": "office", "number": "+442079460000", "reserve_seconds": 60}
    first = reseller.post("/v1/authorizations", {**asked, "call_id": "walk-1"})
    assert (first["allowed"], first["reason"], first["rate"]) == (True, "ok", "0.012")
    held = reseller.post(f"/v1/authorizations/{first['id']}/finish", {"seconds": 60}, 200)
    assert (held["seconds"], held["amount"]) == (60, "0.012")
    second = reseller.post("/v1/authorizations", {**asked, "call_id": "walk-2"})
    reseller.delete(f"/v1/authorizations/{second['id']}")
    reseller.call(404, "DELETE", f"/v1/authorizations/{second['id']}")
    inbound = reseller.post("/v1/authorizations", {"direction": "inbound", "number": "+14165550999"})
    assert (inbound["allowed"], inbound["reason"]) == (False, "unknown_account")
    assert reseller.get("/v1/account")["last_asked_at"] is not None
    text = f"{HEADER}\nw1,2025-10-05T12:00:00Z,outbound,office,+14165550100,+442079460000,ANSWERED,60\n"
    looked = reseller.post("/v1/cdr-preview", {"text": text}, 200)
    assert (looked["lines"], looked["rated"], looked["items"][0]["call"]["amount"]) == (1, 1, "0.012")


def paypal_is_set_up_and_a_deposit_begun(walk: Walk) -> None:
    reseller = walk.reseller
    wanted = {"email": "shop@voix.example", "environment": "sandbox", "amounts": ["10", "25"]}
    assert reseller.put("/v1/paypal", wanted)["notify_url"]
    reseller.put("/v1/paypal/app", {"app_key": "walk-app", "app_secret": "walk-secret"})
    assert "walk-secret" not in str(reseller.get("/v1/paypal"))
    reseller.delete("/v1/paypal/app")
    made = reseller.post(f"{walk.client}/deposits", {"amount": "25"})
    assert (made["status"], made["amount"]) == ("open", "25.00")
    assert fields_of(reseller.call(422, "POST", f"{walk.client}/deposits", {"amount": "26"})) == ["amount"]
    assert reseller.get(f"{walk.client}/deposits/{made['id']}")["invoice"] == made["invoice"]
    assert [one["id"] for one in reseller.pages(f"{walk.client}/deposits")] == [made["id"]]
    assert reseller.pages("/v1/paypal/reviews") == []
    assert walk.operator.pages(f"/v1/resellers/{walk.ids['reseller']}/paypal/messages") == []


NEEDS_PAYPAL = {
    ("POST", "/v1/clients/{client_id}/deposits/{deposit_id}/capture"),
    ("DELETE", "/v1/paypal/reviews/{review_id}"),
    ("POST", "/v1/resellers/{reseller_id}/paypal/messages/{message_id}/verify"),
    ("POST", "/v1/resellers/{reseller_id}/paypal/messages/{message_id}/replay"),
}
"""Routes that succeed only after PayPal has said something: ``tests/payments`` and the walk of every route do."""


def a_suspended_reseller_may_only_read(walk: Walk) -> None:
    path = f"/v1/resellers/{walk.ids['reseller']}"
    walk.operator.patch(path, {"status": "suspended"})
    walk.reseller.get("/v1/account")
    walk.reseller.call(403, "POST", "/v1/clients", {})
    walk.reseller.call(409, "POST", "/v1/account/activate", {})
    walk.operator.patch(path, {"status": "active"})
    walk.reseller.post("/v1/clients", {})


STEPS = (
    strangers_are_turned_away,
    unreadable_requests_are_refused,
    the_operator_makes_resellers,
    the_operator_keeps_a_resellers_account,
    a_pending_reseller_activates_itself,
    keys_of_lesser_roles_are_made_and_revoked,
    packages_and_custom_rates_are_made,
    custom_rates_are_set_listed_and_withdrawn,
    a_deck_is_published_and_a_bad_one_refused_whole,
    a_deck_in_another_currency_waits_and_is_published_and_withdrawn,
    a_carriers_deck_is_previewed_and_its_format_declared,
    a_quote_explains_the_seed_example,
    the_price_list_says_what_quotes_say,
    clients_are_made_and_pay,
    a_stranger_signs_up_and_is_let_in,
    clients_move_in_from_elsewhere,
    a_payment_sent_twice_counts_once,
    packages_are_attached_and_clients_closed,
    subaccounts_are_made,
    numbers_are_ordered_and_assigned,
    a_cdr_file_is_rated,
    voipms_rows_and_gzip_are_rated_too,
    a_file_that_is_no_csv_is_done_with_every_line_refused,
    files_of_a_source_are_declared,
    the_report_of_calls_filters_and_adds_up,
    the_report_comes_as_csv_too_unless_it_is_large,
    a_clients_key_sees_its_own_and_no_cost,
    ledgers_agree_with_the_calls,
    a_batch_rated_again_leaves_the_books_as_they_were,
    numbers_go_back_where_they_came_from,
    a_program_is_told_and_the_trail_says_who_did_what,
    a_switch_asks_and_a_file_is_looked_at_first,
    paypal_is_set_up_and_a_deposit_begun,
    a_suspended_reseller_may_only_read,
)


@pytest.mark.system
def test_a_reseller_walks_every_route(walk: Walk) -> None:
    for step in STEPS:
        step(walk)
    document = walk.anyone.get("/v1/openapi.json")
    routes = [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]
    # The most literal pattern first, as the gateway matches: "{" sorts behind letters.
    called = {next(route for route in sorted(routes) if _fits(route, *been)) for been in _known(walk, routes)}
    assert set(routes) - called == NEEDS_PAYPAL


def _known(walk: Walk, routes: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [been for been in walk.anyone.been if any(_fits(route, *been) for route in routes)]


def _fits(route: tuple[str, str], method: str, path: str) -> bool:
    pattern = re.sub(r"\{\w+\}", "[^/]+", route[1].replace(".", r"\."))
    return route[0] == method and re.fullmatch(pattern, path) is not None
