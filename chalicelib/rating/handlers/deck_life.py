"""Routes of decks after they were dropped. All are the operator's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chalicelib.accounts.ledger.queries import reseller_ids
from chalicelib.fields import Page, Paging
from chalicelib.framework import Blueprint
from chalicelib.principals import OPERATOR
from chalicelib.rating.batches import queries as batch_queries
from chalicelib.rating.decks import life, queries
from chalicelib.rating.decks.store import Status
from chalicelib.rating.pricing import loss_guard
from chalicelib.rating.shapes.deck_life import (
    DeckDiff,
    DeckLineOut,
    DeckOut,
    DeckPublishIn,
    DeckShown,
    DiffQuery,
    LinesQuery,
    LossesQuery,
    LossOut,
)
from chalicelib.web import lists
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)
DECK = "/v1/decks/{deck_id}"


@route(bp, "GET", "/v1/decks", roles=OPERATOR, query=Paging, answer=Page[DeckOut])
def list_decks(call: Call) -> Any:
    """Dropped decks, the latest first day first."""
    query = call.query(Paging)
    found = queries.listed(call.read_cursor(query.cursor), query.limit + 1, call.scope.now)
    return lists.cut(call, query.limit, found, lambda deck: deck.sk)


@route(bp, "GET", DECK, roles=OPERATOR, answer=DeckShown)
def get_deck(call: Call) -> Any:
    """One deck: why it is held, what it changes, how much of it is sold below cost, and batches rated before it."""
    return _shown(call)


@route(bp, "POST", f"{DECK}/publish", roles=OPERATOR, body=DeckPublishIn, answer=DeckShown, status=200)
def publish_deck(call: Call) -> Any:
    """Publish a held deck, naming the code of each of its suspicions; 409 names those that are missing."""
    body, deck_id = call.body(DeckPublishIn), call.path["deck_id"]
    # A repeat finds the deck published, so the answer is stored afterwards: it depends on what was published.
    life.confirm(replace(call.scope, guard=None), deck_id, body.accept, body.cost_currency, body.fx)
    return _shown(call)


@route(bp, "DELETE", DECK, roles=OPERATOR)
def withdraw_deck(call: Call) -> None:
    """Withdraw a deck that no call was rated with; 409 for any other."""
    life.withdraw(call.scope, call.path["deck_id"])


@route(bp, "GET", f"{DECK}/lines", roles=OPERATOR, query=LinesQuery, answer=Page[DeckLineOut])
def list_deck_lines(call: Call) -> Any:
    """The lines of a deck in the order of their digits, with the costs as they were given where they were converted."""
    query = call.query(LinesQuery)
    after = call.read_cursor(query.cursor)
    found = queries.lines(call.path["deck_id"], query.prefix, after, query.limit + 1)
    return lists.cut(call, query.limit, found, lambda line: line.place)


@route(bp, "GET", f"{DECK}/diff", roles=OPERATOR, query=DiffQuery, answer=DeckDiff)
def get_deck_diff(call: Call) -> Any:
    """What this deck changes, compared with another one or with the one in force."""
    to, found = queries.compared(call.path["deck_id"], call.query(DiffQuery).to, call.scope.now)
    return {"to": to, **found}


@route(bp, "GET", f"{DECK}/losses", roles=OPERATOR, query=LossesQuery, answer=Page[LossOut])
def list_deck_losses(call: Call) -> Any:
    """Lines of a deck that packages sell below cost, with the rules that set their prices; reseller by reseller."""
    after = call.read_cursor(call.query(LossesQuery).cursor) or ""
    found = _losses(queries.one(call.path["deck_id"], call.scope.now), call.scope.now, after)
    return {"items": found.items, "next": call.write_cursor(found.last) if found.last else None}


def _losses(deck: queries.Standing, now: int, after: str = "") -> loss_guard.Page:
    """Losses of the resellers behind ``after``; ``Conflict`` for a deck without lines."""
    resellers = [one for one in reseller_ids() if one > after]
    return loss_guard.page(resellers, deck.route, deck.effective_from, queries.every_line(deck.deck_id), now)


def _shown(call: Call) -> Any:
    """The deck of the path, with the batches that were begun between its first day and its publication."""
    deck = queries.one(call.path["deck_id"], call.scope.now)
    rated = batch_queries.begun_before_deck(deck.effective_from, deck.version) if deck.version else []
    return replace(deck, rated_before=rated, below_cost=_below_cost(deck, call.scope.now))


def _below_cost(deck: queries.Standing, now: int) -> dict[str, Any] | None:
    """How much of a deck is sold below cost; ``None`` if it prices no calls, or not in this currency."""
    if deck.status not in (Status.HELD, Status.PUBLISHED) or (deck.cost_currency and not deck.fx_e10):
        return None
    found = _losses(deck, now)
    return {
        "prefixes": found.prefixes,
        "packages": len({each["package_id"] for each in found.items}),
        "complete": found.last is None,
        "url": DECK.format(deck_id=deck.deck_id) + "/losses",
    }
