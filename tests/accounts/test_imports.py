"""Imports of clients, sub-accounts and DIDs: preview, what is made, and the same files again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from imported_files import CLIENTS, everything


def test_a_preview_says_what_would_come_and_changes_nothing(reseller: Any, files: dict[str, Any]) -> None:
    before = everything(reseller)
    told = reseller.post("/v1/imports", {**files, "preview": True})
    assert told.status == 200
    assert told.json == {
        "id": None, "status": "preview", "clients": 3, "subaccounts": 3, "dids": 2, "errors": [], "client_ids": {},
        "created_at": None, "finished_at": None, "warnings": [], "rows": 8, "done": 0,
        "columns": [{"column": name, "read_as": name} for name in CLIENTS.split("\r\n")[0].split(",")],
    }  # fmt: skip
    assert everything(reseller) == before


def test_an_import_makes_clients_with_balances_their_subaccounts_and_dids(reseller: Any, files: dict[str, Any]) -> None:
    made = reseller.post("/v1/imports", files)
    assert (made.status, made.json["status"], made.json["errors"]) == (200, "done", [])
    assert made.json == reseller.get(f"/v1/imports/{made.json['id']}").json
    ids = made.json["client_ids"]
    assert sorted(ids) == ["old-1", "old-2", "old-3"]
    acme, boreal, cedar = (reseller.get(f"/v1/clients/{ids[ref]}").json for ref in sorted(ids))
    assert (acme["company"], acme["balance"], acme["service"], acme["language"], acme["time_zone"]) == (
        "Acme, Imports", "12.50", "active", "fr", "America/Toronto",
    )  # fmt: skip
    assert (boreal["balance"], boreal["service"], boreal["credit_limit"]) == ("-3.00000001", "active", "50.00")
    assert (cedar["balance"], cedar["service"]) == ("0.00", "suspended")
    (entry,) = reseller.get(f"/v1/clients/{acme['id']}/ledger").json["items"]
    assert (entry["kind"], entry["amount"], entry["balance_after"]) == ("adjustment", "12.50", "12.50")
    assert (entry["source"], entry["description"]) == (f"import:{made.json['id']}", "Opening balance")
    assert reseller.get(f"/v1/clients/{cedar['id']}/ledger").json["items"] == []
    held = {one["username"]: one for one in reseller.get("/v1/subaccounts").json["items"]}
    assert [held[name]["client_id"] for name in ("acme-1", "acme-2", "boreal")] == [
        acme["id"],
        acme["id"],
        boreal["id"],
    ]
    assert held["acme-1"]["next_billing_date"] == "2126-01-31"
    assert held["acme-2"]["next_billing_date"] is None
    assert len(reseller.get(f"/v1/clients/{acme['id']}/packages").json["items"]) == 1
    first, second = sorted(reseller.get("/v1/dids").json["items"], key=lambda one: one["client_id"] != acme["id"])
    assert (first["subaccount_id"], first["monthly"], first["per_minute"]) == (held["acme-2"]["id"], "4.00", "0.02")
    assert (first["pulse"], first["next_billing_date"]) == ({"initial": 60, "increment": 60}, "2126-02-01")
    assert (second["client_id"], second["subaccount_id"], second["pulse"]) == (boreal["id"], None, None)


def test_what_is_imported_is_as_if_it_were_made_by_hand(reseller: Any, files: dict[str, Any]) -> None:
    from chalicelib.accounts.ledger import months, posting
    from chalicelib.accounts.service import term_versions
    from chalicelib.dated import FIRST

    ids = reseller.post("/v1/imports", files).json["client_ids"]
    reseller_id = reseller.ids["reseller"]
    held = {
        row.holder: row
        for row in term_versions.assignments(reseller_id, int(term_versions.head_of(reseller_id).version))
    }
    assert {name: row.client_id for name, row in held.items() if name.startswith("SUB#")} == {
        "SUB#acme-1": ids["old-1"],
        "SUB#acme-2": ids["old-1"],
        "SUB#boreal": ids["old-2"],
    }
    assert {row.effective_from for row in held.values()} == {FIRST}, "calls of yesterday are theirs"
    assert max(row.version for row in held.values()) == term_versions.head_of(reseller_id).version
    for client_id in ids.values():
        assert months.check(partial(posting.get_client, reseller_id, client_id)) == []
    body = {"client_id": ids["old-3"], "package_id": held["SUB#boreal"].package_id}
    assert reseller.post("/v1/subaccounts", {"username": "boreal", **body}).status == 409
    assert reseller.post("/v1/subaccounts", {"username": "cedar", **body}).status == 201, "the lock is off"
    assert reseller.delete(f"/v1/clients/{ids['old-1']}").status == 409


def test_the_same_files_again_are_the_same_import_with_and_without_a_key(reseller: Any, files: dict[str, Any]) -> None:
    key = {"headers": {"idempotency-key": "move-1"}}
    first = reseller.post("/v1/imports", files, **key)
    before = everything(reseller)
    for again in (reseller.post("/v1/imports", files, **key), reseller.post("/v1/imports", files)):
        assert (again.status, again.json) == (200, first.json)
    assert reseller.post(f"/v1/imports/{first.json['id']}/resume").json == first.json
    assert reseller.post("/v1/imports", {**files, "clients": CLIENTS + "x,Dune,,,,,,,\r\n"}).status == 422
    assert everything(reseller) == before


def test_six_equal_imports_at_once_are_one(reseller: Any, files: dict[str, Any]) -> None:
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda _: reseller.post("/v1/imports", files), range(6)))
    assert {(reply.status, reply.json["status"]) for reply in replies} == {(200, "done")}
    assert len({reply.json["id"] for reply in replies}) == 1
    assert len({str(reply.json["client_ids"]) for reply in replies}) == 1
    assert len(reseller.get("/v1/clients").json["items"]) == 3
    assert len(reseller.get("/v1/subaccounts").json["items"]) == 3


def test_a_stranger_neither_sees_nor_resumes_an_import(reseller: Any, other: Any, files: dict[str, Any]) -> None:
    import_id = reseller.post("/v1/imports", files).json["id"]
    assert other.get(f"/v1/imports/{import_id}").status == 404
    assert other.post(f"/v1/imports/{import_id}/resume").status == 404


def test_a_large_import_takes_many_transactions(reseller: Any, package: dict[str, Any]) -> None:
    clients = "".join(f"c{n},Client {n},{n}.01\n" for n in range(60))
    accounts = "".join(f"u{n},c{n % 60},{package['id']}\n" for n in range(90))
    body = {"clients": "ref,company,balance\n" + clients, "subaccounts": "username,client,package\n" + accounts}
    made = reseller.post("/v1/imports", body)
    assert (made.status, made.json["clients"], made.json["subaccounts"]) == (200, 60, 90), made.text
    ids = made.json["client_ids"]
    assert [reseller.get(f"/v1/clients/{ids[f'c{n}']}").json["balance"] for n in (0, 7, 59)] == [
        "0.01",
        "7.01",
        "59.01",
    ]
    found, cursor = [], ""
    while cursor is not None:
        page = reseller.get(f"/v1/subaccounts?limit=200{cursor and '&cursor=' + cursor}").json
        found, cursor = found + page["items"], page["next"]
    assert {one["username"]: one["client_id"] for one in found} == {f"u{n}": ids[f"c{n % 60}"] for n in range(90)}
