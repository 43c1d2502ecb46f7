"""Items of decks: the files that were dropped, and the decks that were published from them."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute, KeyOf
from chalicelib.aws.transactions import Change, Item, Put, Write

_ID = re.compile(r"(?P<day>\d{4}-\d\d-\d\d)-(?P<route>\w+)-(?P<drop>[0-9a-f]{32})", re.ASCII)


class Status(StrEnum):
    """What became of a dropped deck, as it is stored. ``docs/decks.md`` says which follows which."""

    PUBLISHING = "publishing"
    HELD = "held"
    PUBLISHED = "published"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class DeckHead(Item):
    """``DECKS`` / ``HEAD``: the newest deck version; each published or withdrawn deck takes the next one

    ``pinned``: the highest version that a batch pinned. A deck of a version up to it is never withdrawn, so a batch
    that pins such a version writes nothing here.
    """

    version = IntegerAttribute(default=0)
    pinned = IntegerAttribute(default=0)

    key = KeyOf("DECKS", "HEAD")


class DeckVersion(Item):
    """``DECKS`` / ``<route>#<effective_from>#<version, 12 digits>``: a published deck

    ``effective_from``: its first day, in UTC; ``object_key``: the compiled deck; ``prefixes``: how many lines it has;
    ``short_numbers``: see ``deck.short_numbers``; ``dropped_at``: when its file came; ``deck_id``: its ``DeckDrop``.
    """

    route = UnicodeAttribute()
    effective_from = UnicodeAttribute()
    version = IntegerAttribute()
    object_key = UnicodeAttribute()
    prefixes = IntegerAttribute()
    short_numbers: Any = JSONAttribute(default=dict)
    dropped_at = IntegerAttribute()
    deck_id = UnicodeAttribute()

    key = KeyOf("DECKS", "<route>#<effective_from>#<version:012d>")
    of_route = KeyOf("DECKS", "<route>#")


class DeckUpload(Item):
    """``DECKUPLOAD`` / ``<object key>``: what the operator said about a deck file when it asked for its address

    ``file``: the name that the file has there; ``by``: who asked. ``fx_e10``: units of the deployment's currency for
    one of ``cost_currency``.
    """

    file = UnicodeAttribute()
    by = UnicodeAttribute()
    cost_currency = UnicodeAttribute(null=True)
    fx_e10 = IntegerAttribute(null=True)

    key = KeyOf("DECKUPLOAD", "<object_key>")


class DeckFormatItem(Item):
    """``DECKFORMATS`` / ``<source_id>``: a deck format, and the files that it is for

    ``pattern`` is matched with what is below ``incoming/decks/``; ``form``: the fields of ``formats.DeckFormat``.
    """

    source_id = UnicodeAttribute()
    pattern = UnicodeAttribute()
    form: Any = JSONAttribute(default=dict)

    key = KeyOf("DECKFORMATS", "<source_id>")
    of_every_format = KeyOf("DECKFORMATS", "")


class DeckDrop(Item):
    """``DECKLOG`` / ``<effective_from>#<route>#<drop_id>``: a deck file that was dropped

    ``status``: see ``Status``. ``errors``: the first bad lines; the object ``errors_key`` lists all. ``object_key``:
    the compiled deck; ``given_key``: the same before ``fx_e10`` converted its costs from ``cost_currency``, if it did.
    ``suspicions``: why the deck is held, or was; ``compared_to``: the deck id that its ``difference`` (totals) is to;
    ``basis``: see ``holding.Findings``.
    ``accepted``: the codes that were confirmed, ``confirmed_by`` and ``confirmed_at``. ``version``: of the published
    deck. ``file``, ``by``, ``dropped_at``: name, giver and time of the file.
    """

    drop_id = UnicodeAttribute()
    route = UnicodeAttribute()
    effective_from = UnicodeAttribute()
    status = UnicodeAttribute()
    file = UnicodeAttribute()
    by = UnicodeAttribute()
    prefixes = IntegerAttribute(default=0)
    errors: Any = JSONAttribute(default=list)
    errors_key = UnicodeAttribute(null=True)
    created_at = IntegerAttribute()
    dropped_at = IntegerAttribute(default=0)
    object_key = UnicodeAttribute(null=True)
    given_key = UnicodeAttribute(null=True)
    cost_currency = UnicodeAttribute(null=True)
    fx_e10 = IntegerAttribute(null=True)
    suspicions: Any = JSONAttribute(default=list)
    difference: Any = JSONAttribute(null=True)
    compared_to = UnicodeAttribute(null=True)
    basis = UnicodeAttribute(null=True)
    accepted: Any = JSONAttribute(default=list)
    confirmed_by = UnicodeAttribute(null=True)
    confirmed_at = IntegerAttribute(null=True)
    version = IntegerAttribute(null=True)

    key = KeyOf("DECKLOG", "<effective_from>#<route>#<drop_id>")
    of_every_deck = KeyOf("DECKLOG", "")

    @property
    def deck_id(self) -> str:
        """The id of the deck in the API: its key can be read from it."""
        return f"{self.effective_from}-{self.route}-{self.drop_id}"


def decks_upto(route: str, version: int) -> list[DeckVersion]:
    """The decks of a route that were published up to deck version ``version``, the oldest day first."""
    return [row for row in DeckVersion.under(*DeckVersion.of_route(route)) if row.version <= version]


def counting(route: str, version: int) -> list[DeckVersion]:
    """The decks of a route that count, by their first day: of several for one day, the one that was dropped last."""
    rows = sorted(decks_upto(route, version), key=lambda row: (row.dropped_at, row.version))
    newest = {row.effective_from: row for row in rows}
    return [row for _, row in sorted(newest.items())]


def drop_of(deck_id: str) -> DeckDrop | None:
    """The dropped deck with an id; ``None`` if there is none."""
    named = _ID.fullmatch(deck_id)
    return DeckDrop.find(*DeckDrop.key(named["day"], named["route"], named["drop"])) if named else None


def head_and_version() -> tuple[DeckHead | None, int]:
    """The head as it is stored, and the newest deck version; 0 while no deck was ever published."""
    head = DeckHead.find(*DeckHead.key())
    return head, head.version if head else 0


def next_version(head: DeckHead | None) -> tuple[int, Write]:
    """The next deck version, and the write that takes it; it fails if another deck took it."""
    if head is None:
        return 1, Put(DeckHead(*DeckHead.key(), version=1))
    return head.version + 1, Change(head, [DeckHead.version.set(head.version + 1)], DeckHead.version == head.version)


def pin(head: DeckHead | None) -> list[Write]:
    """The writes with which a batch pins the newest deck version, so that no deck up to it is ever withdrawn.

    Usually none: ``pinned`` is as high already. Else the transaction fails if a deck was published or withdrawn.
    """
    if head is None or head.pinned >= head.version:
        return []
    unchanged = (DeckHead.version == head.version) & (DeckHead.pinned == head.pinned)
    return [Change(head, [DeckHead.pinned.set(head.version)], unchanged)]
