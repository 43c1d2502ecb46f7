"""Imports: all lines good or nothing there, once however often they are sent, whole whatever dies on the way."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from faults import Killed, counted, killed_at

CLIENTS = (
    "ref,company,balance_mode,balance,credit_limit,low_balance_threshold,country,time_zone,language\r\n"
    'old-1,"Acme, Imports",strict,12.50,,5,CA,America/Toronto,fr\r\n'
    "old-2,Boreal,permissive,-3.00000001,50,,,,\r\n"
    "\r\n"
    "old-3,Cedar,strict,0,,,,,\r\n"
)


def subaccounts(package: str) -> str:
    return (
        "username;client;package;next_billing_date\n"
        f"acme-1;old-1;{package};2126-01-31\n"
        f"acme-2;old-1;{package};\n"
        f"boreal;old-2;{package};\n"
    )


def dids(*numbers: str) -> str:
    lines = [f"{numbers[0]},old-1,acme-2,4,0.02,60,60,2126-02-01", f"{numbers[1]},old-2,,2.95,,,,"]
    return "\n".join(["number,client,subaccount,monthly,per_minute,initial,increment,next_billing_date", *lines])


@pytest.fixture
def numbers(reseller: Any, on_sale: Any) -> list[str]:
    """Two numbers in the reseller's stock."""
    made = [on_sale(monthly="1"), on_sale(per_minute="0.003")]
    assert [reseller.post(f"/v1/dids/{number}/order").status for number in made] == [200, 200]
    return made


@pytest.fixture
def files(package: dict[str, Any], numbers: list[str]) -> dict[str, Any]:
    return {"clients": CLIENTS, "subaccounts": subaccounts(package["name"]), "dids": dids(*numbers)}


def everything(api: Any) -> dict[str, Any]:
    """All that an import can make, by names that do not change from one import to the next."""
    made = {one["id"]: one["company"] for one in api.get("/v1/clients?limit=200").json["items"]}
    told: dict[str, Any] = {}
    for one in api.get("/v1/clients?limit=200").json["items"]:
        path = f"/v1/clients/{one['id']}"
        entries = api.get(f"{path}/ledger").json["items"]
        told[one["company"]] = (
            *(one[name] for name in ("status", "service", "balance_mode", "balance", "credit_limit", "country")),
            [(entry["kind"], entry["amount"], entry["balance_after"], entry["description"]) for entry in entries],
            len(api.get(f"{path}/packages").json["items"]),
        )
    held = api.get("/v1/subaccounts?limit=200").json["items"]
    usernames = {one["id"]: one["username"] for one in held}
    told["subaccounts"] = sorted((one["username"], made[one["client_id"]], one["next_billing_date"]) for one in held)
    told["dids"] = sorted(
        (made.get(one["client_id"]), usernames.get(one["subaccount_id"]), one["monthly"], one["per_minute"])
        for one in api.get("/v1/dids?limit=200").json["items"]
    )
    return told


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


WRONG = {
    "clients": (
        "ref,company,email,balance,country,balance_mode\n"
        "a,Fine,,1,,\n"
        "a,Twice,,1,,\n"
        ",Bad,nobody,1.000000001,XX,generous\n"
        ",Short\n"
    ),
    "subaccounts": (
        "username,client,package,next_billing_date\n"
        "taken,a,Gold,\n"
        "fine,a,Gold,2020-01-31\n"
        "fine,a,Gold,\n"
        "a b,a,Gold,\n"
        ",a,Nothing,\n"
        "lost,nobody,Silver,tomorrow\n"
    ),
    "dids": (
        "number,client,subaccount,initial,increment,monthly\n+15140000000,a,,,,\nhello,a,,,,-1\n{did},a,strange,60,,\n"
        "{did},,,60,60,\n{did},a,taken,0,x,\n"
    ),
}


def test_every_wrong_line_is_named_with_column_and_reason_and_nothing_is_there(
    reseller: Any, client: dict[str, Any], package: dict[str, Any], did: str
) -> None:
    reseller.made("/v1/subaccounts", {"username": "taken", "client_id": client["id"], "package_id": package["id"]})
    before = everything(reseller)
    body = {**WRONG, "dids": WRONG["dids"].replace("{did}", did)}
    told = reseller.post("/v1/imports", {**body, "preview": True}).json["errors"]
    places = {(one["file"], one["line"], one["column"]) for one in told}
    assert places == {
        ("clients", 3, "ref"), ("clients", 4, "email"), ("clients", 4, "balance"), ("clients", 4, "country"),
        ("clients", 4, "balance_mode"), ("clients", 5, ""),
        ("subaccounts", 2, "username"), ("subaccounts", 3, "next_billing_date"), ("subaccounts", 4, "username"),
        ("subaccounts", 5, "username"), ("subaccounts", 6, "username"), ("subaccounts", 7, "next_billing_date"),
        ("dids", 2, "number"), ("dids", 3, "number"), ("dids", 3, "monthly"), ("dids", 4, ""), ("dids", 5, "client"),
        ("dids", 6, "initial"), ("dids", 6, "increment"),
    }  # fmt: skip
    assert [one["line"] for one in told if one["file"] == "clients"] == [3, 4, 4, 4, 4, 5]
    refused = reseller.post("/v1/imports", body)
    assert refused.status == 422
    named = [(error["field"], error["message"]) for error in refused.json["errors"]]
    assert ("clients", "line 4, country: must be an ISO 3166 alpha-2 code such as CA") in named
    assert ("clients", "line 5: has 2 columns where the header has 6") in named
    assert len(named) == len(told)
    assert everything(reseller) == before


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("clients", "company,colour\nA,red\n", "line 1, colour: is not a column"),
        ("clients", "company,company\nA,B\n", "line 1, company: stands twice"),
        ("subaccounts", "username,client\nu,c\n", "line 1, package: is missing"),
        ("clients", 'company\n"A\n', "line 2: cannot be read"),
        (
            "clients",
            "company\na\u0000b\n",
            "line 2, company: must be one line without control characters; character 2",
        ),
        ("dids", "number,client\n\n\n+15145550000,x\n", "line 4, client: x is neither a ref"),
        ("clients", '\ufeffcompany\tbalance\n"A\nB"\t1\nC\tone\n', 'line 4, balance: "one" is no number'),
        ("clients", "company,status\nA,closed\n", "line 1, status: is not a column"),
    ],
)
def test_a_file_is_read_strictly(reseller: Any, name: str, text: str, fault: str) -> None:
    refused = reseller.post("/v1/imports", {name: text})
    assert refused.status == 422
    assert any(one["field"] == name and one["message"].startswith(fault) for one in refused.json["errors"]), (
        refused.text
    )


def test_limits_against_fraud_come_with_a_client(reseller: Any) -> None:
    text = "ref,blocked_countries,max_rate_per_minute,daily_spend_limit\na,KY CU,0.5,20\nb,Cuba,,\n"
    told = reseller.post("/v1/imports", {"clients": text, "preview": True}).json["errors"]
    assert [(one["line"], one["column"].partition(".")[0]) for one in told] == [(3, "blocked_countries")]
    made = reseller.post("/v1/imports", {"clients": text.rsplit("b,", 1)[0]}).json
    client = reseller.get(f"/v1/clients/{made['client_ids']['a']}").json
    assert (client["blocked_countries"], client["max_rate_per_minute"], client["daily_spend_limit"]) == (
        ["CU", "KY"], "0.50", "20.00",
    )  # fmt: skip


def test_an_import_without_a_line_is_done_at_once(reseller: Any) -> None:
    for body in ({}, {"clients": "company\n"}, {"clients": "\n", "dids": "number,client\n\n"}):
        made = reseller.post("/v1/imports", body).json
        assert (made["status"], made["clients"], made["dids"]) == ("done", 0, 0)


def test_an_import_with_too_many_lines_is_refused(reseller: Any) -> None:
    for body in ({"clients": "company\n" + "A\n" * 20_001}, {"clients": "x" * 1_000_000}, {"clients": "x" * 100_000}):
        reply = reseller.post("/v1/imports", body)
        assert (reply.status, reply.json["errors"][0]["field"]) == (422, "clients")


def test_a_line_can_stand_on_what_is_there_already(
    reseller: Any, other: Any, subaccount: dict[str, Any], numbers: list[str]
) -> None:
    client, package = subaccount["client_id"], subaccount["package_id"]
    body = {
        "subaccounts": f"username,client,package\nnew,{client},{package}\n",
        "dids": f"number,client,subaccount\n{numbers[0]},{client},alice\n{numbers[1]},{client},new\n",
    }
    assert other.post("/v1/imports", body).status == 422, "another tenant has none of it"
    assert reseller.post("/v1/imports", body).json["status"] == "done"
    held = {one["id"]: one["username"] for one in reseller.get("/v1/subaccounts").json["items"]}
    assert sorted(held[one["subaccount_id"]] for one in reseller.get("/v1/dids").json["items"]) == ["alice", "new"]


def test_clients_that_are_closed_or_wait_and_names_of_two_packages_are_refused(reseller: Any, package: Any) -> None:
    closed = reseller.made("/v1/clients", {})["id"]
    reseller.delete(f"/v1/clients/{closed}")
    waiting = reseller.with_key("").made(reseller.made("/v1/signup", None)["path"], {"email": "a@b.example"})["id"]
    active = reseller.made("/v1/clients", {})["id"]
    reseller.made("/v1/packages", {"name": "Gold"})
    for client, column, why in (
        (closed, "client", "this client is closed"),
        (waiting, "client", "this client is waiting"),
        (active, "package", "2 packages have this name"),
    ):
        body = {"subaccounts": f"username,client,package\nu,{client},Gold\n", "preview": True}
        told = [(one["column"], one["message"]) for one in reseller.post("/v1/imports", body).json["errors"]]
        assert any(one[0] == column and one[1].startswith(why) for one in told), told


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


# --- breaking off -------------------------------------------------------------------------------------------------


@pytest.fixture
def make_ready(operator: Any, on_sale: Any) -> Any:
    """Makes equal resellers, and what each of them imports: one number was another client's before."""

    def make() -> tuple[Any, Any]:
        from chalicelib.accounts.shapes.imports import ImportIn

        made = operator.made("/v1/resellers", {"name": "Voix", "email": "a@voix.example"})
        api = operator.with_key(made["api_key"])
        api.ids["reseller"] = made["id"]
        numbers = [on_sale(), on_sale()]
        assert [api.post(f"/v1/dids/{number}/order").status for number in numbers] == [200, 200]
        earlier = {"client_id": api.made("/v1/clients", {"company": "Before"})["id"]}
        api.post(f"/v1/dids/{numbers[0]}/assign", earlier)
        assert api.post(f"/v1/dids/{numbers[0]}/release", {}).status == 200
        package = api.made("/v1/packages", {"name": "Gold"})["id"]
        return api, ImportIn(clients=CLIENTS, subaccounts=subaccounts(package), dids=dids(*numbers))

    return make


def run(api: Any, body: Any) -> Any:
    from chalicelib.accounts.service import imports
    from chalicelib.aws.transactions import Scope

    # So few writes to a transaction that every file takes several.
    return imports.run(Scope("test", 1_790_000_000), api.ids["reseller"], body, most_writes=9)


def test_killed_at_any_write_and_sent_again_the_import_is_the_same(make_ready: Any) -> None:
    """A process that dies while it reads is one that died after its last write."""
    api, body = make_ready()
    with counted() as made:
        assert run(api, body).status == "done"
    whole = everything(api)
    assert whole["subaccounts"] and whole["dids"][0][0]
    writes = [number for number, operation in enumerate(made) if operation.startswith("TransactWrite")]
    # The lock, the beginning, and two or more of each file.
    assert len(writes) >= 8
    for call, answered in itertools.product(writes, (False, True)):
        api, body = make_ready()
        with pytest.raises(Killed), killed_at(call, answered=answered):
            run(api, body)
        assert run(api, body).status == "done"
        assert everything(api) == whole, (call, answered)
        assert trail(api) == EVENTS, (call, answered)


EVENTS = {"import.begun": 1, "import.done": 1, "client.created": 4, "subaccount.created": 3, "did.assigned": 3}


def trail(api: Any) -> dict[str, int]:
    """How often the audit trail tells of each kind of thing that an import does."""
    from chalicelib.aws.transactions import Event

    kinds = [item.kind for item in Event.under(*Event.of_owner(api.ids["reseller"]))]
    return {kind: kinds.count(kind) for kind in EVENTS}


@pytest.fixture
def broken_off(make_ready: Any) -> Iterator[tuple[Any, Any]]:
    """A reseller whose import was killed after its first transactions."""
    api, body = make_ready()
    with pytest.raises(Killed), killed_at(45, answered=True):
        run(api, body)
    yield api, body


def test_while_an_import_is_unfinished_what_it_counts_on_stays(broken_off: tuple[Any, Any]) -> None:
    from chalicelib.accounts.store.intake import Import

    api, _ = broken_off
    (begun,) = Import.under(*Import.of_reseller(api.ids["reseller"]))
    assert begun.status == "applying" and 0 < begun.done < begun.rows
    told = api.get(f"/v1/imports/{begun.import_id}").json
    assert (told["status"], told["finished_at"]) == ("applying", None)
    before = next(one for one in api.get("/v1/clients").json["items"] if one["company"] == "Before")
    number = api.get("/v1/dids").json["items"][0]["number"]
    package = api.get("/v1/packages").json["items"][0]["id"]
    tries = [
        api.post("/v1/subaccounts", {"username": "boreal", "client_id": before["id"], "package_id": package}),
        api.post(f"/v1/dids/{number}/assign", {"client_id": before["id"]}),
        api.post(f"/v1/dids/{number}/cancel"),
        api.delete(f"/v1/clients/{before['id']}"),
        api.post("/v1/imports", {"clients": "company\nAnother\n"}),
    ]
    assert [(reply.status, begun.import_id in reply.text) for reply in tries] == [(409, True)] * len(tries)
    assert api.post(f"/v1/clients/{before['id']}/payments", {"amount": "1"}).status == 201
    assert api.post(f"/v1/imports/{begun.import_id}/resume").json["status"] == "done"
    assert api.delete(f"/v1/clients/{before['id']}").status == 204


def test_a_lock_whose_holder_died_before_the_import_began_is_worth_nothing_after_a_minute(make_ready: Any) -> None:
    import time

    from chalicelib.accounts.store.intake import Import, ImportLock

    api, body = make_ready()
    call = 0
    while not (locks := ImportLock.under(*ImportLock.key(api.ids["reseller"]))):
        with pytest.raises(Killed), killed_at(call := call + 1, answered=True):
            run(api, body)
    assert Import.under(*Import.of_reseller(api.ids["reseller"])) == []
    before = api.get("/v1/clients").json["items"][0]["id"]
    locks[0].update(actions=[ImportLock.taken_at.set(int(time.time()) - 30)])
    assert api.delete(f"/v1/clients/{before}").status == 409
    locks[0].update(actions=[ImportLock.taken_at.set(int(time.time()) - 61)])
    assert api.delete(f"/v1/clients/{before}").status == 204
    assert ImportLock.under(*ImportLock.key(api.ids["reseller"])) == []
    assert run(api, body).status == "done"


def test_a_number_that_was_somebodys_waits_for_the_batch_that_is_being_rated(make_ready: Any) -> None:
    from chalicelib.accounts.service import term_versions
    from chalicelib.aws.transactions import Scope, commit
    from chalicelib.errors import Conflict

    api, body = make_ready()
    reseller_id = api.ids["reseller"]
    commit(Scope("test", 1), [term_versions.open_batch(term_versions.head_of(reseller_id), "batch-1")])
    with pytest.raises(Conflict, match="batch-1"):
        run(api, body)
    assert len(api.get("/v1/subaccounts").json["items"]) == 3
    commit(Scope("test", 1), [term_versions.close_batch(reseller_id, "batch-1")])
    assert run(api, body).status == "done"
    assert sorted(one["client_id"] is None for one in api.get("/v1/dids").json["items"]) == [False, False]


def test_an_import_beside_sub_accounts_made_by_hand_never_uses_a_name_twice(make_ready: Any) -> None:
    for _ in range(4):
        api, body = make_ready()
        client = api.made("/v1/clients", {"company": f"Hand {uuid.uuid4().hex}"})["id"]
        package = api.get("/v1/packages").json["items"][0]["id"]
        by_hand = {"username": "boreal", "client_id": client, "package_id": package}
        with ThreadPoolExecutor(2) as pool:
            importing = pool.submit(lambda api=api, body=body: api.post("/v1/imports", body.model_dump(mode="json")))
            making = pool.submit(api.post, "/v1/subaccounts", by_hand)
        assert (importing.result().status, making.result().status) in [(200, 409), (422, 201)]
        owners = [one["client_id"] for one in api.get("/v1/subaccounts").json["items"] if one["username"] == "boreal"]
        assert len(owners) == 1
