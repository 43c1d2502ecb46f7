"""The sample's calls as switches and carriers write them: the same calls, so engines must come to the same sums.

Clocks are read in the reseller's zone, where the sample's 28 days lie within one month and one offset too. One in
three callers' names is not ASCII.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.sample import HEADER

_CAUSES = {"ANSWERED": "NORMAL_CLEARING", "NO ANSWER": "NO_ANSWER", "BUSY": "USER_BUSY", "FAILED": "CALL_REJECTED"}
_NAMES = ("Reception", "Zoë Tremblay", "TORONTO   ON", "WIRELESS CALLER", "Lévesque", "Smith, John")

_LINES_AT_ONCE = 10_000


class Switch(NamedTuple):
    """How a program writes: its header, if any, its rows, the delimiter, and whether all fields have quotes.

    ``declares``: the source that a reseller declares for such files, as the API takes it.
    """

    header: tuple[str, ...]
    row: Callable[[list[str]], list[str]]
    delimiter: str = ","
    quoted: bool = True
    declares: Mapping[str, Any] | None = None


def written(name: str, own: Path) -> Iterator[str]:
    """The calls of a file in Forfait's own CSV in one of ``SWITCHES``' files, some thousand lines at a time."""
    switch = SWITCHES[name]
    with own.open(encoding="utf-8") as file:
        next(file)
        yield _text([list(switch.header)] if switch.header else [], switch)
        while lines := list(islice(file, _LINES_AT_ONCE)):
            yield _text([switch.row(line.rstrip("\n").split(",")) for line in lines], switch)


def _text(rows: list[list[str]], switch: Switch) -> str:
    text = io.StringIO()
    quoting = csv.QUOTE_ALL if switch.quoted else csv.QUOTE_MINIMAL
    csv.writer(text, delimiter=switch.delimiter, quoting=quoting, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _clock(start: str) -> str:
    return start.replace("T", " ").removesuffix("Z")


def _name(number: str) -> str:
    return _NAMES[int(number[-4:]) % len(_NAMES)]


def _asterisk(call: list[str]) -> list[str]:
    call_id, start, direction, account, caller, called, ended, seconds, _ = call
    clock, mark = _clock(start), call_id[:8]
    is_out, shown = direction == "outbound", f'"{_name(caller)}" <{caller}>'
    peer, other = f"PJSIP/{account}-{mark}", f"PJSIP/carrier-{mark}"
    channels = [peer, other] if is_out else [other, peer]
    row = [account if is_out else "", caller, called, "from-internal" if is_out else "from-trunk", shown, *channels]
    row += [
        "Dial",
        f"PJSIP/{called}@carrier,60,tT",
        clock,
        clock if seconds != "0" else "",
        clock,
        seconds,
        seconds,
        ended,
    ]
    return [*row, "DOCUMENTATION", f"{int(mark, 16)}.{int(call_id[9:13], 16)}", ""]


def _by_channel(call: list[str]) -> list[str]:
    return ["", *_asterisk(call)[1:]]


def _freeswitch(call: list[str]) -> list[str]:
    call_id, start, direction, account, caller, called, ended, seconds, _ = call
    clock, who = _clock(start), account if direction == "outbound" else ""
    answer = clock if ended == "ANSWERED" else ""
    row = [_name(caller), caller, called, "default", clock, answer, clock, seconds, seconds, _CAUSES[ended], call_id]
    return [*row, call_id[::-1], who, "PCMU", "PCMU"]


def _voipms(call: list[str]) -> list[str]:
    call_id, start, direction, account, caller, called, ended, seconds, cost = call
    about = "Inbound DID" if direction == "inbound" else f"Canada - {called[-10:-7]} Toronto"
    row = [_clock(start), f'"{_name(caller)}" <{caller}>', called, about, account, ended, seconds, "0.00520000"]
    return [*row, cost, call_id]


def _dialled(call: list[str]) -> list[str]:
    """Behind an outside line's 9: numbers of North America as they are dialled, others with +."""
    called = call[5]
    return [*call[:5], "9" + (called[1:] if called[:2] == "+1" and called[2] > "1" else called), *call[6:]]


def _day_first(call: list[str]) -> list[str]:
    date, clock = _clock(call[1]).split(" ")
    year, month, day = map(int, date.split("-"))
    hour, minute, second = map(int, clock.split(":"))
    return [call[0], f"{day}/{month}/{year} {hour}:{minute}:{second}", *call[2:]]


def _placed(call: list[str]) -> list[str]:
    call_id, start, direction, account, caller, called, ended, seconds, cost = call
    return ["1", start, seconds, account, caller, "-", called, ended, direction, cost, call_id]


_PLACES = {"call_id": 11, "start": 2, "direction": 9, "account": 4, "from": 5, "to": 7}
_VOIPMS = ("date", "callerid", "destination", "description", "account", "disposition", "seconds", "rate", "total")
SWITCHES = {
    "Asterisk": Switch((), _asterisk),
    "Asterisk, owners by channel": Switch((), _by_channel),
    "FreeSWITCH": Switch((), _freeswitch),
    "VoIP.ms": Switch((*_VOIPMS, "uniqueid"), _voipms, quoted=False),
    "own, semicolons and quotes": Switch(tuple(HEADER.split(",")), list, ";"),
    "a source with dial prefixes": Switch(
        tuple(HEADER.split(",")), _dialled, quoted=False, declares={"strip": ["9", "*67", "1010288"]}
    ),
    "a source with a date pattern": Switch(
        tuple(HEADER.split(",")), _day_first, quoted=False, declares={"date_format": "d/M/y H:m:s"}
    ),
    "a source with positions": Switch(
        (),
        _placed,
        quoted=False,
        declares={"header": "absent", "columns": {**_PLACES, "disposition": 8, "seconds": 3, "cost": 10}},
    ),
}
