"""API keys: ``fk_<key_id>_<secret>``, shown once and stored as SHA-256.

A key contains the id of its item, so authentication takes two reads: the key, and the reseller for its status.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from chalicelib.accounts.ledger.posting import get_client, get_reseller
from chalicelib.accounts.shapes.resellers import KeyIn, KeyMade, KeyOut, RotateIn
from chalicelib.accounts.store.api_keys import ApiKey, KeyPointer
from chalicelib.accounts.store.owners import Reseller
from chalicelib.aws import paging
from chalicelib.aws.secrets import deployment_secrets
from chalicelib.aws.stamps import stamp
from chalicelib.aws.transactions import (
    Change,
    Put,
    Remove,
    Scope,
    Write,
    commit,
    event,
    find_many,
    new_id,
    settled,
)
from chalicelib.errors import Conflict, Invalid, NotFound, existing
from chalicelib.principals import Principal

USE_SECONDS = 3600
"""``last_used_at`` is written once in so many seconds: a key that is used all day costs 24 writes."""
_TOKEN = re.compile(r"fk_([0-9a-z]{26})_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True)
class NewKey:
    """A key that is not stored yet, its secret text ``token``, and the writes that store it."""

    item: ApiKey
    token: str
    writes: tuple[Write, ...]


def authenticate(token: str, now: int) -> Principal | None:
    """The principal of a key; ``None`` for a key that is unknown or has ended."""
    if hmac.compare_digest(token.encode(errors="replace"), deployment_secrets().operator_key.encode()):
        return Principal("operator", "")
    match = _TOKEN.fullmatch(token)
    key = ApiKey.find(*ApiKey.key(match[1])) if match else None
    if key is None or not hmac.compare_digest(key.sha256, _digest(token)):
        return None
    reseller = Reseller.find(*Reseller.key(key.reseller_id))
    if reseller is None or (key.expires_at is not None and key.expires_at <= now):
        return None
    stamp(key, ApiKey.last_used_at, now, USE_SECONDS)
    scopes = None if key.scopes is None else tuple(key.scopes)
    return Principal(
        key.role, key.key_id, key.reseller_id, key.client_id or "", reseller.status, scopes, str(key.label)
    )


def new_key(scope: Scope, reseller_id: str, body: KeyIn, replaces: str | None = None) -> NewKey:
    """A new key and the writes that store it; nothing is written yet. ``replaces``: id of the key that it replaces."""
    key_id = new_id().lower()
    token = f"fk_{key_id}_{secrets.token_urlsafe(32)}"
    item = ApiKey(
        *ApiKey.key(key_id),
        key_id=key_id,
        sha256=_digest(token),
        role=body.role,
        reseller_id=reseller_id,
        client_id=body.client_id,
        label=body.label,
        scopes=body.scopes and sorted(set(body.scopes)),
        expires_at=body.expires_at,
        created_at=scope.now,
    )
    fields = {name: value for name, value in [*body, ("replaces", replaces)] if value not in (None, "")}
    recorded = event(scope, reseller_id, "key.created", key_id, fields)
    pointer = KeyPointer(*KeyPointer.key(reseller_id, key_id), expires_at=body.expires_at)
    return NewKey(item, token, (Put(item), Put(pointer), recorded))


@settled
def create(scope: Scope, reseller_id: str, body: KeyIn) -> KeyMade:
    """A key of the reseller or of one of its clients.

    404 for an unknown reseller or client; 422 if role and ``client_id`` contradict each other, or it has ended already.
    """
    if (body.role == "client") != (body.client_id is not None):
        raise Invalid.field("client_id", "goes with the role client, and only with it")
    if body.expires_at is not None and body.expires_at <= scope.now:
        raise Invalid.field("expires_at", "must be in the future")
    get_reseller(reseller_id)
    if body.client_id is not None:
        get_client(reseller_id, body.client_id)
    key = new_key(scope, reseller_id, body)
    made = _made(key)
    commit(scope, key.writes, made)
    return made


@settled
def rotate(scope: Scope, reseller_id: str, key_id: str, body: RotateIn) -> KeyMade:
    """Replace a key: a new one with the same rights, while the old one is valid for ``grace_seconds`` more.

    404 for a key of another reseller, 409 for one that has an end already.
    """
    old = ApiKey.find(*ApiKey.key(key_id))
    if old is None or old.reseller_id != reseller_id:
        raise NotFound()
    if old.expires_at or 0:
        raise Conflict("This key ends already; make a new one.")
    rights = {name: getattr(old, name) for name in ("role", "client_id", "label", "scopes")}
    key = new_key(scope, reseller_id, KeyIn.model_validate(rights), replaces=key_id)
    made = _made(key)
    ends = scope.now + body.grace_seconds
    pointer = KeyPointer(*KeyPointer.key(reseller_id, key_id))
    writes = [
        *key.writes,
        Change(old, [ApiKey.expires_at.set(ends)], ApiKey.pk.exists() & ApiKey.expires_at.does_not_exist()),
        Change(pointer, [KeyPointer.expires_at.set(ends)], KeyPointer.pk.exists()),
        event(scope, reseller_id, "key.rotated", key_id, {"expires_at": ends, "replaced_by": made.id}),
    ]
    commit(scope, writes, made)
    return made


def listed(reseller_id: str, request: paging.PageRequest) -> paging.Page[ApiKey]:
    """A page of the reseller's keys and those of its clients, oldest first; ended ones too, until they are deleted."""
    page = paging.page(KeyPointer, KeyPointer.of_reseller(reseller_id), request)
    item_keys = [ApiKey.key(row.key_id) for row in page.items]
    items = find_many(item_keys, ApiKey)
    return paging.Page([items[key] for key in item_keys if key in items], page.place)


@settled
def revoke(scope: Scope, reseller_id: str, key_id: str) -> None:
    """End a key at once; 404 for a key of another reseller."""
    pointer = existing(KeyPointer.find(*KeyPointer.key(reseller_id, key_id)))
    writes: list[Write] = [
        Remove(pointer, KeyPointer.pk.exists()),
        Remove(ApiKey(*ApiKey.key(key_id)), ApiKey.reseller_id == reseller_id),
        event(scope, reseller_id, "key.revoked", key_id),
    ]
    commit(scope, writes)


def _made(key: NewKey) -> KeyMade:
    return KeyMade(**dict(KeyOut.model_validate(key.item)), api_key=key.token)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
