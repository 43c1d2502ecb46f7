"""Decks in carriers' shapes, over HTTP from their preview to the calls that they price; figures are worked out here.

Each deck has days of its own on the route ``premium``, after those of other tests, and a deck of the test is in force
before it. The package sells at cost + 20 %.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus
from urllib.request import Request

import pytest
from builders import csv_file, line
from http_walk import exchange

FILES = Path(__file__).with_name("files")
OWN = "prefix,destination,rate_per_minute,initial,increment\n"
ROUTES = dict.fromkeys(("us", "canada", "international"), "premium")

pytestmark = pytest.mark.usefixtures("alone")


class Priced(NamedTuple):
    """A call: billed seconds of its cost, its cost and what it is sold for."""

    billed: int
    cost: str
    amount: str


def upload(api: Any, data: bytes, **wanted: str) -> str:
    """Upload a file as a person does, and run the function behind the queue as S3's message would; the file's key."""
    from chalicelib.config import settings
    from chalicelib.rating import events

    place = api.made("/v1/uploads", wanted)
    put = exchange(Request(place["url"], data, place["headers"], method=place["method"]))
    assert put.status == 200
    stored = {"key": quote_plus(place["key"]), "versionId": put.headers["x-amz-version-id"]}
    body = json.dumps({"Records": [{"s3": {"bucket": {"name": settings.bucket}, "object": stored}}]})
    message = {"body": body, "attributes": {"ApproximateReceiveCount": "1"}}
    events.rate_dropped_files({"Records": [message]}, None)
    return str(place["key"])


def dropped(operator: Any, data: bytes, name: str, day: str) -> Any:
    """What became of an uploaded deck: its item of the list."""
    upload(operator, data, kind="deck", filename=name, route="premium", effective_from=day)
    cursor = ""
    while True:
        page = operator.get(f"/v1/decks?limit=200{cursor}").json
        for deck in page["items"]:
            if (deck["file"], deck["effective_from"]) == (name, day) and deck["superseded_by"] is None:
                return deck
        assert page["next"], f"{name} is not in the list of decks"
        cursor = f"&cursor={page['next']}"


def codes(found: Any) -> list[str]:
    return [each["code"] for each in found["suspicions"]]


def confirm(operator: Any, deck: Any, *accept: str, **fx: str) -> None:
    answer = operator.post(f"/v1/decks/{deck['id']}/publish", {"accept": accept, **fx})
    assert (answer.status, answer.json["status"]) == (200, "published"), answer.text


def in_force_before(operator: Any, day: str, *lines: str) -> None:
    """A deck with these lines and no others is in force from a day on."""
    deck = dropped(operator, (OWN + "\n".join(lines) + "\n").encode(), "before.csv", day)
    if deck["status"] == "held":
        confirm(operator, deck, *codes(deck))


def preview(operator: Any, data: bytes, name: str, day: str, **more: Any) -> Any:
    text = base64.b64encode(gzip.compress(data)).decode()
    body = {"text": text, "base64": True, "filename": name, "route": "premium", "effective_from": day, **more}
    answer = operator.post("/v1/deck-preview", body)
    assert (answer.status, answer.json["wrong"]) == (200, 0), answer.text
    return answer.json


@pytest.fixture
def package(reseller: Any, aws: str) -> str:
    """A package whose calls are all charged by the decks of ``premium``, and Alice, who has it."""
    body = {"name": "p", "markup_percent": "20", "routes": ROUTES}
    package_id = str(reseller.made("/v1/packages", body)["id"])
    client_id = reseller.made("/v1/clients", {"company": "Alice"})["id"]
    reseller.made("/v1/subaccounts", {"username": "alice", "client_id": client_id, "package_id": package_id})
    return package_id


@pytest.fixture
def formats(operator: Any) -> Iterator[list[str]]:
    """Ids of formats that are removed when the test ends."""
    declared: list[str] = []
    yield declared
    for each in declared:
        operator.delete(f"/v1/deck-formats/{each}")


def quoted(reseller: Any, package: str, number: str, seconds: int, at: str) -> Priced | None:
    """What a call at 12:00 UTC of a day would cost and be sold for; ``None``: no deck has a rate."""
    query = f"number={quote(number)}&seconds={seconds}&at={at}T12:00:00Z"
    answer = reseller.get(f"/v1/packages/{package}/quote?{query}")
    if answer.status == 422 and "no rate" in answer.text:
        return None
    cost, price = answer.json["cost"], answer.json["price"]
    assert price["billed_seconds"] == cost["billed_seconds"]
    return Priced(cost["billed_seconds"], cost["amount"], price["amount"])


def rated(reseller: Any, day: str, *calls: tuple[str, int]) -> list[Priced]:
    """The calls of a dropped CDR file: the number called and the seconds of each, at 12:00 UTC of a day."""
    lines = [line(f"{day}-{n}", "alice", s, start=f"{day}T12:00:00Z", to=to) for n, (to, s) in enumerate(calls)]
    key = upload(reseller, csv_file(*lines), kind="cdr", filename=f"{day}.csv")
    (batch,) = (one for one in reseller.get("/v1/batches").json["items"] if one["key"] == key)
    assert (batch["status"], batch["rated"]) == ("done", len(calls))
    found = reseller.get(f"/v1/reports/calls?date_from={day}&date_to={day}").json["items"]
    priced = {one["to"]: Priced(one["billed_seconds"], one["cost"], one["amount"]) for one in found}
    return [priced[number] for number, _ in calls]


UK, UK_MOBILE, CANADA, MEXICO = "+442079460000", "+447700900123", "+12045550199", "+525512345678"


def test_a_deck_with_increments_and_effective_dates_prices_calls_from_its_first_day_on(
    operator: Any, reseller: Any, package: str
) -> None:
    data, name = (FILES / "a-z.csv").read_bytes(), "a-z.csv"
    in_force_before(operator, "2080-12-01", "44,UK,0.5,1,1", "49,Germany,0.5,1,1", "1,NANP,0.5,1,1", "52,MX,0.5,1,1")
    shown = preview(operator, data, name, "2081-01-01")
    assert (shown["read_by"], shown["questions"], shown["lines"], shown["prefixes"]) == ("guessed", [], 6, 4)
    assert (shown["superseded"], shown["later"]) == (1, {"2081-01-15": 1})
    held = dropped(operator, data, name, "2081-01-01")
    # Germany and the United States have no price any more.
    assert (held["status"], codes(held)) == ("held", ["country_gone"])
    assert codes(shown) == codes(held)
    # 0.5 a minute by the deck before, in seconds.
    assert quoted(reseller, package, UK, 61, "2081-01-01") == (61, "0.50833333", "0.61")
    confirm(operator, held, "country_gone")
    assert quoted(reseller, package, UK, 61, "2080-12-31") == (61, "0.50833333", "0.61")
    calls = ((UK, 61), (UK_MOBILE, 10), (CANADA, 61), (MEXICO, 30))
    assert rated(reseller, "2081-01-02", *calls) == [
        (120, "0.0116", "0.01392"),  # 0.0058 of 28 December, not 0.0061 of 1 November; two minutes
        (60, "0.019", "0.0228"),  # 0.0190, one minute
        (66, "0.00495", "0.00594"),  # 0.0045, eleven steps of 6 seconds
        (60, "0.011", "0.0132"),  # 0.0110: 0.0140 begins on 15 January
    ]
    assert quoted(reseller, package, "+4930123456", 60, "2081-01-02") is None
    again = dropped(operator, data, name, "2081-01-15")
    assert (again["status"], again["suspicions"]) == ("published", [])
    assert quoted(reseller, package, MEXICO, 30, "2081-01-14") == (60, "0.011", "0.0132")
    assert rated(reseller, "2081-01-15", (MEXICO, 30), (UK, 61)) == [
        (60, "0.014", "0.0168"),
        (120, "0.0116", "0.01392"),
    ]


def test_a_deck_per_country_with_decimal_commas_is_converted_and_prices_calls(
    operator: Any, reseller: Any, package: str
) -> None:
    data, name, day = (FILES / "per-country.csv").read_bytes(), "per-country.csv", "2082-02-01"
    in_force_before(operator, "2082-01-01", "44,UK,0.5,1,1", "49,Germany,0.5,1,1", "33,France,0.5,1,1")
    shown = preview(operator, data, name, day)
    assert (shown["read_by"], shown["questions"], shown["lines"], shown["prefixes"]) == ("guessed", [], 4, 8)
    assert (shown["currency"], shown["extra_columns"]) == ("EUR", ["Bemerkung"])
    held = dropped(operator, data, name, day)
    assert (held["status"], held["cost_currency"], codes(held)) == ("held", "EUR", ["no_fx"])
    calls = (("+4930123456", 61), ("+4916012345678", 90), ("+33142685300", 30), ("+447400123456", 31))
    assert quoted(reseller, package, *calls[0], day) == (61, "0.50833333", "0.61")
    confirm(operator, held, cost_currency="EUR", fx="1.1")
    assert rated(reseller, day, *calls) == [
        (120, "0.01958", "0.023496"),  # 0.0089 x 1.1 = 0.00979 a minute, 60/60
        (90, "0.035475", "0.04257"),  # 0.0215 x 1.1 = 0.02365, 60/1
        (30, "0.00407", "0.004884"),  # 0.0074 x 1.1 = 0.00814, 1/1
        (36, "0.020592", "0.0247104"),  # 0.0312 x 1.1 = 0.03432, 30/6
    ]
    # The range 4473-4475 ends before 4476, and the deck has no line for the rest of 44.
    assert quoted(reseller, package, "+447600123456", 31, day) is None
    assert quoted(reseller, package, UK, 61, "2082-01-31") == (61, "0.50833333", "0.61")


def test_a_deck_of_npanxx_without_its_1_is_held_and_with_it_prices_calls(
    operator: Any, reseller: Any, package: str, formats: list[str]
) -> None:
    data, name, day = (FILES / "npanxx.csv").read_bytes(), "acme-npanxx.csv", "2083-02-01"
    # The countries whose calling codes the area codes 212, 305, 415 and 604 begin with, when their 1 is missing.
    others = ("212,Morocco,0.5,1,1", "30,Greece,0.5,1,1", "41,Switzerland,0.5,1,1", "60,Malaysia,0.5,1,1")
    in_force_before(operator, "2083-01-01", *others)
    shown = preview(operator, data, name, day)
    assert [each["code"] for each in shown["questions"]] == ["which_rate_per_minute", "increments"]
    form = shown["format"]
    answers = {"which_rate_per_minute": {"columns": {"rate_per_minute": "Inter"}}, "increments": {"increments": "6/6"}}
    for question in shown["questions"]:
        answer: dict[str, Any] = answers[question["code"]]
        assert answer in question["choices"]
        form = {**form, **answer, "columns": {**form["columns"], **answer.get("columns", {})}}
    assert form["prefix_add"] == "1"
    formats.append(form["id"])

    without = {**form, "prefix_add": ""}
    assert codes(preview(operator, data, name, day, format=without)) == ["nanp_without_1"]
    assert operator.put("/v1/deck-formats", without).status == 200
    held = dropped(operator, data, name, day)
    assert (held["status"], codes(held)) == ("held", ["nanp_without_1"])
    morocco, new_york = "+212201234567", "+12122010123"
    assert quoted(reseller, package, morocco, 61, day) == (61, "0.50833333", "0.61")
    assert quoted(reseller, package, new_york, 61, day) is None
    assert rated(reseller, day, (morocco, 61)) == [(61, "0.50833333", "0.61")]
    refused = operator.post(f"/v1/decks/{held['id']}/publish", {"accept": []})
    assert (refused.status, "nanp_without_1" in refused.text) == (409, True)
    assert operator.delete(f"/v1/decks/{held['id']}").status == 204

    assert operator.put("/v1/deck-formats", form).status == 200
    right = dropped(operator, data, name, "2083-02-02")
    assert (right["status"], codes(right)) == ("held", ["country_gone"])
    confirm(operator, right, "country_gone")
    assert quoted(reseller, package, new_york, 61, day) is None
    assert quoted(reseller, package, morocco, 61, "2083-02-02") is None
    assert rated(reseller, "2083-02-02", (new_york, 61), ("+16042040123", 12)) == [
        (66, "0.00781", "0.009372"),  # 1212201: 0.0071, eleven steps of 6 seconds
        (12, "0.00062", "0.000744"),  # 1604204: 0.0031
    ]
