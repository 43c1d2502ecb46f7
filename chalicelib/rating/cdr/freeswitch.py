"""Rows of FreeSWITCH's ``mod_cdr_csv`` (its template ``example``, the default), in the columns of Forfait's own CSV.

The file has no header. Its first 13 columns are certain; codecs and whatever an operator added to the template follow.
FreeSWITCH tells why a call ended, not what became of it: an answered call and one whose caller gave up while it rang
both end with ``NORMAL_CLEARING``, so an answer stands first and the cause explains the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chalicelib.calls.format import ANSWERED, BUSY, FAILED, INBOUND, NO_ANSWER, OUTBOUND
from chalicelib.rating.cdr import call
from chalicelib.rating.cdr.call import BadField

ORDER = (
    "caller_id_name",
    "caller_id_number",
    "destination_number",
    "context",
    "start_stamp",
    "answer_stamp",
    "end_stamp",
    "duration",
    "billsec",
    "hangup_cause",
    "uuid",
    "bleg_uuid",
    "accountcode",
)
MOST = 40
COLUMNS = (
    "caller_id_number",
    "destination_number",
    "start_stamp",
    "answer_stamp",
    "billsec",
    "hangup_cause",
    "uuid",
    "accountcode",
)
REQUIRED = frozenset(COLUMNS)

_CAUSE = re.compile(r"[A-Z][A-Z0-9_]+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NOT_ANSWERED = {
    "USER_BUSY": BUSY,
    "NORMAL_CLEARING": NO_ANSWER,
    "ORIGINATOR_CANCEL": NO_ANSWER,
    "NO_ANSWER": NO_ANSWER,
    "NO_USER_RESPONSE": NO_ANSWER,
    "ALLOTTED_TIMEOUT": NO_ANSWER,
    "PROGRESS_TIMEOUT": NO_ANSWER,
    "MEDIA_TIMEOUT": NO_ANSWER,
    "LOSE_RACE": NO_ANSWER,
    "PICKED_OFF": NO_ANSWER,
}
"""What became of a call that nobody answered; every other cause is a failure."""
_NAMES = {
    "call_id": "uuid",
    "start": "start_stamp",
    "account": "accountcode",
    "from": "caller_id_number",
    "to": "destination_number",
    "disposition": "hangup_cause",
    "seconds": "billsec",
}


def shaped(fields: list[str]) -> dict[str, int] | None:
    """The columns, if this row has the shape of the default template."""
    if not len(ORDER) <= len(fields) <= MOST:
        return None
    start, cause, uuid = (fields[ORDER.index(name)].strip(' "') for name in ("start_stamp", "hangup_cause", "uuid"))
    if not (call.looks_like_start(start) and _CAUSE.fullmatch(cause) and _UUID.fullmatch(uuid)):
        return None
    return {name: ORDER.index(name) for name in COLUMNS}


def texts(pick: Callable[[list[str]], tuple[str, ...]], fields: list[str]) -> tuple[str, ...]:
    """A row's texts by ``COLUMNS`` (``pick`` takes them out of the fields) -> by ``call_fields.COLUMNS``.

    A call with an account code was made by that sub-account; one without came in, for the number dialled.
    """
    caller, called, start, answer, seconds, cause, uuid, account = pick(fields)
    # Some templates have a blank before this field, which makes its quotes part of the text.
    account = account.strip(' "')
    direction = OUTBOUND if account else INBOUND
    answered = bool(answer.strip() or seconds.strip().strip("0"))
    ended = ANSWERED if answered else disposition(cause)
    return uuid, start, direction, account, caller, called, ended, seconds, ""


def renamed(message: str) -> str:
    """A message about a column of Forfait's, about the column of FreeSWITCH that it came from."""
    return call.renamed(message, _NAMES)


def disposition(cause: str) -> str:
    """What became of a call that was not answered; ``BadField`` for what is no cause."""
    cause = cause.strip()
    if not _CAUSE.fullmatch(cause):
        raise BadField("bad_disposition", "hangup_cause: must be a cause such as NORMAL_CLEARING")
    return _NOT_ANSWERED.get(cause, FAILED)
