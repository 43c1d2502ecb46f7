"""A dropped deck: taken whole or refused whole, with every bad line listed; the deck in force stays until then."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator, Sequence

from chalicelib import periods
from chalicelib.aws import objects
from chalicelib.aws.transactions import Change, Put, Scope, commit, event, settle
from chalicelib.config import settings
from chalicelib.errors import LostRace, Refused
from chalicelib.rating.cdr.records import Cut, chunks, plain_blocks, records
from chalicelib.rating.decks import deck
from chalicelib.rating.decks.deck import ROUTES, BadLine, DeckLine
from chalicelib.rating.decks.store import DeckDrop, DeckHead, DeckVersion

PREFIX = "incoming/decks/"
_KEY = re.compile(r"incoming/decks/(?P<route>\w+)/(?P<day>\d{4}-\d\d-\d\d)[^/]*", re.ASCII)
MAX_DECK_BYTES = 256 << 20
"""Unpacked; a deck of 200,000 prefixes has about 10 MB."""
MAX_PREFIXES = 1_000_000
SHOWN_ERRORS = 100


def publish(scope: Scope, key: str, version_id: str) -> DeckDrop | None:
    """Publish one dropped deck file, or refuse it; call it again after any failure. ``None``: not a deck's key."""
    where, place = _KEY.fullmatch(key), place_of(key, version_id)
    if where is None or place is None:
        return None
    drop = settle(lambda: _open(scope, place, where["route"], where["day"]))
    if drop.status != "publishing":
        return drop
    lines, bad = _parse(key, version_id, where["route"], where["day"])
    if bad:
        return settle(lambda: _refuse(scope, drop, bad))
    object_key = f"decks/{drop.route}/{drop.effective_from}/{drop.drop_id}.deck"
    objects.write(object_key, deck.compile_deck(lines))
    found = objects.look(key, version_id)
    dropped_at = found[1] if found else scope.now
    return settle(lambda: _publish(scope, drop, object_key, len(lines), dropped_at))


def place_of(key: str, version_id: str) -> tuple[str, str] | None:
    """Where in the table the record of a dropped deck stands; ``None``: not a deck's key."""
    where = _KEY.fullmatch(key)
    if where is None:
        return None
    drop_id = hashlib.sha256("\n".join((settings.bucket, key, version_id)).encode()).hexdigest()[:32]
    return "DECKLOG", f"{where['day']}#{where['route']}#{drop_id}"


def drops(after: str | None, limit: int) -> list[DeckDrop]:
    """Dropped decks, the latest ``effective_from`` first."""
    return DeckDrop.under("DECKLOG", "", after=after, limit=limit, newest_first=True)


def _open(scope: Scope, place: tuple[str, str], route: str, day: str) -> DeckDrop:
    pk, sk = place
    found = DeckDrop.find(pk, sk)
    if found:
        return found
    drop = DeckDrop(
        pk,
        sk,
        drop_id=sk.rsplit("#", 1)[1],
        route=route,
        effective_from=day,
        status="publishing",
        created_at=scope.now,
    )
    commit(scope, [Put(drop)])
    return drop


def _parse(key: str, version_id: str, route: str, day: str) -> tuple[list[DeckLine], list[BadLine]]:
    if route not in ROUTES:
        return [], [BadLine(0, "route", f"must be {' or '.join(ROUTES)}")]
    try:
        periods.parse_day(day)
        lines, bad = deck.parse_deck(_rows(key, version_id))
    except Refused as problem:
        return [], [BadLine(0, "file", problem.detail)]
    except ValueError as problem:
        return [], [BadLine(0, "effective_from", str(problem))]
    if len(lines) > MAX_PREFIXES:
        bad = [*bad, BadLine(0, "file", f"has {len(lines)} prefixes; the limit is {MAX_PREFIXES}")]
    return lines, bad


def _rows(key: str, version_id: str) -> Iterator[tuple[int, Sequence[str]]]:
    """Line number and fields of each line; an unreadable line has no fields, so that it is listed as bad."""
    delimiter = ""
    for chunk in chunks(plain_blocks(objects.blocks(key, version_id), key, MAX_DECK_BYTES)):
        if isinstance(chunk, Cut):
            raise Refused(f"line {chunk.line}: {chunk.message}")
        delimiter = delimiter or _delimiter(chunk.data)
        for record in records(chunk, delimiter):
            yield record.line, record.fields


def _delimiter(data: bytes) -> str:
    """What the header separates its columns with."""
    header = data.split(b"\n", 1)[0].decode(errors="replace")
    return max(",;\t", key=header.count)


def _refuse(scope: Scope, drop: DeckDrop, bad: Sequence[BadLine]) -> DeckDrop:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("line", "field", "message"))
    writer.writerows(bad)
    drop.errors_key = f"rejected/decks/{drop.drop_id}.csv"
    objects.write(drop.errors_key, text.getvalue().encode(), "text/csv; charset=utf-8")
    drop.status = "refused"
    drop.errors = [{"line": line, "field": field, "message": message} for line, field, message in bad[:SHOWN_ERRORS]]
    return _settled(scope, drop, [], "deck.refused")


def _publish(scope: Scope, drop: DeckDrop, object_key: str, prefixes: int, dropped_at: int) -> DeckDrop:
    head = DeckHead.find("DECKS", "HEAD")
    version = head.version + 1 if head else 1
    if head:
        counted: list[Put | Change] = [Change(head, [DeckHead.version.set(version)], DeckHead.version == head.version)]
    else:
        counted = [Put(DeckHead("DECKS", "HEAD", version=version))]
    published = DeckVersion(
        "DECKS",
        f"{drop.route}#{drop.effective_from}#{version:012d}",
        route=drop.route,
        effective_from=drop.effective_from,
        version=version,
        object_key=object_key,
        prefixes=prefixes,
        dropped_at=dropped_at,
    )
    drop.status, drop.prefixes = "published", prefixes
    return _settled(scope, drop, [*counted, Put(published)], "deck.published")


def _settled(scope: Scope, drop: DeckDrop, writes: Sequence[Put | Change], kind: str) -> DeckDrop:
    told = event(scope, "operator", kind, drop.drop_id, {"route": drop.route, "effective_from": drop.effective_from})
    try:
        commit(scope, [Change(drop, drop.set_all(), DeckDrop.status == "publishing"), *writes, told])
    except LostRace:
        # A twin may have settled this very drop; otherwise another deck took the version, and we try again.
        found = DeckDrop.find("DECKLOG", drop.sk)
        if found and found.status != "publishing":
            return found
        raise
    return drop
