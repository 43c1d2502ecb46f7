"""Payments, charges, reversals and entries: of clients for the reseller, of resellers for the operator."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from chalicelib.accounts.handlers import lists
from chalicelib.accounts.service import ledgers
from chalicelib.accounts.shapes.ledgers import EntryOut, PostingIn
from chalicelib.fields import Page, Paging
from chalicelib.web.routes import EVERYONE_OF_A_RESELLER, OPERATOR, RESELLER, STAFF, Call, route

bp = Blueprint(__name__)


@route(bp, "POST", "/v1/clients/{client_id}/payments", roles=RESELLER, body=PostingIn, answer=EntryOut)
def create_client_payment(call: Call) -> Any:
    """Credit a payment to a client."""
    return ledgers.pay_client(call.scope, call.who.reseller_id, call.path["client_id"], call.body(PostingIn))


@route(bp, "POST", "/v1/clients/{client_id}/charges", roles=RESELLER, body=PostingIn, answer=EntryOut)
def create_client_charge(call: Call) -> Any:
    """Charge an amount to a client."""
    return ledgers.charge_client(call.scope, call.who.reseller_id, call.path["client_id"], call.body(PostingIn))


@route(bp, "GET", "/v1/clients/{client_id}/ledger", roles=EVERYONE_OF_A_RESELLER, query=Paging, answer=Page[EntryOut])
def list_client_entries(call: Call) -> Any:
    """A client's ledger, newest entry first."""
    return lists.page(call, ledgers.of_client(call.who, call.path["client_id"], lists.asked(call)))


@route(bp, "POST", "/v1/clients/{client_id}/ledger/{entry_id}/reverse", roles=RESELLER, answer=EntryOut)
def reverse_client_entry(call: Call) -> Any:
    """Undo an entry by a new one, once."""
    path = call.path
    return ledgers.reverse(call.scope, call.who.reseller_id, path["client_id"], path["entry_id"])


@route(bp, "POST", "/v1/resellers/{reseller_id}/payments", roles=OPERATOR, body=PostingIn, answer=EntryOut)
def create_reseller_payment(call: Call) -> Any:
    """Credit a payment to a reseller."""
    return ledgers.pay_reseller(call.scope, call.path["reseller_id"], call.body(PostingIn))


@route(bp, "POST", "/v1/resellers/{reseller_id}/charges", roles=OPERATOR, body=PostingIn, answer=EntryOut)
def create_reseller_charge(call: Call) -> Any:
    """Charge an amount to a reseller."""
    return ledgers.charge_reseller(call.scope, call.path["reseller_id"], call.body(PostingIn))


@route(bp, "GET", "/v1/resellers/{reseller_id}/ledger", roles=OPERATOR, query=Paging, answer=Page[EntryOut])
def list_reseller_entries(call: Call) -> Any:
    """A reseller's ledger, newest entry first."""
    return lists.page(call, ledgers.of_reseller(call.path["reseller_id"], lists.asked(call)))


@route(bp, "GET", "/v1/account/ledger", roles=STAFF, query=Paging, answer=Page[EntryOut])
def list_account_entries(call: Call) -> Any:
    """The reseller's own ledger with the operator, newest entry first."""
    return lists.page(call, ledgers.of_reseller(call.who.reseller_id, lists.asked(call)))
