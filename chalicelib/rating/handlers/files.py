"""Routes of CDR files: uploads, sources, batches."""

from __future__ import annotations

from typing import Any

from chalicelib.dated import FIRST
from chalicelib.fields import Page
from chalicelib.framework import Blueprint
from chalicelib.principals import OPERATOR, RESELLER, STAFF
from chalicelib.rating.batches import queries, rerate, sources, uploads
from chalicelib.rating.shapes.files import BatchOut, BatchQuery, UploadIn, UploadOut
from chalicelib.rating.shapes.sources import CdrSource
from chalicelib.web import lists
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)


@route(bp, "POST", "/v1/uploads", roles=OPERATOR + RESELLER, body=UploadIn, answer=UploadOut)
def create_upload(call: Call) -> Any:
    """Make a URL to PUT a CDR file (reseller) or a deck (operator) to."""
    return uploads.create(call.scope, call.who.reseller_id, call.body(UploadIn))


@route(bp, "GET", "/v1/batches", roles=STAFF, query=BatchQuery, answer=Page[BatchOut])
def list_batches(call: Call) -> Any:
    """Batches, newest first; all, or those that have billed calls of a sub-account or DID."""
    query = call.query(BatchQuery)
    after, limit, holder = call.read_cursor(query.cursor), query.limit + 1, query.holder
    if holder is None:
        batches = queries.list_batches(call.who.reseller_id, after, limit)
    else:
        since = query.calls_from if query.calls_from is not None else FIRST
        batches = queries.list_batches_of(call.who.reseller_id, holder, since, after, limit)
    return lists.cut(call, query.limit, batches, queries.place_of)


@route(bp, "GET", "/v1/cdr-sources", roles=STAFF, answer=Page[CdrSource])
def list_cdr_sources(call: Call) -> Any:
    """The CDR sources that the reseller declared, by id, all on one page."""
    return {"items": [sources.shown(source) for source in sources.listed(call.who.reseller_id)]}


@route(bp, "PUT", "/v1/cdr-sources", roles=RESELLER, body=CdrSource, answer=CdrSource)
def put_cdr_source(call: Call) -> Any:
    """Declare how some CDR files are read; the same id replaces an earlier declaration."""
    return sources.shown(sources.put(call.scope, call.who.reseller_id, call.body(CdrSource).stored()))


@route(bp, "DELETE", "/v1/cdr-sources/{source_id}", roles=RESELLER)
def delete_cdr_source(call: Call) -> None:
    """Remove a declaration; batches that were begun with it keep it."""
    sources.delete(call.scope, call.who.reseller_id, call.path["source_id"])


@route(bp, "GET", "/v1/batches/{batch_id}", roles=STAFF, answer=BatchOut)
def get_batch(call: Call) -> Any:
    """One CDR file: its status, and how many of its lines were rated."""
    return queries.get_batch(call.who.reseller_id, call.path["batch_id"])


@route(bp, "POST", "/v1/batches/{batch_id}/rerate", roles=RESELLER, answer=BatchOut, status=202)
def rerate_batch(call: Call) -> Any:
    """Rate a CDR file again, with the terms, decks and owners in force now; what it billed before is reversed."""
    return rerate.start(call.scope, call.who.reseller_id, call.path["batch_id"])
