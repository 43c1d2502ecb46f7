"""Payments, charges, reversals and statements: of clients for the reseller, of resellers for the operator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from chalicelib import money
from chalicelib.accounts.ledger import history
from chalicelib.accounts.ledger.entries import post_entry, reverse_entry
from chalicelib.accounts.ledger.history import Days, Selection
from chalicelib.accounts.shapes.ledgers import EntryOut, LedgerOut, LedgerQuery, PostingIn, StatementTotals
from chalicelib.framework import Blueprint
from chalicelib.principals import EVERYONE_OF_A_RESELLER, OPERATOR, RESELLER, STAFF
from chalicelib.web import csv
from chalicelib.web.routes import Call, route

bp = Blueprint(__name__)
COLUMNS = tuple(EntryOut.model_fields)
READS: dict[str, Any] = {"query": LedgerQuery, "answer": LedgerOut, "text": "text/csv"}


@route(bp, "POST", "/v1/clients/{client_id}/payments", roles=RESELLER, body=PostingIn, answer=EntryOut)
def create_client_payment(call: Call) -> Any:
    """Credit a payment to a client."""
    return _post(call, call.who.reseller_id, "payment")


@route(bp, "POST", "/v1/clients/{client_id}/charges", roles=RESELLER, body=PostingIn, answer=EntryOut)
def create_client_charge(call: Call) -> Any:
    """Charge an amount to a client."""
    return _post(call, call.who.reseller_id, "charge")


@route(bp, "GET", "/v1/clients/{client_id}/ledger", roles=EVERYONE_OF_A_RESELLER, **READS)
def list_client_entries(call: Call) -> Any:
    """A client's ledger from one day to another, newest entry first (CSV: oldest first), with both balances."""
    return _answer(call, history.of_client(call.who, call.path["client_id"], _days(call)))


@route(bp, "POST", "/v1/clients/{client_id}/ledger/{entry_id}/reverse", roles=RESELLER, answer=EntryOut)
def reverse_client_entry(call: Call) -> Any:
    """Undo an entry by a new one, once."""
    return _reverse(call, call.who.reseller_id)


@route(bp, "POST", "/v1/resellers/{reseller_id}/payments", roles=OPERATOR, body=PostingIn, answer=EntryOut)
def create_reseller_payment(call: Call) -> Any:
    """Credit a payment to a reseller."""
    return _post(call, call.path["reseller_id"], "payment")


@route(bp, "POST", "/v1/resellers/{reseller_id}/charges", roles=OPERATOR, body=PostingIn, answer=EntryOut)
def create_reseller_charge(call: Call) -> Any:
    """Charge an amount to a reseller."""
    return _post(call, call.path["reseller_id"], "charge")


@route(bp, "POST", "/v1/resellers/{reseller_id}/ledger/{entry_id}/reverse", roles=OPERATOR, answer=EntryOut)
def reverse_reseller_entry(call: Call) -> Any:
    """Undo an entry of a reseller by a new one, once."""
    return _reverse(call, call.path["reseller_id"])


@route(bp, "GET", "/v1/resellers/{reseller_id}/ledger", roles=OPERATOR, **READS)
def list_reseller_entries(call: Call) -> Any:
    """A reseller's ledger from one day to another, newest entry first (CSV: oldest first)."""
    return _answer(call, history.of_reseller(call.path["reseller_id"], _days(call)))


@route(bp, "GET", "/v1/account/ledger", roles=STAFF, **READS)
def list_account_entries(call: Call) -> Any:
    """The reseller's own ledger with the operator, newest entry first (CSV: oldest first)."""
    return _answer(call, history.of_reseller(call.who.reseller_id, _days(call)))


def _post(call: Call, reseller_id: str, kind: Literal["payment", "charge"]) -> Any:
    """An entry in the ledger of the client in the path, or in the reseller's where the path has none."""
    return post_entry(call.scope, reseller_id, call.path.get("client_id"), kind, call.body(PostingIn))


def _reverse(call: Call, reseller_id: str) -> Any:
    return reverse_entry(call.scope, reseller_id, call.path.get("client_id"), call.path["entry_id"])


def _days(call: Call) -> Days:
    query = call.query(LedgerQuery)
    return Days(query.date_from, query.date_to)


def _answer(call: Call, selection: Selection) -> Any:
    """A page of entries as JSON, or all of them as CSV."""
    query = call.query(LedgerQuery)
    if query.format == "csv":
        return csv.file(csv.text(COLUMNS, _rows(query, selection)), "ledger.csv", "ask for fewer days")
    place = call.read_cursor(query.cursor)
    if place:
        # Entries since the first page are not part of this list.
        selection = Selection(selection.owner_id, *place["statement"])
    entries, before = history.page(selection, place["after"] if place else None, query.limit)
    span = [selection.first, selection.last, selection.opening_e8, selection.closing_e8]
    following = {"after": before, "statement": span}
    totals = StatementTotals(
        opening_balance=selection.opening_e8, closing_balance=selection.closing_e8, entries=selection.entries
    )
    items = [EntryOut.model_validate(entry) for entry in entries]
    return LedgerOut(items=items, next=call.write_cursor(following if before else None), totals=totals)


def _rows(query: LedgerQuery, selection: Selection) -> Iterator[list[object]]:
    """The rows of a statement as banks write it: balance before, entries, balance after."""
    yield _balance("opening_balance", selection.opening_e8, query.date_from)
    for entry in history.every(selection, csv.ROWS):
        yield list(EntryOut.model_validate(entry).model_dump(mode="json").values())
    yield _balance("closing_balance", selection.closing_e8, query.date_to)


def _balance(kind: str, balance_e8: int, day: str | None) -> list[object]:
    row = {"kind": kind, "balance_after": money.format_amount(balance_e8), "posted_at": day}
    return [row.get(name) for name in COLUMNS]
