"""Batches as people see them: which file is which batch, the list, the refused lines. Rating itself is ``batches``."""

from __future__ import annotations

import hashlib

from chalicelib.accounts.service import term_versions
from chalicelib.aws.transactions import find_many
from chalicelib.calls import index
from chalicelib.errors import NotFound
from chalicelib.rating.batches import store
from chalicelib.rating.batches.store import Batch

PREFIX = "incoming/cdr/"


def batch_id_of(bucket: str, key: str, version_id: str) -> str:
    """The same object version is the same batch, whoever tells of it."""
    return hashlib.sha256("\n".join((bucket, key, version_id)).encode()).hexdigest()[:32]


def get_batch(reseller_id: str, batch_id: str) -> Batch:
    """One batch of this reseller; ``NotFound`` for any other."""
    batch = store.batch(reseller_id, batch_id)
    if batch is None:
        raise NotFound()
    return batch


def list_batches(reseller_id: str, after: str | None, limit: int) -> list[Batch]:
    """A reseller's batches, newest first; ``after`` is the ``place_of`` the last one seen."""
    pointers = store.BatchPointer.under(f"RB#{reseller_id}", "", after=after, limit=limit, newest_first=True)
    return _batches(reseller_id, [str(pointer.batch_id) for pointer in pointers])


def list_batches_of(reseller_id: str, holder: str, since: int, after: str | None, limit: int) -> list[Batch]:
    """The same, of batches that have billed calls of a sub-account (``sub:<username>``) or DID (``did:<number>``) that
    began at ``since`` or later: what is to be rated again when its owner changes from then on."""
    clients = term_versions.holders_ever(reseller_id, holder)
    found = _batches(reseller_id, sorted(index.batches_with(clients, holder, since)))
    newest_first = sorted(found, key=place_of, reverse=True)
    return [batch for batch in newest_first if after is None or place_of(batch) < after][:limit]


def _batches(reseller_id: str, batch_ids: list[str]) -> list[Batch]:
    keys = [(f"R#{reseller_id}", f"BATCH#{batch_id}") for batch_id in batch_ids]
    found = find_many(keys, Batch) if keys else {}
    return [found[key] for key in keys if key in found]


def place_of(batch: Batch) -> str:
    return str(batch.place)
