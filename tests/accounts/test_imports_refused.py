"""Lines that an import refuses, and what a line may name."""

from __future__ import annotations

from typing import Any

import pytest
from imported_files import everything

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
