"""The audit trail: who changed what, when, from what to what; filtered, paged, and to nobody else."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

import pytest

from chalicelib.aws.transactions import Scope, commit, event


def trail(api: Any, **query: str) -> list[dict[str, Any]]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    reply = api.get(f"/v1/audit?{asked}")
    assert reply.status == 200, reply.text
    return list(reply.json["items"])


def changes(told: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {one["field"]: (one["old"], one["new"]) for one in told["changes"]}


def test_a_change_tells_who_when_and_from_what_to_what(reseller: Any, client: dict[str, Any]) -> None:
    made = reseller.made("/v1/keys", {"label": "shop"})
    shop = reseller.with_key(made["api_key"])
    body = {"city": "Laval", "credit_limit": "25.5", "company": "Acme"}
    assert shop.patch(f"/v1/clients/{client['id']}", body).status == 200
    (told,) = trail(reseller, kind="client.changed")
    assert (told["subject"], told["actor"]) == (client["id"], f"key:{made['id']}")
    assert (told["role"], told["label"]) == ("reseller", "shop")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["at"])
    # The company is what it was.
    assert changes(told) == {"city": ("", "Laval"), "credit_limit": (None, "25.50")}


PATCHES = {
    "reseller.changed": ("/v1/account", {"name": "Voix Deux"}, {"name": ("Voix", "Voix Deux")}),
    "package.changed": (
        "/v1/packages/{package}",
        {"markup_percent": "25", "setup_fee": "5", "monthly_fee": "3"},
        {"markup_percent": ("20.00", "25.00"), "monthly_fee": ("0.00", "3.00")},
    ),
    "subaccount.changed": (
        "/v1/subaccounts/{subaccount}",
        {"next_billing_date": "2091-01-31"},
        {"next_billing_date": (None, "2091-01-31")},
    ),
    "client.changed": (
        "/v1/clients/{client}",
        {"balance_mode": "strict", "low_balance_threshold": "-5"},
        {"balance_mode": ("permissive", "strict"), "low_balance_threshold": (None, "-5.00")},
    ),
}


@pytest.mark.parametrize("kind", PATCHES)
def test_every_patch_tells_old_and_new(
    kind: str, reseller: Any, client: dict[str, Any], package: dict[str, Any], subaccount: dict[str, Any]
) -> None:
    path, body, expected = PATCHES[kind]
    ids = {"client": client["id"], "package": package["id"], "subaccount": subaccount["id"]}
    assert reseller.patch(path.format(**ids), body).status == 200
    (told,) = trail(reseller, kind=kind)
    found = changes(told)
    assert {name: found[name] for name in expected} == expected
    assert found.keys() - expected.keys() <= {"terms_version", "effective_from", "anchor_day"}


def test_a_patch_that_changes_nothing_tells_nothing(
    reseller: Any, client: dict[str, Any], package: dict[str, Any], subaccount: dict[str, Any]
) -> None:
    before = trail(reseller)
    for path, body in (
        ("/v1/account", {"name": "Voix"}),
        (f"/v1/packages/{package['id']}", {"name": package["name"], "setup_fee": package["setup_fee"]}),
        (f"/v1/subaccounts/{subaccount['id']}", {"package_id": package["id"]}),
        (f"/v1/clients/{client['id']}", {"company": client["company"], "credit_limit": None}),
        (f"/v1/clients/{client['id']}", {}),
    ):
        assert reseller.patch(path, body).status == 200
    assert reseller.post("/v1/account/activate").status == 200
    assert trail(reseller) == before


def test_every_patch_of_the_document_is_among_them() -> None:
    import app  # noqa: F401
    from chalicelib.web.routes import ROUTES

    told = {path.split("/")[2] for path, *_ in PATCHES.values()}
    # The operator's change of a reseller is the same as the reseller's own.
    assert {entry.path.split("/")[2] for entry in ROUTES if entry.method == "PATCH"} - {"resellers"} <= told


def test_puts_and_assignments_tell_old_and_new_too(
    reseller: Any, client: dict[str, Any], package: dict[str, Any], did: str
) -> None:
    rate = f"/v1/packages/{package['id']}/rates/prefix/1514"
    for price in ("0.01", "0.02"):
        assert reseller.put(rate, {"rate_per_minute": price}).status == 200
    assert reseller.delete(rate).status == 204
    withdrawn, second, first = trail(reseller, kind="rate.changed")
    assert [changes(one)["rate_per_minute"] for one in (first, second, withdrawn)] == [
        (None, "0.01"),
        ("0.01", "0.02"),
        ("0.02", None),
    ]
    assert second["subject"] == f"{package['id']}/prefix/1514"
    assert reseller.post(f"/v1/dids/{did}/assign", {"client_id": client["id"], "monthly": "4.5"}).status == 200
    assert reseller.post(f"/v1/dids/{did}/release", {}).status == 200
    released, assigned = trail(reseller, subject=did.replace("+", "%2B"))[:2]
    assert changes(assigned)["monthly"] == ("0.00", "4.50")
    assert changes(released)["client_id"] == (client["id"], "")


def test_a_price_that_starts_later_tells_the_one_that_it_takes_the_place_of(
    reseller: Any, package: dict[str, Any]
) -> None:
    for day, percent in (("2090-01-01", "30"), ("2091-01-01", "40"), ("2090-07-01", "35")):
        body = {"markup_percent": percent, "effective_from": f"{day}T00:00:00Z"}
        assert reseller.patch(f"/v1/packages/{package['id']}", body).status == 200
    told = [changes(one) for one in reversed(trail(reseller, kind="package.changed"))]
    assert [one["markup_percent"] for one in told] == [("20.00", "30.00"), ("30.00", "40.00"), ("30.00", "35.00")]
    # The last one changed what was to follow, too.
    assert told[2]["later"] == (
        [{"effective_from": "2091-01-01T00:00:00Z", "markup_percent": "40.00"}],
        [{"effective_from": "2091-01-01T00:00:00Z", "markup_percent": "35.00"}],
    )
    assert "later" not in told[0]


def test_where_payments_go_tells_old_and_new(reseller: Any) -> None:
    first = {"email": "pay@voix.example", "environment": "live", "amounts": ["10"]}
    assert reseller.put("/v1/paypal", first).status == 200
    assert (
        reseller.put("/v1/paypal", {**first, "email": "thief@x.example", "merchant_id": "7E7MGXCWTTKK2"}).status == 200
    )
    second, made = trail(reseller, kind="paypal.changed")
    assert changes(made) == {
        "email": (None, "pay@voix.example"),
        "merchant_id": (None, ""),
        "environment": (None, "live"),
        "amounts": (None, ["10"]),
    }
    assert changes(second) == {"email": ("pay@voix.example", "thief@x.example"), "merchant_id": ("", "7E7MGXCWTTKK2")}


def test_what_begins_tells_what_it_began_with(reseller: Any, package: dict[str, Any]) -> None:
    made = reseller.made("/v1/clients", {"company": "Acme", "credit_limit": "50", "daily_spend_limit": "5"})
    (told,) = trail(reseller, subject=made["id"])
    assert changes(told) == {
        "balance_mode": (None, "permissive"),
        "company": (None, "Acme"),
        "credit_limit": (None, "50.00"),
        "daily_spend_limit": (None, "5.00"),
        "language": (None, "en"),
    }
    body = {"username": "alice", "client_id": made["id"], "package_id": package["id"]}
    sub = reseller.made("/v1/subaccounts", {**body, "next_billing_date": "2091-01-31"})
    (told,) = trail(reseller, subject=sub["id"])
    assert changes(told) == {name: (None, value) for name, value in {**body, "next_billing_date": "2091-01-31"}.items()}
    assert reseller.delete(f"/v1/subaccounts/{sub['id']}").status == 204
    ended = trail(reseller, subject=sub["id"])[0]
    assert ended["kind"] == "subaccount.deleted" and changes(ended)["username"] == ("alice", None)
    reply = reseller.post("/v1/imports", {"clients": "ref,company,balance,credit_limit\n7,Birch,-8.20,40\n"})
    done = reply.json
    (told,) = trail(reseller, subject=done["client_ids"]["7"])
    found = changes(told)
    assert {name: found[name][1] for name in ("import_id", "company", "balance", "credit_limit")} == {
        "import_id": done["id"], "company": "Birch", "balance": "-8.20", "credit_limit": "40.00",
    }  # fmt: skip


def test_a_closed_month_tells_its_balances_as_money(reseller: Any, client: dict[str, Any]) -> None:
    from chalicelib.accounts.ledger import months, posting

    reseller.made(f"/v1/clients/{client['id']}/payments", {"amount": "10", "description": "of a later month"})
    read = partial(posting.get_client, reseller.ids["reseller"], client["id"])
    months.close(Scope("system:closing", 1_790_000_000), read, "2020-01")
    (told,) = trail(reseller, kind="month.closed")
    assert changes(told) == {
        "balance": (None, "10.00"), "entries": (None, 1), "period_balance": (None, "0.00"),
    }  # fmt: skip


def test_no_secret_is_on_the_trail(reseller: Any) -> None:
    made = [reseller.made("/v1/keys", {}) for _ in range(2)]
    made.append(reseller.made(f"/v1/keys/{made[0]['id']}/rotate", {}))
    text = json.dumps(trail(reseller))
    for token in [reseller.key, *(one["api_key"] for one in made)]:
        assert token not in text and token.split("_", 2)[2] not in text
    (rotated,) = trail(reseller, kind="key.rotated")
    assert changes(rotated)["replaced_by"] == (None, made[2]["id"])


# --- finding ------------------------------------------------------------------------------------------------------


def test_filters_by_subject_kind_and_actor(reseller: Any, operator: Any, client: dict[str, Any]) -> None:
    reseller.made(f"/v1/clients/{client['id']}/payments", {"amount": "1"})
    operator.patch(f"/v1/resellers/{reseller.ids['reseller']}", {"name": "Renamed"})
    mine = f"key:{reseller.key.split('_')[1]}"
    assert [one["kind"] for one in trail(reseller, subject=client["id"])] == ["ledger.payment", "client.created"]
    assert [one["kind"] for one in trail(reseller, kind="client")] == ["client.created"]
    assert {one["actor"] for one in trail(reseller, actor=mine)} == {mine}
    assert [one["kind"] for one in trail(reseller, actor="operator", kind="reseller.changed")] == ["reseller.changed"]
    assert trail(reseller, kind="clien") == []


def at(reseller: Any, instant: int, subject: str) -> None:
    commit(Scope("system:test", instant), [event(Scope("system:test", instant), reseller, "test.told", subject)])


def test_days_are_those_of_the_reseller(reseller: Any) -> None:
    """Toronto is five hours behind UTC in winter: its 10 March 2091 begins at 05:00 UTC."""
    start = 3_824_341_200
    for instant, name in ((start - 1, "before"), (start, "first"), (start + 86_399, "last"), (start + 86_400, "after")):
        at(reseller.ids["reseller"], instant, name)
    day = {"date_from": "2091-03-10", "date_to": "2091-03-10"}
    assert [one["subject"] for one in trail(reseller, **day)] == ["last", "first"]
    assert [one["subject"] for one in trail(reseller, date_from="2091-03-11")] == ["after"]
    assert [one["subject"] for one in trail(reseller, date_to="2091-03-09", kind="test")] == ["before"]
    reply = reseller.get("/v1/audit?date_from=2091-03-11&date_to=2091-03-10")
    assert reply.status == 422 and reply.json["errors"][0]["field"] == "date_to"


def test_pages_are_newest_first_and_end(reseller: Any) -> None:
    for number in range(25):
        at(reseller.ids["reseller"], 3_900_000_000 + number, f"s{number}")
    found, cursor = [], ""
    for _ in range(4):
        page = reseller.get(f"/v1/audit?kind=test&limit=10{cursor}").json
        found += [one["subject"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == [f"s{number}" for number in range(24, -1, -1)]


def test_a_rare_find_in_a_long_trail_takes_short_pages_and_is_found(
    reseller: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chalicelib.accounts.service import audit

    monkeypatch.setattr(audit, "READ_AT_MOST", 100)
    at(reseller.ids["reseller"], 2_000_000_000, "needle")
    for number in range(300):
        at(reseller.ids["reseller"], 3_000_000_000 + number, "hay")
    pages, cursor, found = 0, "", []
    while True:
        page = reseller.get(f"/v1/audit?subject=needle{cursor}").json
        pages, found = pages + 1, found + page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert [one["subject"] for one in found] == ["needle"]
    assert 3 <= pages <= 6


# --- to nobody else -----------------------------------------------------------------------------------------------


def test_a_clients_key_sees_none_and_others_see_only_their_own(
    reseller: Any, other: Any, operator: Any, client: dict[str, Any], on_sale: Any
) -> None:
    key = reseller.made("/v1/keys", {"role": "client", "client_id": client["id"]})["api_key"]
    assert reseller.with_key(key).get("/v1/audit").status == 403
    assert client["id"] not in json.dumps(trail(other))
    assert other.get(f"/v1/audit?reseller_id={reseller.ids['reseller']}").status == 404
    number = on_sale(monthly="2.5")
    (told,) = trail(operator, subject=number.replace("+", "%2B"))
    assert (told["kind"], changes(told)["monthly"]) == ("inventory.created", (None, "2.50"))
    seen = trail(operator, reseller_id=reseller.ids["reseller"], subject=client["id"])
    assert [one["kind"] for one in seen] == ["client.created"]
    assert operator.get("/v1/audit?reseller_id=nobody").status == 404
