"""Messages come twice, late, at once, and are cut off anywhere: a payment is credited once and taken back once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import permutations
from typing import Any

import faults
import pytest
from faults import at_once
from paypal_shop import Shop, asked, open_shop

from chalicelib.payments import decide
from chalicelib.payments.model import Decision, Facts, Intent, Movement, Notice, Payment, Receiver, State
from local.paypal import messages


def refund(shop: Shop, amount: str, status: str = "Refunded") -> bytes:
    sign = "" if status == "Canceled_Reversal" else "-"
    return messages.encode(messages.change(shop.good, status, f"{sign}{amount}", "other"))


def test_eight_identical_messages_at_once_credit_once(shop: Shop) -> None:
    answers: list[int] = []
    at_once([lambda: answers.append(shop.send(shop.good))] * 8)
    assert answers == [200] * 8
    assert (shop.ledger(), shop.balance(), shop.now()) == (["deposit 25.00"], "25.00", "paid")


def test_without_the_conditions_the_same_goes_wrong(reseller: Any, paypal: Any, operator: Any) -> None:
    """The negative control: with every condition left out of the writes, eight at once do damage."""
    shop = open_shop(reseller, paypal)
    with faults.unconditional():
        at_once([lambda: shop.send(shop.good)] * 8)
    path = f"/v1/resellers/{shop.reseller_id}/paypal/messages"
    outcomes = [message["outcome"] for message in operator.get(path).json["items"]]
    assert outcomes.count("credited") > 1


def test_a_payment_and_all_that_follows_at_once_end_where_they_must(shop: Shop) -> None:
    raws = [messages.encode(shop.good), refund(shop, "5.00"), refund(shop, "4.00"), refund(shop, "16.00", "Reversed")]
    answers: list[int] = []
    at_once([lambda raw=raw: answers.append(shop.send(raw)) for raw in raws * 2])  # type: ignore[misc]
    assert set(answers) == {200}
    assert (shop.balance(), shop.now()) == ("0.00", "paid")
    assert shop.ledger().count("deposit 25.00") == 1


def test_deposits_of_one_client_at_once_are_all_credited(reseller: Any, paypal: Any) -> None:
    first = open_shop(reseller, paypal)
    shops = [first, *(asked(first, amount) for amount in ("1", "10", "25", "1", "10"))]
    at_once([lambda shop=shop: shop.send(shop.good) for shop in shops for _ in range(2)])  # type: ignore[misc]
    assert first.balance() == "72.00"
    assert len(first.ledger()) == 6
    assert first.reconciled() == []


def test_two_payments_of_one_deposit_at_once_credit_one_and_show_the_other(shop: Shop) -> None:
    twins = [shop.good, shop.good | {"txn_id": messages.new_id()}]
    at_once([lambda told=told: shop.send(told) for told in twins for _ in range(3)])  # type: ignore[misc]
    assert (shop.ledger(), shop.reviews()) == (["deposit 25.00"], ["paid_twice"])


def test_a_twin_that_comes_between_any_two_calls_is_no_second_payment(shop: Shop) -> None:
    with faults.counted() as made:
        assert shop.send(shop.good) == 200
    answers: list[int] = []
    for call in range(len(made)):
        again = asked(shop)
        with faults.stopped_at(call, lambda again=again: answers.append(again.send(again.good))) as go_on:  # type: ignore[misc]
            assert again.send(again.good) == 200
            go_on()
        assert (answers.pop(), again.now(), again.reviews()) == (200, "paid", []), f"stopped at call {call}"
    assert shop.ledger() == ["deposit 25.00"] * (len(made) + 1)


@pytest.mark.parametrize("answered", [False, True], ids=["lost", "answer lost"])
def test_killed_at_any_call_and_sent_again_the_books_are_those_of_one_message(
    reseller: Any, paypal: Any, answered: bool
) -> None:
    """Five messages that write everything there is; each is cut off at each of its calls, then comes again."""
    shop = open_shop(reseller, paypal, balance_mode="strict")

    def story(shop: Shop) -> list[bytes]:
        pending = messages.encode(shop.good | {"payment_status": "Pending"})
        early = refund(shop, "5.00")
        return [early, pending, messages.encode(shop.good), refund(shop, "10.00"), refund(shop, "25.00", "Reversed")]

    with faults.counted() as made:
        undisturbed = [shop.send(raw) for raw in story(shop)]
    assert undisturbed == [200] * 5
    expected = ["deposit 25.00", "refund -5.00", "refund -10.00", "chargeback -10.00"]
    assert (shop.ledger(), shop.service(), shop.reviews()) == (expected, "suspended", [])
    most = len(made) // 5 + 6
    for call in range(most):
        again, ended = asked(shop), 0
        for raw in story(again):
            with suppress(faults.Killed), faults.killed_at(call, answered=answered):
                again.send(raw)
                ended += 1
            assert again.send(raw) == 200
        assert again.ledger()[-4:] == expected, f"killed at call {call}"
        assert (again.now(), again.balance(), again.reviews()) == ("paid", "0.00", [])
    assert ended == 5, "the last calls were never cut"
    assert shop.reconciled() == []


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "InternalServerError"])
def test_a_database_that_refuses_for_a_while_costs_nothing(shop: Shop, code: str) -> None:
    with faults.refusing("TransactWriteItems", [code] * 3) as left:
        assert shop.send(shop.good) == 200
    assert left == []
    assert shop.ledger() == ["deposit 25.00"]


@pytest.mark.parametrize(
    ("operation", "code"), [("PutItem", "AccessDeniedException"), ("TransactWriteItems", "AccessDeniedException"),
                            ("GetItem", "ValidationException"), ("TransactWriteItems", "TransactionConflict")],
)  # fmt: skip
def test_a_database_that_fails_is_503_and_the_message_counts_when_it_comes_again(
    shop: Shop, operation: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    with faults.refusing(operation, [code] * 200):
        assert shop.send(shop.good) == 503
    assert shop.ledger() == []
    for private in ("buyer.example", "Payeuse", "LPLWNMTBWMFAY"):
        assert private not in caplog.text
    assert shop.send(shop.good) == 200
    assert shop.ledger() == ["deposit 25.00"]


def test_a_strict_client_is_suspended_by_the_chargeback_that_takes_it_to_zero(reseller: Any, paypal: Any) -> None:
    shop = open_shop(reseller, paypal, balance_mode="strict")
    assert shop.service() == "suspended"
    assert (shop.send(shop.good), shop.service()) == (200, "active")
    assert (shop.send(refund(shop, "24.99", "Reversed")), shop.service()) == (200, "active")
    assert (shop.send(refund(shop, "0.01", "Reversed")), shop.service()) == (200, "suspended")
    assert (shop.send(refund(shop, "25.00", "Canceled_Reversal")), shop.service()) == (200, "active")


def test_a_closed_client_is_still_credited_and_debited_but_gets_no_new_deposit(shop: Shop) -> None:
    assert shop.api.delete(f"/v1/clients/{shop.client_id}").status == 204
    assert shop.send(shop.good) == 200
    assert shop.send(refund(shop, "25.00", "Reversed")) == 200
    assert shop.ledger() == ["deposit 25.00", "chargeback -25.00"]
    assert shop.api.post(f"/v1/clients/{shop.client_id}/deposits", {"amount": "25"}).status == 409


def test_what_paypal_made_is_not_reversed_by_hand(shop: Shop) -> None:
    shop.send(shop.good)
    entry = shop.api.get(f"/v1/clients/{shop.client_id}/ledger").json["items"][0]
    assert entry["source"] == f"paypal:{shop.good['txn_id']}"
    assert (entry["actor"], entry["kind"]) == ("paypal:ipn", "deposit")
    assert shop.api.post(f"/v1/clients/{shop.client_id}/ledger/{entry['id']}/reverse").status == 409


# --- the rule itself: every order of every selection ---------------------------------------------------------------

INTENT = Intent("d", "c", "inv", "cus", 25_00000000, "USD", "live", "shop@voix.example", "", "open")
RECEIVER = Receiver("", ("shop@voix.example",))


def told(movement: Movement, txn_id: str, amount: str = "25.00", state: State = State.NONE) -> Notice:
    parent = "" if movement == Movement.PAYMENT else "P"
    return Notice("ipn", movement, txn_id, state, parent, "inv", "cus", amount, "USD", RECEIVER, False)


PARTS: dict[str, Callable[[], Notice]] = {
    "pending": lambda: told(Movement.PAYMENT, "P", state=State.PENDING),
    "completed": lambda: told(Movement.PAYMENT, "P", state=State.COMPLETED),
    "refund": lambda: told(Movement.REFUND, "R1", "-10.00"),
    "refund 2": lambda: told(Movement.REFUND, "R2", "-20.00"),
    "reversal": lambda: told(Movement.REVERSAL, "V1", "-15.00"),
    "recredit": lambda: told(Movement.RECREDIT, "C1", "12.00"),
    "adjustment": lambda: replace(told(Movement.ADJUSTMENT, "A1", "-9.00"), state=State.COMPLETED),
}


def balance_after(order: tuple[str, ...]) -> tuple[int, str]:
    payment: Payment | None = None
    intent, booked, balance = INTENT, set[tuple[str, str]](), 0
    for name in order:
        notice = PARTS[name]()
        key = (notice.txn_id, decide.BOOKED_AS[notice.movement])
        facts = Facts("live", "live", "USD", "", intent, payment, key in booked)
        decision: Decision = decide.decide(notice, facts)
        payment = decision.payment or payment
        intent = replace(intent, status=decision.status or intent.status)
        booked |= {(notice.txn_id, decision.book)} if decision.book else set()
        balance += sum(amount for _, amount in decision.postings)
        assert 0 <= balance <= INTENT.amount_e8
    return balance, intent.status


@pytest.mark.parametrize("left_out", PARTS)
def test_every_order_of_six_messages_ends_in_the_same_balance(left_out: str) -> None:
    chosen = [name for name in PARTS if name != left_out]
    ends = {balance_after(order) for order in permutations(chosen)}
    if left_out == "completed":
        assert {balance for balance, _ in ends} == {0}
    else:
        assert len(ends) == 1, ends


def test_twice_is_once_in_every_order_of_four() -> None:
    for order in permutations(["completed", "refund", "reversal", "recredit"]):
        assert balance_after(order * 2) == balance_after(order) == (12_00000000, "paid")
