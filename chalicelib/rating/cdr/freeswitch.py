"""Rows of FreeSWITCH's ``mod_cdr_csv`` (its template ``example``, the default), in the columns of Forfait's own CSV.

The file has no header. Its first 13 columns are certain; codecs and columns that an operator added to the template
follow. FreeSWITCH records why a call ended, not whether it was answered: an answered call and a call that the caller
gave up while it rang both end with ``NORMAL_CLEARING``. So the answer is looked at first, and the cause after it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from chalicelib.calls.format import ANSWERED, DISPOSITIONS, FAILED
from chalicelib.rating.cdr import call, dispositions, durations, spans
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

SHAPED = {name: ORDER.index(name) for name in (*COLUMNS, *EVIDENCE.values())}
ORDER_LIKE_ASTERISK = (
    "accountcode",
    "caller_id_number",
    "destination_number",
    "context",
    "caller_id",
    "channel_name",
    "bridge_channel",
    "last_app",
    "last_arg",
    "start_stamp",
    "answer_stamp",
    "end_stamp",
    "duration",
    "billsec",
    "hangup_cause",
    "amaflags",
    "uuid",
    "userfield",
)
"""The columns of the template ``asterisk``."""
LIKE_ASTERISK = {name: ORDER_LIKE_ASTERISK.index(name) for name in (*COLUMNS, *EVIDENCE.values())}
_CAUSE = re.compile(r"[A-Z][A-Z0-9_]+")
_SINGLE = frozenset({"NONE", "UNSPECIFIED", "SUCCESS", "INTERWORKING"})
"""Causes of one word."""
_AROUND = ' ");'
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


def is_cause(text: str) -> bool:
    """Whether a text is a hang-up cause, in small or capital letters."""
    cause = text.strip(' "').upper()
    has_form = _CAUSE.fullmatch(cause) is not None and ("_" in cause or cause in _SINGLE)
    return has_form or cause in dispositions.CAUSES


def texts(pick: Callable[[list[str]], tuple[str, ...]], fields: list[str]) -> tuple[str, ...]:
    """The fields of a row -> the texts of a call in the order of ``call.COLUMNS``.

    ``pick`` selects the fields of ``COLUMNS``. The direction is left empty, as in ``asterisk.texts``. Raises
    ``BadField``.
    """
    caller, called, start, answer, duration, seconds, cause, uuid, account = pick(fields)
    durations.check(seconds, duration, ("billsec", "duration"))
    # Some templates write a blank before this field, or `);` after it, which makes its quotes part of the text.
    account = account.strip(_AROUND)
    answered = bool(answer.strip() or not spans.is_nothing(seconds))
    ended = ANSWERED if answered else disposition(cause)
    return uuid, start, "", account, caller, called, ended, seconds, ""


def disposition(cause: str) -> str:
    """The disposition of a call that was not answered; raises ``BadField`` when ``cause`` is not a cause."""
    word = cause.strip().upper()
    if word in DISPOSITIONS:
        return word
    if not _CAUSE.fullmatch(word):
        raise BadField(
            "bad_disposition",
            f"disposition: {call.shown(cause)} is no cause such as NORMAL_CLEARING; declare words for it",
        )
    return dispositions.CAUSES.get(word, FAILED)
