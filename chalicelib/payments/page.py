"""The pay page as HTML. Every value goes into it through ``escape``, directly or in ``_tag``.

Style and script are inline. The Content-Security-Policy names their hashes, so the browser runs and loads nothing else.
Without the script the page works too: it then says that it must be reloaded.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template

from chalicelib.payments import texts

_FOLDER = Path(__file__).parent / "templates"
_CSS, _JS = ((_FOLDER / name).read_text(encoding="utf-8") for name in ("pay.css", "pay.js"))
_PAGE = Template((_FOLDER / "pay.html").read_text(encoding="utf-8"))
_STATUSES = ("open", "pending", "paid", "failed", "review", "late")
"""Texts that the script may show: those of statuses, and ``late`` for a deposit that stays open too long."""


@dataclass(frozen=True)
class PaymentView:
    """What the page shows of a deposit.

    amount: decimal text, as PayPal writes it.
    currency: ISO 4217 code.
    seller: name of the reseller.
    language: language tag of the client, such as ``fr-CA``.
    status: status of the deposit.
    sandbox: whether no real money moves.
    expired: whether the button is no longer offered.
    action, fields: URL and hidden fields of the form that leads to PayPal.
    """

    amount: str
    currency: str
    seller: str
    language: str
    status: str
    sandbox: bool = False
    expired: bool = False
    action: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


def policy(origins: tuple[str, ...]) -> str:
    """The Content-Security-Policy; the form may lead to ``origins`` only."""
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (_CSS, _JS))
    style, script = (f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; img-src data:; "
        f"form-action 'self' {' '.join(origins)}; base-uri 'none'; frame-ancestors 'none'"
    )


def pay(view: PaymentView) -> str:
    """The page with the button, or with the status of a payment that was begun."""
    if closed := _closed(view):
        return closed
    words = _words(view)
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in view.fields.items()
    )
    button = f'<form method="post" action="{escape(view.action)}">{hidden}{_tag("button", words["pay"])}</form>'
    failed = _tag("p", words["failed"]) if view.status == "failed" else ""
    return _whole(view, failed + button + _tag("p", words["leaves"], 'class="small"'))


def back(view: PaymentView, state_url: str) -> str:
    """The page after the payment. It ignores its query string; its script asks ``state_url`` for the status."""
    return _whole(view, _status(view, state_url))


def cancelled(view: PaymentView, pay_url: str) -> str:
    """The page for a payer who gave up at PayPal. The deposit may be paid all the same, in another tab."""
    if closed := _closed(view):
        return closed
    words = _words(view)
    link = f'<p><a href="{escape(pay_url)}">{escape(words["again"])}</a></p>'
    return _whole(view, _tag("p", words["failed" if view.status == "failed" else "cancelled"]) + link)


def notice(text: str, language: str) -> str:
    """A page with one text (a key of ``texts``) and no payment, such as ``missing`` for an unknown link."""
    words = texts.words(language)
    return _fill(texts.language_of(language), words["title"], "", _tag("p", words[text]))


def _closed(view: PaymentView) -> str:
    """The page of a deposit that must not be paid again or no longer can be; "" for one that can be paid."""
    # Without a button or a link to it: a second payment would have to be refunded.
    if view.status in ("pending", "paid", "review"):
        return _whole(view, _status(view, ""))
    return _whole(view, _tag("p", _words(view)["expired"])) if view.expired else ""


def _status(view: PaymentView, state_url: str) -> str:
    """The line with the status, which the script updates; screen readers announce each change."""
    words = _words(view)
    messages = "".join(f' data-{name}="{escape(words[name])}"' for name in _STATUSES)
    poll = f' data-state="{escape(state_url)}"' if state_url else ""
    data = f'data-now="{escape(view.status)}"{poll}{messages}'
    line = f'<p id="status" role="status" {data}>{escape(words[view.status])}</p>'
    # The script hides this.
    reload = _tag("p", words["reload"], 'class="small" id="reload"')
    return line + (reload if state_url and view.status in ("open", "pending") else "")


def _whole(view: PaymentView, body: str) -> str:
    words = _words(view)
    amount = _tag("p", texts.amount(view.amount, view.currency, view.language), 'class="amount"')
    amount += _tag("p", words["to"], 'class="to"')
    if view.sandbox:
        amount += _tag("p", words["test"], 'class="test"')
    return _fill(texts.language_of(view.language), words["title"], amount, body)


def _fill(language: str, title: str, amount: str, body: str) -> str:
    return _PAGE.substitute(lang=language, title=escape(title), css=_CSS, js=_JS, amount=amount, body=body)


def _words(view: PaymentView) -> dict[str, str]:
    """The texts of the page in the client's language, with the seller's name filled in."""
    words = texts.words(view.language)
    return {name: text.replace("{seller}", view.seller) for name, text in words.items()}


def _tag(name: str, text: str, attributes: str = "") -> str:
    return f"<{name}{' ' + attributes if attributes else ''}>{escape(text)}</{name}>"
