"""The text in the column of the call id -> the id, or nothing where the text is a placeholder.

Switches, databases and spreadsheets write something where they have no id: ``NULL``, ``0``, ``#REF!``; and a
spreadsheet turns a long number into ``4.83249E+09``, which many calls then share. Such a text is read as a missing id.
"""

from __future__ import annotations

import hashlib
import re

LONGEST_PLACEHOLDER = 24
"""Characters of a placeholder that is neither zeros nor punctuation."""

_PLAIN = re.compile(rf"[1-9A-TV-Za-tv-z](?:\w{{4,}}|.{{{LONGEST_PLACEHOLDER},}})", re.ASCII)
"""Most ids: what this matches is no placeholder, by its length, its first character or its lack of punctuation."""
_BYTE_ORDER_MARK = "\ufeff"
"""A quoted first field of a file may begin with it."""
_AROUND = "\"'`<>()[]{} \t"
_NOTHING = ("null", "none", "nil", "na", "n/a", "nan", "nat", "undef", "undefined", "unknown", "n.a.", "n.a")
_NUMBERS = ("-1", "0x0", "0e0", "inf", "-inf")
_WORDS = frozenset((*_NOTHING, *_NUMBERS, r"\n", "#nv", "#n/a", "#n/d", "#i/t", "#getting_data"))
"""In small letters."""
_SPREADSHEET = re.compile(r"#[¡¿]?[^\W\d_]\S{0,20}[!?]|-?\d{1,3}(?:[.,]\d{1,15})?e[+-]\d{1,3}")
"""An error of a spreadsheet in any language (``#DIV/0!``, ``#¿NOMBRE?``), or a number in its scientific notation."""


def read(text: str) -> str:
    """The call id; ``""`` where there is none: a blank, a placeholder, nothing but zeros and punctuation."""
    call_id = text.strip()
    if _PLAIN.fullmatch(call_id):
        return call_id
    if call_id[:1] == _BYTE_ORDER_MARK:
        call_id = call_id.lstrip(_BYTE_ORDER_MARK).strip()
    word = call_id.strip(_AROUND).lower()
    if word in _WORDS or _SPREADSHEET.fullmatch(word):
        return ""
    return call_id if any(sign != "0" and sign.isalnum() for sign in word) else ""


def of_row(fields: list[str]) -> str:
    """An id for a call whose record has none: equal rows give equal ids, in any file and with any delimiter."""
    row = "\x1f".join(field.strip() for field in fields)
    return "row:" + hashlib.sha256(row.encode()).hexdigest()[:32]
