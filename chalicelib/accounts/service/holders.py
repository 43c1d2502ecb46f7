"""Which client has a sub-account or DID from when on: each change is a new dated assignment.

The first assignment of a sub-account or DID has no beginning. A later one must not start before the newest call that is
rated for the client before, and waits until no batch is being rated: a batch that works with the old assignments could
bill a call to a client that no longer has the number. With ``will_rerate`` the start may be earlier: the caller then
rates the batches again, and each moves its calls.
"""

from __future__ import annotations

from typing import Any

from chalicelib.accounts.ledger.posting import get_client
from chalicelib.accounts.service import term_versions
from chalicelib.accounts.store.terms import Assignment, calls_holder
from chalicelib.aws.transactions import Put, Require, Write


def assign(
    reseller_id: str,
    holder: str,
    effective_from: int | None,
    now: int,
    *,
    required: tuple[str, ...] = (),
    will_rerate: bool = False,
    **fields: Any,
) -> list[Write]:
    """The writes of an assignment; ``holder`` and ``fields`` are those of ``Assignment``.

    ``effective_from``: an instant; for ``None`` the first one has no beginning, a later one starts now. ``required``:
    clients whose version the caller's transaction requires anyway. 409 if calls from then on are rated already (unless
    ``will_rerate``), and while a batch is being rated.
    """
    head = term_versions.head_of(reseller_id)
    before = Assignment.under(*Assignment.of_holder(reseller_id, holder))
    since = term_versions.effective(not before, effective_from, now)
    version, taken = term_versions.next_version(head, moving=bool(before))
    writes = [taken]
    for client_id in sorted({row.client_id for row in before if row.client_id}):
        # A call that is rated from now on changes the client's version, so the transaction fails.
        if client_id not in required:
            client = get_client(reseller_id, client_id)
            writes.append(Require(client, client.unchanged()))
        if not will_rerate:
            term_versions.refuse_before_calls(client_id, calls_holder(holder), since)
    key = Assignment.key(reseller_id, holder, version)
    return [*writes, Put(Assignment(*key, holder=holder, version=version, effective_from=since, **fields))]
