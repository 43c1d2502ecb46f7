"""Who holds a sub-account or a DID from when on: every change is a new dated assignment.

The first assignment reaches back without limit. A later one never starts before the latest call that was rated for
whoever held it before, and waits until no batch is being rated: a batch that still works by the old assignments could
otherwise bill a call to an owner who no longer has it. To correct the past, the caller says that the batches will be
rated again: then the start may lie before rated calls, and each batch moves its own when it is re-rated.
"""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.ledger.posting import get_client
from chalicelib.accounts.service import term_versions
from chalicelib.accounts.store.owners import Client
from chalicelib.accounts.store.terms import Assignment, calls_holder
from chalicelib.aws.transactions import Put, Require, Write


def assign(
    reseller_id: str,
    holder: str,
    asked: int | None,
    now: int,
    *,
    fenced: tuple[str, ...] = (),
    will_rerate: bool = False,
    **held: Any,
) -> list[Write]:
    """The writes that make an assignment the newest one; ``held`` are the fields of ``Assignment``.

    ``asked`` is the wanted start (None: without limit for the first, else now). ``fenced`` are the clients whose
    version the caller's transaction requires anyway. Raises ``Conflict`` when calls from then on are rated already
    (unless the caller ``will_rerate`` their batches), or while a batch is being rated.
    """
    head = term_versions.head_of(reseller_id)
    before = Assignment.under(*Assignment.of_holder(reseller_id, holder))
    since = term_versions.effective(not before, asked, now)
    version, taken = term_versions.next_version(head, moving=bool(before))
    writes = [taken]
    for client_id in sorted({row.client_id for row in before if row.client_id}):
        # A call rated after this look changes the client's version, so it makes the transaction fail.
        if client_id not in fenced:
            client = get_client(reseller_id, client_id)
            writes.append(Require(client, Client.version == client.version))
        if not will_rerate:
            term_versions.refuse_before_calls(client_id, calls_holder(holder), since)
    item = Assignment(
        *Assignment.key(reseller_id, holder, version), holder=holder, version=version, effective_from=since, **held
    )
    return [*writes, Put(item)]
