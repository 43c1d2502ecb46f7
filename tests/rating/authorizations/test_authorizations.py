"""``POST /v1/authorizations`` and what follows it, over HTTP and on real tables: who may call, how long, and holds."""

from __future__ import annotations

import time
from typing import Any

import pytest


@pytest.fixture
def shop(reseller: Any, deck: str) -> Any:
    """A reseller with a strict client ``alice`` who has paid 1.00, on the deck's cost: UK 0.02 a minute by seconds."""
    package = reseller.made("/v1/packages", {"name": "At cost"})["id"]
    reseller.ids |= {"package": package}
    reseller.ids["alice"] = client(reseller, "alice", balance_mode="strict", paid="1.00")
    return reseller


def client(shop: Any, username: str, paid: str = "", **fields: Any) -> str:
    client_id = str(shop.made("/v1/clients", fields)["id"])
    account = {"username": username, "client_id": client_id, "package_id": shop.ids["package"]}
    shop.made("/v1/subaccounts", account)
    if paid:
        shop.made(f"/v1/clients/{client_id}/payments", {"amount": paid, "description": "paid"})
    return client_id


def ask(shop: Any, number: str = "+442079460000", account: str = "alice", **more: Any) -> dict[str, Any]:
    return dict(shop.made("/v1/authorizations", {"account": account, "number": number, **more}))


def change(shop: Any, client_id: str, **fields: Any) -> None:
    assert shop.patch(f"/v1/clients/{client_id}", fields).status == 200


def test_a_call_may_last_as_long_as_the_balance_pays_for_it(shop):
    assert ask(shop) == {
        "allowed": True,
        "reason": "ok",
        "max_seconds": 3000,
        "hangup_after": 3000,
        "rate": "0.02",
        "id": None,
        "expires_at": None,
    }


def test_numbers_are_read_as_dialled_at_home(shop):
    rates = {number: ask(shop, number)["rate"] for number in ("00442079460000", "011442079460000")}
    assert rates == dict.fromkeys(rates, "0.02")
    assert ask(shop, "4165550100")["rate"] == "0.01"
    assert ask(shop, "442079460000")["reason"] == "no_rate", "as in a file, where it is refused"


@pytest.mark.parametrize("number", ["911", "112", "988", "+1911", "1911", "+1 988", "00112"])
@pytest.mark.parametrize("account", ["alice", "no-such-account", ""])
def test_an_emergency_call_is_never_refused(shop, number, account):
    change(shop, shop.ids["alice"], daily_spend_limit="0", blocked_countries=["US", "CA"])
    shop.made(f"/v1/clients/{shop.ids['alice']}/charges", {"amount": "5", "description": "all of it"})
    answer = ask(shop, number, account, reserve_seconds=600)
    assert (answer["allowed"], answer["reason"], answer["max_seconds"], answer["id"]) == (True, "ok", None, None)


@pytest.mark.parametrize(
    "number", ["999", "112", "911#", "sip:999@pbx.at-a-host-of-a-long-name.example", "tel:999", "+44999"]
)
def test_an_emergency_number_of_the_home_country_is_never_refused(shop, number):
    assert shop.patch("/v1/account", {"home_country": "GB"}).status == 200
    shop.made(f"/v1/clients/{shop.ids['alice']}/charges", {"amount": "1", "description": "all of it"})
    for account in ("alice", "no-such-account"):
        assert ask(shop, number, account)["allowed"] is True
    assert ask(shop, "+442079460000")["allowed"] is False


def test_a_spelling_that_fits_two_numbers_has_no_rate(shop):
    assert shop.patch("/v1/account", {"home_country": "IT"}).status == 200
    assert ask(shop, "3902123456")["reason"] == "no_rate"
    assert ask(shop, "+44 (0)20 7946 0000")["rate"] == "0.02"


def test_a_call_to_the_user_name_of_a_sub_account_is_internal(shop):
    client(shop, "bob")
    assert [ask(shop, number)["rate"] for number in ("bob", "sip:bob@pbx.example", "502", "*97")] == ["0.00"] * 4
    assert ask(shop, "carol")["reason"] == "no_rate"


def test_not_even_while_the_reseller_is_suspended(shop, operator):
    assert operator.patch(f"/v1/resellers/{shop.ids['reseller']}", {"status": "suspended"}).status == 200
    assert ask(shop, "911")["allowed"] is True
    assert shop.post("/v1/authorizations", {"account": "alice", "number": "4165550100"}).status == 403


def test_an_account_of_no_client_or_of_a_stranger_is_unknown(shop, operator):
    stranger = operator.made("/v1/resellers", {"name": "Other", "email": "o@o.example"})
    other = operator.with_key(stranger["api_key"])
    for answer in (ask(shop, account="bob"), ask(shop, account="a#b"), ask(other)):
        assert (answer["allowed"], answer["reason"], answer["rate"]) == (False, "unknown_account", None)


def test_a_deleted_account_is_unknown_at_once(shop):
    sub = shop.get("/v1/subaccounts").json["items"][0]["id"]
    assert ask(shop)["allowed"]
    assert shop.delete(f"/v1/subaccounts/{sub}").status == 204
    assert ask(shop)["reason"] == "unknown_account"


def test_a_strict_client_without_money_is_suspended(shop):
    client(shop, "broke", balance_mode="strict")
    for answer in (ask(shop, account="broke"), ask(shop, "2001", "broke")):
        assert (answer["allowed"], answer["reason"], answer["max_seconds"]) == (False, "suspended", 0)


def test_a_permissive_client_without_a_limit_may_call_without_one(shop):
    client(shop, "open")
    answer = ask(shop, account="open", reserve_seconds=60)
    assert (answer["allowed"], answer["max_seconds"], answer["hangup_after"]) == (True, None, None)
    assert answer["id"]


def test_credit_counts_for_a_permissive_client(shop):
    client(shop, "credit", credit_limit="0.02")
    assert ask(shop, account="credit")["max_seconds"] == 60


def test_a_number_without_a_rate_and_what_is_no_number(shop):
    for number in ("+99912345678", "*9876543", "12345678901234567890", "bob"):
        answer = ask(shop, number)
        assert (answer["allowed"], answer["reason"], answer["rate"]) == (False, "no_rate", None), number


def test_a_call_to_a_sub_account_is_internal(shop):
    client(shop, "desk-2")
    answer = ask(shop, "desk-2")
    assert (answer["allowed"], answer["max_seconds"], answer["rate"]) == (True, 86_400, "0.00")
    assert ask(shop, "desk-3")["reason"] == "no_rate"


@pytest.mark.parametrize("number", ["502", "447", "*97"])
def test_an_extension_may_be_called_though_a_prefix_of_the_deck_has_its_digits(shop, number):
    answer = ask(shop, number)
    assert (answer["allowed"], answer["max_seconds"], answer["rate"]) == (True, 86_400, "0.00")


def test_a_short_number_costs_what_the_deck_line_of_this_number_says(shop):
    answer = ask(shop, "411")
    assert (answer["allowed"], answer["max_seconds"], answer["rate"]) == (True, 120, "0.50")


def test_an_internal_number_costs_nothing(shop):
    answer = ask(shop, "2001")
    assert (answer["allowed"], answer["max_seconds"], answer["rate"]) == (True, 86_400, "0.00")


def test_a_custom_rate_counts_at_once(shop):
    assert ask(shop)["rate"] == "0.02"
    path = f"/v1/packages/{shop.ids['package']}/rates/country/GB"
    assert shop.put(path, {"rate_per_minute": "0.04"}).status == 200
    answer = ask(shop)
    assert (answer["rate"], answer["max_seconds"]) == ("0.04", 1500)


def test_blocked_countries_and_dear_numbers_are_blocked(shop):
    change(shop, shop.ids["alice"], blocked_countries=["GB", "FR", "GB"])
    assert ask(shop)["reason"] == "blocked" and ask(shop, "+14165550100")["allowed"]
    change(shop, shop.ids["alice"], blocked_countries=[], max_rate_per_minute="0.0199")
    assert ask(shop)["reason"] == "blocked" and ask(shop, "+14165550100")["allowed"]
    change(shop, shop.ids["alice"], max_rate_per_minute="0.02")
    assert ask(shop)["allowed"]


def test_the_limits_are_shown_validated_and_in_the_audit_trail(shop):
    from chalicelib.aws.transactions import Event

    change(shop, shop.ids["alice"], blocked_countries=["GB"], max_rate_per_minute="0.5", daily_spend_limit="20")
    shown = shop.get(f"/v1/clients/{shop.ids['alice']}").json
    assert shown["blocked_countries"] == ["GB"]
    assert (shown["max_rate_per_minute"], shown["daily_spend_limit"]) == ("0.50", "20.00")
    changed = [event for event in Event.under(*Event.of_owner(shop.ids["reseller"])) if event.kind == "client.changed"]
    assert changed[-1].changes["blocked_countries"] == ["GB"]
    for wrong in ({"blocked_countries": ["XX"]}, {"max_rate_per_minute": 0.5}, {"daily_spend_limit": "-1"}):
        reply = shop.patch(f"/v1/clients/{shop.ids['alice']}", wrong)
        assert reply.status == 422 and reply.json["errors"][0]["field"].startswith(next(iter(wrong)))


def test_the_daily_limit_counts_holds_and_limits_how_long(shop):
    change(shop, shop.ids["alice"], daily_spend_limit="0.06")
    assert ask(shop)["max_seconds"] == 180
    first = ask(shop, reserve_seconds=120)
    assert (first["max_seconds"], first["hangup_after"]) == (180, 120)
    assert ask(shop, reserve_seconds=120)["hangup_after"] == 60
    assert ask(shop)["reason"] == "blocked"
    assert ask(shop, "2001")["allowed"]
    assert shop.delete(f"/v1/authorizations/{first['id']}").status == 204
    assert ask(shop)["max_seconds"] == 120


def test_holds_take_from_what_is_available_and_not_from_the_balance(shop):
    first = ask(shop, reserve_seconds=1200)
    assert (first["max_seconds"], first["hangup_after"]) == (3000, 1200)
    second = ask(shop, reserve_seconds=3000)
    assert (second["max_seconds"], second["hangup_after"]) == (1800, 1800)
    assert ask(shop)["reason"] == "suspended"
    shown = shop.get(f"/v1/clients/{shop.ids['alice']}").json
    assert (shown["balance"], shown["service"]) == ("1.00", "active")


def test_a_finished_call_holds_its_price(shop):
    held = ask(shop, reserve_seconds=3000)
    assert ask(shop)["allowed"] is False
    reply = shop.post(f"/v1/authorizations/{held['id']}/finish", {"seconds": 300})
    assert (reply.status, reply.json["amount"], reply.json["seconds"]) == (200, "0.10", 300)
    assert ask(shop)["max_seconds"] == 2700
    assert shop.post(f"/v1/authorizations/{held['id']}/finish", {"seconds": 300}).json == reply.json
    assert shop.post(f"/v1/authorizations/{held['id']}/finish", {"seconds": 301}).status == 409
    assert shop.delete(f"/v1/authorizations/{held['id']}").status == 409
    assert ask(shop)["max_seconds"] == 2700


def test_a_call_that_was_never_made_holds_nothing(shop):
    held = ask(shop, reserve_seconds=3000)
    assert shop.delete(f"/v1/authorizations/{held['id']}").status == 204
    assert ask(shop)["max_seconds"] == 3000
    assert shop.delete(f"/v1/authorizations/{held['id']}").status == 404
    assert shop.post(f"/v1/authorizations/{held['id']}/finish", {"seconds": 1}).status == 404


def test_the_same_call_has_one_hold_however_often_it_asks(shop):
    first = ask(shop, call_id="call-1", reserve_seconds=1200)
    again = ask(shop, call_id="call-1", reserve_seconds=1200)
    assert again == first
    assert ask(shop)["max_seconds"] == 1800
    assert ask(shop, "+442079460001", call_id="call-1", reserve_seconds=600)["id"] != first["id"]
    shop.made(f"/v1/clients/{shop.ids['alice']}/charges", {"amount": "5", "description": "all of it"})
    late = ask(shop, call_id="call-1", reserve_seconds=1200)
    assert (late["allowed"], late["id"], late["hangup_after"]) == (True, first["id"], 1200)


def test_an_id_that_is_used_anew_after_its_call_has_ended_holds_anew(shop):
    first = ask(shop, call_id="call-1", reserve_seconds=3000)
    assert shop.post(f"/v1/authorizations/{first['id']}/finish", {"seconds": 300}).status == 200
    again = ask(shop, call_id="call-1", reserve_seconds=3000)
    assert again["id"] != first["id"] and (again["max_seconds"], again["hangup_after"]) == (2700, 2700)
    assert ask(shop)["reason"] == "suspended"
    # Nothing is left for a third one, and the ended call's price is still held beside the new one's.
    assert shop.post(f"/v1/authorizations/{again['id']}/finish", {"seconds": 0}).status == 200
    assert ask(shop, call_id="call-1")["max_seconds"] == 2700


def test_a_request_sent_again_under_its_key_gets_the_same_answer(shop):
    body = {"account": "alice", "number": "+442079460000", "reserve_seconds": 600}
    replies = [shop.post("/v1/authorizations", body, headers={"idempotency-key": "k1"}) for _ in range(2)]
    assert replies[0].text == replies[1].text and replies[0].json["id"]
    assert ask(shop)["max_seconds"] == 2400


def test_the_answer_as_text_also_when_it_is_sent_again(shop):
    body = {"account": "alice", "number": "+442079460000", "reserve_seconds": 600}
    for headers in ({}, {"idempotency-key": "k2"}, {"idempotency-key": "k2"}):
        reply = shop.post("/v1/authorizations?format=text", body, headers=headers)
        assert (reply.status, reply.headers["Content-Type"]) == (201, "text/plain")
        assert "allowed=1&reason=ok&max_seconds=" in reply.text and "&rate=0.02&id=" in reply.text
    refused = shop.post("/v1/authorizations?format=text", {**body, "account": "no-such-account"})
    assert refused.text == "allowed=0&reason=unknown_account&max_seconds=0&hangup_after=0&rate=&id=&expires_at="
    assert shop.post("/v1/authorizations?format=xml", body).status == 422


def test_a_hold_ends_after_two_days_by_the_clock_alone(shop):
    from chalicelib import periods
    from chalicelib.rating.authorizations import store

    held = ask(shop, reserve_seconds=3000)
    ends = periods.parse_instant(held["expires_at"])
    assert 48 * 3600 <= ends - time.time() <= 49 * 3600 + 1
    sums = store.head_of(shop.ids["alice"]).sums()
    assert (sums.open_e8(ends - 1), sums.open_e8(ends)) == (10**8, 0)


def test_a_strangers_hold_does_not_exist(shop, operator):
    held = ask(shop, reserve_seconds=60)["id"]
    stranger = operator.made("/v1/resellers", {"name": "Other", "email": "o@o.example"})
    other = operator.with_key(stranger["api_key"])
    assert other.delete(f"/v1/authorizations/{held}").status == 404
    assert other.post(f"/v1/authorizations/{held}/finish", {"seconds": 1}).status == 404
    assert shop.delete(f"/v1/authorizations/{held}").status == 204


def test_a_warm_answer_reads_little(shop):
    import faults

    ask(shop)
    with faults.counted() as made:
        ask(shop)
    # The key and its reseller; terms, decks and reseller in one; the head of the holds; the client.
    assert sorted(made) == ["BatchGetItem"] + ["GetItem"] * 4
    with faults.counted() as made:
        ask(shop, call_id="c", reserve_seconds=60)
    assert sorted(made) == ["BatchGetItem"] + ["GetItem"] * 5 + ["TransactWriteItems"]


def test_a_key_for_a_switch_does_nothing_else(shop):
    made = shop.made("/v1/keys", {"role": "reseller", "scopes": ["authorizations"]})
    switch = shop.with_key(made["api_key"])
    held = ask(switch, reserve_seconds=60)["id"]
    assert switch.post(f"/v1/authorizations/{held}/finish", {"seconds": 5}).status == 200
    for path in ("/v1/clients", f"/v1/clients/{shop.ids['alice']}", "/v1/subaccounts"):
        assert switch.get(path).status == 403
    payment = {"amount": "5", "description": "x"}
    assert switch.post(f"/v1/clients/{shop.ids['alice']}/payments", payment).status == 403


# --- calls that come in ----------------------------------------------------------------------------------------------


def test_a_did_needs_no_account_and_an_outbound_call_does(shop):
    body = {"number": "+14165550199", "direction": "inbound", "reserve_seconds": 60}
    answer = shop.made("/v1/authorizations", body)
    assert (answer["allowed"], answer["reason"], answer["rate"]) == (False, "unknown_account", None)
    for direction in ({}, {"direction": "outbound"}):
        reply = shop.post("/v1/authorizations", {"number": "+442079460000", **direction})
        assert (reply.status, reply.json["errors"][0]["field"]) == (422, "account")
        assert shop.made("/v1/authorizations", {"number": "911", **direction})["allowed"] is True
    assert shop.post("/v1/authorizations", {**body, "direction": "sideways"}).json["errors"][0]["field"] == "direction"


# --- who asks --------------------------------------------------------------------------------------------------------


def last_asked(shop: Any, operator: Any) -> tuple[str | None, str | None]:
    """What the reseller and its client show, on each route that shows it."""
    path, reseller_path = f"/v1/clients/{shop.ids['alice']}", f"/v1/resellers/{shop.ids['reseller']}"
    of_client = {shop.get(path).json["last_asked_at"]}
    of_client |= {one["last_asked_at"] for one in shop.get("/v1/clients").json["items"]}
    of_reseller = {shop.get("/v1/account").json["last_asked_at"], operator.get(reseller_path).json["last_asked_at"]}
    assert len(of_client) == len(of_reseller) == 1
    return of_reseller.pop(), of_client.pop()


def test_it_is_shown_when_a_switch_last_asked(shop, operator):
    assert last_asked(shop, operator) == (None, None)
    ask(shop, "911")
    assert last_asked(shop, operator) == (None, None)
    ask(shop, account="no-such-account")
    reseller_asked, client_asked = last_asked(shop, operator)
    assert reseller_asked is not None and client_asked is None
    ask(shop, "+99912345678")
    reseller_again, client_asked = last_asked(shop, operator)
    assert reseller_again == reseller_asked and client_asked is not None


def test_it_is_written_once_in_ten_minutes_and_bumps_no_version(shop):
    import faults

    from chalicelib.accounts.ledger import posting
    from chalicelib.accounts.service.asked import note_asked

    def client() -> Any:
        return posting.get_client(shop.ids["reseller"], shop.ids["alice"])

    before = client()
    ask(shop)
    asked = client()
    assert (asked.version, asked.balance_e8) == (before.version, before.balance_e8) and asked.last_asked_at
    for later, operations in ((599, []), (600, ["UpdateItem"]), (601, [])):
        with faults.counted() as made:
            note_asked(client(), asked.last_asked_at + later)
        assert made == ["GetItem", *operations]
    assert (client().last_asked_at, client().version) == (asked.last_asked_at + 600, before.version)
    # One who read the client before the last write does not turn the time back.
    note_asked(before, asked.last_asked_at + 1)
    assert client().last_asked_at == asked.last_asked_at + 600


@pytest.mark.parametrize("code", ["AccessDeniedException", "TransactionConflictException"])
def test_an_answer_does_not_wait_for_it_to_succeed(shop, operator, code):
    import faults

    with faults.refusing("UpdateItem", [code, code]) as left:
        assert ask(shop, reserve_seconds=60)["allowed"]
    assert left == [] and last_asked(shop, operator) == (None, None)
    ask(shop)
    assert None not in last_asked(shop, operator)
