"""A PayPal deposit: ordered, paid at the stand-in as a browser would, reported three times, credited once."""

from __future__ import annotations

import json
import urllib.request
from decimal import Decimal
from urllib.parse import urlencode

from local.demo.checks import Checks
from local.demo.http import Api, Json, download, send, wait_for
from local.demo.output import Output
from local.demo.shop import Shop

COPIES = 3
AMOUNT = "25"


def take_deposit(operator: Api, shop: Shop, output: Output, checks: Checks, paypal_url: str) -> None:
    """A strict client without a balance pays, and may call."""
    output.section("A client pays by PayPal")
    settings = {"email": "paypal@maple-voice.example", "environment": "sandbox", "amounts": ["10", AMOUNT, "50"]}
    shop.api.put("/v1/paypal", settings)
    client = shop.api.post("/v1/clients", {"company": "Dune Diner", "balance_mode": "strict"})
    path = f"/v1/clients/{client['id']}"
    deposit = shop.api.post(f"{path}/deposits", {"amount": AMOUNT})
    _switch(paypal_url, "habits", {"copies": COPIES, "retry_seconds": 0.2})
    page = download(deposit["pay_url"]).decode()
    checks.same("the button of the pay page leads to PayPal", deposit["action"] in page, True)
    _pay(deposit)
    outcomes = wait_for("PayPal's messages", lambda: _outcomes(operator, shop))
    checks.same("what became of the messages", outcomes, ["credited", *["duplicate"] * (COPIES - 1)])
    checks.same("the status of the deposit", shop.api.get(f"{path}/deposits/{deposit['id']}")["status"], "paid")
    after = shop.api.get(path)
    entries = [entry for entry in shop.api.every(f"{path}/ledger") if entry["kind"] == "deposit"]
    checks.same("deposits in the ledger", len(entries), 1)
    checks.same("the balance after the deposit", Decimal(after["balance"]), Decimal(AMOUNT))
    checks.same("the service after the deposit", after["service"], "active")
    rows = [["before", client["balance"], client["service"]], ["after", after["balance"], after["service"]]]
    output.table([client["company"], ">balance", "service"], rows)
    output.say("")
    output.say(
        f"PayPal told of it {COPIES} times. Each message was posted back to PayPal, byte for byte, and counted only "
        f"because PayPal knew it; the {entries[0]['amount']} {deposit['currency']} were credited once."
    )


def _pay(deposit: Json) -> None:
    """Do what a browser does at the stand-in: send the form, press the button."""
    form = {**deposit["fields"]}
    send(urllib.request.Request(deposit["action"], urlencode(form).encode()))
    pressed = form | {"stand_in_status": "Completed"}
    url = deposit["action"].replace("/cgi-bin/webscr", "/pay")
    # The stand-in redirects the browser to the page that waits for the payment.
    send(urllib.request.Request(url, urlencode(pressed).encode()))


def _outcomes(operator: Api, shop: Shop) -> list[str] | None:
    """What became of each message, once all have come and are settled."""
    listed = operator.get(f"/v1/resellers/{shop.reseller['id']}/paypal/messages")["items"]
    found = sorted(message["outcome"] for message in listed if message["outcome"])
    return found if len(found) == COPIES else None


def _switch(paypal_url: str, what: str, body: Json) -> None:
    headers = {"Content-Type": "application/json"}
    send(urllib.request.Request(f"{paypal_url}/control/{what}", json.dumps(body).encode(), headers))
