"""Who calls: roles, scopes, and the principal that a request's key stands for.

A role says what a key may do at most; scopes narrow it. A key without scopes may do everything that its role may. Each
scope opens an area of paths; ``read`` opens every GET. Paths in no area (keys, packages, the account,
PayPal, webhooks) are changed only by keys without scopes, so a key with scopes cannot extend its own rights.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

OPERATOR = ("operator",)
STAFF = ("reseller", "reseller_readonly")
RESELLER = ("reseller",)
EVERYONE_OF_A_RESELLER = ("reseller", "reseller_readonly", "client")
READ_ONLY_KEYS = ("reseller_readonly", "client")

KeyScope = Literal["read", "authorizations", "uploads", "payments", "clients"]
SCOPES: tuple[str, ...] = get_args(KeyScope)
_AREAS = (
    (r"/v1/authorizations(/.*)?", "authorizations"),
    (r"/v1/(uploads|batches)(/.*)?", "uploads"),
    (r"/v1/clients/[^/]+/(payments|charges|deposits|ledger)(/.*)?", "payments"),
    (r"/v1/(clients|subaccounts|dids)(/.*)?", "clients"),
)
"""Patterns of paths and the scope that opens them; the first match counts."""


@dataclass(frozen=True)
class Principal:
    """Who calls. ``reseller_id`` is empty for the operator, ``client_id`` for all but a client's key.

    ``standing`` is the reseller's status: with anything but ``active`` a key may only read. ``scopes`` narrow what the
    role may, ``None`` does not.
    """

    role: str
    key_id: str
    reseller_id: str = ""
    client_id: str = ""
    standing: str = "active"
    scopes: tuple[str, ...] | None = None
    label: str = ""

    @property
    def tenant(self) -> str:
        return f"{self.reseller_id or self.role}/{self.client_id}"


def scopes_of(method: str, path: str) -> tuple[str, ...]:
    """The scopes that open an operation; none for one that takes a key without scopes."""
    area = next((scope for pattern, scope in _AREAS if re.fullmatch(pattern, path)), None)
    return (*([area] if area else []), *(["read"] if method == "GET" else []))
