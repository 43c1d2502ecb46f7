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
    """One deck: why it is held, what it changes, and the batches that were rated before it was published."""
    return _shown(queries.one(call.path["deck_id"], call.scope.now))


@route(bp, "POST", f"{DECK}/publish", roles=OPERATOR, body=DeckPublishIn, answer=DeckShown, status=200)
def publish_deck(call: Call) -> Any:
    """Publish a held deck, naming the code of each of its suspicions; 409 names those that are missing."""
    body, deck_id = call.body(DeckPublishIn), call.path["deck_id"]
    # A repeat finds the deck published, so the answer is stored afterwards: it depends on what was published.
    life.confirm(replace(call.scope, guard=None), deck_id, body.accept, body.cost_currency, body.fx)
    return _shown(queries.one(deck_id, call.scope.now))


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
    deck = queries.one(call.path["deck_id"], call.scope.now)
    lines = queries.every_line(call.path["deck_id"])
    resellers = [one for one in reseller_ids() if one > after]
    found: list[Any] = []
    for place, reseller_id in enumerate(resellers):
        found += loss_guard.of_reseller(reseller_id, deck.route, deck.effective_from, lines, call.scope.now)
        if len(found) >= loss_guard.PAGE and place + 1 < len(resellers):
            return {"items": found, "next": call.write_cursor(reseller_id)}
    return {"items": found, "next": None}


def _shown(deck: queries.Standing) -> Any:
    """A deck with the batches that were begun between its first day and its publication."""
    rated = batch_queries.begun_before_deck(deck.effective_from, deck.version) if deck.version else []
    return replace(deck, rated_before=rated)
