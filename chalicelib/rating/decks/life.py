"""What becomes of a deck after its file was read: published, held, confirmed, withdrawn.

Each step is one transaction with the conditions that it depends on, so a repeat and a twin find it done.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from chalicelib.accounts.service import term_versions
from chalicelib.aws import objects
from chalicelib.aws.transactions import Change, Put, Remove, Scope, Write, commit, event, settled
from chalicelib.errors import Conflict, FieldError, Invalid, existing
from chalicelib.rating.decks import currency, holding
from chalicelib.rating.decks.deck import Deck, compile_deck, short_numbers
from chalicelib.rating.decks.store import (
    DeckDrop,
    DeckHead,
    DeckVersion,
    Status,
    drop_of,
    head_and_version,
    next_version,
)


def publishing_writes(drop: DeckDrop, deck: Deck) -> list[Write]:
    """Give a deck the next version: from then on it prices calls from its first day on. ``drop.version`` is set."""
    version, taken = next_version(head_and_version()[0])
    drop.version = version
    numbers = map(deck.line, range(deck.prefix_count, len(deck)))
    published = DeckVersion(
        *DeckVersion.key(drop.route, drop.effective_from, version),
        route=drop.route,
        effective_from=drop.effective_from,
        version=version,
        object_key=drop.object_key,
        prefixes=len(deck),
        short_numbers=short_numbers(numbers),
        dropped_at=drop.dropped_at,
        deck_id=drop.deck_id,
    )
    return [taken, Put(published)]


def recorded(scope: Scope, drop: DeckDrop, **more: Any) -> Put:
    """The event of a drop's present status, in the operator's trail."""
    fields = {"route": drop.route, "effective_from": drop.effective_from, "file": drop.file, **more}
    return event(scope, "operator", f"deck.{drop.status}", drop.deck_id, fields)


@settled
def confirm(
    scope: Scope, deck_id: str, accept: Collection[str], cost_currency: str | None, fx_e10: int | None
) -> DeckDrop:
    """Publish a held deck whose every suspicion is accepted, by code; one that is published is returned as it is.

    What depends on the deck in force and on calls is looked at again. ``Conflict`` names the codes that are not
    accepted; ``NotFound``; ``Invalid`` for an ``fx_e10`` that the deck cannot be converted with.
    """
    drop = existing(drop_of(deck_id))
    if drop.status == Status.PUBLISHED:
        return drop
    if drop.status != Status.HELD:
        raise Conflict(f"This deck is {drop.status}; only a held one can be published.")
    if fx_e10 is not None:
        _convert(drop, cost_currency, fx_e10)
    deck = holding.opened(str(drop.object_key))
    own = [each for each in drop.suspicions if each["code"] == holding.NO_FX and fx_e10 is None]
    holding.look_again(drop, deck, scope.now)
    drop.suspicions = [*own, *drop.suspicions]
    _require_accepted(scope, drop, accept, keep=fx_e10 is None)
    drop.status, drop.accepted = Status.PUBLISHED.value, sorted({each["code"] for each in drop.suspicions})
    drop.confirmed_by, drop.confirmed_at = scope.actor, scope.now
    writes = publishing_writes(drop, deck)
    change = Change(drop, drop.set_all(), DeckDrop.status == Status.HELD.value)
    commit(scope, [change, *writes, recorded(scope, drop, accepted=drop.accepted)], drop)
    return drop


def _require_accepted(scope: Scope, drop: DeckDrop, accept: Collection[str], *, keep: bool) -> None:
    left = [each for each in drop.suspicions if each["code"] not in accept or each["code"] == holding.NO_FX]
    if not left:
        return
    if keep:
        # The list shows what was found now; with another rate of exchange it would be about costs that are not kept.
        changes = {name: getattr(drop, name) for name in ("suspicions", "difference", "compared_to", "basis")}
        stored = DeckDrop(drop.pk, drop.sk)
        unguarded = Scope(scope.actor, scope.now, scope.role, scope.label)
        commit(unguarded, [Change(stored, stored.set_values(changes), DeckDrop.status == Status.HELD.value)])
    errors = tuple(FieldError("accept", f"must hold {each['code']}: {each['message']}") for each in left)
    raise Conflict(f"Not accepted: {', '.join(each['code'] for each in left)}.", errors)


def _convert(drop: DeckDrop, cost_currency: str | None, fx_e10: int) -> None:
    """Convert the costs of a held deck as they were given, and write it compiled."""
    known = cost_currency or drop.cost_currency
    if known is None:
        raise Invalid.field("cost_currency", "is missing: fx converts from it")
    given_key = drop.given_key or drop.object_key
    try:
        lines = currency.convert(holding.opened(str(given_key)).lines(), fx_e10)
    except ValueError as problem:
        raise Invalid.field("fx", str(problem)) from None
    # The name holds the rate of exchange, so two confirmations with different rates write two objects.
    drop.object_key = f"{str(given_key).removesuffix('.deck')}.{fx_e10}.deck"
    objects.write(drop.object_key, compile_deck(lines))
    drop.given_key, drop.cost_currency, drop.fx_e10 = given_key, known, fx_e10
    # Other costs: what was found of the former ones does not hold.
    drop.basis = None


@settled
def withdraw(scope: Scope, deck_id: str) -> None:
    """Take back a held deck, or a published one that no call was rated with; one that is withdrawn stays so.

    ``Conflict`` while any batch is open, and for a version that a batch has pinned or that a pinned one includes.
    A batch that pins the version at the same moment fails or makes this fail: both change the head of the decks.
    """
    drop = existing(drop_of(deck_id))
    before = drop.status
    if before == Status.WITHDRAWN:
        return
    if before not in (Status.HELD, Status.PUBLISHED):
        raise Conflict(f"This deck is {before}; only a held or published one can be withdrawn.")
    drop.status = Status.WITHDRAWN.value
    change = Change(drop, [DeckDrop.status.set(drop.status)], DeckDrop.status == before)
    writes = _taken_back(drop) if before == Status.PUBLISHED else []
    commit(scope, [change, *writes, recorded(scope, drop)])


def _taken_back(drop: DeckDrop) -> Sequence[Write]:
    """The writes that take a published deck out of force. They take a version: caches know decks by the version."""
    if open_batches := term_versions.held_batches():
        raise Conflict(f"Batch {open_batches[0][1]} is being rated; try again when it is done.")
    head, version = head_and_version()
    if head is None or head.pinned >= drop.version:
        raise Conflict(
            f"A batch was rated with deck version {head.pinned if head else 0}, which includes this deck "
            f"(version {drop.version}). Drop a deck of the same date instead: the later one counts."
        )
    unchanged = (DeckHead.version == version) & (DeckHead.pinned == head.pinned)
    row = DeckVersion(*DeckVersion.key(drop.route, drop.effective_from, drop.version))
    return [
        Change(head, [DeckHead.version.set(version + 1)], unchanged),
        Remove(row, DeckVersion.pk.exists()),
    ]
