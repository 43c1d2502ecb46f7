"""Rows of Asterisk's ``Master.csv`` (``cdr_csv``), spelled in the columns of Forfait's own CSV.

The file has no header, and its width is set in ``cdr.conf``: 16 columns, then ``uniqueid`` (``loguniqueid``),
``userfield`` (``loguserfield``) and three more (``newcdrcolumns``), each switched on by itself, at any time. So one
file may hold rows of all widths, and a row of 17 columns may end with either of two.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chalicelib.calls.format import DISPOSITIONS, FAILED, INBOUND, OUTBOUND
from chalicelib.rating.cdr import call
from chalicelib.rating.cdr.call import BadField

ORDER = (
    "accountcode",
    "src",
    "dst",
    "dcontext",
    "clid",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "amaflags",
    "uniqueid",
)
"""The columns as far as their places are certain."""
LEAST, MOST = 16, 21
COLUMNS = ("accountcode", "src", "dst", "clid", "dstchannel", "start", "billsec", "disposition", "uniqueid")
REQUIRED = frozenset({"accountcode", "src", "dst", "dstchannel", "start", "billsec", "disposition"})
"""Names that a header must have, for files that were given one; ``calldate`` is what its databases call ``start``."""
OTHER_NAMES = {"calldate": "start"}

_CONGESTION = "CONGESTION"
_UNIQUEID = re.compile(r"(?:\S+-)?\d+\.\d+")
_CALLER = re.compile(r"<([^<>]+)>\s*$")
_NAMES = {"call_id": "uniqueid", "account": "accountcode", "from": "src", "to": "dst", "seconds": "billsec"}


def shaped(fields: list[str]) -> dict[str, int] | None:
    """The columns, if this row has the shape of a ``Master.csv``."""
    if not LEAST <= len(fields) <= MOST:
        return None
    start, disposition = (fields[ORDER.index(name)] for name in ("start", "disposition"))
    if not call.looks_like_start(start) or not _is_disposition(disposition):
        return None
    return {name: ORDER.index(name) for name in COLUMNS}


def texts(pick: Callable[[list[str]], tuple[str, ...]], fields: list[str]) -> tuple[str, ...]:
    """A row's texts by ``COLUMNS`` (``pick`` takes them out of the fields) -> by ``call_fields.COLUMNS``.

    A call with an account code was made by that sub-account; one without came in, for the number dialled.
    """
    account, source, called, caller, channel, start, seconds, ended, uniqueid = pick(fields)
    ended = disposition(ended)
    direction = OUTBOUND if account.strip() else INBOUND
    number = source if source.strip() else _number(caller)
    return _call_id(uniqueid, start, channel), start, direction, account, number, called, ended, seconds, ""


def disposition(text: str) -> str:
    """Asterisk's word as Forfait's; ``BadField`` for another one."""
    word = text.strip().upper()
    if word == _CONGESTION:
        return FAILED
    if word not in DISPOSITIONS:
        raise BadField("bad_disposition", "disposition: must be ANSWERED, NO ANSWER, BUSY, FAILED or CONGESTION")
    return word


def renamed(message: str) -> str:
    """A message about a column of Forfait's, about the column of Asterisk that it came from."""
    return call.renamed(message, _NAMES)


def _is_disposition(text: str) -> bool:
    word = text.strip(' "').upper()
    return word in DISPOSITIONS or word == _CONGESTION


def _call_id(uniqueid: str, start: str, channel: str) -> str:
    """A unique id names the calling channel: a call that rings two phones is two rows of one id.

    Empty where the row has none (then its 17th column holds something else): the whole row makes the id.
    """
    uniqueid = uniqueid.strip()
    if not _UNIQUEID.fullmatch(uniqueid):
        return ""
    parts = [uniqueid, start.strip(), channel.strip()]
    whole = " ".join(parts)
    return whole if len(whole) <= call.MAX_CALL_ID else call.row_id(parts)


def _number(caller: str) -> str:
    found = _CALLER.search(caller)
    return found.group(1) if found else caller
