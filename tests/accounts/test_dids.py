"""Numbers: on sale, ordered by one, assigned and released from a date on, cancelled."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from builders import assignments

from chalicelib.dialling import DialPlan
from chalicelib.periods import add_month, calendar

CALL = 1_790_000_000
AFTER_THE_CALL = "2026-10-01T00:00:00Z"
BEFORE_THE_CALL = "2026-09-01T00:00:00Z"


def available(api: Any) -> list[str]:
    found, cursor = [], ""
    while cursor is not None:
        page = api.get(f"/v1/dids/available?limit=200{cursor and '&cursor=' + cursor}").json
        found += [item["number"] for item in page["items"]]
        cursor = page["next"]
    return found


def kinds(api: Any, path: str) -> list[tuple[str, str]]:
    return [(entry["kind"], entry["amount"]) for entry in api.get(path).json["items"]]


def test_the_operator_puts_numbers_on_sale_once_each(operator: Any, reseller: Any, on_sale: Any) -> None:
    number = on_sale(monthly="1.50", setup="2", per_minute="0.0125")
    assert operator.post("/v1/inventory", {"number": number.lstrip("+")}).status == 409
    page = reseller.get("/v1/dids/available?limit=200").json
    (seen,) = [item for item in page["items"] if item["number"] == number]
    assert seen == {"number": number, "monthly": "1.50", "setup": "2.00", "per_minute": "0.0125"}
    page = operator.get("/v1/inventory?limit=200").json
    assert [item["reseller_id"] for item in page["items"] if item["number"] == number] == [None]


@pytest.mark.parametrize(
    ("field", "value"), [("number", "411"), ("number", "abc"), ("monthly", 1), ("per_minute", "-1"), ("setup", None)]
)
def test_a_wrong_field_of_a_number_is_422(operator: Any, field: str, value: Any) -> None:
    reply = operator.post("/v1/inventory", {"number": "+15145559999", field: value})
    assert [error["field"] for error in reply.json["errors"]] == [field]


def test_an_order_charges_the_reseller_set_up_and_first_month(operator: Any, reseller: Any, on_sale: Any) -> None:
    number = on_sale(monthly="2", setup="1", per_minute="0.01")
    made = reseller.post(f"/v1/dids/{number.lstrip('+')}/order")
    assert made.status == 200
    assert (made.json["number"], made.json["client_id"]) == (number, None)
    assert kinds(reseller, "/v1/account/ledger") == [("did_monthly", "-2.00"), ("did_setup", "-1.00")]
    assert reseller.get("/v1/account").json["balance"] == "-3.00"
    assert number not in available(reseller)
    assert reseller.get("/v1/dids").json["items"] == [made.json]
    page = operator.get("/v1/inventory?limit=200").json
    (seen,) = [item for item in page["items"] if item["number"] == number]
    assert seen["reseller_id"] == reseller.ids["reseller"]


def test_a_free_number_makes_no_entries(reseller: Any, on_sale: Any) -> None:
    assert reseller.post(f"/v1/dids/{on_sale()}/order").status == 200
    assert kinds(reseller, "/v1/account/ledger") == []


def test_a_taken_or_unknown_number_cannot_be_ordered(reseller: Any, other: Any, did: str) -> None:
    assert other.post(f"/v1/dids/{did}/order").status == 409
    assert reseller.post(f"/v1/dids/{did}/order").status == 409
    assert reseller.post("/v1/dids/+15145558888888/order").status == 404
    assert reseller.post("/v1/dids/hello/order").status == 404
    assert kinds(other, "/v1/account/ledger") == []


def test_of_two_resellers_that_order_at_once_one_gets_it_and_the_other_pays_nothing(
    reseller: Any, other: Any, on_sale: Any
) -> None:
    for _ in range(5):
        number = on_sale(monthly="2", setup="1")
        before = [api.get("/v1/account").json["balance"] for api in (reseller, other)]
        with ThreadPoolExecutor(4) as pool:
            contenders = [reseller, other, reseller, other]
            replies = list(pool.map(lambda api, n=number: api.post(f"/v1/dids/{n}/order").status, contenders))
        assert sorted(replies) == [200, 409, 409, 409]
        after = [api.get("/v1/account").json["balance"] for api in (reseller, other)]
        assert sum(first != second for first, second in zip(before, after, strict=True)) == 1
    owned = [len(api.get("/v1/dids").json["items"]) for api in (reseller, other)]
    paid = [api.get("/v1/account").json["balance"] for api in (reseller, other)]
    assert sum(owned) == 5
    assert paid == [f"{-3 * count}.00" if count else "0.00" for count in owned]


def test_an_assignment_charges_the_client_and_is_due_one_month_on(
    reseller: Any, subaccount: dict[str, Any], did: str
) -> None:
    body = {
        "client_id": subaccount["client_id"],
        "subaccount_id": subaccount["id"],
        "monthly": "4",
        "setup": "3",
        "per_minute": "0.02",
        "pulse": {"initial": 60, "increment": 60},
    }
    made = reseller.post(f"/v1/dids/{did}/assign", body).json
    assert {name: made[name] for name in ("client_id", "subaccount_id", "pulse")} == {
        name: body[name] for name in ("client_id", "subaccount_id", "pulse")
    }
    assert (made["monthly"], made["setup"], made["per_minute"]) == ("4.00", "3.00", "0.02")
    assert kinds(reseller, f"/v1/clients/{body['client_id']}/ledger") == [
        ("did_monthly", "-4.00"),
        ("did_setup", "-3.00"),
    ]
    assert reseller.get("/v1/dids").json["items"] == [made]
    (held,) = assignments(reseller, f"DID#{did}")
    assert (held.client_id, held.subaccount_id) == (body["client_id"], subaccount["id"])
    assert (held.rate_e10, held.initial, held.increment, held.cost_e10) == (200_000_000, 60, 60, 100_000_000)


def test_the_next_date_is_the_same_day_of_next_month_unless_said(
    reseller: Any, client: dict[str, Any], did: str
) -> None:
    body, today = {"client_id": client["id"]}, [_today()]
    made = reseller.post(f"/v1/dids/{did}/assign", body).json
    today.append(_today())
    assert made["next_billing_date"] in [add_month(day) for day in today]
    for value in ("2127-03-01", None):
        reseller.post(f"/v1/dids/{did}/release", {})
        made = reseller.post(f"/v1/dids/{did}/assign", {**body, "next_billing_date": value}).json
        assert made["next_billing_date"] == value


def _today() -> str:
    """The day of the reseller that the fixture makes."""
    return calendar("America/Toronto").day_of(int(time.time()))


def test_flags_leave_out_either_charge(reseller: Any, client: dict[str, Any], did: str) -> None:
    path = f"/v1/clients/{client['id']}/ledger"
    body = {"client_id": client["id"], "monthly": "4", "setup": "3"}
    reseller.post(f"/v1/dids/{did}/assign", {**body, "charge_setup": False, "charge_monthly": False})
    assert kinds(reseller, path) == []
    reseller.post(f"/v1/dids/{did}/release", {})
    reseller.post(f"/v1/dids/{did}/assign", {**body, "charge_setup": False})
    assert kinds(reseller, path) == [("did_monthly", "-4.00")]


def test_the_subaccount_must_be_the_clients(reseller: Any, subaccount: dict[str, Any], did: str) -> None:
    stranger = reseller.made("/v1/clients", {})["id"]
    for subaccount_id in (subaccount["id"], "nothing"):
        body = {"client_id": stranger, "subaccount_id": subaccount_id}
        reply = reseller.post(f"/v1/dids/{did}/assign", body)
        assert (reply.status, reply.json["errors"][0]["field"]) == (422, "subaccount_id")


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("client_id", "nobody", 404),
        ("monthly", 4, 422),
        ("per_minute", 0.01, 422),
        ("setup", "-1", 422),
        ("next_billing_date", "soon", 422),
        ("next_billing_date", "2025-01-31", 422),
        ("charge_setup", 1, 422),
        ("currency", "EUR", 422),
    ],
)
def test_a_wrong_field_of_an_assignment_is_refused(
    reseller: Any, client: dict[str, Any], did: str, field: str, value: Any, status: int
) -> None:
    reply = reseller.post(f"/v1/dids/{did}/assign", {"client_id": client["id"], field: value})
    assert reply.status == status
    if status == 422:
        assert [error["field"] for error in reply.json["errors"]] == [field]


def test_an_assigned_number_is_neither_assigned_again_nor_cancelled(
    reseller: Any, client: dict[str, Any], did: str
) -> None:
    body = {"client_id": client["id"]}
    assert reseller.post(f"/v1/dids/{did}/assign", body).status == 200
    for reply in (reseller.post(f"/v1/dids/{did}/assign", body), reseller.post(f"/v1/dids/{did}/cancel")):
        assert reply.status == 409
        assert "release" in reply.json["detail"]


def test_a_release_is_dated_and_not_before_rated_calls(
    reseller: Any, client: dict[str, Any], did: str, rated: Any
) -> None:
    from chalicelib.periods import parse_instant

    assert reseller.post(f"/v1/dids/{did}/release", {}).status == 409
    reseller.post(f"/v1/dids/{did}/assign", {"client_id": client["id"], "monthly": "4"})
    rated(client["id"], f"did:{did}", CALL)
    assert reseller.post(f"/v1/dids/{did}/release", {"effective_from": BEFORE_THE_CALL}).status == 409
    freed = reseller.post(f"/v1/dids/{did}/release", {"effective_from": AFTER_THE_CALL}).json
    assert (freed["client_id"], freed["monthly"], freed["next_billing_date"]) == (None, "0.00", None)
    assert reseller.get("/v1/dids").json["items"] == [freed]
    first, last = assignments(reseller, f"DID#{did}")
    assert (first.client_id, last.client_id) == (client["id"], "")
    assert last.effective_from == parse_instant(AFTER_THE_CALL)


def test_the_next_client_cannot_have_calls_that_were_rated_for_the_last(
    reseller: Any, client: dict[str, Any], did: str, rated: Any
) -> None:
    reseller.post(f"/v1/dids/{did}/assign", {"client_id": client["id"]})
    rated(client["id"], f"did:{did}", CALL)
    reseller.post(f"/v1/dids/{did}/release", {"effective_from": AFTER_THE_CALL})
    body = {"client_id": reseller.made("/v1/clients", {})["id"]}
    path = f"/v1/dids/{did}/assign"
    assert reseller.post(path, {**body, "effective_from": BEFORE_THE_CALL}).status == 409
    assert reseller.post(path, {**body, "effective_from": AFTER_THE_CALL}).status == 200


def test_no_number_changes_hands_while_a_batch_is_being_rated(
    reseller: Any, client: dict[str, Any], did: str, batches: Any
) -> None:
    batches("batch-1", True)
    assert reseller.post(f"/v1/dids/{did}/assign", {"client_id": client["id"]}).status == 200
    assert reseller.post(f"/v1/dids/{did}/release", {}).status == 409
    batches("batch-1", False)
    assert reseller.post(f"/v1/dids/{did}/release", {}).status == 200
    batches("batch-2", True)
    assert reseller.post(f"/v1/dids/{did}/assign", {"client_id": client["id"]}).status == 409


def test_a_cancelled_number_can_be_ordered_again(reseller: Any, other: Any, did: str) -> None:
    given_back = reseller.post(f"/v1/dids/{did}/cancel")
    assert (given_back.status, given_back.json["number"]) == (200, did)
    assert reseller.get("/v1/dids").json["items"] == []
    assert reseller.post(f"/v1/dids/{did}/cancel").status == 404
    assert did in available(reseller)
    assert other.post(f"/v1/dids/{did}/order").status == 200
    assert reseller.get("/v1/account").json["balance"] == "-3.00", "nothing is refunded"


def test_a_strangers_number_is_404(other: Any, did: str) -> None:
    client_id = other.made("/v1/clients", {})["id"]
    tries = [
        other.post(f"/v1/dids/{did}/assign", {"client_id": client_id}),
        other.post(f"/v1/dids/{did}/release", {}),
        other.post(f"/v1/dids/{did}/cancel"),
    ]
    assert [reply.status for reply in tries] == [404] * 3
    assert other.get("/v1/dids").json["items"] == []


def test_the_list_can_be_narrowed_to_a_client(reseller: Any, client: dict[str, Any], did: str, on_sale: Any) -> None:
    reseller.post(f"/v1/dids/{on_sale()}/order")
    reseller.post(f"/v1/dids/{did}/assign", {"client_id": client["id"]})
    assert len(reseller.get("/v1/dids").json["items"]) == 2
    found = reseller.get(f"/v1/dids?client_id={client['id']}").json["items"]
    assert [item["number"] for item in found] == [did]


def test_a_number_released_now_and_assigned_from_an_earlier_day_is_held_from_that_day_on(
    reseller: Any, subaccount: dict[str, Any], did: str
) -> None:
    from chalicelib.accounts.service import term_versions
    from chalicelib.periods import parse_instant
    from chalicelib.rating.pricing import loading

    second = reseller.made("/v1/clients", {})["id"]
    reseller.post(f"/v1/dids/{did}/assign", {"client_id": subaccount["client_id"]})
    assert reseller.post(f"/v1/dids/{did}/release", {}).status == 200
    again = {"client_id": second, "effective_from": BEFORE_THE_CALL}
    assert reseller.post(f"/v1/dids/{did}/assign", again).status == 200
    reseller_id = reseller.ids["reseller"]
    book = loading.rate_book(reseller_id, "UTC", DialPlan(), int(term_versions.head_of(reseller_id).version), 0)
    held = [book.ownership.did_stretch(did, parse_instant(BEFORE_THE_CALL) + more)[0] for more in (-1, 0, 10**9)]
    assert [each.client_id if each else None for each in held] == [subaccount["client_id"], second, second]


def test_of_many_assignments_at_once_one_client_gets_the_number_and_only_that_one_pays(
    reseller: Any, client: dict[str, Any], did: str
) -> None:
    second = reseller.made("/v1/clients", {})
    ids = [client["id"], second["id"]] * 3
    with ThreadPoolExecutor(6) as pool:
        body = {"monthly": "4", "setup": "3"}
        path = f"/v1/dids/{did}/assign"
        replies = list(pool.map(lambda one: reseller.post(path, {**body, "client_id": one}).status, ids))
    assert sorted(replies) == [200] + [409] * 5
    holder = reseller.get("/v1/dids").json["items"][0]["client_id"]
    for one in {*ids}:
        paid = kinds(reseller, f"/v1/clients/{one}/ledger")
        assert paid == ([("did_monthly", "-4.00"), ("did_setup", "-3.00")] if one == holder else [])
    assert len(assignments(reseller, f"DID#{did}")) == 1


def test_a_number_assigned_and_cancelled_at_once_is_in_one_hand(
    reseller: Any, other: Any, client: dict[str, Any], on_sale: Any
) -> None:
    for _ in range(4):
        number = on_sale()
        assert reseller.post(f"/v1/dids/{number}/order").status == 200
        with ThreadPoolExecutor(3) as pool:
            assigning = pool.submit(reseller.post, f"/v1/dids/{number}/assign", {"client_id": client["id"]})
            cancelling = pool.submit(reseller.post, f"/v1/dids/{number}/cancel")
        assert (assigning.result().status, cancelling.result().status) in [(200, 409), (404, 200)]
        assert other.post(f"/v1/dids/{number}/order").status == (409 if assigning.result().status == 200 else 200)
