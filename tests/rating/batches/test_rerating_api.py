"""Rating a batch again on request: over the API, through the queue, to correct which client had a number."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from builders import World, csv_file, line


def queue() -> tuple[Any, str]:
    from chalicelib.config import settings

    sqs = boto3.client("sqs")
    return sqs, sqs.get_queue_url(QueueName=settings.queue)["QueueUrl"]


def told() -> list[Any]:
    """What lies in the queue, taken out."""
    from chalicelib.config import settings
    from chalicelib.rating import s3_events

    sqs, url = queue()
    found = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            found += s3_events.read(message["Body"], settings.bucket)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


@pytest.fixture
def shop(reseller: Any, operator: Any, deck: str) -> dict[str, str]:
    """Ann and Bob with a sub-account each, and a number that is Ann's."""
    ids = {name: reseller.made("/v1/clients", {"company": name})["id"] for name in ("ann", "bob")}
    price = {"name": "p", "markup_percent": "20"}
    ids["package"] = reseller.made("/v1/packages", price)["id"]
    for name in ("ann", "bob"):
        reseller.made("/v1/subaccounts", {"username": name, "client_id": ids[name], "package_id": ids["package"]})
    stock = {"number": f"+1514{uuid.uuid4().int % 10**7:07d}", "monthly": "1", "setup": "1", "per_minute": "0.005"}
    ids["number"] = operator.made("/v1/inventory", stock)["number"]
    assert reseller.post(f"/v1/dids/{ids['number']}/order").status == 200
    held = {"client_id": ids["ann"], "per_minute": "0.01", "charge_setup": False, "charge_monthly": False}
    assert reseller.post(f"/v1/dids/{ids['number']}/assign", held).status == 200
    return ids


@pytest.fixture
def rate(reseller: Any) -> Callable[..., Any]:
    return World(reseller.ids["reseller"]).rate


def inbound(call_id: str, number: str, start: str) -> str:
    return line(call_id, "", direction="inbound", to=number, start=start)


def balance(reseller: Any, client_id: str) -> str:
    return str(reseller.get(f"/v1/clients/{client_id}").json["balance"])


def test_a_batch_is_accepted_announced_once_and_rating_until_it_is_done(
    reseller: Any, shop: dict[str, str], rate: Callable[..., Any]
) -> None:
    batch = rate(csv_file(line("1", "ann")))
    path = f"/v1/batches/{batch.batch_id}"
    told()
    first = reseller.post(f"{path}/rerate", headers={"idempotency-key": "once"})
    assert (first.status, first.json["status"], first.json["finished_at"]) == (202, "rating", None)
    again = reseller.post(f"{path}/rerate", headers={"idempotency-key": "once"})
    assert (again.status, again.text) == (202, first.text)
    assert reseller.post(f"{path}/rerate").status == 409
    assert [tuple(arrival) for arrival in told()] == [(batch.object_key, batch.version_id)]
    rate(batch.object_key, batch.version_id)
    assert reseller.get(path).json["status"] == "done"
    assert reseller.post(f"{path}/rerate", headers={"idempotency-key": "once"}).text == first.text
    assert reseller.post(f"{path}/rerate").status == 202
    rate(batch.object_key, batch.version_id)
    kinds = [row["kind"] for row in reseller.get(f"/v1/clients/{shop['ann']}/ledger").json["items"]]
    assert kinds == ["call_usage", "reversal"] * 2 + ["call_usage"]


def test_a_message_that_never_reached_the_queue_is_sent_by_rescan(
    reseller: Any, shop: dict[str, str], rate: Callable[..., Any]
) -> None:
    from chalicelib.accounts.store.owners import ResellerPointer
    from chalicelib.aws.transactions import Scope
    from chalicelib.rating.nightly import recover
    from chalicelib.rating.s3_events import SPENT_SECONDS

    batch = rate(csv_file(line("1", "ann")))
    reseller.post(f"/v1/batches/{batch.batch_id}/rerate")
    told()
    assert ResellerPointer.find("RESELLERS", reseller.ids["reseller"])
    later = int(World(reseller.ids["reseller"]).found(batch).started_at) + SPENT_SECONDS + 1
    recover.resume_stopped(Scope("system:rescan", later))
    assert (batch.object_key, batch.version_id) in [tuple(arrival) for arrival in told()]


def test_the_function_behind_the_queue_takes_the_message_as_s3_would_send_it(
    reseller: Any, shop: dict[str, str], rate: Callable[..., Any]
) -> None:
    from chalicelib.rating import events

    batch = rate(csv_file(line("1", "ann")))
    told()
    reseller.post(f"/v1/batches/{batch.batch_id}/rerate")
    sqs, url = queue()
    (message,) = sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])["Messages"]
    assert json.loads(message["Body"])["Records"][0]["s3"]["object"]["versionId"] == batch.version_id
    record = {
        "body": message["Body"],
        "receiptHandle": message["ReceiptHandle"],
        "attributes": message["Attributes"],
        "messageId": message["MessageId"],
        "eventSource": "aws:sqs",
    }
    events.rate_dropped_files({"Records": [record]}, None)
    assert World(reseller.ids["reseller"]).found(batch).generation == 1


def test_batches_are_found_by_whose_calls_they_have_billed_since_when(
    reseller: Any, shop: dict[str, str], rate: Callable[..., Any]
) -> None:
    number = shop["number"]
    early = rate(csv_file(inbound("1", number, "2026-09-01T12:00:00Z"), line("2", "ann")))
    rate(csv_file(line("3", "bob")))
    late = rate(csv_file(inbound("4", number, "2026-09-20T12:00:00Z"), line("5", "bob")))

    def listed(query: str) -> list[str]:
        return [row["id"] for row in reseller.get(f"/v1/batches?{query}").json["items"]]

    plain = number.lstrip("+")
    assert listed(f"did={plain}") == [late.batch_id, early.batch_id]
    assert listed(f"did={plain}&calls_from=2026-09-01T12:00:01Z") == [late.batch_id]
    assert listed("account=ann") == [early.batch_id]
    assert listed("account=nobody") == []
    page = reseller.get(f"/v1/batches?did={plain}&limit=1").json
    assert [row["id"] for row in page["items"]] == [late.batch_id]
    rest = reseller.get(f"/v1/batches?did={plain}&limit=1&cursor={page['next']}").json
    assert ([row["id"] for row in rest["items"]], rest["next"]) == ([early.batch_id], None)
    for wrong in ("account=ann&did=1", "calls_from=2026-09-01T00:00:00Z"):
        assert reseller.get(f"/v1/batches?{wrong}").status == 422


def test_a_number_given_to_the_wrong_client_is_put_right_from_a_day_in_the_past(
    reseller: Any, shop: dict[str, str], rate: Callable[..., Any]
) -> None:
    """The steps of docs/operations.md, "A number or sub-account was the wrong client's"."""
    number, since = shop["number"], "2026-09-05T00:00:00Z"
    starts = ("2026-09-04T23:59:59Z", since, "2026-09-10T12:00:00Z")
    for n, start in enumerate(starts):
        rate(csv_file(inbound(f"c{n}", number, start), line(f"out{n}", "ann", start=start)))
    assert balance(reseller, shop["ann"]) == "-0.04872"
    release = {"effective_from": since, "will_rerate": True}
    assert reseller.post(f"/v1/dids/{number}/release", release).status == 200
    held = {"client_id": shop["bob"], "per_minute": "0.02", "charge_setup": False, "charge_monthly": False}
    assert reseller.post(f"/v1/dids/{number}/assign", {**held, **release}).status == 200
    # A copy of a call that is still billed to Ann, in a new file: for the moment both have it.
    rate(csv_file(inbound("c1", number, since)))
    wanted = reseller.get(f"/v1/batches?did={number.lstrip('+')}&calls_from={since}").json["items"]
    assert len(wanted) == 3
    for row in wanted:
        assert reseller.post(f"/v1/batches/{row['id']}/rerate").status == 202
        batch = World(reseller.ids["reseller"]).found(type("Row", (), {"batch_id": row["id"]}))
        rate(batch.object_key, batch.version_id)
    assert (balance(reseller, shop["ann"]), balance(reseller, shop["bob"])) == ("-0.02872", "-0.04")
    found = reseller.get(f"/v1/reports/calls?date_from=2026-09-01&date_to=2026-09-30&did={number.lstrip('+')}").json
    billed = sorted((call["call_id"], call["client_id"], call["amount"]) for call in found["items"])
    assert billed == [("c0", shop["ann"], "0.01"), ("c1", shop["bob"], "0.02"), ("c2", shop["bob"], "0.02")]
    # From now on the usual rule holds again: nobody moves before what is rated.
    assert reseller.post(f"/v1/dids/{number}/release", {"effective_from": since}).status == 409
    assert World(reseller.ids["reseller"]).reconciled() == []
