"""Items of decks: the files that were dropped, and the decks that were published from them."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute, KeyOf
from chalicelib.aws.transactions import Item


class DeckHead(Item):
    """``DECKS`` / ``HEAD``: the newest deck version; each published deck takes the next one"""

    version = IntegerAttribute(default=0)

    key = KeyOf("DECKS", "HEAD")


class DeckVersion(Item):
    """``DECKS`` / ``<route>#<effective_from>#<version, 12 digits>``: a published deck

    ``effective_from``: its first day, in UTC; ``object_key``: the compiled deck; ``prefixes``: how many lines it has;
    ``short_numbers``: see ``deck.short_numbers``; ``dropped_at``: when its file came.
    """

    route = UnicodeAttribute()
    effective_from = UnicodeAttribute()
    version = IntegerAttribute()
    object_key = UnicodeAttribute()
    prefixes = IntegerAttribute()
    short_numbers: Any = JSONAttribute(default=dict)
    dropped_at = IntegerAttribute()

    key = KeyOf("DECKS", "<route>#<effective_from>#<version:012d>")
    of_route = KeyOf("DECKS", "<route>#")


class DeckDrop(Item):
    """``DECKLOG`` / ``<effective_from>#<route>#<drop_id>``: a deck file that was dropped

    ``status``: ``publishing``, then ``published`` or ``refused``. ``errors``: the first bad lines; the object
    ``errors_key`` lists all.
    """

    drop_id = UnicodeAttribute()
    route = UnicodeAttribute()
    effective_from = UnicodeAttribute()
    status = UnicodeAttribute()
    prefixes = IntegerAttribute(default=0)
    errors: Any = JSONAttribute(default=list)
    errors_key = UnicodeAttribute(null=True)
    created_at = IntegerAttribute()

    key = KeyOf("DECKLOG", "<effective_from>#<route>#<drop_id>")
    of_every_deck = KeyOf("DECKLOG", "")


def decks_upto(route: str, version: int) -> list[DeckVersion]:
    """The decks of a route that were published up to deck version ``version``, the oldest day first."""
    return [row for row in DeckVersion.under(*DeckVersion.of_route(route)) if row.version <= version]
