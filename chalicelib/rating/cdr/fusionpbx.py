"""Rows that FusionPBX's page of call detail records exports, in the columns of Forfait's own CSV.

The columns are those of FreeSWITCH's CDRs under the names of FusionPBX's database, with a direction of their own. A
``local`` call goes from one extension to another. ``duration`` is the billable time again, so it is not compared.
"""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.calls.format import ANSWERED, INBOUND, OUTBOUND
from chalicelib.rating.cdr import freeswitch, spans

COLUMNS = (
    "xml_cdr_uuid",
    "direction",
    "extension",
    "accountcode",
    "caller_id_number",
    "destination_number",
    "start_stamp",
    "answer_stamp",
    "billsec",
    "hangup_cause",
)
REQUIRED = frozenset(COLUMNS) - {"extension", "accountcode", "answer_stamp"}
NAMES = {**freeswitch.NAMES, "call_id": "xml_cdr_uuid", "direction": "direction"}
"""Forfait's columns -> FusionPBX's, for messages about refused lines."""
_LOCAL = "local"


def texts(pick: Callable[[list[str]], tuple[str, ...]], fields: list[str]) -> tuple[str, ...]:
    """The fields of a row -> the texts of a call in the order of ``call.COLUMNS``; raises ``BadField``.

    ``pick`` selects the fields of ``COLUMNS``.
    """
    uuid, way, extension, account, caller, called, start, answer, seconds, cause = pick(fields)
    answered = bool(answer.strip() or not spans.is_nothing(seconds))
    ended = ANSWERED if answered else freeswitch.disposition(cause)
    account = account if account.strip() else extension
    return uuid, start, direction(way, account), account, caller, called, ended, seconds, ""


def direction(way: str, account: str) -> str:
    """The direction; a row without one is outbound if it names an account."""
    way = way.strip().lower()
    if way == _LOCAL:
        return OUTBOUND
    return way or (OUTBOUND if account.strip() else INBOUND)
