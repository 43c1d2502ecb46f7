"""Sub-accounts: made with their package and fee, moved from a date on, deleted without losing their history."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from builders import assignments

CALL = 1_790_000_000
AFTER_THE_CALL = "2026-10-01T00:00:00Z"
BEFORE_THE_CALL = "2026-09-01T00:00:00Z"


def test_a_subaccount_attaches_its_package_and_charges_the_set_up_fee_only_if_asked(
    reseller: Any, client: dict[str, Any], package: dict[str, Any]
) -> None:
    body = {"username": "alice", "client_id": client["id"], "package_id": package["id"]}
    made = reseller.made("/v1/subaccounts", {**body, "next_billing_date": "2126-12-01"})
    assert {name: made[name] for name in body} == body
    assert made["next_billing_date"] == "2126-12-01"
    attached = reseller.get(f"/v1/clients/{client['id']}/packages").json["items"]
    assert [item["package_id"] for item in attached] == [package["id"]]
    assert reseller.get(f"/v1/clients/{client['id']}/ledger").json["items"] == []
    second = reseller.made("/v1/subaccounts", {**body, "username": "bob", "charge_setup_fee_now": True})
    assert second["next_billing_date"] is None
    (entry,) = reseller.get(f"/v1/clients/{client['id']}/ledger").json["items"]
    assert (entry["kind"], entry["amount"]) == ("package_setup", "-5.00")
    assert entry["source"] == f"subaccount:{second['id']}"


def test_a_set_up_fee_of_nothing_makes_no_entry(reseller: Any, client: dict[str, Any]) -> None:
    free = reseller.made("/v1/packages", {"name": "Free"})
    body = {"username": "alice", "client_id": client["id"], "package_id": free["id"], "charge_setup_fee_now": True}
    reseller.made("/v1/subaccounts", body)
    assert reseller.get(f"/v1/clients/{client['id']}/ledger").json["items"] == []


def test_the_first_assignment_reaches_back_without_limit(reseller: Any, subaccount: dict[str, Any]) -> None:
    from chalicelib.dated import FIRST

    (held,) = assignments(reseller, "SUB#alice")
    assert held.effective_from == FIRST
    assert (held.client_id, held.package_id) == (subaccount["client_id"], subaccount["package_id"])
    assert held.subaccount_id == subaccount["id"]


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("username", "a b", 422),
        ("username", "", 422),
        ("username", "a#b", 422),
        ("username", None, 422),
        ("client_id", "nobody", 404),
        ("package_id", "nothing", 404),
        ("next_billing_date", "2026-02-30", 422),
        ("next_billing_date", "2025-01-31", 422),
        ("charge_setup_fee_now", "yes", 422),
        ("setup_fee", "1", 422),
    ],
)
def test_a_wrong_field_is_refused(
    reseller: Any, client: dict[str, Any], package: dict[str, Any], field: str, value: Any, status: int
) -> None:
    body = {"username": "alice", "client_id": client["id"], "package_id": package["id"], field: value}
    reply = reseller.post("/v1/subaccounts", body)
    assert reply.status == status
    if status == 422:
        assert [error["field"] for error in reply.json["errors"]] == [field]
    assert reseller.get("/v1/subaccounts").json["items"] == []


def test_a_user_name_is_taken_for_good_but_only_at_this_reseller(
    reseller: Any, other: Any, subaccount: dict[str, Any]
) -> None:
    body = {name: subaccount[name] for name in ("username", "client_id", "package_id")}
    assert reseller.post("/v1/subaccounts", body).status == 409
    assert reseller.delete(f"/v1/subaccounts/{subaccount['id']}").status == 204
    again = reseller.post("/v1/subaccounts", body)
    assert again.status == 409
    assert "alice" in again.json["detail"]
    theirs = {"client_id": other.made("/v1/clients", {})["id"]}
    theirs["package_id"] = other.made("/v1/packages", {"name": "P"})["id"]
    assert other.post("/v1/subaccounts", {"username": "alice", **theirs}).status == 201


def test_of_eight_equal_user_names_at_once_one_is_made(
    reseller: Any, client: dict[str, Any], package: dict[str, Any]
) -> None:
    body = {"username": "alice", "client_id": client["id"], "package_id": package["id"], "charge_setup_fee_now": True}
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: reseller.post("/v1/subaccounts", body), range(8)))
    assert sorted(reply.status for reply in replies) == [201] + [409] * 7
    assert len(reseller.get("/v1/subaccounts").json["items"]) == 1
    assert reseller.get(f"/v1/clients/{client['id']}").json["balance"] == "-5.00"


def test_the_billing_date_changes_without_a_new_assignment(reseller: Any, subaccount: dict[str, Any]) -> None:
    path = f"/v1/subaccounts/{subaccount['id']}"
    assert reseller.patch(path, {"next_billing_date": "2127-01-31"}).json["next_billing_date"] == "2127-01-31"
    assert reseller.patch(path, {"next_billing_date": None}).json["next_billing_date"] is None
    assert reseller.get(path).json == subaccount
    assert len(assignments(reseller, "SUB#alice")) == 1


def test_a_billing_date_is_today_in_the_resellers_zone_at_the_earliest(
    reseller: Any, client: dict[str, Any], package: dict[str, Any]
) -> None:
    from chalicelib.accounts.service import subaccounts
    from chalicelib.accounts.shapes.subaccounts import SubAccountIn
    from chalicelib.aws.transactions import Scope
    from chalicelib.errors import Invalid
    from chalicelib.periods import parse_instant

    body = {"client_id": client["id"], "package_id": package["id"], "next_billing_date": "2031-03-09"}
    # In Toronto the 9th ends, and the 10th begins, at four o'clock UTC.
    for username, now in (("first", "2031-03-09T05:00:00Z"), ("last", "2031-03-10T03:59:59Z")):
        scope = Scope("test", parse_instant(now))
        subaccounts.create(scope, reseller.ids["reseller"], SubAccountIn(username=username, **body))
    with pytest.raises(Invalid, match="today is 2031-03-10"):
        scope = Scope("test", parse_instant("2031-03-10T04:00:00Z"))
        subaccounts.create(scope, reseller.ids["reseller"], SubAccountIn(username="late", **body))


def test_a_billing_date_that_has_come_can_be_sent_back_as_it_is(reseller: Any, subaccount: dict[str, Any]) -> None:
    from chalicelib.accounts.store.holdings import SubAccount

    item = SubAccount.get(*SubAccount.key(reseller.ids["reseller"], subaccount["id"]))
    item.update(actions=[SubAccount.next_billing_date.set("2025-01-31")])
    path = f"/v1/subaccounts/{subaccount['id']}"
    assert reseller.patch(path, {"next_billing_date": "2025-01-31"}).status == 200
    refused = reseller.patch(path, {"next_billing_date": "2025-02-28"})
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "next_billing_date")


def test_another_client_from_a_date_on(reseller: Any, subaccount: dict[str, Any], rated: Any) -> None:
    from chalicelib.periods import parse_instant

    second = reseller.made("/v1/clients", {})["id"]
    path = f"/v1/subaccounts/{subaccount['id']}"
    rated(subaccount["client_id"], "sub:alice", CALL)
    refused = reseller.patch(path, {"client_id": second, "effective_from": BEFORE_THE_CALL})
    assert refused.status == 409
    assert "re-rate" in refused.json["detail"]
    moved = reseller.patch(path, {"client_id": second, "effective_from": AFTER_THE_CALL})
    assert moved.json == {**subaccount, "client_id": second}
    attached = reseller.get(f"/v1/clients/{second}/packages").json["items"]
    assert [item["package_id"] for item in attached] == [subaccount["package_id"]]
    _, held = assignments(reseller, "SUB#alice")
    assert (held.client_id, held.effective_from) == (second, parse_instant(AFTER_THE_CALL))


def test_a_call_at_the_very_instant_of_the_move_refuses_it(
    reseller: Any, subaccount: dict[str, Any], rated: Any
) -> None:
    from chalicelib.periods import format_instant

    second = reseller.made("/v1/packages", {"name": "Silver"})["id"]
    path = f"/v1/subaccounts/{subaccount['id']}"
    rated(subaccount["client_id"], "sub:alice", CALL)
    for since, status in ((CALL, 409), (CALL + 1, 200)):
        body = {"package_id": second, "effective_from": format_instant(since)}
        assert reseller.patch(path, body).status == status


def test_calls_of_an_earlier_owner_count_too(reseller: Any, subaccount: dict[str, Any], rated: Any) -> None:
    path = f"/v1/subaccounts/{subaccount['id']}"
    rated(subaccount["client_id"], "sub:alice", CALL)
    for _ in range(2):
        newer = reseller.made("/v1/clients", {})["id"]
        assert reseller.patch(path, {"client_id": newer, "effective_from": AFTER_THE_CALL}).status == 200
    newest = reseller.made("/v1/clients", {})["id"]
    assert reseller.patch(path, {"client_id": newest, "effective_from": BEFORE_THE_CALL}).status == 409


def test_nothing_moves_while_a_batch_is_being_rated(
    reseller: Any, subaccount: dict[str, Any], client: dict[str, Any], batches: Any
) -> None:
    second = reseller.made("/v1/clients", {})["id"]
    path = f"/v1/subaccounts/{subaccount['id']}"
    batches("batch-7", True)
    refused = reseller.patch(path, {"client_id": second})
    assert refused.status == 409
    assert "batch-7" in refused.json["detail"]
    body = {"username": "bob", "client_id": client["id"], "package_id": subaccount["package_id"]}
    assert reseller.post("/v1/subaccounts", body).status == 201, "a first assignment moves nothing"
    assert reseller.patch(path, {"next_billing_date": "2127-01-01"}).status == 200
    batches("batch-7", False)
    assert reseller.patch(path, {"client_id": second}).status == 200


def test_a_date_without_a_move_is_422(reseller: Any, subaccount: dict[str, Any]) -> None:
    body = {"client_id": subaccount["client_id"], "effective_from": AFTER_THE_CALL}
    reply = reseller.patch(f"/v1/subaccounts/{subaccount['id']}", body)
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, "effective_from")


def test_a_move_to_an_unknown_or_closed_client_or_package_is_refused(
    reseller: Any, other: Any, subaccount: dict[str, Any]
) -> None:
    path = f"/v1/subaccounts/{subaccount['id']}"
    closed = reseller.made("/v1/clients", {})["id"]
    reseller.delete(f"/v1/clients/{closed}")
    strange = other.made("/v1/clients", {})["id"]
    assert reseller.patch(path, {"client_id": closed}).status == 409
    assert reseller.patch(path, {"client_id": strange}).status == 404
    assert reseller.patch(path, {"package_id": "nothing"}).status == 404
    assert reseller.patch(path, {"client_id": None}).status == 422
    assert reseller.patch(path, {"username": "bob"}).status == 422
    assert reseller.get(path).json == subaccount


def test_a_subaccount_with_dids_neither_changes_client_nor_goes(
    reseller: Any, subaccount: dict[str, Any], did: str
) -> None:
    path = f"/v1/subaccounts/{subaccount['id']}"
    body = {"client_id": subaccount["client_id"], "subaccount_id": subaccount["id"]}
    assert reseller.post(f"/v1/dids/{did}/assign", body).status == 200
    second = reseller.made("/v1/clients", {})["id"]
    for refused in (reseller.patch(path, {"client_id": second}), reseller.delete(path)):
        assert refused.status == 409
        assert did in refused.json["detail"]
    silver = reseller.made("/v1/packages", {"name": "Silver"})["id"]
    assert reseller.patch(path, {"package_id": silver}).status == 200
    reseller.post(f"/v1/dids/{did}/release", {})
    assert reseller.delete(path).status == 204


def test_a_deleted_subaccount_is_nobodys_from_now_on_and_keeps_its_past(
    reseller: Any, subaccount: dict[str, Any]
) -> None:
    path = f"/v1/subaccounts/{subaccount['id']}"
    assert reseller.delete(path).status == 204
    assert [reseller.get(path).status, reseller.delete(path).status] == [404, 404]
    first, last = assignments(reseller, "SUB#alice")
    assert (first.client_id, last.client_id) == (subaccount["client_id"], "")
    assert last.effective_from > CALL


def test_a_strangers_subaccount_is_404(reseller: Any, other: Any, subaccount: dict[str, Any]) -> None:
    path = f"/v1/subaccounts/{subaccount['id']}"
    tries = [other.get(path), other.patch(path, {"next_billing_date": None}), other.delete(path)]
    assert [reply.status for reply in tries] == [404] * 3


def test_the_list_can_be_narrowed_to_a_client(
    reseller: Any, subaccount: dict[str, Any], package: dict[str, Any]
) -> None:
    second = reseller.made("/v1/clients", {})["id"]
    body = {"username": "bob", "client_id": second, "package_id": package["id"]}
    bob = reseller.made("/v1/subaccounts", body)
    assert reseller.get("/v1/subaccounts").json["items"] == [subaccount, bob]
    assert reseller.get(f"/v1/subaccounts?client_id={second}").json["items"] == [bob]
