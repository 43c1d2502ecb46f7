"""Rows that FusionPBX's page of call detail records exports, in the columns of Forfait's own CSV.

The columns are those of FreeSWITCH's CDRs under the names of FusionPBX's database, with a direction of their own. A
``local`` call goes from one extension to another. ``duration`` is the billable time again, so it is not compared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from chalicelib.calls.format import ANSWERED, OUTBOUND
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
EVIDENCE = {"context": "context"}
"""``mapping.EVIDENCE`` -> the columns."""
REQUIRED = frozenset(COLUMNS) - {"extension", "accountcode", "answer_stamp"}
NAMES = {**freeswitch.NAMES, "call_id": "xml_cdr_uuid", "direction": "direction"}
"""Forfait's columns -> FusionPBX's, for messages about refused lines."""
_LOCAL = "local"


def texts(
    accounts: Collection[str], pick: Callable[[list[str]], tuple[str, ...]], fields: list[str]
) -> tuple[str, ...]:
    """The fields of a row -> the texts of a call in the order of ``call.COLUMNS``; raises ``BadField``.

    ``accounts``: the user names of the reseller's sub-accounts. ``pick`` selects the fields of ``COLUMNS``.
    """
    uuid, way, extension, code, caller, called, start, answer, seconds, cause = pick(fields)
    answered = bool(answer.strip() or not spans.is_nothing(seconds))
    ended = ANSWERED if answered else freeswitch.disposition(cause)
    return uuid, start, direction(way), account(code, extension, accounts), caller, called, ended, seconds, ""


def direction(way: str) -> str:
    """The direction as Forfait spells it; "" is left for ``owning`` to find."""
    way = way.strip().lower()
    return OUTBOUND if way == _LOCAL else way


def account(code: str, extension: str, accounts: Collection[str]) -> str:
    """The account code or, where that is empty or only ``extension`` is one of ``accounts``, the extension.

    FusionPBX fills the account code with the name of the domain unless somebody enters another.
    """
    is_code = code.strip() and (code.strip() in accounts or extension.strip() not in accounts)
    return code if is_code else extension
