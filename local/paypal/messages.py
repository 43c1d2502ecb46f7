"""IPN messages with the fields that PayPal sends, in its order and its escapes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from urllib.parse import quote_plus

Fields = dict[str, str]
_LETTERS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
WHOLE_CURRENCIES = ("JPY", "HUF", "TWD")


def new_id(length: int = 17) -> str:
    """A transaction id as PayPal makes them."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def merchant_id(business: str) -> str:
    """The 13 characters of an account: the button's own word if it names one, else always the same for an address."""
    if "@" not in business:
        return business
    digest = hashlib.sha256(business.casefold().encode()).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:13])


def encode(fields: Mapping[str, str]) -> bytes:
    """The body: blank fields too, percent-escapes in the charset that the message names."""
    # Python knows windows-874 by its number only.
    charset = fields.get("charset", "windows-1252").replace("windows-", "cp")
    pairs = (f"{name}={quote_plus(value, encoding=charset, errors='replace')}" for name, value in fields.items())
    return "&".join(pairs).encode("ascii")


def payment(environment: str, form: Mapping[str, str], txn_id: str, status: str) -> Fields:
    """A payment by the classic button: ``form`` is what the browser brought."""
    business, gross = form.get("business", ""), form.get("amount", "")
    fields = {
        "mc_gross": gross,
        "protection_eligibility": "Eligible",
        "payer_id": "LPLWNMTBWMFAY",
        "payment_date": "20:12:59 Jan 13, 2027 PST",
        "payment_status": status,
        "charset": form.get("charset", "windows-1252"),
        "first_name": "Zoé",
        "mc_fee": _fee(gross, form.get("currency_code", "")),
        "notify_version": "3.9",
        "custom": form.get("custom", ""),
        "payer_status": "verified",
        "business": business if "@" in business else "shop@merchant.example",
        "quantity": form.get("quantity", "1"),
        "verify_sign": "AtkOfCXbDm2hu0ZELryHFjY-Vb7PAUvS6nMXgysbElEn9v-1XcmSoGtf",
        "payer_email": "zoe@buyer.example",
        "txn_id": txn_id,
        "payment_type": "instant" if status == "Completed" else "echeck",
        "last_name": "Payeuse",
        "receiver_email": business.casefold() if "@" in business else "shop@merchant.example",
        "payment_fee": "",
        "receiver_id": merchant_id(business),
        "txn_type": "web_accept",
        "item_name": form.get("item_name", ""),
        "mc_currency": form.get("currency_code", ""),
        "item_number": form.get("item_number", ""),
        "residence_country": "CA",
        "transaction_subject": form.get("custom", ""),
        "payment_gross": "",
        "invoice": form.get("invoice", ""),
    }
    if status == "Pending":
        fields["pending_reason"] = "echeck"
    if environment == "sandbox":
        fields["test_ipn"] = "1"
    return fields | {"ipn_track_id": secrets.token_hex(6)}


def later(original: Mapping[str, str], status: str) -> Fields:
    """The same transaction in another state: ``Completed`` or ``Denied`` after ``Pending``."""
    kept = {name: value for name, value in original.items() if name != "pending_reason"}
    return kept | {"payment_status": status, "ipn_track_id": secrets.token_hex(6)}


def change(original: Mapping[str, str], status: str, amount: str, reason: str) -> Fields:
    """A refund, a reversal, or the end of one: a transaction of its own, without ``txn_type``."""
    fields = {name: value for name, value in original.items() if name not in ("txn_type", "pending_reason")}
    more = {"payment_status": status, "reason_code": reason, "mc_gross": amount, "mc_fee": "", "txn_id": new_id()}
    return fields | more | {"parent_txn_id": original["txn_id"], "ipn_track_id": secrets.token_hex(6)}


def adjustment(original: Mapping[str, str], amount: str) -> Fields:
    """A chargeback that is settled: it says Completed, is negative, and names no receiver."""
    hidden = ("business", "receiver_email", "receiver_id", "invoice", "custom")
    fields = {name: value for name, value in original.items() if name not in hidden}
    more = {"txn_type": "adjustment", "payment_status": "Completed", "reason_code": "chargeback_settlement"}
    return fields | more | {"mc_gross": amount, "parent_txn_id": original["txn_id"], "txn_id": new_id()}


def case(original: Mapping[str, str], kind: str) -> Fields:
    """A dispute is opened: no amount, and the transaction id is that of the payment."""
    names = ("custom", "payer_id", "business", "receiver_email", "receiver_id", "txn_id", "charset", "invoice")
    fields = {name: original[name] for name in names if name in original}
    return {"txn_type": "new_case", "case_id": f"PP-D-{new_id(5)}", "case_type": kind} | fields


def _fee(gross: str, currency: str) -> str:
    """2.9 % and 0.30, in whole cents; no code computes with it."""
    if currency in WHOLE_CURRENCIES or not gross.replace(".", "", 1).isdigit():
        return "0"
    cents = int(gross.partition(".")[0]) * 100
    fee = cents * 29 // 1000 + 30
    return f"{fee // 100}.{fee % 100:02d}"
