"""Rows of FreeSWITCH's ``mod_cdr_csv`` (its template ``example``, the default), in the columns of Forfait's own CSV.

The file has no header. Its first 13 columns are certain; codecs and columns that an operator added to the template
follow. FreeSWITCH records why a call ended, not whether it was answered: an answered call and a call that the caller
gave up while it rang both end with ``NORMAL_CLEARING``. So the answer is looked at first, and the cause after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chalicelib.calls.format import ANSWERED, BUSY, FAILED, NO_ANSWER
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
    "duration",
    "billsec",
    "hangup_cause",
    "uuid",
    "accountcode",
)
EVIDENCE = {"context": "context"}
"""``mapping.EVIDENCE`` -> the columns."""
REQUIRED = frozenset(COLUMNS) - {"duration"}

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
"""The disposition of a call that was not answered, by its cause; every other cause is ``FAILED``."""
NAMES = {
    "call_id": "uuid",
    "start": "start_stamp",
    "account": "accountcode",
    "from": "caller_id_number",
    "to": "destination_number",
    "disposition": "hangup_cause",
    "seconds": "billsec",
}
"""Forfait's columns -> FreeSWITCH's, for messages about refused lines."""


def shaped(fields: list[str]) -> dict[str, int] | None:
    """The columns by position, or None when these fields do not look like a row of the default template."""
    if not len(ORDER) <= len(fields) <= MOST:
        return None
    start, cause, uuid = (fields[ORDER.index(name)].strip(' "') for name in ("start_stamp", "hangup_cause", "uuid"))
    if not (call.looks_like_start(start) and _CAUSE.fullmatch(cause) and _UUID.fullmatch(uuid)):
        return None
    return {name: ORDER.index(name) for name in (*COLUMNS, *EVIDENCE.values())}


def texts(pick: Callable[[list[str]], tuple[str, ...]], fields: list[str]) -> tuple[str, ...]:
    """The fields of a row -> the texts of a call in the order of ``call.COLUMNS``.

    ``pick`` selects the fields of ``COLUMNS``. The direction is left empty, as in ``asterisk.texts``. Raises
    ``BadField``.
    """
    caller, called, start, answer, duration, seconds, cause, uuid, account = pick(fields)
    call.check_duration(seconds, duration, ("billsec", "duration"))
    # Some templates have a blank before this field, which makes its quotes part of the text.
    account = account.strip(' "')
    answered = bool(answer.strip() or seconds.strip().strip("0"))
    ended = ANSWERED if answered else disposition(cause)
    return uuid, start, "", account, caller, called, ended, seconds, ""


def disposition(cause: str) -> str:
    """The disposition of a call that was not answered; raises ``BadField`` when ``cause`` is not a cause."""
    cause = cause.strip()
    if not _CAUSE.fullmatch(cause):
        raise BadField("bad_disposition", "hangup_cause: must be a cause such as NORMAL_CLEARING")
    return _NOT_ANSWERED.get(cause, FAILED)
