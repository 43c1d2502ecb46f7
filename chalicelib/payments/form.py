"""The bytes of an IPN message -> its fields. The post-back to PayPal sends the bytes themselves.

``urllib.parse.parse_qsl`` is not used: it drops blank fields or decodes them as UTF-8, while the ``charset`` field of
the message names the encoding of its percent-escapes (windows-1252 by default).
"""

from __future__ import annotations

import codecs
from urllib.parse import unquote_to_bytes

MAX_BYTES, MAX_FIELDS = 64 << 10, 400
DEFAULT_CHARSET = "cp1252"
_ASIAN = ("big5", "big5hkscs", "euc_jp", "euc_kr", "gb2312", "gbk", "gb18030", "shift_jis", "iso2022_jp")
_OTHERS = ("ascii", "utf-8", "koi8-r", "koi8-u", "cp874", *(f"cp{number}" for number in range(1250, 1259)))
_ISO = tuple(f"iso8859-{number}" for number in (*range(1, 12), 13, 14, 15, 16))
_CHARSETS = frozenset((*_ASIAN, *_OTHERS, *_ISO))
"""Encodings that are accepted, by Python's names. Python has others (UTF-7, escapes) that would read an amount out of
text that PayPal did not write. They are names, not codecs, so that a codec is loaded only when a message names it."""
_IDENTITY = ("txn_id", "parent_txn_id", "txn_type", "payment_status", "transaction_entity", "test_ipn", "case_id")
_MONEY = ("mc_gross", "mc_currency", "business", "receiver_email", "receiver_id", "invoice", "custom", "charset")
ONCE = frozenset((*_IDENTITY, *_MONEY))
"""Fields that the decision depends on: a message that has one of them twice is refused, because it is ambiguous."""


class BadForm(ValueError):
    """A body that PayPal would not send. ``reason`` is one word, listed in ``docs/paypal.md``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse(raw: bytes) -> dict[str, str]:
    """The decoded fields by name; the first value of a field that comes twice and is not in ``ONCE``.

    ``BadForm`` with ``too_many_fields``, ``repeated_field`` (one of ``ONCE``), ``cmd`` (the field that our post-back
    adds), or ``empty``.
    """
    parts = [part for part in raw.split(b"&") if part]
    if not parts:
        raise BadForm("empty")
    if len(parts) > MAX_FIELDS:
        raise BadForm("too_many_fields")
    fields: dict[str, bytes] = {}
    for part in parts:
        name_bytes, _, value = part.partition(b"=")
        name = _unquote(name_bytes).decode("ascii", "replace")
        if name.strip().lower() == "cmd":
            raise BadForm("cmd")
        if name in fields and name in ONCE:
            raise BadForm("repeated_field")
        fields.setdefault(name, _unquote(value))
    charset = _charset(fields.get("charset", b""))
    return {name: value.decode(charset, "replace") for name, value in fields.items()}


def _unquote(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


def _charset(named: bytes) -> str:
    """Python's name of the encoding that the message names; windows-1252 for none and for one not accepted."""
    # PayPal writes windows-874, Python calls it cp874.
    name = named.decode("ascii", "replace").strip().lower().replace("windows-", "cp")
    try:
        charset = codecs.lookup(name).name
    except (LookupError, ValueError):
        return DEFAULT_CHARSET
    return charset if charset in _CHARSETS else DEFAULT_CHARSET
