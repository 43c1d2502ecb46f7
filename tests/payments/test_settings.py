"""A reseller's PayPal settings, deposits as the API has them, the health line, reviews, and the operator's commands."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from paypal_shop import EMAIL, FORM, Shop, asked, open_shop

from local.paypal import messages
from local.paypal.server import Mood

SETTINGS = {"email": EMAIL, "environment": "live", "amounts": ["1", "10", "25"]}


def test_before_it_is_set_up_everything_is_empty_and_a_deposit_is_refused(reseller: Any) -> None:
    told = reseller.get("/v1/paypal").json
    assert (told["email"], told["notify_url"], told["amounts"]) == (None, None, [])
    client_id = reseller.made("/v1/clients", {})["id"]
    assert reseller.get(f"/v1/clients/{client_id}/deposits").json == {"items": [], "next": None}
    assert reseller.post(f"/v1/clients/{client_id}/deposits", {"amount": "25"}).status == 409


def test_the_answer_has_the_address_the_test_and_the_warning(reseller: Any) -> None:
    told = reseller.put("/v1/paypal", SETTINGS).json
    assert told["notify_url"].rpartition("/")[0].endswith("/paypal/ipn") and len(told["notify_url"]) <= 255
    notes = " ".join(told["notes"])
    assert "live deposit" in notes and "2027-01-01" in notes
    assert reseller.get("/v1/paypal").json == told


@pytest.mark.parametrize("wrong", [{"amounts": []}, {"amounts": ["0"]}, {"amounts": ["1.5"]}, {"amounts": ["10", "10"]},
                                   {"amounts": ["-1"]}, {"amounts": [10]}, {"amounts": ["1" * 7]}, {"amounts": ["٣"]},
                                   {"amounts": ["1"] * 21}, {"email": "nobody"}, {"environment": "test"},
                                   {"merchant_id": "short"}, {"merchant_id": ""}], ids=repr)  # fmt: skip
def test_settings_that_cannot_be_are_refused_by_name(reseller: Any, wrong: dict[str, Any]) -> None:
    reply = reseller.put("/v1/paypal", SETTINGS | wrong)
    assert reply.status == 422
    assert reply.json["errors"][0]["field"].partition(".")[0] == next(iter(wrong))


def test_each_environment_has_an_address_that_never_changes(reseller: Any) -> None:
    live = reseller.put("/v1/paypal", SETTINGS).json["notify_url"]
    sandbox = reseller.put("/v1/paypal", SETTINGS | {"environment": "sandbox"}).json["notify_url"]
    assert live != sandbox
    assert reseller.put("/v1/paypal", SETTINGS | {"email": "other@voix.example"}).json["notify_url"] == live


def test_the_form_is_made_of_the_intent(shop: Shop) -> None:
    fields, deposit = shop.deposit["fields"], shop.deposit
    assert deposit["action"] == f"{shop.standin.url}/live/cgi-bin/webscr"
    assert {name: fields[name] for name in ("cmd", "business", "amount", "currency_code", "quantity", "rm")} == {
        "cmd": "_xclick", "business": EMAIL, "amount": "25.00", "currency_code": "USD", "quantity": "1", "rm": "1",
    }  # fmt: skip
    assert (fields["invoice"], fields["custom"]) == (deposit["invoice"], deposit["custom"])
    assert len(bytes.fromhex(deposit["invoice"])) == 16
    assert fields["return"] == f"{deposit['pay_url']}/return"
    assert deposit["status"] == "open"
    text = str(fields)
    assert "Acme" not in text and shop.client_id not in text, "nothing about the client goes to PayPal"
    assert shop.api.get(f"/v1/clients/{shop.client_id}/deposits/{deposit['id']}").json == deposit


@pytest.mark.parametrize("amount", ["24", "25.01", "0.25", "1000000"])
def test_an_amount_that_is_not_offered_is_refused(shop: Shop, amount: str) -> None:
    reply = shop.api.post(f"/v1/clients/{shop.client_id}/deposits", {"amount": amount})
    assert (reply.status, reply.json["errors"][0]["field"]) == (422, "amount")


def test_a_clients_own_key_makes_and_sees_its_deposits_and_no_other(shop: Shop) -> None:
    mine = shop.api.with_key(shop.api.made("/v1/keys", {"role": "client", "client_id": shop.client_id})["api_key"])
    made = mine.made(f"/v1/clients/{shop.client_id}/deposits", {"amount": "10"})
    listed = mine.get(f"/v1/clients/{shop.client_id}/deposits").json["items"]
    assert [one["id"] for one in listed] == [made["id"], shop.deposit["id"]]
    neighbour = shop.api.made("/v1/clients", {})["id"]
    theirs = asked(Shop(shop.api, shop.standin, neighbour, {})).deposit["id"]
    for path in (f"/v1/clients/{neighbour}/deposits", f"/v1/clients/{neighbour}/deposits/{theirs}",
                 f"/v1/clients/{shop.client_id}/deposits/{theirs}"):  # fmt: skip
        assert mine.get(path).status == 404
    assert mine.post(f"/v1/clients/{neighbour}/deposits", {"amount": "10"}).status == 404
    assert mine.get("/v1/paypal").status == 403


def test_a_deposit_with_an_idempotency_key_is_made_once(shop: Shop) -> None:
    path, key = f"/v1/clients/{shop.client_id}/deposits", {"Idempotency-Key": "a", "idempotency-key": "a"}
    first, second = (shop.api.post(path, {"amount": "10"}, headers=key) for _ in range(2))
    assert (first.status, first.json) == (201, second.json)
    assert len(shop.api.get(path).json["items"]) == 2


def test_the_account_that_is_paid_first_is_pinned_and_no_other_is_taken(shop: Shop) -> None:
    shop.send(shop.good)
    assert shop.api.get("/v1/paypal").json["receiver_id"] == shop.good["receiver_id"]
    after = asked(shop)
    after.send(after.good | {"receiver_id": "ANOTHERONE123"})
    assert (after.now(), after.reviews()) == ("review", ["wrong_receiver"])
    after.send(after.good | {"business": "renamed@voix.example", "receiver_email": "renamed@voix.example"})
    assert after.now() == "paid"
    shop.api.put("/v1/paypal", SETTINGS | {"email": "new@voix.example"})
    assert shop.api.get("/v1/paypal").json["receiver_id"] is None


def test_a_refund_of_another_business_of_the_reseller_is_no_work_for_it(shop: Shop, operator: Any) -> None:
    shop.send(shop.good)
    other = messages.change(shop.good, "Refunded", "-9.00", "refund") | {"parent_txn_id": "ELSEWHERE1"}
    del other["invoice"]
    shop.send(other | {"receiver_id": "ANOTHERONE123"})
    assert (shop.last(operator)["reason"], shop.reviews()) == ("not_ours", [])
    del other["receiver_id"]
    shop.send(other)
    assert (shop.last(operator)["reason"], shop.reviews()) == ("payment_not_seen", []), (
        "nothing says that it is not ours"
    )
    shop.send(shop.good | {"payment_status": "Refunded", "mc_gross": "-9.00", "txn_id": messages.new_id(),
                           "parent_txn_id": shop.good["txn_id"], "receiver_id": "ANOTHERONE123"})  # fmt: skip
    assert (shop.reviews(), shop.ledger()) == (["wrong_receiver"], ["deposit 25.00"]), "of a payment of ours it is one"


def test_with_a_merchant_id_only_that_account_counts(reseller: Any, paypal: Any) -> None:
    shop = open_shop(reseller, paypal)
    assert reseller.put("/v1/paypal", SETTINGS | {"merchant_id": "7E7MGXCWTTKK2"}).status == 200
    shop = asked(shop)
    assert shop.deposit["fields"]["business"] == "7E7MGXCWTTKK2"
    shop.send(shop.good | {"receiver_id": "ANOTHERONE123", "business": EMAIL, "receiver_email": EMAIL})
    assert (shop.reviews(), shop.ledger()) == (["wrong_receiver"], [])
    shop.send(shop.good)
    assert shop.ledger() == ["deposit 25.00"]


def test_a_sandbox_payment_counts_while_the_reseller_tests_and_not_afterwards(reseller: Any, paypal: Any) -> None:
    shop = open_shop(reseller, paypal, "sandbox")
    late = asked(shop)
    assert shop.send(shop.good) == 200
    assert shop.ledger() == ["deposit 25.00"]
    assert reseller.put("/v1/paypal", SETTINGS).status == 200
    assert late.send(late.good) == 200
    assert (late.ledger(), late.reviews()) == (["deposit 25.00"], ["sandbox_is_over"])
    refund = messages.change(shop.good, "Refunded", "-25.00", "refund")
    assert shop.send(refund) == 200
    assert shop.ledger() == ["deposit 25.00", "refund -25.00"]


def test_a_late_live_payment_does_not_say_whose_sandbox_account_is_paid(shop: Shop) -> None:
    """The same address may belong to an account of each environment; their merchant ids differ."""
    assert shop.api.put("/v1/paypal", SETTINGS | {"environment": "sandbox"}).status == 200
    assert shop.send(shop.good) == 200
    assert (shop.now(), shop.api.get("/v1/paypal").json["receiver_id"]) == ("paid", None)
    tried = asked(Shop(shop.api, shop.standin, shop.client_id, {}, "sandbox"))
    assert tried.send(tried.good | {"receiver_id": "SANDBOXACCT12"}) == 200
    assert (tried.now(), tried.reviews()) == ("paid", [])


def test_a_live_dispute_is_asked_about_at_the_live_paypal_after_a_switch_to_the_sandbox(shop: Shop) -> None:
    shop.send(shop.good)
    shop.api.put("/v1/paypal", SETTINGS | {"environment": "sandbox"})
    assert shop.send(messages.change(shop.good, "Reversed", "-25.00", "chargeback")) == 200
    assert shop.ledger() == ["deposit 25.00", "chargeback -25.00"]


def test_a_sandbox_message_at_a_live_address_is_asked_about_at_the_live_paypal(shop: Shop, operator: Any) -> None:
    raw = messages.encode(shop.good | {"test_ipn": "1"})
    shop.standin.books.know("sandbox", raw)
    assert shop.send(raw, known=False) == 200
    assert (shop.last(operator)["outcome"], shop.ledger()) == ("invalid", [])


def test_the_health_line_says_when_messages_came_and_what_paypal_said(shop: Shop) -> None:
    health = shop.api.get("/v1/paypal").json["health"]
    assert set(health.values()) == {None}
    for mood, name in (("normal", "verified_at"), ("INVALID", "invalid_at"), ("html", "unclear_at")):
        shop.standin.mood = Mood(mood)
        shop.send(shop.good)
        health = shop.api.get("/v1/paypal").json["health"]
        assert health[name] and health["received_at"], mood


def test_reviews_are_counted_listed_and_ticked_off(shop: Shop) -> None:
    shop.send(shop.good | {"mc_gross": "24.00"})
    shop.send(shop.good | {"mc_gross": "24.00", "ipn_track_id": "other"})
    assert shop.api.get("/v1/paypal").json["open_reviews"] == 1
    [item] = shop.api.get("/v1/paypal/reviews").json["items"]
    wanted = {"reason": "wrong_amount", "told": "24.00 USD", "client_id": shop.client_id}
    assert {name: item[name] for name in wanted} == wanted
    assert item["deposit_id"] == shop.deposit["id"]
    assert shop.api.delete(f"/v1/paypal/reviews/{item['id']}").status == 204
    assert shop.api.delete(f"/v1/paypal/reviews/{item['id']}").status == 404
    shop.send(shop.good | {"mc_gross": "24.00"})
    assert shop.reviews() == [], "what was ticked off does not come back by a repeat"


def test_no_more_reviews_are_counted_than_fit_a_page(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.payments.service import config

    for amount in ("21.00", "22.00", "23.00"):
        shop.send(shop.good | {"mc_gross": amount, "txn_id": messages.new_id()})
    monkeypatch.setattr(config, "MOST_COUNTED", 2)
    assert (shop.api.get("/v1/paypal").json["open_reviews"], len(shop.reviews())) == (2, 3)


def test_the_operator_verifies_again_what_paypal_did_not_know_at_first(shop: Shop, operator: Any) -> None:
    raw = messages.encode(shop.good)
    assert shop.send(raw, known=False) == 200
    kept = shop.last(operator)
    assert (kept["verdict"], kept["outcome"], shop.ledger()) == ("INVALID", "invalid", [])
    path = f"/v1/resellers/{shop.reseller_id}/paypal/messages/{kept['id']}"
    assert operator.post(f"{path}/replay").status == 409
    shop.standin.books.know("live", raw)
    again = operator.post(f"{path}/verify")
    assert (again.status, again.json["outcome"], shop.ledger()) == (200, "credited", ["deposit 25.00"])
    assert operator.post(f"{path}/replay").json["outcome"] == "duplicate"
    assert shop.ledger() == ["deposit 25.00"]
    entry = shop.api.get(f"/v1/clients/{shop.client_id}/ledger").json["items"][0]
    assert entry["actor"] == "operator"
    for who in (shop.api, shop.api.with_key("")):
        assert who.post(f"{path}/verify").status in (401, 403)


@pytest.mark.parametrize("mood", ["INVALID", "html", "broken"])
def test_what_paypal_knew_once_counts_as_known_whatever_it_says_later(shop: Shop, operator: Any, mood: str) -> None:
    shop.send(shop.good)
    kept = shop.last(operator)
    path = f"/v1/resellers/{shop.reseller_id}/paypal/messages/{kept['id']}"
    shop.standin.mood = Mood(mood)
    assert operator.post(f"{path}/verify").json == kept
    assert operator.post(f"{path}/replay").json["outcome"] == "duplicate"
    assert (shop.ledger(), shop.api.get("/v1/paypal").json["health"]["invalid_at"]) == (["deposit 25.00"], None)


def test_messages_show_nothing_of_the_payer_and_neither_does_the_log(
    shop: Shop, operator: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="chalicelib"):
        for mood in ("normal", "INVALID", "html", "broken"):
            shop.standin.mood = Mood(mood)
            shop.send(shop.good)
        listed = operator.get(f"/v1/resellers/{shop.reseller_id}/paypal/messages")
    assert len(listed.json["items"]) == 4
    for private in ("buyer.example", "Payeuse", "LPLWNMTBWMFAY", "Zo", shop.deposit["custom"]):
        assert private not in listed.text and private not in caplog.text
    assert "INVALID" in caplog.text


def test_a_kept_message_ends_after_half_a_year(shop: Shop) -> None:
    from chalicelib.payments import store

    shop.send(shop.good)
    [kept] = store.Message.under(*store.Message.of_reseller(shop.reseller_id))
    assert kept.raw == messages.encode(shop.good)
    assert int(kept.expires_at) - int(kept.received_at) == 180 * 86_400
    waiting = messages.change(shop.good, "Refunded", "-1.00", "refund") | {"parent_txn_id": "NEVERSEEN5"}
    shop.send(waiting)
    item = store.transaction(shop.reseller_id, "live", "NEVERSEEN5")
    assert item is not None and item.expires_at is not None
    paid = store.transaction(shop.reseller_id, "live", shop.good["txn_id"])
    assert paid is not None and paid.expires_at is None, "what was credited is never forgotten"


def test_the_trail_says_what_was_done(shop: Shop) -> None:
    from chalicelib.aws.transactions import Event

    shop.send(shop.good)
    trail = {row.kind: row for row in Event.under(*Event.of_owner(shop.reseller_id))}
    assert {"paypal.changed", "deposit.created", "ledger.deposit"} <= set(trail)
    assert trail["ledger.deposit"].changes["txn_id"] == shop.good["txn_id"]
    for private in ("buyer.example", "Payeuse", "LPLWNMTBWMFAY", shop.deposit["custom"]):
        assert private not in str([row.changes for row in trail.values()])


def test_the_trail_says_whose_account_the_money_goes_to_and_whose_it_went_to_before(shop: Shop) -> None:
    shop.api.put("/v1/paypal", SETTINGS | {"email": "thief@else.example", "merchant_id": "7E7MGXCWTTKK2"})
    [now, first] = shop.api.get("/v1/audit?kind=paypal.changed").json["items"]
    assert {one["field"]: (one["old"], one["new"]) for one in now["changes"]} == {
        "email": (EMAIL, "thief@else.example"), "merchant_id": ("", "7E7MGXCWTTKK2"),
    }  # fmt: skip
    assert {one["field"]: one["new"] for one in first["changes"]}["email"] == EMAIL
    assert now["role"] == "reseller"


def test_the_trail_has_a_line_for_what_moves_no_money(shop: Shop) -> None:
    shop.send(shop.good | {"payment_status": "Denied"})
    shop.send(shop.good | {"payment_status": "Pending", "txn_id": messages.new_id()})
    shop.send(shop.good | {"txn_id": messages.new_id()})
    trail = shop.api.get("/v1/audit").json["items"]
    kinds = [item["kind"] for item in trail]
    for kind in ("deposit.failed", "deposit.pending", "paypal.pinned", "ledger.deposit"):
        assert kinds.count(kind) == 1, kind
    assert {item["actor"] for item in trail if item["kind"] in ("deposit.pending", "paypal.pinned")} == {"paypal:ipn"}


def test_the_ipn_address_takes_nothing_but_a_post(shop: Shop) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert shop.api.with_key("").send(method, shop.ipn_path, b"", headers=FORM).status == 404
