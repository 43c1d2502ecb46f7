"""API keys: ``fk_<key_id>_<secret>``, shown once and kept as SHA-256.

A key names its item, so knowing a caller takes two reads: the key, and the reseller for its status.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from chalicelib import config
from chalicelib.accounts import store
from chalicelib.accounts.service import pages
from chalicelib.accounts.service.posting import client_of, reseller_of
from chalicelib.accounts.shapes.resellers import KeyIn, KeyMade, KeyOut
from chalicelib.accounts.store import ApiKey, KeyPointer
from chalicelib.errors import Invalid, NotFound
from chalicelib.tables import Put, Remove, Scope, Write, commit, event, find_many, new_id, settle
from chalicelib.web.routes import Principal

_TOKEN = re.compile(r"fk_([0-9a-z]{26})_[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True)
class NewKey:
    """A key on its way into a transaction; ``token`` is the secret text."""

    item: ApiKey
    token: str
    writes: tuple[Write, ...]


def authenticate(token: str) -> Principal | None:
    """Who sent this key, ``None`` for a key that is unknown or no longer in use."""
    if hmac.compare_digest(token.encode(errors="replace"), config.secrets().operator_key.encode()):
        return Principal("operator", "")
    match = _TOKEN.fullmatch(token)
    key = ApiKey.find(f"KEY#{match[1]}", "KEY") if match else None
    if key is None or not hmac.compare_digest(key.sha256, _digest(token)):
        return None
    reseller = store.reseller(key.reseller_id)
    if reseller is None:
        return None
    return Principal(key.role, key.key_id, key.reseller_id, key.client_id or "", reseller.status)


def new_key(scope: Scope, reseller_id: str, role: str, client_id: str | None = None) -> NewKey:
    """A fresh key and the writes that make it known; nothing is written yet."""
    key_id = new_id().lower()
    token = f"fk_{key_id}_{secrets.token_urlsafe(32)}"
    item = ApiKey(
        f"KEY#{key_id}",
        "KEY",
        key_id=key_id,
        sha256=_digest(token),
        role=role,
        reseller_id=reseller_id,
        client_id=client_id,
        created_at=scope.now,
    )
    recorded = event(scope, reseller_id, "key.created", key_id, {"role": role, "client_id": client_id})
    return NewKey(item, token, (Put(item), Put(KeyPointer(f"R#{reseller_id}", f"KEY#{key_id}")), recorded))


def create(scope: Scope, reseller_id: str, body: KeyIn) -> KeyMade:
    """A key of the reseller, or of one of its clients; 422 when role and ``client_id`` do not fit together."""
    if (body.role == "client") != (body.client_id is not None):
        raise Invalid.field("client_id", "goes with the role client, and only with it")
    reseller_of(reseller_id)()
    if body.client_id is not None:
        client_of(reseller_id, body.client_id)()

    def decide() -> KeyMade:
        key = new_key(scope, reseller_id, body.role, body.client_id)
        made = KeyMade(**dict(KeyOut.model_validate(key.item)), api_key=key.token)
        commit(scope, key.writes, made)
        return made

    return settle(decide)


def listed(reseller_id: str, asked: pages.Asked) -> pages.Rows[ApiKey]:
    """The reseller's keys in use, oldest first, those of its clients among them."""
    found = pages.page(KeyPointer, f"R#{reseller_id}", "KEY#", asked)
    wanted = [(row.sk, "KEY") for row in found.items]
    keys = find_many(wanted, ApiKey) if wanted else {}
    return pages.Rows([keys[key] for key in wanted if key in keys], found.place)


def revoke(scope: Scope, reseller_id: str, key_id: str) -> None:
    """End a key at once; 404 for a key that is not the reseller's."""

    def decide() -> None:
        pointer = KeyPointer.find(f"R#{reseller_id}", f"KEY#{key_id}")
        if pointer is None:
            raise NotFound()
        writes = [
            Remove(pointer, KeyPointer.pk.exists()),
            Remove(ApiKey(f"KEY#{key_id}", "KEY"), ApiKey.reseller_id == reseller_id),
            event(scope, reseller_id, "key.revoked", key_id),
        ]
        commit(scope, writes)

    settle(decide)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
