"""Presigned uploads: the server makes the key, so a reseller writes only under its own prefix."""

from __future__ import annotations

from typing import Any

from chalicelib.aws import objects
from chalicelib.aws.transactions import Put, Scope, commit, new_id
from chalicelib.errors import Invalid
from chalicelib.rating.batches import queries
from chalicelib.rating.decks import publish
from chalicelib.rating.decks.store import DeckUpload

KEPT_SECONDS = 400 * 86_400
"""How long it is kept what was said about a deck file: as long as the file."""


def create(scope: Scope, reseller_id: str, wanted: Any) -> dict[str, Any]:
    """A presigned PUT for one file; ``reseller_id`` is empty for the operator, who uploads decks.

    The key contains a new id, so a file name that is used twice makes two files. ``Invalid`` for the other kind.
    """
    if (wanted.kind == "deck") == bool(reseller_id):
        raise Invalid.field("kind", "must be cdr" if reseller_id else "must be deck: CDR files are a reseller's")
    if wanted.kind == "deck":
        key = f"{publish.PREFIX}{wanted.route}/{wanted.effective_from}-{new_id()}-{wanted.filename}"
        upload = DeckUpload(
            *DeckUpload.key(key),
            file=wanted.filename,
            by=scope.actor,
            cost_currency=wanted.cost_currency,
            fx_e10=wanted.fx,
            expires_at=scope.now + KEPT_SECONDS,
        )
        answer = _answer(key)
        commit(scope, [Put(upload)], answer)
        return answer
    return _answer(f"{queries.PREFIX}{reseller_id}/{new_id()}-{wanted.filename}")


def _answer(key: str) -> dict[str, Any]:
    return {"url": objects.upload_url(key), "method": "PUT", "headers": {}, "key": key}
