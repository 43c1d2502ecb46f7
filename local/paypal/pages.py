"""What a browser sees at the stand-in: a page to pay at, and the list of payments with what can happen to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from local.paypal.books import Paid
from local.wire import Answer

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem}"
    "button{font:inherit;padding:.5rem 1rem;margin:.2rem .4rem .2rem 0}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;padding:.3rem .6rem .3rem 0;vertical-align:top}form{display:inline}"
)
_MOVES = ("complete", "deny", "refund", "reverse", "return", "adjust", "dispute")


def page(title: str, body: str, status: int = 200) -> Answer:
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>"
        f"<p><em>This is the stand-in for PayPal of Forfait's local stack. No money moves.</em></p>{body}</html>"
    )
    return Answer(status, text.encode(), (("Content-Type", "text/html; charset=utf-8"),))


def see_other(url: str) -> Answer:
    return Answer(303, b"", (("Location", url), ("Content-Type", "text/plain")))


def _hidden(fields: Mapping[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )


def checkout(environment: str, form: Mapping[str, str]) -> Answer:
    """The page that the classic button leads to."""
    to, amount = escape(form.get("business", "")), escape(f"{form.get('amount', '')} {form.get('currency_code', '')}")
    buttons = "".join(
        f'<button name="stand_in_status" value="{status}">{label}</button>'
        for status, label in (("Completed", "Pay now"), ("Pending", "Pay by bank transfer (pending)"))
    )
    return page(
        "PayPal stand-in",
        f"<p>Pay <strong>{amount}</strong> to {to} for {escape(form.get('item_name', ''))}.</p>"
        f'<form method="post" action="/{environment}/pay">{_hidden(form)}{buttons}</form>'
        f'<p><a href="{escape(form.get("cancel_return", "/"))}">Cancel and return</a></p>',
    )


def approval(environment: str, order_id: str, amount: str, cancel_url: str) -> Answer:
    """The page that an order leads to."""
    return page(
        "PayPal stand-in",
        f"<p>Approve <strong>{escape(amount)}</strong>.</p>"
        f'<form method="post" action="/{environment}/approve">{_hidden({"token": order_id})}'
        f'<button>Pay now</button></form><p><a href="{escape(cancel_url)}">Cancel and return</a></p>',
    )


def overview(paid: Iterable[Paid]) -> Answer:
    """Every payment, and buttons for what can happen to it."""
    rows = "".join(
        f"<tr><td>{one.txn_id}<td>{one.environment}<td>{escape(one.message['mc_gross'])} "
        f"{escape(one.message['mc_currency'])}<td>{one.message['payment_status']}<td>{_moves(one)}"
        for one in paid
    )
    head = "<tr><th>transaction<th>environment<th>amount<th>status<th>what happens"
    return page("PayPal stand-in", f"<table>{head}{rows}</table>")


def _moves(one: Paid) -> str:
    buttons = "".join(f'<button name="what" value="{what}">{what}</button>' for what in _MOVES)
    amount = '<input name="amount" size="6" aria-label="amount" placeholder="all">'
    return f'<form method="post" action="/control/move">{_hidden({"txn_id": one.txn_id})}{amount} {buttons}</form>'
