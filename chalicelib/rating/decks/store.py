"""Items of decks: what was dropped, and what of it is in force."""

from __future__ import annotations

from typing import Any

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from chalicelib.aws.items import IntegerAttribute
from chalicelib.aws.transactions import Item


class DeckHead(Item):
    """``DECKS`` / ``HEAD``: counts published decks"""

    version = IntegerAttribute(default=0)


class DeckVersion(Item):
    """``DECKS`` / ``<route>#<effective_from>#<version, 12 digits>``"""

    route = UnicodeAttribute()
    effective_from = UnicodeAttribute()
    version = IntegerAttribute()
    object_key = UnicodeAttribute()
    prefixes = IntegerAttribute()
    dropped_at = IntegerAttribute()


class DeckDrop(Item):
    """``DECKLOG`` / ``<effective_from>#<route>#<drop_id>``: a deck file as it was dropped, and what became of it"""

    drop_id = UnicodeAttribute()
    route = UnicodeAttribute()
    effective_from = UnicodeAttribute()
    status = UnicodeAttribute()
    prefixes = IntegerAttribute(default=0)
    errors: Any = JSONAttribute(default=list)
    errors_key = UnicodeAttribute(null=True)
    created_at = IntegerAttribute()


def decks_upto(route: str, version: int) -> list[DeckVersion]:
    """Published decks of a route that deck version ``version`` knows, oldest day first."""
    return [row for row in DeckVersion.under("DECKS", f"{route}#") if row.version <= version]
