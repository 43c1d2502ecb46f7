"""The fields of one call as text -> a ``Call``; a field that cannot be understood is refused with a reason code.

Every format is read by this module in the end, so a start or a number means the same in all of them. This is the hot
path of the line-by-line parser: values that repeat (hours, accounts, seconds, costs) are cached, up to a limit. Numbers
are not cached, because there are too many.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from chalicelib import money, numbering, numbers, periods
from chalicelib.calls.format import DIRECTIONS, DISPOSITIONS, OUTBOUND
from chalicelib.dialling import Ambiguous, DialPlan
from chalicelib.rating.cdr import call_ids, dispositions, spans, starts
from chalicelib.rating.cdr.date_patterns import AUTO

MAX_SECONDS = spans.MOST
"""Of one call."""
MAX_CALL_ID = 128
MAX_TEXT = 64
"""Characters of an account, and of a caller's number that is no phone number."""
MAX_DIALLED = 255
"""Characters of a called number as it is spelled, such as ``sip:911@pbx.example.net``."""

REASONS = {
    "ambiguous_number": "to: fits more than one number; write it with + and the calling code, without trunk prefix",
    "bad_account": "account: must be 1 to 64 letters, digits or . _ @ + -",
    "bad_call_id": "call_id: must be at most 128 characters",
    "bad_columns": "the line must have as many columns as the header or, without one, as the first line",
    "bad_cost": "cost: must be a decimal number from 0 on with a point and up to 8 decimals, such as 0.0125, or empty",
    "bad_direction": "direction: must be outbound or inbound",
    "bad_disposition": "disposition: must be ANSWERED, NO ANSWER, BUSY or FAILED",
    "bad_encoding": "the line is neither UTF-8 nor Windows-1252 text",
    "bad_number": "to: must be a phone number: + and 7 to 15 digits, or as dialled at home, or an internal number",
    "bad_seconds": "seconds: must be a whole number from 0 to 86400, or h:mm:ss",
    "bad_start": "start: must be a date and time from 1990 to 2100 in the date_format of its source",
    "control_character": "the line has a NUL or another control character",
    "line_too_long": "the line has more than 65,536 bytes",
    "missing_account": "account: must be given for an outbound call",
    "missing_hour": "start: falls in an hour that the clocks jumped over in the time zone of the file",
    "no_owner": "no sub-account and no DID of the reseller is found by the line",
    "not_a_call": "description: a recording is billed apart and is not a call",
    "truncated": "the file stops in this line",
    "unclosed_quote": "a quote is left open, or closes before the end of its field",
    "unknown_format": "the file's first line names no known columns and is not shaped like a call",
}
"""The reason codes of refused lines and their messages; ``docs/cdr-formats.md`` says how to correct each."""


class Call(NamedTuple):
    """One call of a CDR file.

    ``start`` is an instant; ``seconds`` are the billable ones; ``cost_e8`` is -1 where the record has no cost.
    ``to_number`` is E.164 or bare (``DialPlan.read``); ``from_number`` may be any text; ``account`` is a user name,
    and may be empty only for an inbound call.
    """

    line: int
    call_id: str
    start: int
    direction: str
    account: str
    from_number: str
    to_number: str
    disposition: str
    seconds: int
    cost_e8: int


class Rejection(NamedTuple):
    """A refused line: ``reason`` is a key of ``REASONS``, ``message`` a sentence, ``raw`` the text of the line."""

    line: int
    reason: str
    message: str
    raw: str


class Skipped(NamedTuple):
    """A line that is no call by the ``skip`` of its source; ``why``: what it matches, ``raw`` the text of the line."""

    line: int
    why: str
    raw: str


class BadField(Exception):
    """A field that cannot be understood; ``reason`` is a key of ``REASONS``. Caught inside the parser."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.message = detail or REASONS[reason]


COLUMNS = ("call_id", "start", "direction", "account", "from", "to", "disposition", "seconds", "cost")
"""The columns of Forfait's own CSV; ``cost`` is optional. A ``CallReader`` takes the texts of a call in this order."""

CallReader = Callable[[int, Sequence[str], list[str]], Call]

_DIRECTIONS = {word: word for word in DIRECTIONS}
_DISPOSITIONS = {word: word for word in DISPOSITIONS}
_SHOWN = 40
"""Characters of a field in a message."""
_ACCOUNT = re.compile(rf"[A-Za-z0-9_.@+-]{{1,{MAX_TEXT}}}")
is_account = _ACCOUNT.fullmatch
"""Whether a text may be the user name of a sub-account."""
_SECONDS_PAST_HOUR = {f"{n // 60:02d}:{n % 60:02d}": n for n in range(3600)}
_HOURS_KEPT = 4096
_ACCOUNTS_KEPT = 1 << 16
_new = tuple.__new__


def renamed(message: str, names: Mapping[str, str]) -> str:
    """A message (``<column>: ...``) with the column renamed; ``names`` are the file's names by Forfait's."""
    column, colon, rest = message.partition(": ")
    return names.get(column, column) + colon + rest


@lru_cache(maxsize=64)
def call_reader(
    zones: str, plan: DialPlan, date_format: str = AUTO, fx_e10: int = 0, seconds_format: str = spans.AUTO
) -> CallReader:
    """A function ``(line, texts in the order of COLUMNS, fields of the row) -> Call`` that raises ``BadField``.

    ``zones``: a calendar, as ``periods.calendar`` reads it; the other arguments: see ``Declaration``. The function is
    cached, so that its own caches last from chunk to chunk. Raises ``ValueError`` for an unknown zone or format.
    """
    instant, seconds_of = starts.reader(date_format, periods.calendar(zones)), _seconds_reader(seconds_format)
    hours: dict[str, int] = {}
    accounts: set[str] = set()
    shorts: dict[str, str] = {}
    callers: dict[str, str] = {}
    is_e164, id_of, callers_plan = numbering.is_e164, call_ids.read, plan.of_callers

    def read(line: int, texts: Sequence[str], fields: list[str]) -> Call:
        call_id, start, direction, account, calling, called, disposition, seconds, cost = texts
        try:
            # The key of an hour is the text before and after minutes and seconds.
            at = hours[start[:14] + start[19:]] + _SECONDS_PAST_HOUR[start[14:19]]
        except KeyError:
            at = _start(start.strip(), instant, hours)
        direction = _DIRECTIONS.get(direction) or _direction(direction)
        disposition = _DISPOSITIONS.get(disposition) or _disposition(disposition, seconds)
        billable = seconds_of(seconds)
        if account not in accounts:
            account = _account(account, direction)
            if account and len(accounts) < _ACCOUNTS_KEPT:
                accounts.add(account)
        if not is_e164(called):
            try:
                called = shorts.get(called) or _called(called, plan, shorts)
            except Ambiguous as problem:
                raise BadField("ambiguous_number", f"to: {problem}") from None
            except ValueError:
                raise BadField("bad_number") from None
        call_id = id_of(call_id) or call_ids.of_row(fields)
        if len(call_id) > MAX_CALL_ID:
            raise BadField("bad_call_id")
        if not is_e164(calling):
            calling = callers.get(calling) or _calling(calling, callers_plan, callers)
        cost_e8 = _cost_e8(cost, fx_e10)
        # Not Call(...): its constructor is written in Python and takes three times as long.
        return _new(Call, (line, call_id, at, direction, account, calling, called, disposition, billable, cost_e8))

    return read


def _called(text: str, plan: DialPlan, shorts: dict[str, str]) -> str:
    """The number called; adds a short one to the cache."""
    # A longer text would be a number only with many separators; such a text is refused.
    number = plan.read(text if len(text) <= MAX_DIALLED else "")
    return _kept(text, number, shorts)


def _calling(text: str, plan: DialPlan, callers: dict[str, str]) -> str:
    return _kept(text, caller(text, plan), callers)


def _kept(text: str, number: str, shorts: dict[str, str]) -> str:
    if len(text) < numbers.E164_LEAST and len(shorts) < _ACCOUNTS_KEPT:
        shorts[text] = number
    return number


def _start(text: str, instant: Callable[[str], int], hours: dict[str, int]) -> int:
    """Text -> instant; adds its hour to the cache, unless the clocks change within it."""
    try:
        at = instant(text)
    except periods.MissingHour:
        raise BadField("missing_hour") from None
    except starts.BadStart as problem:
        raise BadField("bad_start", f"start: {problem}") from None
    if text[13:14] == text[16:17] == ":" and text[19:20] not in (".", ","):
        first = hour_start(text[:14], text[19:], instant)
        if first is not None:
            if len(hours) >= _HOURS_KEPT:
                hours.clear()
            hours[text[:14] + text[19:]] = first
    return at


def hour_start(hour: str, behind: str, instant: Callable[[str], int]) -> int | None:
    """The first instant of an hour; ``2026-11-23T08:`` and ``Z`` are the texts before and after minutes and seconds.

    ``behind`` is ``Z``, an offset, or empty for local time; ``instant`` is of ``starts.reader``. Returns None when
    starts of this hour must be read one by one: there is no such hour, the clocks change within it, or the format has
    no minutes and seconds in that place.
    """
    try:
        first, second, last = (instant(hour + past + behind) for past in ("00:00", "00:01", "59:59"))
    except ValueError:
        return None
    return first if (second - first, last - first) == (1, 3599) else None


def shown(text: str) -> str:
    """A field as messages show it."""
    text = text.strip()
    return f"`{text if len(text) <= _SHOWN else text[:_SHOWN] + '...'}`" if text else "an empty field"


def _direction(text: str) -> str:
    """The direction for a spelling with blanks around it or capitals; raises ``BadField``."""
    word = _DIRECTIONS.get(text.strip().lower())
    if word is None:
        raise BadField(
            "bad_direction", f"direction: {shown(text)} is neither outbound nor inbound; declare words for it"
        )
    return word


def _disposition(text: str, seconds: str) -> str:
    """The disposition for any spelling of a known word; raises ``BadField``."""
    word = dispositions.read(text) or dispositions.of_cause(text, not spans.is_nothing(seconds))
    # A switch that does not know how a call ended, and yet bills it, may mean an answered one.
    if word is None or (text.strip().upper() == dispositions.UNKNOWN and not spans.is_nothing(seconds)):
        raise BadField(
            "bad_disposition",
            f"disposition: {shown(text)} is not ANSWERED, NO ANSWER, BUSY or FAILED; declare words for it",
        )
    return word


def _account(text: str, direction: str) -> str:
    account = text.strip()
    if not account and direction == OUTBOUND:
        raise BadField("missing_account")
    if account and not _ACCOUNT.fullmatch(account):
        raise BadField("bad_account", f"account: {shown(account)} is not 1 to 64 letters, digits or . _ @ + -")
    return account


@cache
def _seconds_reader(seconds_format: str) -> Callable[[str], int]:
    @lru_cache(maxsize=1 << 14)
    def read(text: str) -> int:
        try:
            return spans.read(text, seconds_format)
        except ValueError as problem:
            raise BadField("bad_seconds", f"seconds: {shown(text)} {problem}") from None

    return read


@lru_cache(maxsize=1 << 16)
def _cost_e8(text: str, fx_e10: int) -> int:
    text = text.strip()
    if not text:
        return -1
    try:
        cost_e8 = money.parse_amount(text)
    except ValueError:
        raise BadField("bad_cost") from None
    if cost_e8 < 0:
        raise BadField("bad_cost")
    if fx_e10:
        try:
            return money.converted(cost_e8, fx_e10)
        except ValueError:
            raise BadField("bad_cost", f"cost: {text} is too large in the currency that it is converted to") from None
    return cost_e8


def caller(text: str, plan: DialPlan) -> str:
    """A caller's number, normalised; other text (``anonymous``, a name) is kept, because callers are never priced.

    ``plan``: see ``DialPlan.of_callers``.
    """
    if len(text) > MAX_TEXT:
        return text.strip()[:MAX_TEXT]
    try:
        return plan.read(text)
    except ValueError:
        return text.strip()
