"""Dated terms: each change gets the reseller's next terms version, and a batch is rated by the one it pinned.

A version number is put into the head and into the dated item by one transaction, so whoever reads head version N
finds every change up to N, however often and late it looks. Moving a sub-account or DID from one client to another
waits until no batch is being rated by earlier terms: otherwise a call could be billed to both.
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib import dated
from chalicelib.accounts.store.owners import Reseller, ResellerPointer
from chalicelib.accounts.store.terms import Assignment, PackageTerms, TermsHead, assigned_holder
from chalicelib.aws.transactions import Change, Item, Write, find_many
from chalicelib.calls.index import last_start
from chalicelib.dated import FIRST
from chalicelib.errors import Conflict
from chalicelib.periods import format_instant


def head(reseller_id: str) -> TermsHead | None:
    """The newest terms version of a reseller, ``None`` for an unknown one."""
    return TermsHead.find(*TermsHead.key(reseller_id))


def pricing_keys(reseller_id: str) -> tuple[tuple[type[Item], str, str], tuple[type[Item], str, str]]:
    """Where the terms version and the reseller lie, for ``tables.find_each``."""
    return (TermsHead, *TermsHead.key(reseller_id)), (Reseller, *Reseller.key(reseller_id))


def head_of(reseller_id: str) -> TermsHead:
    """The same of a reseller that exists; ``LookupError`` for an unknown one."""
    newest = head(reseller_id)
    if newest is None:
        raise LookupError(f"reseller {reseller_id} has no terms")
    return newest


def next_version(now: TermsHead, *, moving: bool = False, count: int = 1) -> tuple[int, Write]:
    """The first of ``count`` versions that a change will have, and the write that takes them all.

    ``moving`` demands that no batch is open.
    """
    version = now.version + 1
    condition = TermsHead.version == now.version
    if moving:
        if now.open_batches:
            raise Conflict(
                f"Batch {min(now.open_batches)} is being rated with the present owners; try again when it is done."
            )
        condition &= TermsHead.open_batches.does_not_exist()
    return version, Change(now, [TermsHead.version.set(now.version + count)], condition)


def open_batch(now: TermsHead, batch_id: str) -> Write:
    """Pin the present terms for a batch: fails if they changed, and holds moves off until ``close_batch``."""
    return Change(now, [TermsHead.open_batches.add({batch_id})], TermsHead.version == now.version)


def hold_moves(reseller_id: str, batch_id: str) -> Write:
    """A batch that goes on with terms it pinned before: holds moves off again."""
    now = TermsHead(*TermsHead.key(reseller_id))
    return Change(now, [TermsHead.open_batches.add({batch_id})], TermsHead.pk.exists())


def close_batch(reseller_id: str, batch_id: str) -> Write:
    """The batch is over: owners may move again."""
    now = TermsHead(*TermsHead.key(reseller_id))
    return Change(now, [TermsHead.open_batches.delete({batch_id})], TermsHead.pk.exists())


def held_batches() -> list[tuple[str, str]]:
    """Reseller and batch of every batch of the deployment that holds moves off."""
    keys = [TermsHead.key(row.reseller_id) for row in ResellerPointer.under(*ResellerPointer.every())]
    heads = find_many(keys, TermsHead)
    return [
        (head.reseller_id, batch_id)
        for _, head in sorted(heads.items())
        for batch_id in sorted(head.open_batches or ())
    ]


def effective(first: bool, asked: int | None, now: int) -> int:
    """When a change takes hold: the first reaches back without limit, later ones start now; what is asked for wins."""
    if asked is not None:
        return asked
    return FIRST if first else now


def assignment_at(reseller_id: str, holder: str, at: int) -> Assignment | None:
    """The assignment in force at an instant."""
    return dated.in_force(Assignment.under(*Assignment.of_holder(reseller_id, holder)), at)


def holders_ever(reseller_id: str, holder: str) -> set[str]:
    """The clients that ever had a sub-account (``sub:<username>``) or DID (``did:<number>``)."""
    rows = Assignment.under(*Assignment.of_holder(reseller_id, assigned_holder(holder)))
    return {row.client_id for row in rows if row.client_id}


def refuse_before_calls(client_id: str, holder: str, effective_from: int) -> None:
    """409 when calls of this holder (``sub:<username>``, ``did:<number>``) are rated at or after the wanted start."""
    last = last_start(client_id, holder, effective_from)
    if last is not None:
        raise Conflict(
            f"A call of {format_instant(last)} is already rated for the present owner; "
            "take a later effective_from, or send will_rerate and then re-rate the batches."
        )


def packages(reseller_id: str, upto: int) -> list[PackageTerms]:
    """Every version of every package that terms version ``upto`` knows."""
    return [row for row in PackageTerms.under(*PackageTerms.of_reseller(reseller_id)) if row.version <= upto]


def assignments(reseller_id: str, upto: int) -> Sequence[Assignment]:
    """Every assignment of sub-accounts and DIDs that terms version ``upto`` knows."""
    kinds = (Assignment.of_numbers(reseller_id), Assignment.of_accounts(reseller_id))
    return [row for kind in kinds for row in Assignment.under(*kind) if row.version <= upto]


def account_assignments(reseller_id: str, username: str, upto: int) -> Sequence[Assignment]:
    """Every assignment of one sub-account that terms version ``upto`` knows."""
    holder = Assignment.holder_of_account(username)
    return [row for row in Assignment.under(*Assignment.of_holder(reseller_id, holder)) if row.version <= upto]
