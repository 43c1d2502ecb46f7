"""The deck formats that the operator declared: kept, listed, and chosen for a file."""

from __future__ import annotations

from typing import Any

from chalicelib.aws.transactions import Put, Remove, Scope, commit, event, settled
from chalicelib.errors import Conflict, NotFound
from chalicelib.rating.cdr.mapping import chosen
from chalicelib.rating.decks.formats import DeckFormat
from chalicelib.rating.decks.store import DeckFormatItem

MAX_FORMATS = 100
"""Every dropped deck compares its name with all of them."""


def listed() -> list[DeckFormatItem]:
    """All formats by id."""
    return DeckFormatItem.under(*DeckFormatItem.of_every_format())


@settled
def put(scope: Scope, format_id: str, pattern: str, form: dict[str, Any]) -> DeckFormatItem:
    """Declare a format, or replace it. ``Conflict`` above ``MAX_FORMATS``."""
    known = {each.source_id: each for each in listed()}
    if format_id not in known and len(known) >= MAX_FORMATS:
        raise Conflict(f"There are {MAX_FORMATS} deck formats already; remove one first.")
    item = DeckFormatItem(*DeckFormatItem.key(format_id), source_id=format_id, pattern=pattern, form=form)
    before = _plain(known[format_id]) if format_id in known else None
    recorded = event(scope, "operator", "deck_format.changed", format_id, _plain(item), before)
    commit(scope, [Put(item, anyway=True), recorded], item)
    return item


@settled
def delete(scope: Scope, format_id: str) -> None:
    """Remove a format; ``NotFound`` when there is none. Decks that were read with it stay."""
    item = DeckFormatItem.find(*DeckFormatItem.key(format_id))
    if item is None:
        raise NotFound("There is no such deck format.")
    recorded = event(scope, "operator", "deck_format.deleted", format_id, None, _plain(item))
    commit(scope, [Remove(item, DeckFormatItem.pk.exists()), recorded])


def chosen_for(path: str) -> tuple[str, DeckFormat] | None:
    """Id and format for a file, or None; ``path``: its key below ``incoming/decks/``. The longest pattern decides."""
    item = chosen(listed(), path)
    return (item.source_id, DeckFormat(**item.form)) if item else None


def _plain(item: DeckFormatItem) -> dict[str, Any]:
    return {"pattern": item.pattern, **item.form}
