"""Resellers that have one of everything, with words and numbers that must never reach another tenant."""

from __future__ import annotations

import itertools
import json
import os
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any

import bodies
import boto3
from builders import World, csv_file, line
from dropped_decks import put_in_force

from chalicelib.aws import objects
from local.paypal import messages

CALLED_ON = "2091-03-10T12:00:00Z"
"""Far from the days of all other tests, because decks are everybody's."""
DECK = (
    b"prefix,destination,rate_per_minute,initial,increment\n1,NANP,0.0137,60,60\n44,UK,0.0211,1,1\n502,GT,0.0377,1,1\n"
)
PRICE = {"markup_percent": "23.7", "markup_fixed": "0.0041", "setup_fee": "4.44", "monthly_fee": "6.66"}
STOCK = {"monthly": "3.17", "setup": "2.19", "per_minute": "0.0173"}
_numbers = itertools.count(int(uuid.uuid4().hex[:6], 16) % 1_000_000 * 10)


@dataclass
class Tenant:
    """``ids``: a thing of each kind by the name that paths and bodies call it; those of ``second`` are of its second
    client. ``spare`` overrides them where an operation uses a thing up. ``words`` and ``marks`` are its own alone."""

    word: str
    api: Any
    ids: dict[str, str] = field(default_factory=dict)
    second: dict[str, str] = field(default_factory=dict)
    spare: dict[str, dict[str, Any]] = field(default_factory=dict)
    readonly: Any = None
    client: Any = None
    words: list[str] = field(default_factory=list)

    @property
    def marks(self) -> list[str]:
        """What every stored item of this tenant names: its id, a client's, a number, a batch."""
        mine = [*self.ids.items(), *self.second.items()]
        return [value for name, value in mine if name in ("reseller_id", "client_id", "number", "batch_id")]


def publish_deck() -> None:
    """A deck on both routes for the day of the calls."""
    from chalicelib.config import settings

    for route in ("value", "premium"):
        key = f"incoming/decks/{route}/2091-01-01.csv"
        version = objects.s3().put_object(Bucket=settings.bucket, Key=key, Body=DECK)["VersionId"]
        put_in_force(key, version)


COLUMNS = {"prefix": "Code", "rate_per_minute": "Rate", "destination": "Name"}
"""Of a carrier's deck."""


def waiting_deck() -> str:
    """The id of a deck that is held, because it costs another currency; no call is ever rated with it."""
    from chalicelib.aws.transactions import Put as Write
    from chalicelib.aws.transactions import Scope, commit
    from chalicelib.config import settings
    from chalicelib.rating.decks import publish
    from chalicelib.rating.decks.store import DeckUpload

    key = f"incoming/decks/value/2093-01-01-{uuid.uuid4().hex}.csv"
    commit(
        Scope("operator", 1), [Write(DeckUpload(*DeckUpload.key(key), file="d", by="operator", cost_currency="EUR"))]
    )
    version = objects.s3().put_object(Bucket=settings.bucket, Key=key, Body=DECK)["VersionId"]
    held = publish.publish(Scope("system:test", 1_790_000_000), key, version)
    assert held.status == "held"
    return str(held.deck_id)


def make_tenant(operator: Any, word: str, payments: int = 1) -> Tenant:
    """A reseller with all kinds of things; ``word`` stands in every text, ``payments`` entries in the ledger."""
    person = {"name": f"{word} Telecom", "email": f"a@{word}.example", "time_zone": "America/Toronto"}
    made = operator.made("/v1/resellers", person)
    tenant = Tenant(word, operator.with_key(made["api_key"]), {"reseller_id": made["id"]}, words=[word])
    for ids, number in ((tenant.ids, "1"), (tenant.second, "2")):
        _add_client(operator, tenant, ids, f"{word}-{number}", payments)
    _add_spares(operator, tenant)
    _add_keys(tenant)
    _add_paypal(tenant)
    _add_webhooks(tenant)
    _add_batch(tenant)
    return tenant


def _add_client(operator: Any, tenant: Tenant, ids: dict[str, str], name: str, payments: int) -> None:
    api = tenant.api
    texts = {key: f"{name} {key}" for key in ("company", "first_name", "last_name", "address", "city", "state")}
    ids["client_id"] = api.made("/v1/clients", {**texts, "email": f"c@{name}.example"})["id"]
    ids["package_id"] = api.made("/v1/packages", {"name": f"{name} package", **PRICE})["id"]
    rate = {"rate_per_minute": "0.0555"}
    assert api.put(f"/v1/packages/{ids['package_id']}/rates/prefix/1514", rate).status == 200
    ids |= {"scope": "prefix", "code": "1514"}
    account = {key: ids[key] for key in ("client_id", "package_id")}
    ids["subaccount_id"] = api.made("/v1/subaccounts", {"username": name, **account})["id"]
    for _ in range(payments):
        paid = api.made(f"/v1/clients/{ids['client_id']}/payments", {"amount": "50", "description": f"{name} paid"})
    ids["entry_id"] = paid["id"]
    ids["token"] = "no-link"
    source = {"id": f"{name}-source", "pattern": f"{name}/*.csv", "time_zone": "Asia/Tokyo"}
    assert api.put("/v1/cdr-sources", source).status == 200
    ids["source_id"] = source["id"]
    assigned = {key: ids[key] for key in ("client_id", "subaccount_id")}
    held = order(operator, tenant)
    assert api.post(f"/v1/dids/{held}/assign", {**assigned, "monthly": "7.77", "per_minute": "0.0777"}).status == 200
    ids["number"] = held
    tenant.words.append(held.lstrip("+"))
    ids |= {"account": name, "call_id": f"{name}-call", "authorization_id": hold(api, name)}


def hold(api: Any, account: str) -> str:
    """A call that the account has been allowed, to a number that needs no deck."""
    return str(api.made("/v1/authorizations", {"account": account, "number": "2001", "reserve_seconds": 60})["id"])


def on_sale(operator: Any) -> str:
    """A number in the inventory that nobody has."""
    return str(operator.made("/v1/inventory", {"number": f"+1514{next(_numbers):08d}", **STOCK})["number"])


def order(operator: Any, tenant: Tenant) -> str:
    """A number in the tenant's stock."""
    number = on_sale(operator)
    assert tenant.api.post(f"/v1/dids/{number}/order").status == 200
    return number


def _add_spares(operator: Any, tenant: Tenant) -> None:
    """Things for the operations that use one up, or need one in another state."""
    api, ids = tenant.api, tenant.ids
    idle, wanted, held = (api.made("/v1/packages", {"name": f"{tenant.word} spare"})["id"] for _ in range(3))
    assert api.post(f"/v1/clients/{ids['client_id']}/packages", {"package_id": held}).status == 201
    body = {"username": f"{tenant.word}-spare", "client_id": ids["client_id"], "package_id": ids["package_id"]}
    called_by_nobody = order(operator, tenant)
    # A reseller's own link ends as soon as the walk makes a new one.
    host = operator.made("/v1/resellers", {"name": "Host", "email": "h@host.example"})
    link = operator.with_key(host["api_key"]).made("/v1/signup", None)
    assert api.post(f"/v1/dids/{called_by_nobody}/assign", {"client_id": ids["client_id"]}).status == 200
    ids["import_id"] = api.post("/v1/imports", {"clients": f"company\n{tenant.word} moved in\n"}).json["id"]
    ids["deck_id"] = waiting_deck()
    deck_format = {
        "id": f"{tenant.word}-format",
        "pattern": f"{tenant.word}*",
        "columns": COLUMNS,
        "increments": "60/60",
    }
    shown = operator.put("/v1/deck-formats", deck_format)
    assert shown.status == 200, shown.text
    ids["format_id"] = deck_format["id"]
    tenant.spare = {
        "POST /v1/deck-preview": {"text": "Code;Name;Rate;Takt\n44;UK;0,012;60/60\n", "key": bodies.ABSENT},
        "POST /v1/decks/{deck_id}/publish": {
            "deck_id": waiting_deck(),
            "accept": [],
            "cost_currency": "EUR",
            "fx": "1.1",
        },
        "DELETE /v1/decks/{deck_id}": {"deck_id": waiting_deck()},
        "POST /v1/signup/{token}": {"token": link["token"]},
        "DELETE /v1/clients/{client_id}": {"client_id": api.made("/v1/clients", {})["id"]},
        "DELETE /v1/clients/{client_id}/packages/{package_id}": {"package_id": held},
        "DELETE /v1/packages/{package_id}": {"package_id": idle},
        "POST /v1/clients/{client_id}/packages": {"package_id": wanted},
        "DELETE /v1/subaccounts/{subaccount_id}": {"subaccount_id": api.made("/v1/subaccounts", body)["id"]},
        "POST /v1/keys/{key_id}/rotate": {"key_id": api.made("/v1/keys", {"role": "reseller_readonly"})["id"]},
        "POST /v1/dids/{number}/order": {"number": on_sale(operator)},
        "POST /v1/dids/{number}/assign": {"number": order(operator, tenant)},
        "POST /v1/dids/{number}/release": {"number": called_by_nobody},
        "POST /v1/dids/{number}/cancel": {"number": order(operator, tenant)},
        "POST /v1/authorizations/{authorization_id}/finish": {
            "authorization_id": hold(api, f"{tenant.word}-1"),
            "seconds": 7,
        },
        "DELETE /v1/authorizations/{authorization_id}": {"authorization_id": hold(api, f"{tenant.word}-1")},
    }


def _add_keys(tenant: Tenant) -> None:
    api = tenant.api
    tenant.readonly = api.with_key(api.made("/v1/keys", {"role": "reseller_readonly"})["api_key"])
    body = {"role": "client", "client_id": tenant.ids["client_id"]}
    tenant.client = api.with_key(api.made("/v1/keys", body)["api_key"])
    tenant.ids["key_id"] = api.made("/v1/keys", {"role": "reseller_readonly"})["id"]


def _add_paypal(tenant: Tenant) -> None:
    """Settings, a deposit of each client, and messages that a person should look at."""
    api, word = tenant.api, tenant.word
    settings = {"email": f"shop@{word}.example", "environment": "sandbox", "amounts": ["10", "25"]}
    assert api.put("/v1/paypal", settings).status == 200
    for ids in (tenant.ids, tenant.second):
        made = api.made(f"/v1/clients/{ids['client_id']}/deposits", {"amount": "25"})
        ids["deposit_id"] = made["id"]
    _mood("VERIFIED")
    ipn_path = "/paypal" + made["fields"]["notify_url"].partition("/paypal")[2]
    for last in "12":
        told = messages.payment("sandbox", made["fields"], f"{messages.new_id(16)}{last}", "Completed")
        raw = messages.encode(told | {"mc_gross": "24.00", "last_name": word})
        sent = api.with_key("").send(
            "POST", ipn_path, raw, headers={"content-type": "application/x-www-form-urlencoded"}
        )
        assert sent.status == 200
    _mood("normal")
    tenant.ids["review_id"] = api.get("/v1/paypal/reviews").json["items"][0]["id"]
    from chalicelib.payments import store

    listed = store.Message.under(*store.Message.of_reseller(tenant.ids["reseller_id"]))
    tenant.ids["message_id"], other = (row.message_id for row in listed)
    tenant.spare["POST /v1/resellers/{reseller_id}/paypal/messages/{message_id}/replay"] = {"message_id": other}
    capture = "POST /v1/clients/{client_id}/deposits/{deposit_id}/capture"
    tenant.spare[capture] = {"deposit_id": _approved_order(tenant)}


def _approved_order(tenant: Tenant) -> str:
    """A deposit whose order at a REST app was approved by the payer, and of which nobody was told."""
    api = tenant.api
    assert api.put("/v1/paypal/app", {"app_key": f"App-{tenant.word}", "app_secret": "s3cret"}).status == 200
    made = api.made(f"/v1/clients/{tenant.ids['client_id']}/deposits", {"amount": "25"})
    form = {"content-type": "application/x-www-form-urlencoded"}
    sent = api.with_key("").send("POST", f"/pay/{made['invoice']}/checkout", b"", headers=form)
    order_id = sent.headers["Location"].rpartition("=")[2]
    _paypal("control/habits", {"deliver": False})
    _paypal("control/approve", {"order_id": order_id})
    return str(made["id"])


def _mood(name: str) -> None:
    """What PayPal's stand-in says of the messages that it is asked about."""
    _paypal("control/mood", {"name": name})


def _paypal(path: str, told: dict[str, Any]) -> None:
    url = f"{os.environ['FORFAIT_PAYPAL_LOCAL_URL']}/{path}"
    asked = urllib.request.Request(url, json.dumps(told).encode(), {"Content-Type": "application/json"})
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=30).close()


def _add_webhooks(tenant: Tenant) -> None:
    for ids, name in ((tenant.ids, "a"), (tenant.second, "b")):
        ids["webhook_id"] = tenant.api.made("/v1/webhooks", {"url": f"https://{tenant.word}.example/{name}"})["id"]


def _add_batch(tenant: Tenant) -> None:
    calls = {"start": CALLED_ON}
    mine = [line(f"{tenant.word}-{n}", f"{tenant.word}-{n}", to=f"+1212555010{n}", **calls) for n in (1, 2)]
    inbound = line(f"{tenant.word}-3", "", to=tenant.ids["number"], direction="inbound", **calls)
    refused = line(f"{tenant.word}-4", f"{tenant.word}-nobody", **calls)
    batch = World(tenant.ids["reseller_id"]).rate(csv_file(*mine, inbound, refused))
    assert (batch.status, int(batch.rated), int(batch.rejected)) == ("done", 3, 1)
    tenant.ids["batch_id"] = batch.batch_id


def work_off(tenant: Tenant) -> None:
    """Do what an answer of 202 has put on the queue, as the rating function does."""
    from chalicelib.config import settings
    from chalicelib.rating import s3_events

    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName=settings.queue)["QueueUrl"]
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            mine = [a for a in s3_events.read(message["Body"], settings.bucket) if tenant.ids["reseller_id"] in a.key]
            for arrival in mine:
                assert World(tenant.ids["reseller_id"]).rate(*arrival).status == "done"


# --- what is stored -----------------------------------------------------------------------------------------------


def stored_for(tenant: Tenant, partitions: set[str] | None = None) -> dict[tuple[str, str], str]:
    """Every item that names the tenant or one of its things, and every object; ``partitions`` bounds the search."""
    from chalicelib.config import settings

    dynamodb = boto3.client("dynamodb")
    if partitions is None:
        pages = [dynamodb.get_paginator("scan").paginate(TableName=settings.table, ConsistentRead=True)]
    else:
        query = {"TableName": settings.table, "ConsistentRead": True, "KeyConditionExpression": "pk = :pk"}
        ask = dynamodb.get_paginator("query").paginate
        pages = [ask(**query, ExpressionAttributeValues={":pk": {"S": pk}}) for pk in sorted(partitions)]
    found = {}
    for item in (item for each in pages for page in each for item in page["Items"]):
        text = json.dumps(item, sort_keys=True, default=repr)
        if any(mark in text for mark in tenant.marks):
            found[item["pk"]["S"], item["sk"]["S"]] = text
    return found


def objects_of(tenant: Tenant) -> dict[str, str]:
    """Objects in the bucket whose key names the tenant or one of its things, with the hash of what they hold."""
    from chalicelib.config import settings

    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=settings.bucket)
    listed = [one for page in pages for one in page.get("Contents", ())]
    return {one["Key"]: one["ETag"] for one in listed if any(mark in one["Key"] for mark in tenant.marks)}
