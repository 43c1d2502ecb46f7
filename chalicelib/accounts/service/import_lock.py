"""While an import is read and applied, what it was found good against must stay: whoever would change that asks here.

The lock is taken before the import is read, and given back with its last row, or when a line is wrong. If its holder
died before the import began, the lock is worth nothing after a minute, which is more than a request lasts.
"""

from __future__ import annotations

from pynamodb.expressions.condition import Condition

from chalicelib.accounts.store.intake import Import, ImportLock
from chalicelib.aws.transactions import Put, Remove, Require, Scope, Write, commit
from chalicelib.errors import Conflict

STALE_SECONDS = 60


def absent(scope: Scope, reseller_id: str) -> Write:
    """The condition of a transaction that there is no import; 409 when there is one."""
    held = ImportLock.find(*ImportLock.key(reseller_id))
    if held is None:
        return Require(ImportLock(*ImportLock.key(reseller_id)), ImportLock.pk.does_not_exist())
    _refuse_unless_stale(scope, reseller_id, held)
    return Remove(held, _as_it_was(held))


def take(scope: Scope, reseller_id: str, import_id: str) -> None:
    """Keep all others from changing what the import counts on; 409 while another import does so."""
    lock = ImportLock(*ImportLock.key(reseller_id), import_id=import_id, taken_at=scope.now)
    held = ImportLock.find(*ImportLock.key(reseller_id))
    if held is None:
        commit(scope, [Put(lock)])
    elif held.import_id != import_id:
        _refuse_unless_stale(scope, reseller_id, held)
        commit(scope, [Put(lock, _as_it_was(held))])


def kept(reseller_id: str, import_id: str) -> Write:
    """The condition that the lock is still this import's."""
    return Require(ImportLock(*ImportLock.key(reseller_id)), ImportLock.import_id == import_id)


def given_back(reseller_id: str, import_id: str) -> Write:
    return Remove(ImportLock(*ImportLock.key(reseller_id)), ImportLock.import_id == import_id)


def _as_it_was(held: ImportLock) -> Condition:
    same: Condition = (ImportLock.import_id == held.import_id) & (ImportLock.taken_at == held.taken_at)
    return same


def _refuse_unless_stale(scope: Scope, reseller_id: str, held: ImportLock) -> None:
    begun = Import.find(*Import.key(reseller_id, held.import_id))
    if (begun and begun.status == "applying") or scope.now < held.taken_at + STALE_SECONDS:
        raise Conflict(f"Import {held.import_id} is being applied; try again when it is done, or resume it.")
