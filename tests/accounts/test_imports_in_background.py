"""Large imports: begun by the request, applied by the event function of the hourly queue, each line once."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import hourly_work
import pytest
from faults import Killed, counted, killed_at


@pytest.fixture
def queue(aws: str) -> Iterator[Any]:
    """Takes all messages off the hourly queue."""
    with hourly_work.queue(aws) as take:
        yield take


def deliver(body: str) -> None:
    """Call the event function with a message."""
    from chalicelib.reports import events

    events.bill_and_close(hourly_work.record(body), None)


def clients(count: int) -> str:
    return "ref,company,balance\n" + "".join(f"c{n},Client {n},{n}.01\n" for n in range(count))


def all_of(api: Any, path: str) -> list[dict[str, Any]]:
    """The items of all pages of a list."""
    found, cursor = [], ""
    while cursor is not None:
        page = api.get(f"{path}?limit=200{cursor and '&cursor=' + cursor}").json
        found, cursor = found + page["items"], page["next"]
    return found


def made(api: Any) -> list[tuple[Any, ...]]:
    """All clients with balance and number of entries, and all sub-accounts, by names."""
    companies = {one["id"]: one["company"] for one in all_of(api, "/v1/clients")}
    entries = [
        (name, [entry["amount"] for entry in api.get(f"/v1/clients/{client_id}/ledger").json["items"]])
        for client_id, name in companies.items()
    ]
    held = [(one["username"], companies[one["client_id"]]) for one in all_of(api, "/v1/subaccounts")]
    return [*sorted(entries), *sorted(held)]


def test_more_than_500_lines_are_applied_in_the_background_with_progress(
    reseller: Any, package: dict[str, Any], queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.reports import events

    names = "".join(f"u{n},c{n},{package['id']}\n" for n in range(40))
    body = {"clients": clients(470), "subaccounts": "username,client,package\n" + names}
    begun = reseller.post("/v1/imports", body, headers={"idempotency-key": "large"})
    assert (begun.status, begun.json["status"]) == (202, "applying")
    assert (begun.json["rows"], begun.json["done"], begun.json["client_ids"]) == (510, 0, {})
    path = f"/v1/imports/{begun.json['id']}"
    assert reseller.get(path).json == begun.json
    assert reseller.get("/v1/clients").json["items"] == all_of(reseller, path + "/clients") == []
    assert reseller.post("/v1/imports", {"clients": "company\nOther\n"}).status == 409
    (message,) = queue()
    assert json.loads(message["Body"])["import"] == begun.json["id"]

    monkeypatch.setattr(events, "WORK_SECONDS", 0)
    progress = []
    for _ in range(3):
        deliver(message["Body"])
        (message,) = queue()
        progress.append(reseller.get(path).json["done"])
        assert len(all_of(reseller, path + "/clients")) == len(all_of(reseller, "/v1/clients")) == progress[-1]
    assert 0 < progress[0] < progress[1] < progress[2] < 470

    monkeypatch.undo()
    deliver(message["Body"])
    ended = reseller.get(path).json
    assert (ended["status"], ended["done"], queue()) == ("done", 510, [])
    ids = {one["ref"]: one["id"] for one in all_of(reseller, path + "/clients")}
    stored = {one["id"]: (one["company"], one["balance"]) for one in all_of(reseller, "/v1/clients")}
    assert {ref: stored[ids[ref]] for ref in ids} == {f"c{n}": (f"Client {n}", f"{n}.01") for n in range(470)}
    assert len(stored) == 470
    assert {one["username"]: one["client_id"] for one in all_of(reseller, "/v1/subaccounts")} == {
        f"u{n}": ids[f"c{n}"] for n in range(40)
    }
    again = reseller.post("/v1/imports", body, headers={"idempotency-key": "large"})
    assert (again.status, again.json) == (202, begun.json)
    again = reseller.post("/v1/imports", body)
    assert (again.status, again.json) == (200, ended)
    assert (queue(), len(all_of(reseller, "/v1/clients"))) == ([], 470)


@pytest.fixture
def begin(operator: Any, queue: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[], tuple[Any, Any]]:
    """Makes equal resellers, and the request that begins an import of each in the background, though it is small."""
    from chalicelib.accounts.service import imports

    monkeypatch.setattr(imports, "ROWS_AT_ONCE", 0)

    def make() -> tuple[Any, Any]:
        made = operator.made("/v1/resellers", {"name": "Voix", "email": "a@voix.example"})
        api = operator.with_key(made["api_key"])
        api.ids["reseller"] = made["id"]
        package = api.made("/v1/packages", {"name": "Gold"})["id"]
        names = "".join(f"u{n},c{n},{package}\n" for n in range(15))
        return api, {"clients": clients(30), "subaccounts": "username,client,package\n" + names}

    return make


def test_killed_at_any_write_and_delivered_again_each_line_is_there_once(begin: Any, queue: Any) -> None:
    api, body = begin()
    assert api.post("/v1/imports", body).status == 202
    (message,) = queue()
    with counted() as calls:
        deliver(message["Body"])
    whole = made(api)
    writes = [number for number, operation in enumerate(calls) if operation.startswith("TransactWrite")]
    assert (len(whole), len(writes)) == (45, 4)
    for call in writes:
        for answered in (False, True):
            api, body = begin()
            assert api.post("/v1/imports", body).status == 202
            (message,) = queue()
            with pytest.raises(Killed), killed_at(call, answered=answered):
                deliver(message["Body"])
            deliver(message["Body"])
            assert made(api) == whole, (call, answered)


def test_functions_that_apply_one_import_at_once_apply_each_line_once(begin: Any, queue: Any) -> None:
    api, body = begin()
    import_id = api.post("/v1/imports", body).json["id"]
    (message,) = queue()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(deliver, [message["Body"]] * 4))
    assert api.get(f"/v1/imports/{import_id}").json["status"] == "done"
    assert [len(amounts) for name, amounts in made(api)[:30]] == [1] * 30
    assert len(made(api)) == 45


def test_a_message_that_is_lost_is_sent_again_by_a_repeat_a_resume_and_the_next_hour(begin: Any, queue: Any) -> None:
    api, body = begin()
    with counted() as calls:
        begin_id = api.post("/v1/imports", body).json["id"]
    sends = [number for number, operation in enumerate(calls) if operation == "SendMessageBatch"]
    assert (len(sends), len(queue())) == (1, 1)
    hour = json.dumps({"reseller_id": api.ids["reseller"], "at": "2026-12-01T00:00:00Z"})
    for again in (
        lambda: api.post("/v1/imports", body),
        lambda: api.post(f"/v1/imports/{begin_id}/resume"),
        lambda: deliver(hour),
    ):
        again()
        (message,) = queue()
        assert json.loads(message["Body"])["import"] == begin_id
    deliver(message["Body"])
    deliver(hour)
    assert (queue(), api.get(f"/v1/imports/{begin_id}").json["status"]) == ([], "done")


def test_20_000_lines_begin_in_one_transaction_and_a_step_reads_few_of_them(reseller: Any, queue: Any) -> None:
    from chalicelib.accounts.store.intake import Import, ImportRows
    from chalicelib.reports import events

    with counted() as calls:
        begun = reseller.post("/v1/imports", {"clients": clients(20_000)})
    assert (begun.status, begun.json["rows"]) == (202, 20_000)
    # The lock, and the beginning.
    assert len([call for call in calls if call == "TransactWriteItems"]) == 2
    reseller_id, import_id = reseller.ids["reseller"], begun.json["id"]
    stored = ImportRows.under(*ImportRows.of_import(reseller_id, import_id))
    assert len(stored) == 50
    (message,) = queue()
    item = Import.find(*Import.key(reseller_id, import_id))
    assert item is not None
    item.update([Import.done.set(19_990)])
    with counted() as calls:
        events.bill_and_close(hourly_work.record(message["Body"]), None)
    assert [call for call in calls if call == "Query"] == ["Query"]
    assert reseller.get(f"/v1/imports/{import_id}").json["status"] == "done"
    assert [one["company"] for one in all_of(reseller, "/v1/clients")] == [f"Client {n}" for n in range(19_990, 20_000)]


def test_rows_are_stored_in_items_that_dynamodb_takes_or_refused() -> None:
    from chalicelib.accounts.service import import_rows
    from chalicelib.errors import Invalid

    draw = random.Random(11)
    rows = [{"file": "clients", "values": {"address": draw.randbytes(900).hex()}} for _ in range(1000)]
    items = import_rows.pack("r", "i", rows)
    assert max(len(item.packed) for item in items) <= import_rows.MOST_ITEM_BYTES
    firsts = [item.first for item in items]
    assert (firsts[0], sorted(firsts)) == (0, firsts) and len(items) > 3
    with pytest.raises(Invalid, match="split it"):
        import_rows.pack("r", "i", rows * 5)
