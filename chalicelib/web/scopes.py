"""Scopes: what a key may do of all that its role may.

A key without scopes may do everything that its role may. Each scope opens an area of paths; ``read`` opens every GET.
What lies in no area (keys, packages, the account, PayPal, webhooks) is changed by keys without scopes only, so no
narrowed key can make itself a wider one.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

KeyScope = Literal["read", "authorizations", "uploads", "payments", "clients"]
SCOPES: tuple[str, ...] = get_args(KeyScope)

_AREAS = (
    (r"/v1/authorizations(/.*)?", "authorizations"),
    (r"/v1/(uploads|batches)(/.*)?", "uploads"),
    (r"/v1/clients/[^/]+/(payments|charges|deposits|ledger)(/.*)?", "payments"),
    (r"/v1/(clients|subaccounts|dids)(/.*)?", "clients"),
)
"""The first that fits counts."""


def scopes_of(method: str, path: str) -> tuple[str, ...]:
    """The scopes that open an operation; none for one that takes a key without scopes."""
    area = next((scope for pattern, scope in _AREAS if re.fullmatch(pattern, path)), None)
    return (*([area] if area else []), *(["read"] if method == "GET" else []))
