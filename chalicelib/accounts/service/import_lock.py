"""A lock per reseller: while an import is read and applied, nothing may change what its rows were checked against.

The lock is taken before the import is read, and released with its last row or if a row is wrong. Changes that could
make a checked row wrong require that nothing is locked. A lock whose import has not begun after a minute, which is
longer than a request lasts, is stale: its request was killed, and the lock is ignored.
"""

from __future__ import annotations

from pynamodb.expressions.condition import Condition

from chalicelib.accounts.store.intake import Import, ImportLock
from chalicelib.aws.transactions import Put, Remove, Require, Scope, Write, commit
from chalicelib.errors import Conflict

STALE_SECONDS = 60


def require_free(scope: Scope, reseller_id: str) -> Write:
    """The write that makes a transaction fail while an import is applied; 409 if one is."""
    held = ImportLock.find(*ImportLock.key(reseller_id))
    if held is None:
        return Require(ImportLock(*ImportLock.key(reseller_id)), ImportLock.pk.does_not_exist())
    _refuse_unless_stale(scope, reseller_id, held)
    return Remove(held, _unchanged(held))


def take(scope: Scope, reseller_id: str, import_id: str) -> None:
    """Lock for an import, if it does not have the lock already; 409 while another import is applied."""
    lock = ImportLock(*ImportLock.key(reseller_id), import_id=import_id, taken_at=scope.now)
    held = ImportLock.find(*ImportLock.key(reseller_id))
    if held is None:
        commit(scope, [Put(lock)])
    elif held.import_id != import_id:
        _refuse_unless_stale(scope, reseller_id, held)
        commit(scope, [Put(lock, _unchanged(held))])


def require_held(reseller_id: str, import_id: str) -> Write:
    """The write that makes a transaction fail unless the import has the lock."""
    return Require(ImportLock(*ImportLock.key(reseller_id)), ImportLock.import_id == import_id)


def release(reseller_id: str, import_id: str) -> Write:
    """The write that releases the lock of an import."""
    return Remove(ImportLock(*ImportLock.key(reseller_id)), ImportLock.import_id == import_id)


def _unchanged(held: ImportLock) -> Condition:
    same: Condition = (ImportLock.import_id == held.import_id) & (ImportLock.taken_at == held.taken_at)
    return same


def _refuse_unless_stale(scope: Scope, reseller_id: str, held: ImportLock) -> None:
    begun = Import.find(*Import.key(reseller_id, held.import_id))
    if (begun and begun.status == "applying") or scope.now < held.taken_at + STALE_SECONDS:
        raise Conflict(f"Import {held.import_id} is being applied; try again when it is done, or resume it.")
