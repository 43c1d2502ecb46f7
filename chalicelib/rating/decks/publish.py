"""Takes a dropped deck file whole, or refuses it whole and lists every bad line.

A deck without a suspicion is published at once; any other is held until the operator confirms it (``life``).
"""

from __future__ import annotations

import csv
import hashlib
import io
import logging
import re
from collections.abc import Sequence
from typing import Any

from chalicelib import periods
from chalicelib.aws import objects
from chalicelib.aws.items import Key
from chalicelib.aws.transactions import Change, Put, Scope, Write, commit, settled
from chalicelib.config import settings
from chalicelib.csv_cells import inert
from chalicelib.errors import LostRace, Refused
from chalicelib.money import format_rate
from chalicelib.rating.decks import currency, declared, holding, life, reading
from chalicelib.rating.decks.deck import ROUTES, Deck, DeckLine, compile_deck, short_numbers
from chalicelib.rating.decks.parse import BadLine
from chalicelib.rating.decks.store import DeckDrop, DeckUpload, Status

log = logging.getLogger(__name__)

PREFIX = "incoming/decks/"
BUCKET = "bucket"
"""``by`` of a file that came into the bucket without an upload that the API prepared."""
_KEY = re.compile(r"incoming/decks/(?P<route>\w+)/(?P<day>\d{4}-\d\d-\d\d)[^/]*", re.ASCII)
MAX_PREFIXES = 1_000_000
MAX_SHORT_NUMBERS = 2_000
"""They are kept in the item of the deck (some 30 KB), because they decide how dialled numbers are read."""
SHOWN_ERRORS = 100
"""Bad lines that the API answers; the file of errors has all."""


def publish(scope: Scope, key: str, version_id: str) -> DeckDrop | None:
    """Publish, hold or refuse a deck file; returns its record, ``None`` if the key is not a deck's.

    After any failure it can be called again: it goes on where it stopped.
    """
    named = _KEY.fullmatch(key)
    if named is None:
        return None
    drop = _open(scope, named["route"], named["day"], key, version_id)
    if drop.status != Status.PUBLISHING:
        return drop
    given, bad = _parse(key, version_id, drop)
    lines = given
    if drop.fx_e10 and not bad:
        try:
            lines = currency.convert(given, drop.fx_e10)
        except ValueError as problem:
            bad = [BadLine(0, "fx", str(problem), "bad_fx", format_rate(drop.fx_e10))]
    if bad:
        return _refuse(scope, drop, bad)
    place = f"decks/{drop.route}/{drop.effective_from}/{drop.drop_id}"
    drop.object_key, drop.given_key = f"{place}.deck", f"{place}.given.deck" if drop.fx_e10 else None
    compiled = compile_deck(lines)
    objects.write(drop.object_key, compiled)
    if drop.given_key:
        objects.write(drop.given_key, compile_deck(given))
    drop.prefixes = len(lines)
    found = holding.look(drop.route, drop.effective_from, lines, scope.now)
    holding.note(drop, found)
    drop.suspicions = [*_of_the_file(drop), *found.suspicions]
    return _take_over(scope, drop, Deck.load(compiled))


def _of_the_file(drop: DeckDrop) -> list[dict[str, str]]:
    """The suspicions that depend on the file alone."""
    if drop.cost_currency and not drop.fx_e10:
        message = f"The costs are in {drop.cost_currency}: confirm with fx, what one {drop.cost_currency} costs."
        return [{"code": holding.NO_FX, "message": message}]
    return []


def drop_key(key: str, version_id: str) -> Key | None:
    """An object version -> the key of its ``DeckDrop``; ``None``: not a deck's key."""
    named = _KEY.fullmatch(key)
    return DeckDrop.key(named["day"], named["route"], _drop_id(key, version_id)) if named else None


def _drop_id(key: str, version_id: str) -> str:
    return hashlib.sha256("\n".join((settings.bucket, key, version_id)).encode()).hexdigest()[:32]


@settled
def _open(scope: Scope, route: str, day: str, object_key: str, version_id: str) -> DeckDrop:
    """The record of a dropped file: the one of an earlier delivery of the same message, or a new one."""
    drop_id = _drop_id(object_key, version_id)
    key = DeckDrop.key(day, route, drop_id)
    recorded = DeckDrop.find(*key)
    if recorded:
        return recorded
    asked = DeckUpload.find(*DeckUpload.key(object_key))
    seen = objects.look(object_key, version_id)
    drop = DeckDrop(
        *key,
        drop_id=drop_id,
        route=route,
        effective_from=day,
        status=Status.PUBLISHING.value,
        file=asked.file if asked else object_key.rpartition("/")[2],
        by=asked.by if asked else BUCKET,
        cost_currency=asked.cost_currency if asked else None,
        fx_e10=asked.fx_e10 if asked else None,
        created_at=scope.now,
        dropped_at=seen[1] if seen else scope.now,
    )
    commit(scope, [Put(drop)])
    return drop


def _parse(key: str, version_id: str, drop: DeckDrop) -> tuple[list[DeckLine], list[BadLine]]:
    """The lines of the file and what is wrong with it; notes the currency that the file names."""
    if drop.route not in ROUTES:
        return [], [BadLine(0, "route", f"must be {' or '.join(ROUTES)}", "bad_route", drop.route)]
    try:
        periods.parse_day(drop.effective_from)
        chosen = declared.chosen_for(key.removeprefix(PREFIX))
        blocks = objects.blocks(key, version_id)
        found = reading.read_file(blocks, key, drop.effective_from, chosen[1] if chosen else None).read
    except Refused as problem:
        return [], [BadLine(0, "file", problem.detail, "bad_file")]
    except ValueError as problem:
        return [], [BadLine(0, "effective_from", str(problem), "bad_effective_from", drop.effective_from)]
    if found.currency and found.currency != settings.currency and not drop.cost_currency:
        drop.cost_currency = found.currency
    return found.lines, [*found.bad, *too_many(found.lines)]


def too_many(lines: Sequence[DeckLine]) -> list[BadLine]:
    """An error for each limit that a deck exceeds."""
    bad = []
    if len(lines) > MAX_PREFIXES:
        bad.append(BadLine(0, "file", f"has {len(lines)} prefixes; the limit is {MAX_PREFIXES}", "too_many"))
    if (count := len(short_numbers(lines))) > MAX_SHORT_NUMBERS:
        message = f"has {count} short numbers; the limit is {MAX_SHORT_NUMBERS}"
        bad.append(BadLine(0, "file", message, "too_many"))
    return bad


@settled
def _refuse(scope: Scope, drop: DeckDrop, bad: Sequence[BadLine]) -> DeckDrop:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(BadLine._fields)
    writer.writerows(map(inert, line) for line in bad)
    drop.errors_key = f"rejected/decks/{drop.drop_id}.csv"
    objects.write(drop.errors_key, text.getvalue().encode(), "text/csv; charset=utf-8")
    drop.status = Status.REFUSED.value
    drop.errors = [line._asdict() for line in bad[:SHOWN_ERRORS]]
    return _close(scope, drop, [])


@settled
def _take_over(scope: Scope, drop: DeckDrop, deck: Deck) -> DeckDrop:
    """Publish a deck that was compiled, or hold it if anything about it is suspicious."""
    if not drop.suspicions:
        drop.status = Status.PUBLISHED.value
        return _close(scope, drop, life.publishing_writes(drop, deck))
    drop.status = Status.HELD.value
    codes = [each["code"] for each in drop.suspicions]
    closed = _close(scope, drop, [], suspicions=codes)
    # An alarm of infra/template.yaml looks for these words: the operator has no other notices.
    log.warning("A deck is held: %s (%s)", drop.deck_id, ", ".join(codes))
    return closed


def _close(scope: Scope, drop: DeckDrop, writes: Sequence[Write], **fields: Any) -> DeckDrop:
    """Write what became of a drop; returns what another delivery of the message wrote if that was faster."""
    change = Change(drop, drop.set_all(), DeckDrop.status == Status.PUBLISHING.value)
    try:
        commit(scope, [change, *writes, life.recorded(scope, drop, **fields)])
    except LostRace:
        # Either another delivery closed this drop, or another deck took the version: then it is tried again.
        now = DeckDrop.find(drop.pk, drop.sk)
        if now and now.status != Status.PUBLISHING:
            return now
        raise
    return drop
