"""The pay page as HTML. Everything that comes from elsewhere is escaped in ``_tag`` and ``_text``, nowhere else.

Style and script stand in the page; the policy names their hashes, so nothing else runs or is loaded. The page works
without the script: it then says that it must be reloaded.
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
_POLLED = ("open", "pending", "paid", "failed", "review", "late")


@dataclass(frozen=True)
class Asked:
    """What a page is about; ``amount`` is decimal text."""

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
    """The Content-Security-Policy; ``origins`` are where the form may lead."""
    hashes = (base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (_CSS, _JS))
    style, script = (f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; img-src data:; "
        f"form-action 'self' {' '.join(origins)}; base-uri 'none'; frame-ancestors 'none'"
    )


def pay(asked: Asked) -> str:
    """The page with the button, or how far the payment is."""
    # A second payment would only have to be given back.
    if asked.status in ("pending", "paid", "review"):
        return _whole(asked, _status(asked, ""))
    if asked.expired:
        return _whole(asked, _tag("p", _words(asked)["expired"]))
    words = _words(asked)
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.fields.items()
    )
    button = f'<form method="post" action="{escape(asked.action)}">{hidden}{_tag("button", words["pay"])}</form>'
    told = _tag("p", words["failed"]) if asked.status == "failed" else ""
    return _whole(asked, told + button + _tag("p", words["leaves"], 'class="small"'))


def back(asked: Asked, state_url: str) -> str:
    """Where PayPal brings the payer back to. It believes nothing it is told, and asks us how far the payment is."""
    return _whole(asked, _status(asked, state_url))


def cancelled(asked: Asked, pay_url: str) -> str:
    """Where PayPal brings a payer who has not paid; changes nothing, because another tab may still pay."""
    words = _words(asked)
    link = f'<p><a href="{escape(pay_url)}">{escape(words["again"])}</a></p>'
    return _whole(asked, _tag("p", words["cancelled"]) + link)


def missing(language: str = "en") -> str:
    """There is no such payment."""
    words = texts.words(language)
    return _fill(texts.language_of(language), words["title"], "", _tag("p", words["missing"]))


def _status(asked: Asked, state_url: str) -> str:
    """The line that changes. A screen reader says it again when it does."""
    words = _words(asked)
    told = "".join(f' data-{name}="{escape(words[name])}"' for name in _POLLED)
    poll = f' data-state="{escape(state_url)}"' if state_url else ""
    line = (
        f'<p id="status" role="status" data-now="{escape(asked.status)}"{poll}{told}>{escape(words[asked.status])}</p>'
    )
    # The script takes this away again.
    reload = _tag("p", words["reload"], 'class="small" id="reload"')
    return line + (reload if state_url else "")


def _whole(asked: Asked, body: str) -> str:
    words = _words(asked)
    amount = _tag("p", texts.amount(asked.amount, asked.currency, asked.language), 'class="amount"')
    amount += _tag("p", words["to"], 'class="to"')
    if asked.sandbox:
        amount += _tag("p", words["test"], 'class="test"')
    return _fill(texts.language_of(asked.language), words["title"], amount, body)


def _fill(language: str, title: str, amount: str, body: str) -> str:
    return _PAGE.substitute(lang=language, title=escape(title), css=_CSS, js=_JS, amount=amount, body=body)


def _words(asked: Asked) -> dict[str, str]:
    """The words with the seller's name in them."""
    words = texts.words(asked.language)
    return {name: text.replace("{seller}", asked.seller) for name, text in words.items()}


def _tag(name: str, text: str, attributes: str = "") -> str:
    return f"<{name}{' ' + attributes if attributes else ''}>{escape(text)}</{name}>"
