"""Terms: the dated facts that price calls. Each change gets the reseller's next terms version.

A batch pins the newest version when it begins, and is rated by it. One transaction writes a version number into the
head and into the dated item, so a reader of head version N always finds every change up to N. A sub-account or DID can
move from one client to another only while no batch is being rated: otherwise a call could be billed to both.
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
    """The head of a reseller's terms, which has the newest version; ``None`` for an unknown reseller."""
    return TermsHead.find(*TermsHead.key(reseller_id))


def pricing_keys(reseller_id: str) -> tuple[tuple[type[Item], str, str], tuple[type[Item], str, str]]:
    """Model and key of the head and of the reseller, for ``find_each``."""
    return (TermsHead, *TermsHead.key(reseller_id)), (Reseller, *Reseller.key(reseller_id))


def head_of(reseller_id: str) -> TermsHead:
    """The head of a reseller's terms; ``LookupError`` for an unknown reseller."""
    newest = head(reseller_id)
    if newest is None:
        raise LookupError(f"reseller {reseller_id} has no terms")
    return newest


def next_version(now: TermsHead, *, moving: bool = False, count: int = 1) -> tuple[int, Write]:
    """The first of the next ``count`` versions, and the write that takes them all.

    ``moving``: a sub-account or DID may change its client; 409 while a batch is being rated.
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
    """The write with which a batch pins these terms; it fails if they changed. No moves until ``close_batch``."""
    actions = [TermsHead.open_batches.add({batch_id}), TermsHead.begun.add(1)]
    return Change(now, actions, TermsHead.version == now.version)


def no_batch_since(now: TermsHead) -> Write:
    """The write that fails if a batch is open, or has begun since the head was read.

    It takes a version, so that a batch that is about to begin reads the reseller again.
    """
    unchanged = (TermsHead.version == now.version) & (TermsHead.begun == now.begun)
    return Change(now, [TermsHead.version.set(now.version + 1)], unchanged & TermsHead.open_batches.does_not_exist())


def hold_moves(reseller_id: str, batch_id: str) -> Write:
    """The write with which a batch goes on with terms that it pinned before. No moves until ``close_batch``."""
    return Change(
        TermsHead(*TermsHead.key(reseller_id)), [TermsHead.open_batches.add({batch_id})], TermsHead.pk.exists()
    )


def close_batch(reseller_id: str, batch_id: str) -> Write:
    """The write with which a batch ends: moves are possible again."""
    return Change(
        TermsHead(*TermsHead.key(reseller_id)), [TermsHead.open_batches.delete({batch_id})], TermsHead.pk.exists()
    )


def held_batches() -> list[tuple[str, str]]:
    """Reseller and id of every open batch of the deployment."""
    keys = [TermsHead.key(row.reseller_id) for row in ResellerPointer.under(*ResellerPointer.every())]
    heads = find_many(keys, TermsHead)
    return [
        (head.reseller_id, batch_id)
        for _, head in sorted(heads.items())
        for batch_id in sorted(head.open_batches or ())
    ]


def effective(first: bool, effective_from: int | None, now: int) -> int:
    """The instant from which a change holds: the one given, else no beginning for the first one and now for others."""
    if effective_from is not None:
        return effective_from
    return FIRST if first else now


def assignment_at(reseller_id: str, holder: str, at: int) -> Assignment | None:
    """The assignment in force at an instant; ``None`` if there is none."""
    return dated.in_force(Assignment.under(*Assignment.of_holder(reseller_id, holder)), at)


def holders_ever(reseller_id: str, holder: str) -> set[str]:
    """The clients that have or had a sub-account (``sub:<username>``) or DID (``did:<number>``)."""
    rows = Assignment.under(*Assignment.of_holder(reseller_id, assigned_holder(holder)))
    return {row.client_id for row in rows if row.client_id}


def refuse_before_calls(client_id: str, holder: str, effective_from: int) -> None:
    """409 if calls of a holder (``sub:<username>``, ``did:<number>``) at or after ``effective_from`` are rated."""
    last = last_start(client_id, holder, effective_from)
    if last is not None:
        raise Conflict(
            f"A call of {format_instant(last)} is already rated for the present owner; "
            "take a later effective_from, or send will_rerate and then re-rate the batches."
        )


def packages(reseller_id: str, upto: int) -> list[PackageTerms]:
    """Every version of every package, up to terms version ``upto``."""
    return [row for row in PackageTerms.under(*PackageTerms.of_reseller(reseller_id)) if row.version <= upto]


def assignments(reseller_id: str, upto: int) -> Sequence[Assignment]:
    """Every assignment of sub-accounts and DIDs, up to terms version ``upto``."""
    kinds = (Assignment.of_numbers(reseller_id), Assignment.of_accounts(reseller_id))
    return [row for kind in kinds for row in Assignment.under(*kind) if row.version <= upto]


def account_assignments(reseller_id: str, username: str, upto: int) -> Sequence[Assignment]:
    """Every assignment of one sub-account, up to terms version ``upto``."""
    return _assignments_of(reseller_id, Assignment.holder_of_account(username), upto)


FIRST_WORD = ":"
"""User names below it, as texts, begin with a digit or with ``+``, ``-`` or ``.``."""


def numeric_accounts(reseller_id: str, upto: int) -> frozenset[str]:
    """The user names below ``FIRST_WORD`` that were assigned up to terms version ``upto``."""
    pk, prefix = Assignment.of_accounts(reseller_id)
    return frozenset(row.name for row in Assignment.under(pk, prefix, last=prefix + FIRST_WORD) if row.version <= upto)


def did_assignments(reseller_id: str, number: str, upto: int) -> Sequence[Assignment]:
    """Every assignment of one DID (``+<digits>``), up to terms version ``upto``."""
    return _assignments_of(reseller_id, Assignment.holder_of_number(number), upto)


def _assignments_of(reseller_id: str, holder: str, upto: int) -> Sequence[Assignment]:
    return [row for row in Assignment.under(*Assignment.of_holder(reseller_id, holder)) if row.version <= upto]
