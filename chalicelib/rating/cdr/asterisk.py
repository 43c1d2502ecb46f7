"""Rows of Asterisk's ``Master.csv`` (``cdr_csv``), spelled in the columns of Forfait's own CSV.

The file has no header, and ``cdr.conf`` sets its width: 16 columns, then ``uniqueid`` (``loguniqueid``), ``userfield``
(``loguserfield``) and three more (``newcdrcolumns``), of which the last is ``sequence``. Each can be switched on alone
and at any time, so one file may contain rows of all widths, and the 17th column is either ``uniqueid`` or
``userfield``.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chalicelib.rating.cdr import call, call_ids, dispositions, durations

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
"""The columns whose positions are certain."""
LEAST, MOST = 16, 21
SEQUENCE_AT = 20
"""The index of ``sequence`` in a row of all 21 columns."""
SEQUENCE_IN_20 = "sequence in a row of 20"
"""The 20th column: ``sequence`` in a row of 20 columns, where ``uniqueid`` or ``userfield`` is not written."""
COLUMNS = (
    "accountcode",
    "src",
    "dst",
    "clid",
    "dstchannel",
    "start",
    "duration",
    "billsec",
    "disposition",
    "uniqueid",
    "sequence",
    SEQUENCE_IN_20,
)
EVIDENCE = {
    "channel": "channel",
    "destination_channel": "dstchannel",
    "context": "dcontext",
    "application": "lastapp",
    "did": "did",
}
"""``mapping.EVIDENCE`` -> the columns."""
SHAPED = {name: ORDER.index(name) for name in (*COLUMNS, *EVIDENCE.values()) if name in ORDER} | {
    "sequence": SEQUENCE_AT,
    SEQUENCE_IN_20: SEQUENCE_AT - 1,
}
_SAMPLE = ("clid", *ORDER[1:4], *ORDER[5:16], "accountcode", "uniqueid", "userfield", "sequence")
"""The columns that the sample configuration of ``cdr_custom`` writes; an operator may add others behind them."""
CUSTOM = {name: n for n, name in enumerate(_SAMPLE) if name in {*COLUMNS, *EVIDENCE.values()}}
LEAST_CUSTOM = len(_SAMPLE)
REQUIRED = frozenset({"accountcode", "src", "dst", "dstchannel", "start", "billsec", "disposition"})
"""Names that a header must have, for files to which somebody added one."""
OTHER_NAMES = {"calldate": "start"}
"""Asterisk's database tables call ``start`` ``calldate``."""

_UNIQUEID = re.compile(r"(?:\S+-)?\d+\.\d+")
_CALLER = re.compile(r"<([^<>]+)>\s*$")
NAMES = {"call_id": "uniqueid", "account": "accountcode", "from": "src", "to": "dst", "seconds": "billsec"}
"""Forfait's columns -> Asterisk's, for messages about refused lines."""


def texts(pick: Callable[[list[str]], tuple[str, ...]], fields: list[str]) -> tuple[str, ...]:
    """The fields of a row -> the texts of a call in the order of ``call.COLUMNS``.

    ``pick`` selects the fields of this module's ``COLUMNS``. The direction is left empty: ``owning`` finds it. Raises
    ``BadField``.
    """
    account, source, called, caller, channel, start, duration, seconds, ended, uniqueid, *sequences = pick(fields)
    durations.check(seconds, duration, ("billsec", "duration"))
    number = source if source.strip() else _number(caller)
    call_id = _call_id(uniqueid, start, channel, called, *sequences)
    return call_id, start, "", account, number, called, ended, seconds, ""


def is_disposition(text: str) -> bool:
    """Whether a text is a disposition of Asterisk, or a known word for one."""
    return dispositions.read(text.strip(' "')) is not None


def _call_id(uniqueid: str, start: str, channel: str, called: str, sequence: str, sequence_in_20: str) -> str:
    """The id of a call: unique id, start, called channel, number called as written, and the sequence if there is one.

    The unique id alone names the calling channel: a call that rings two phones is two rows with one unique id, and so
    is a call that is put through. Returns "" when the row has no unique id (its 17th column is something else); then
    the id is made from the whole row.
    """
    uniqueid = uniqueid.strip()
    if not _UNIQUEID.fullmatch(uniqueid) or not call_ids.read(uniqueid):
        return ""
    parts = [uniqueid, start.strip(), channel.strip(), called.strip()]
    number = (sequence or sequence_in_20).strip()
    if number.isascii() and number.isdigit():
        parts.append(number)
    whole = " ".join(parts)
    return whole if len(whole) <= call.MAX_CALL_ID else call_ids.of_row(parts)


def _number(caller: str) -> str:
    found = _CALLER.search(caller)
    return found.group(1) if found else caller
