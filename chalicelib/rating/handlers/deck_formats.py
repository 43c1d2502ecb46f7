"""Routes of deck formats and of previews of decks. All are the operator's."""

from __future__ import annotations

from typing import Any

from chalicelib.fields import Page
from chalicelib.framework import Blueprint
from chalicelib.principals import OPERATOR
from chalicelib.rating.decks import declared, preview, publish
from chalicelib.rating.shapes.deck_formats import (
    MAX_PREVIEW_BYTES,
    DeckFormat,
    DeckFormatShown,
    DeckPreviewIn,
    DeckPreviewOut,
)
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


@route(bp, "GET", "/v1/deck-formats", roles=OPERATOR, answer=Page[DeckFormatShown])
def list_deck_formats(call: Call) -> Any:
    """The deck formats by id, all on one page."""
    return {"items": [DeckFormatShown.of(item) for item in declared.listed()]}


@route(bp, "PUT", "/v1/deck-formats", roles=OPERATOR, body=DeckFormat, answer=DeckFormatShown)
def put_deck_format(call: Call) -> Any:
    """Declare how the decks of a carrier are read; the same id replaces an earlier format."""
    body = call.body(DeckFormat)
    return DeckFormatShown.of(declared.put(call.scope, body.id, body.pattern, body.stored()))


@route(bp, "DELETE", "/v1/deck-formats/{format_id}", roles=OPERATOR)
def delete_deck_format(call: Call) -> None:
    """Remove a format; decks that were read with it stay."""
    declared.delete(call.scope, call.path["format_id"])


@route(
    bp,
    "POST",
    "/v1/deck-preview",
    roles=OPERATOR,
    body=DeckPreviewIn,
    answer=DeckPreviewOut,
    status=200,
    most_bytes=MAX_PREVIEW_BYTES + (1 << 16),
)
def preview_deck(call: Call) -> Any:
    """How a deck file would be read, what is suspicious, and what it changes; nothing is stored."""
    body = call.body(DeckPreviewIn)
    path = body.key.removeprefix(publish.PREFIX) if body.key else f"{body.route}/{body.filename}"
    blocks = preview.blocks_of(body.key) if body.key else [body.data()]
    form = body.format.stored() if body.format else None
    return preview.preview(call.scope.now, blocks, path, body.route, body.effective_from, form)
