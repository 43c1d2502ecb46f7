"""What the tour uploads: a rate deck and a file of calls, made out of a fixed seed.

About one line in a hundred is bad and one in twenty a copy, as in real files of calls. The
numbers of both are in ``CallFile``, so that the tour can check the counts of the batch.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

SEED = 1
LINES = 30_000
CANADA = {
    "416": "Toronto", "437": "Toronto", "647": "Toronto", "514": "Montreal", "438": "Montreal", "604": "Vancouver",
    "778": "Vancouver", "403": "Calgary", "587": "Alberta", "780": "Edmonton", "613": "Ottawa", "343": "Ottawa",
    "418": "Quebec City", "581": "Quebec City", "819": "Gatineau", "450": "Laval", "905": "Hamilton", "519": "London",
    "204": "Manitoba", "306": "Saskatchewan", "902": "Nova Scotia", "506": "New Brunswick", "709": "Newfoundland",
}  # fmt: skip
USA = (
    "201", "202", "203", "205", "206", "207", "208", "209", "210", "212", "213", "214", "215", "216", "217",
    "218", "219", "224", "225", "228", "229", "231", "234", "239", "240", "248", "251", "252", "253", "254",
    "256", "260", "262", "267", "269", "270", "276", "281", "301", "302", "303", "304", "305", "307", "308",
    "309", "310", "312", "313", "314", "315", "316", "317", "318", "319", "320", "321", "323", "325", "330",
    "334", "336", "337", "339", "347", "351", "352", "360", "361", "385", "386", "401", "402", "404", "405",
    "406", "407", "408", "409", "410", "412", "413", "414", "415",
)  # fmt: skip
WORLD = {
    "20": "Egypt", "27": "South Africa", "30": "Greece", "31": "Netherlands", "32": "Belgium", "33": "France",
    "34": "Spain", "351": "Portugal", "352": "Luxembourg", "353": "Ireland", "354": "Iceland", "358": "Finland",
    "36": "Hungary", "39": "Italy", "40": "Romania", "41": "Switzerland", "420": "Czechia", "43": "Austria",
    "44": "United Kingdom", "45": "Denmark", "46": "Sweden", "47": "Norway", "48": "Poland", "49": "Germany",
    "51": "Peru", "52": "Mexico", "54": "Argentina", "55": "Brazil", "56": "Chile", "57": "Colombia",
    "60": "Malaysia", "61": "Australia", "62": "Indonesia", "63": "Philippines", "64": "New Zealand",
    "65": "Singapore", "66": "Thailand", "81": "Japan", "82": "South Korea", "84": "Vietnam", "86": "China",
    "90": "Turkey", "91": "India", "92": "Pakistan", "972": "Israel",
}  # fmt: skip
SEED_PREFIX, SEED_COST, SEED_NUMBER = "44", "0.01", "+442079460000"
"""The deck line that the first explained price is about."""
SHORT_NUMBER, SHORT_COST = "411", "0.75"
"""A short number that the deck prices by a line for this number alone, and its cost per minute."""
EXTENSION = "447"
"""An extension; its digits are also those that British mobile numbers begin with."""


class DeckLine(NamedTuple):
    """One line of the deck, as text."""

    prefix: str
    destination: str
    rate_per_minute: str
    initial: int
    increment: int
    match: str = "prefix"


@dataclass(frozen=True)
class CallFile:
    """A CDR file, with how many lines are ``good``, ``bad``, or ``copies`` of good lines.

    ``internal``: how many of the good ones are calls to ``EXTENSION``.
    """

    data: bytes
    good: int
    internal: int
    bad: int
    copies: int

    @property
    def lines(self) -> int:
        return self.good + self.bad + self.copies


def deck_lines() -> list[DeckLine]:
    """Some thousand prefixes: area codes of North America, 45 countries with 100 mobile ranges each; a short number."""
    dice = random.Random(SEED)
    lines = [DeckLine(f"1{code}", f"Canada - {city}", "0.0052", 6, 6) for code, city in CANADA.items()]
    lines += [DeckLine(f"1{code}", f"USA - {code}", f"0.00{dice.randint(42, 68)}", 6, 6) for code in USA]
    for code, country in WORLD.items():
        landline = _world(code, country, f"0.{dice.randint(110, 320):04d}")
        lines.append(DeckLine(code, country, SEED_COST, 60, 60) if code == SEED_PREFIX else landline)
        for tail in range(100):
            lines.append(_world(f"{code}7{tail:02d}", f"{country} - Mobile", f"0.{dice.randint(400, 1600):04d}"))
    lines.append(DeckLine(SHORT_NUMBER, "Directory assistance", SHORT_COST, 60, 60, "number"))
    return lines


def _world(prefix: str, destination: str, rate: str) -> DeckLine:
    return DeckLine(prefix, destination, rate, 30, 6)


def deck_csv(lines: Sequence[DeckLine]) -> bytes:
    rows = [",".join(DeckLine._fields), *(",".join(map(str, line)) for line in lines)]
    return "\n".join([*rows, ""]).encode()


def call_file(
    accounts: Sequence[str], did: str, prefixes: Sequence[str], first: datetime, last: datetime, lines: int = LINES
) -> CallFile:
    """``lines`` lines between two instants: calls of ``accounts`` to numbers under ``prefixes``, and to ``did``."""
    dice = random.Random(SEED)
    bad, copies = lines // 100, lines // 20
    near = [prefix for prefix in prefixes if prefix.startswith("1")]
    span = int((last - first).total_seconds())

    def made(number: int) -> list[str]:
        start = first + timedelta(seconds=dice.randrange(span))
        return _row(dice, f"call-{number:06d}", start, accounts, did, near if dice.random() < 0.85 else prefixes)

    good = [made(number) for number in range(lines - bad - copies)]
    spoiled = [_SPOILERS[number % len(_SPOILERS)](made(lines + number)) for number in range(bad)]
    rows = [",".join(row) for row in (*good, *dice.sample(good, copies), *spoiled)]
    dice.shuffle(rows)
    text = "\n".join(["call_id,start,direction,account,from,to,disposition,seconds", *rows, ""])
    return CallFile(text.encode(), len(good), sum(row[5] == EXTENSION for row in good), bad, copies)


def _row(
    dice: random.Random, call_id: str, start: datetime, accounts: Sequence[str], did: str, prefixes: Sequence[str]
) -> list[str]:
    answered = dice.random() < 0.88
    seconds = dice.randint(1, dice.choice((20, 60, 180, 600))) if answered else 0
    disposition = "ANSWERED" if answered else dice.choice(("NO ANSWER", "BUSY", "FAILED"))
    ending = [disposition, str(seconds)]
    when = start.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    caller, account = f"+1613555{dice.randint(0, 9999):04d}", dice.choice(accounts)
    if dice.random() < 0.06:
        return [call_id, when, "inbound", "", caller, did, *ending]
    if dice.random() < 0.05:
        return [call_id, when, "outbound", account, caller, dice.choice((EXTENSION, EXTENSION, SHORT_NUMBER)), *ending]
    prefix = dice.choice(prefixes)
    # Never a 0 behind a country's code: it could be a trunk prefix, and such a spelling is refused.
    number = prefix + dice.choice("123456789") + "".join(dice.choices("0123456789", k=10 - len(prefix)))
    return [call_id, when, "outbound", account, caller, f"+{number}", *ending]


def _with(column: int, value: str) -> Callable[[list[str]], list[str]]:
    """The row with one field changed; the others stay, so that this field is why the line is refused."""
    return lambda row: [*row[:column], value, *row[column + 1 :]]


def _called(number: str) -> Callable[[list[str]], list[str]]:
    return lambda row: [*row[:2], "outbound", row[3] or "maple-nobody", row[4], number, "ANSWERED", "60"]


_SPOILERS: tuple[Callable[[list[str]], list[str]], ...] = (
    lambda row: [*row[:2], "outbound", "maple-nobody", *row[4:]],
    _with(7, "-5"),
    _called("anonymous"),
    _with(6, "MAYBE"),
    _with(1, "2026-02-30T10:00:00Z"),
    lambda row: [*row, "one", "column", "too many"],
    lambda row: [*row[:2], "inbound", "", row[4], "+16135550199", "ANSWERED", "60"],
    _called("+8821234567890"),
)
"""Ways for a line to be wrong, as in files of real switches."""
