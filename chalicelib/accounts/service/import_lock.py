"""A lock per reseller: while an import is read and applied, nothing may change what its rows were checked against.

The lock is taken before the import is read, and released with its last row or if a row is wrong. A released lock stays
as an item without an import, so that what applies imports needs no right to delete. Changes that could
make a checked row wrong require that nothing is locked. A lock whose import has not begun after a minute, which is
longer than a request lasts, is stale: its request was killed, and the lock is ignored.
"""

from __future__ import annotations

from pynamodb.expressions.condition import Condition

from chalicelib.accounts.store.intake import Import, ImportLock
from chalicelib.aws.transactions import Change, Put, Remove, Require, Scope, Write, commit
from chalicelib.errors import Conflict

STALE_SECONDS = 60


def require_free(scope: Scope, reseller_id: str) -> Write:
    """The write that makes a transaction fail while an import is applied; 409 if one is."""
    held = _held(reseller_id)
    if held is None:
        return Require(ImportLock(*ImportLock.key(reseller_id)), _is_free())
    _refuse_unless_stale(scope, reseller_id, held)
    return Remove(held, _unchanged(held))


def take(scope: Scope, reseller_id: str, import_id: str) -> None:
    """Lock for an import, if it does not have the lock already; 409 while another import is applied."""
    lock = ImportLock(*ImportLock.key(reseller_id), import_id=import_id, taken_at=scope.now)
    held = _held(reseller_id)
    if held is None:
        commit(scope, [Put(lock, _is_free())])
    elif held.import_id != import_id:
        _refuse_unless_stale(scope, reseller_id, held)
        commit(scope, [Put(lock, _unchanged(held))])


def require_held(reseller_id: str, import_id: str) -> Write:
    """The write that makes a transaction fail unless the import has the lock."""
    return Require(ImportLock(*ImportLock.key(reseller_id)), ImportLock.import_id == import_id)


def release(reseller_id: str, import_id: str) -> Write:
    """The write that releases the lock of an import."""
    lock = ImportLock(*ImportLock.key(reseller_id))
    return Change(lock, [ImportLock.import_id.set("")], ImportLock.import_id == import_id)


def unfinished(reseller_id: str) -> str | None:
    """The id of the import of a reseller that has begun and is not done; ``None`` without one."""
    held = _held(reseller_id)
    return held.import_id if held and _is_applying(reseller_id, held) else None


def _held(reseller_id: str) -> ImportLock | None:
    lock = ImportLock.find(*ImportLock.key(reseller_id))
    return lock if lock and lock.import_id else None


def _is_free() -> Condition:
    free: Condition = ImportLock.pk.does_not_exist() | (ImportLock.import_id == "")
    return free


def _is_applying(reseller_id: str, held: ImportLock) -> bool:
    begun = Import.find(*Import.key(reseller_id, held.import_id))
    return begun is not None and begun.status == "applying"


def _unchanged(held: ImportLock) -> Condition:
    same: Condition = (ImportLock.import_id == held.import_id) & (ImportLock.taken_at == held.taken_at)
    return same


def _refuse_unless_stale(scope: Scope, reseller_id: str, held: ImportLock) -> None:
    if _is_applying(reseller_id, held) or scope.now < held.taken_at + STALE_SECONDS:
        raise Conflict(f"Import {held.import_id} is being applied; try again when it is done, or resume it.")
