"""Six CDR files as six systems write them, and the calls that each means: what the tour drops, and what it expects.

A file is written from its calls, in the wall clock and the date format of its system. Calls to feature codes and
calls that were not answered cost nothing. The others have the rates of the package ``Everyday`` (Canada: 0.009 a
minute, billed 6/6; Montreal: 0.007, 30/6; the United Kingdom: 0.012, 60/60); inbound calls that of the number, 0.012.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import NamedTuple

PHONE, OTHER_PHONE, HOTEL = "1001", "1002", "harbour"
ACCOUNTS = (PHONE, OTHER_PHONE, HOTEL)
TORONTO, MONTREAL, LONDON, OUTSIDE = "+14165550123", "+15145550123", "+442079460000", "+16135550142"
RING_SECONDS = 7
_EVERY = timedelta(minutes=2)
_WORDS = {"ANSWERED": "completed", "NO ANSWER": "no-answer", "BUSY": "busy"}
_CAUSES = {"ANSWERED": "NORMAL_CLEARING", "NO ANSWER": "ORIGINATOR_CANCEL", "BUSY": "USER_BUSY"}
_ISO = "%Y-%m-%d %H:%M:%S"


class Meant(NamedTuple):
    """A call as it must be rated: ``account`` made it, "" for an inbound one; ``amount``: what its client pays."""

    start: datetime
    account: str
    to: str
    disposition: str
    seconds: int
    amount: str

    @property
    def direction(self) -> str:
        return "outbound" if self.account else "inbound"

    @property
    def caller(self) -> str:
        """As a switch writes it; a sub-account of the name of a phone calls with it."""
        return (self.account if self.account.isdigit() else PHONE) if self.account else OUTSIDE[1:]

    @property
    def dialled(self) -> str:
        """As it is dialled in North America: 011 goes before a number of another country."""
        digits = self.to.removeprefix("+")
        return f"011{digits}" if self.to.startswith("+") and not digits.startswith("1") else digits

    @property
    def whole_seconds(self) -> int:
        """Ringing included."""
        return self.seconds + RING_SECONDS

    @property
    def answer(self) -> datetime | None:
        return self.start + timedelta(seconds=RING_SECONDS) if self.disposition == "ANSWERED" else None

    @property
    def end(self) -> datetime:
        return self.start + timedelta(seconds=self.whole_seconds)


@dataclass(frozen=True)
class File:
    """A file of one system. ``shape``: what a person sees in it; ``declared``: the parts that the preview must suggest,
    none where nothing is needed; ``refused``: the reasons of its refused lines; ``skipped``: how many of its lines are
    no calls."""

    kind: str
    shape: str
    filename: str
    data: bytes
    calls: Sequence[Meant]
    declared: Sequence[str] = ()
    refused: Sequence[str] = ()
    skipped: int = 0


class _Calls:
    """Makes calls, one each two minutes from ``first`` on; ``did``: the number of the client."""

    def __init__(self, did: str, first: datetime) -> None:
        self._did = did
        self._starts = (first + number * _EVERY for number in count())

    def made(self, account: str, to: str, disposition: str, seconds: int, amount: str) -> Meant:
        return Meant(next(self._starts), account, to, disposition, seconds, amount)

    def came_in(self) -> Meant:
        return self.made("", self._did, "ANSWERED", 60, "0.012")

    def pair(self, account: str) -> list[Meant]:
        """A call to Toronto, and one to London that is not answered."""
        toronto = self.made(account, TORONTO, "ANSWERED", 61, "0.0099")
        return [toronto, self.made(account, LONDON, "NO ANSWER", 0, "0.00")]


def files_of(did: str, first: datetime) -> list[File]:
    """The six files. ``did``: the number that the client holds; ``first``: the start of the first call, in the zone of
    the clocks of the systems. The last call begins less than an hour later."""
    calls = _Calls(did, first)
    systems = (_master_file, _freepbx_file, _freeswitch_file, _custom_file, _threecx_file, _telnyx_file)
    return [file_of(calls) for file_of in systems]


def _lines(row: Callable[[Meant], str], calls: Sequence[Meant], first: str = "", last: str = "") -> bytes:
    return (first + "".join(row(call) for call in calls) + last).encode()


def _stamp(at: datetime | None, pattern: str = _ISO) -> str:
    return f"{at:{pattern}}" if at else ""


def _unique(call: Meant) -> str:
    """Asterisk's id of a channel: the seconds since 1970 and a counter."""
    return f"{int(call.start.timestamp())}.{call.start.minute}"


def _context(call: Meant) -> str:
    return "from-internal" if call.account else "from-trunk"


def _channels(call: Meant) -> tuple[str, str]:
    """The channel that made the call, and the one that was called."""
    phone, trunk = f"PJSIP/{call.account or PHONE}-000001a2", "PJSIP/carrier-000001a3"
    return (phone, trunk) if call.account else (trunk, phone)


def _master_file(calls: _Calls) -> File:
    meant = [*calls.pair(PHONE), calls.came_in(), calls.made(OTHER_PHONE, "*97", "ANSWERED", 12, "0.00")]
    return File("Asterisk Master.csv", "no account codes", "Master.csv", _lines(_master, meant), meant)


def _master(call: Meant) -> str:
    channel, called = _channels(call)
    return (
        f'"","{call.caller}","{call.dialled}","{_context(call)}","""{call.caller}"" <{call.caller}>","{channel}",'
        f'"{called}","Dial","{called},60","{call.start:{_ISO}}","{_stamp(call.answer)}","{call.end:{_ISO}}",'
        f'{call.whole_seconds},{call.seconds},"{call.disposition}","DOCUMENTATION","{_unique(call)}",""\n'
    )


def _custom_file(calls: _Calls) -> File:
    meant = [*calls.pair(PHONE), calls.came_in()]
    hangup = _custom(calls.made("", "s", "NO ANSWER", 0, "0.00"))
    data = _lines(_custom, meant, last=hangup)
    shape = "no header, a row for Hangup"
    return File("Asterisk cdr_custom", shape, "cdr_custom.csv", data, meant, ("direction", "skip"), skipped=1)


def _custom(call: Meant) -> str:
    channel, called = _channels(call)
    start, answer, end = (_stamp(at, "%Y/%m/%d %H:%M:%S") for at in (call.start, call.answer, call.end))
    application = "Hangup" if call.to == "s" else "Dial"
    return (
        f'"""Lobby"" <{call.caller}>","{call.caller}","{call.dialled}","{_context(call)}","{channel}","{called}",'
        f'"{application}","","{start}","{answer}","{end}","{call.whole_seconds}","{call.seconds}",'
        f'"{call.disposition}","DOCUMENTATION","","{_unique(call)}","","1"\n'
    )


_FREEPBX_TITLES = (
    "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,amaflags,"
    "accountcode,uniqueid,userfield\n"
)


def _freepbx_file(calls: _Calls) -> File:
    meant = [*calls.pair(OTHER_PHONE), calls.made(PHONE, MONTREAL, "ANSWERED", 45, "0.0056")]
    data = _lines(_freepbx, meant, _FREEPBX_TITLES, last=f'{meant[0].start:{_ISO}},"Front desk" <10\n')
    shape = "quotes inside fields, a torn line"
    return File("FreePBX CDR Reports", shape, "freepbx-cdr-report.csv", data, meant, refused=("bad_columns",))


def _freepbx(call: Meant) -> str:
    channel, called = _channels(call)
    return (
        f'{call.start:{_ISO}},"Front desk" <{call.caller}>,{call.caller},{call.dialled},{_context(call)},{channel},'
        f"{called},Dial,{called},{call.whole_seconds},{call.seconds},{call.disposition},3,,{_unique(call)},\n"
    )


def _freeswitch_file(calls: _Calls) -> File:
    meant = [*calls.pair(HOTEL), calls.made(HOTEL, TORONTO, "BUSY", 0, "0.00"), calls.came_in()]
    shape = "hang-up causes, starts with offsets"
    return File("FreeSWITCH cdr-csv", shape, "freeswitch.csv", _lines(_freeswitch, meant), meant)


def _freeswitch(call: Meant) -> str:
    start, answer, end = (_stamp(at, f"{_ISO} %z") for at in (call.start, call.answer, call.end))
    uuid = f"7c2a8c5e-6f4d-4d1b-9a52-{int(call.start.timestamp()):012x}"
    context = "default" if call.account else "public"
    return (
        f'"Lobby","{call.caller}","{call.dialled}","{context}","{start}","{answer}","{end}","{call.whole_seconds}",'
        f'"{call.seconds}","{_CAUSES[call.disposition]}","{uuid}","","{call.account}","PCMU","PCMU"\n'
    )


_THREECX_TITLES = "Call Time;Caller ID;Destination;Status;Ringing;Talking;Extension\n"


def _threecx_file(calls: _Calls) -> File:
    meant = [*calls.pair(OTHER_PHONE), calls.made(PHONE, LONDON, "ANSWERED", 61, "0.024")]
    declared = ("account", "columns", "header", "words")
    data = _lines(_threecx, meant, _THREECX_TITLES)
    return File("3CX report", "semicolons, titles of its own", "threecx-report.csv", data, meant, declared)


def _threecx(call: Meant) -> str:
    status = "Answered" if call.answer else "Unanswered"
    return f"{call.start:{_ISO}};{call.caller};{call.dialled};{status};{RING_SECONDS};{call.seconds};{call.account}\n"


_TELNYX_TITLES = (
    "Call Session ID,Direction,Originating Number,Destination Number,Start Timestamp (UTC),Call Duration,"
    "Billed Duration,Call Status,Username\n"
)


def _telnyx_file(calls: _Calls) -> File:
    meant = [*calls.pair(HOTEL), calls.came_in()]
    declared = ("account", "columns", "header", "time_zone", "words")
    data = _lines(_telnyx, meant, _TELNYX_TITLES)
    return File("Telnyx CDR report", "starts in UTC, titles of its own", "telnyx-report.csv", data, meant, declared)


def _telnyx(call: Meant) -> str:
    caller = "+15145550111" if call.account else OUTSIDE
    return (
        f"{_unique(call)},{call.direction},{caller},{call.to},{call.start.astimezone(UTC):{_ISO}},{call.whole_seconds},"
        f"{call.seconds},{_WORDS[call.disposition]},{call.account}\n"
    )
