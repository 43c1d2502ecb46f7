"""Publishes a dropped deck file whole, or refuses it whole and lists every bad line."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Sequence

from chalicelib import periods
from chalicelib.aws import objects
from chalicelib.aws.items import Key
from chalicelib.aws.transactions import Change, Put, Scope, commit, event, settled
from chalicelib.config import settings
from chalicelib.csv_cells import inert
from chalicelib.errors import LostRace, Refused
from chalicelib.rating.cdr.records import Cut, chunks, plain_blocks, records
from chalicelib.rating.decks.deck import ROUTES, DeckLine, compile_deck, short_numbers
from chalicelib.rating.decks.parse import BadLine, parse_deck
from chalicelib.rating.decks.store import DeckDrop, DeckHead, DeckVersion

PREFIX = "incoming/decks/"
_KEY = re.compile(r"incoming/decks/(?P<route>\w+)/(?P<day>\d{4}-\d\d-\d\d)[^/]*", re.ASCII)
MAX_DECK_BYTES = 256 << 20
"""The most bytes of an unpacked deck file; 200,000 prefixes have about 10 MB."""
MAX_PREFIXES = 1_000_000
MAX_SHORT_NUMBERS = 2_000
"""They are kept in the item of the deck (some 30 KB), because they decide how dialled numbers are read."""
SHOWN_ERRORS = 100
"""Bad lines that the API answers; the file of errors has all."""


def publish(scope: Scope, key: str, version_id: str) -> DeckDrop | None:
    """Publish or refuse the deck file in an object version; returns its record, ``None`` if the key is not a deck's.

    After any failure it can be called again: it goes on where it stopped.
    """
    named = _KEY.fullmatch(key)
    if named is None:
        return None
    drop = _open(scope, named["route"], named["day"], _drop_id(key, version_id))
    if drop.status != "publishing":
        return drop
    lines, bad = _parse(key, version_id, drop.route, drop.effective_from)
    if bad:
        return _refuse(scope, drop, bad)
    object_key = f"decks/{drop.route}/{drop.effective_from}/{drop.drop_id}.deck"
    objects.write(object_key, compile_deck(lines))
    seen = objects.look(key, version_id)
    dropped_at = seen[1] if seen else scope.now
    return _take_over(scope, drop, object_key, lines, dropped_at)


def drop_key(key: str, version_id: str) -> Key | None:
    """An object version -> the key of its ``DeckDrop``; ``None``: not a deck's key."""
    named = _KEY.fullmatch(key)
    return DeckDrop.key(named["day"], named["route"], _drop_id(key, version_id)) if named else None


def drops(after: str | None, limit: int) -> list[DeckDrop]:
    """Up to ``limit`` dropped decks, the latest ``effective_from`` first; ``after`` is the ``sk`` to go on behind."""
    return DeckDrop.under(*DeckDrop.of_every_deck(), after=after, limit=limit, newest_first=True)


def _drop_id(key: str, version_id: str) -> str:
    return hashlib.sha256("\n".join((settings.bucket, key, version_id)).encode()).hexdigest()[:32]


@settled
def _open(scope: Scope, route: str, day: str, drop_id: str) -> DeckDrop:
    """The record of a dropped file: the one of an earlier delivery of the same message, or a new one."""
    key = DeckDrop.key(day, route, drop_id)
    recorded = DeckDrop.find(*key)
    if recorded:
        return recorded
    drop = DeckDrop(*key, drop_id=drop_id, route=route, effective_from=day, status="publishing", created_at=scope.now)
    commit(scope, [Put(drop)])
    return drop


def _parse(key: str, version_id: str, route: str, day: str) -> tuple[list[DeckLine], list[BadLine]]:
    if route not in ROUTES:
        return [], [BadLine(0, "route", f"must be {' or '.join(ROUTES)}")]
    try:
        periods.parse_day(day)
        lines, bad = parse_deck(_rows(key, version_id))
    except Refused as problem:
        return [], [BadLine(0, "file", problem.detail)]
    except ValueError as problem:
        return [], [BadLine(0, "effective_from", str(problem))]
    if len(lines) > MAX_PREFIXES:
        bad = [*bad, BadLine(0, "file", f"has {len(lines)} prefixes; the limit is {MAX_PREFIXES}")]
    if (count := len(short_numbers(lines))) > MAX_SHORT_NUMBERS:
        bad = [*bad, BadLine(0, "file", f"has {count} short numbers; the limit is {MAX_SHORT_NUMBERS}")]
    return lines, bad


def _rows(key: str, version_id: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Line number and fields of each line; a line that cannot be read has no fields, so it is listed as bad.

    Raises ``Refused`` for a file that is cut short or too large.
    """
    delimiter = ""
    for chunk in chunks(plain_blocks(objects.blocks(key, version_id), key, MAX_DECK_BYTES)):
        if isinstance(chunk, Cut):
            raise Refused(f"line {chunk.line}: {chunk.message}")
        delimiter = delimiter or _delimiter(chunk.data)
        for record in records(chunk, delimiter):
            yield record.line, record.fields


def _delimiter(data: bytes) -> str:
    """The delimiter of the header."""
    header = data.split(b"\n", 1)[0].decode(errors="replace")
    return max(",;\t", key=header.count)


@settled
def _refuse(scope: Scope, drop: DeckDrop, bad: Sequence[BadLine]) -> DeckDrop:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(BadLine._fields)
    writer.writerows(map(inert, line) for line in bad)
    drop.errors_key = f"rejected/decks/{drop.drop_id}.csv"
    objects.write(drop.errors_key, text.getvalue().encode(), "text/csv; charset=utf-8")
    drop.status = "refused"
    drop.errors = [line._asdict() for line in bad[:SHOWN_ERRORS]]
    return _close(scope, drop, [], "deck.refused")


@settled
def _take_over(scope: Scope, drop: DeckDrop, object_key: str, lines: Sequence[DeckLine], dropped_at: int) -> DeckDrop:
    """Give the compiled deck the next version: from now on it prices calls from ``effective_from`` on."""
    head = DeckHead.find(*DeckHead.key())
    version = head.version + 1 if head else 1
    if head:
        counted: list[Put | Change] = [Change(head, [DeckHead.version.set(version)], DeckHead.version == head.version)]
    else:
        counted = [Put(DeckHead(*DeckHead.key(), version=version))]
    published = DeckVersion(
        *DeckVersion.key(drop.route, drop.effective_from, version),
        route=drop.route,
        effective_from=drop.effective_from,
        version=version,
        object_key=object_key,
        prefixes=len(lines),
        short_numbers=short_numbers(lines),
        dropped_at=dropped_at,
    )
    drop.status, drop.prefixes = "published", len(lines)
    return _close(scope, drop, [*counted, Put(published)], "deck.published")


def _close(scope: Scope, drop: DeckDrop, writes: Sequence[Put | Change], kind: str) -> DeckDrop:
    """Write what became of a drop; returns what another delivery of the message wrote if that was faster."""
    recorded = event(
        scope, "operator", kind, drop.drop_id, {"route": drop.route, "effective_from": drop.effective_from}
    )
    try:
        commit(scope, [Change(drop, drop.set_all(), DeckDrop.status == "publishing"), *writes, recorded])
    except LostRace:
        # Either another delivery closed this drop, or another deck took the version: then it is tried again.
        now = DeckDrop.find(drop.pk, drop.sk)
        if now and now.status != "publishing":
            return now
        raise
    return drop
