"""From a crossing to whoever is told: once recorded, at least once delivered, under one id, and never lost."""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from builders import csv_file, line, make_world
from by_hand import Sender, deliveries, left, stored
from faults import Killed, counted, kills, refusing
from receiver import Receiver

from chalicelib.aws.transactions import Event
from chalicelib.notices.service.sending import LEASE_SECONDS, Gateways, Outcome
from chalicelib.outbox import OutboxItem

Spend = Callable[[str], None]
Mails = Callable[[str], list[dict[str, Any]]]
SILENT = line("1", seconds=0, disposition="NO ANSWER")
"""A call that is rated without any deck."""


def test_a_crossing_is_told_to_program_reseller_and_client(
    sender: Sender, reseller: Any, receiver: Receiver, hook: Any, acme: Any, mails: Mails
) -> None:
    reseller.made(f"/v1/clients/{acme['id']}/charges", {"amount": "6.5"})
    sender.run()
    # Strict clients start suspended: the payment that brought it 10.00 is told first.
    told = {one["type"]: one for one in receiver.told}
    assert told.keys() == {"client.resumed", "client.low_balance"}
    assert told["client.low_balance"]["data"] == {"client_id": acme["id"], "balance": "3.50", "threshold": "5.00"}
    headers = {headers["Forfait-Event"]: headers for headers, _ in receiver.got}["client.low_balance"]
    assert headers["Forfait-Event-Id"] == told["client.low_balance"]["id"]
    letter = mails("acme@acme.example")[-1]
    assert letter["Source"].endswith("<notices@forfait.example>") and letter["Source"].startswith("Voix")
    by_subject = {one["Subject"]: one["BodyText"] for one in mails("acme@acme.example")}
    assert "votre solde est de 3,50 USD, sous le seuil d'alerte de 5,00 USD" in by_subject["Voix : votre solde est bas"]
    to_reseller = {one["Subject"]: one["BodyText"] for one in mails("a@voix.example") if acme["id"] in one["BodyText"]}
    assert "Acme" in to_reseller["Low balance: Acme"] and "3.50 USD" in to_reseller["Low balance: Acme"]
    seen = {(one["event"], one["to"], one["status"]) for one in deliveries(reseller)}
    assert seen == {
        (event, to, "delivered")
        for event in ("client.resumed", "client.low_balance")
        for to in ("client", "reseller", hook["id"])
    }
    assert left() == 0


def test_the_signature_can_be_checked_with_the_secret_that_was_shown_once(
    sender: Sender, reseller: Any, receiver: Receiver, hook: Any, acme: Any
) -> None:
    sender.run()
    ((headers, body),) = receiver.got
    said = dict(part.split("=") for part in headers["Forfait-Signature"].split(","))
    signed = f"{said['t']}.".encode() + body
    assert hmac.compare_digest(said["v1"], hmac.new(hook["secret"].encode(), signed, hashlib.sha256).hexdigest())
    assert int(said["t"]) == sender.now
    assert hook["secret"] not in reseller.get("/v1/webhooks").text + reseller.get("/v1/audit").text


def test_after_a_rotation_both_secrets_sign_for_a_day(
    sender: Sender, reseller: Any, receiver: Receiver, hook: Any, acme: Any, spend: Spend
) -> None:
    turned = reseller.post(f"/v1/webhooks/{hook['id']}/rotate").json
    assert turned["secret"] not in (None, hook["secret"])
    sender.run()
    sender.now += 86_400
    spend("20")
    sender.run()
    for (headers, body), secrets in zip(receiver.got, [(turned, hook), (turned,)], strict=False):
        time, *marks = headers["Forfait-Signature"].split(",")
        signed = f"{time[2:]}.".encode() + body
        expected = [hmac.new(one["secret"].encode(), signed, hashlib.sha256).hexdigest() for one in secrets]
        assert marks == [f"v1={one}" for one in expected]


def test_only_the_events_that_were_asked_for(sender: Sender, reseller: Any, receiver: Receiver, spend: Spend) -> None:
    reseller.made("/v1/webhooks", {"url": receiver.url, "events": ["client.suspended"]})
    spend("6")
    spend("6")
    sender.run()
    assert [one["type"] for one in receiver.told] == ["client.suspended"]


def test_opting_out_of_mails(sender: Sender, reseller: Any, acme: Any, spend: Spend, mails: Mails) -> None:
    assert reseller.get("/v1/notifications").json["clients"] == [
        "client.low_balance",
        "client.suspended",
        "client.resumed",
    ]
    wish = {"clients": ["client.suspended"], "reseller": []}
    assert reseller.put("/v1/notifications", wish).json == wish
    spend("6")
    spend("6")
    sender.run()
    assert [(one["event"], one["to"]) for one in deliveries(reseller)] == [("client.suspended", "client")]


def test_the_low_balance_address_is_for_low_balances(sender: Sender, reseller: Any, acme: Any, mails: Mails) -> None:
    address = f"cfo-{acme['id'].lower()}@acme.example"
    reseller.patch(f"/v1/clients/{acme['id']}", {"low_balance_email": address})
    reseller.made(f"/v1/clients/{acme['id']}/charges", {"amount": "20"})
    sender.run()
    assert [one["Subject"] for one in mails(address)] == ["Voix : votre solde est bas"]


def test_a_client_without_an_address_and_a_closed_one_get_no_mail(sender: Sender, reseller: Any, mails: Mails) -> None:
    bare = reseller.made("/v1/clients", {"low_balance_threshold": "0"})["id"]
    closed = reseller.made("/v1/clients", {"low_balance_threshold": "0", "email": "gone@acme.example"})["id"]
    reseller.delete(f"/v1/clients/{closed}")
    for one in (bare, closed):
        reseller.made(f"/v1/clients/{one}/charges", {"amount": "1"})
    sender.run()
    assert [one["to"] for one in deliveries(reseller)] == ["reseller", "reseller"]
    assert mails("gone@acme.example") == []


def test_the_resellers_own_balance_is_told_once_per_crossing(
    sender: Sender, operator: Any, reseller: Any, receiver: Receiver, hook: Any
) -> None:
    assert reseller.patch("/v1/account", {"low_balance_threshold": "-100", "language": "es"}).json["language"] == "es"
    books = f"/v1/resellers/{reseller.ids['reseller']}"
    for action, amount in (
        ("charges", "99"),
        ("charges", "2"),
        ("charges", "5"),
        ("payments", "50"),
        ("charges", "50"),
    ):
        operator.made(f"{books}/{action}", {"amount": amount})
    sender.run()
    assert [one["type"] for one in receiver.told] == ["account.low_balance"] * 2
    assert sorted(one["data"]["balance"] for one in receiver.told) == ["-101.00", "-106.00"]
    assert reseller.get("/v1/account").json["status"] == "active"
    # A threshold above the balance is a crossing too, at once.
    operator.made(f"{books}/payments", {"amount": "106"})
    reseller.patch("/v1/account", {"low_balance_threshold": "10"})
    sender.run()
    assert receiver.told[-1]["data"] == {
        "reseller_id": reseller.ids["reseller"],
        "balance": "0.00",
        "threshold": "10.00",
    }
    kinds = [row.kind for row in Event.under(*Event.of_owner(reseller.ids["reseller"]))]
    assert kinds.count("account.low_balance") == 3


def test_a_batch_with_refused_lines_is_told_once_however_often_it_comes(sender: Sender) -> None:
    world = make_world()
    dropped = world.drop(csv_file(SILENT, line("2", account="nobody"), line("3", account="nobody")), "may.csv")
    for _ in range(3):
        world.rate(*dropped)
    (told,) = [row for row in OutboxItem.under(*OutboxItem.waiting()) if row.reseller_id == world.reseller_id]
    assert told.kind == "batch.rejects"
    assert {name: told.data[name] for name in ("key", "lines", "rejected")} == {
        "key": dropped[0],
        "lines": 3,
        "rejected": 2,
    }
    clean = make_world()
    clean.rate(csv_file(SILENT))
    assert [row for row in OutboxItem.under(*OutboxItem.waiting()) if row.reseller_id == clean.reseller_id] == []
    letters = []
    sender.run(Gateways(send=lambda letter, sender: letters.append(letter) or ""))
    (letter,) = letters
    assert letter.subject == "2 of 3 lines refused: may.csv"


# --- failures -----------------------------------------------------------------------------------------------------


def test_a_receiver_that_fails_is_tried_for_a_day_and_then_it_shows(
    sender: Sender, reseller: Any, receiver: Receiver, hook: Any, acme: Any
) -> None:
    receiver.answer = 503
    start, tries = sender.now, 0
    sender.run()
    while (one := deliveries(reseller, "?channel=webhook")[0])["status"] == "pending":
        tries += 1
        assert (one["attempts"], one["last_status"], one["last_error"]) == (tries, 503, "answered 503")
        (row,) = [row for row in stored(reseller) if row.channel == "webhook"]
        sender.now = int(row.next_attempt_at) - 1
        assert sender.run() == 0
        sender.now += 1
        assert sender.run() == 1
    assert one["status"] == "dead" and one["next_attempt_at"] is None
    assert len(receiver.got) == one["attempts"] == tries + 1 > 10
    assert 20 * 3600 < sender.now - start <= 86_400
    assert len({headers["Forfait-Event-Id"] for headers, _ in receiver.got}) == 1
    assert len({body for _, body in receiver.got}) == 1
    assert left() == 0
    assert deliveries(reseller, "?status=dead") == [one]


def test_a_receiver_that_comes_back_is_told(
    sender: Sender, reseller: Any, receiver: Receiver, hook: Any, acme: Any
) -> None:
    receiver.answer = 500
    sender.run()
    receiver.answer = 204
    sender.now += 60
    sender.run()
    (one,) = deliveries(reseller, f"?webhook_id={hook['id']}")
    assert (one["status"], one["attempts"], one["last_status"], one["last_error"]) == ("delivered", 2, 204, "")


def test_a_receiver_that_says_410_is_not_tried_again(
    sender: Sender, reseller: Any, receiver: Receiver, hook: Any, acme: Any
) -> None:
    receiver.answer = 410
    sender.run()
    (one,) = deliveries(reseller, "?channel=webhook")
    assert (one["status"], one["attempts"]) == ("dead", 1)


def test_a_webhook_that_was_deleted_is_told_nothing_more(
    sender: Sender, reseller: Any, receiver: Receiver, hook: Any, acme: Any
) -> None:
    receiver.answer = 500
    sender.run()
    assert reseller.delete(f"/v1/webhooks/{hook['id']}").status == 204
    sender.now += 60
    sender.run()
    assert len(receiver.got) == 1
    assert [one["last_error"] for one in deliveries(reseller, "?channel=webhook")] == ["there is nobody left to tell"]


def test_ses_that_refuses_is_tried_again_and_no_address_is_kept_or_logged(
    sender: Sender, reseller: Any, acme: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "chalicelib")
    answers = ["SES: TooManyRequestsException", "SES: TooManyRequestsException"]
    gateways = Gateways(send=lambda *_: answers.pop() if answers else "")
    sender.run(gateways)
    assert {one["last_error"] for one in deliveries(reseller)} == {"SES: TooManyRequestsException"}
    sender.now += 60
    sender.run(gateways)
    assert {one["status"] for one in deliveries(reseller)} == {"delivered"}
    sender.now += 60
    reseller.made(f"/v1/clients/{acme['id']}/charges", {"amount": "20"})
    while left():
        sender.run(Gateways(send=lambda *_: "SES: MessageRejected"))
        sender.now += 4 * 3600
    assert "was given up" in caplog.text
    kept = str([row.to_dynamodb_dict() for row in stored(reseller)])
    for private in ("acme.example", "voix.example"):
        assert private not in kept + caplog.text


def test_a_refusal_of_ses_names_no_address(aws: str) -> None:
    from chalicelib.notices import mail

    letter = mail.Letter("x@secret.example", "Voix", "a@voix.example", "s", "t", "01E")
    with refusing("SendEmail", ["MessageRejected"]):
        assert mail.send(letter, "notices@forfait.example") == "SES: MessageRejected"


def test_one_notice_that_breaks_does_not_stop_the_others_and_fails_the_function(
    sender: Sender, reseller: Any, receiver: Receiver, hook: Any, acme: Any
) -> None:
    broken = OutboxItem(
        "OUTBOX", "000000000001#x#nobody", event_id="x", reseller_id="nobody", kind="client.suspended", at=1
    )
    broken.data = {"client_id": "nobody"}
    broken.save()
    with pytest.raises(RuntimeError, match=r"the outbox item client\.suspended x"):
        sender.run()
    # It is the only one that was not taken.
    assert [item.event_id for item in OutboxItem.under(*OutboxItem.waiting())] == ["x"]
    broken.delete()
    sender.run()
    assert [one["type"] for one in receiver.told] == ["client.resumed"]


def test_a_try_that_breaks_does_not_stop_the_others_and_fails_the_function(
    sender: Sender, reseller: Any, receiver: Receiver, hook: Any, acme: Any, spend: Spend
) -> None:
    """Unlike a receiver that does not answer, it is an error of ours."""
    spend("20")
    told = iter((True, False))

    def post(*args: Any, **more: Any) -> Outcome:
        if next(told, False):
            raise LookupError("injected")
        return Outcome(200)

    with pytest.raises(RuntimeError, match="failed, after the others were done: the delivery "):
        sender.run(gateways=Gateways(post, lambda *_: ""), threads=1)
    found = [one["status"] for one in deliveries(reseller)]
    assert (found.count("pending"), found.count("delivered")) == (1, len(found) - 1)
    assert len(found) > 2
    sender.now += LEASE_SECONDS + 1
    sender.run()
    assert {one["status"] for one in deliveries(reseller)} == {"delivered"}


# --- killed, and twins --------------------------------------------------------------------------------------------


def test_killed_at_any_call_everything_is_told_all_the_same(
    sender: Sender, reseller: Any, receiver: Receiver, hook: Any, acme: Any, spend: Spend
) -> None:
    """Before a call is sent, and after its answer: the next runs tell whatever was left, under the same ids."""
    reseller.put("/v1/notifications", {"clients": [], "reseller": ["client.suspended"]})
    sender.run()
    with counted() as calls:
        spend("20")
        told = len(receiver.got)
        sender.run(threads=1)
    assert len(receiver.got) > told
    places = kills(calls)
    for kill in places:
        reseller.made(f"/v1/clients/{acme['id']}/payments", {"amount": "20"})
        sender.now += LEASE_SECONDS + 1
        sender.run()
        spend("20")
        before = len(receiver.got)
        try:
            with kill():
                sender.run(threads=1)
        except Killed:
            pass
        sender.now += LEASE_SECONDS + 1
        sender.run()
        told = receiver.told[before:]
        assert {one["type"] for one in told} == {"client.suspended", "client.low_balance"}, str(kill)
        assert len({one["id"] for one in told}) == 2
        assert len(told) <= 3
        assert left() == 0
    assert {row.status for row in stored(reseller)} == {"delivered"}
    # Each crossing is on the trail once.
    kinds = [row.kind for row in Event.under(*Event.of_owner(reseller.ids["reseller"]))]
    assert kinds.count("client.suspended") == len(places) + 1
    assert len({(row.event_id, row.target) for row in stored(reseller)}) == len(stored(reseller))


def test_twins_send_each_thing_once(
    sender: Sender, reseller: Any, receiver: Receiver, hook: Any, acme: Any, spend: Spend
) -> None:
    receiver.pause = 0.2
    spend("6")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: Sender(sender.now).run(), range(4)))
    assert sorted(one["type"] for one in receiver.told) == ["client.low_balance", "client.resumed"]
    assert {one["attempts"] for one in deliveries(reseller)} == {1}


def test_a_lease_that_ran_out_lets_another_go_on_and_the_late_one_changes_nothing(
    sender: Sender, reseller: Any, receiver: Receiver, hook: Any, acme: Any
) -> None:
    hanging, go_on = threading.Event(), threading.Event()

    def hang(*_: Any, **__: Any) -> Outcome:
        hanging.set()
        go_on.wait(20)
        return Outcome(500, "answered 500")

    late = threading.Thread(target=lambda: Sender(sender.now).run(Gateways(post=hang)))
    late.start()
    assert hanging.wait(20)
    assert sender.run() == 0
    sender.now += LEASE_SECONDS + 1
    assert sender.run() == 1
    go_on.set()
    late.join()
    (one,) = deliveries(reseller, "?channel=webhook")
    assert (one["status"], one["attempts"]) == ("delivered", 1)
    assert left() == 0


def test_what_came_of_it_is_kept_for_a_month(sender: Sender, reseller: Any, hook: Any, acme: Any) -> None:
    sender.run()
    assert {row.expires_at for row in stored(reseller)} == {sender.now + 30 * 86_400}
