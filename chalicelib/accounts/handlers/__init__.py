"""This room's routes, one blueprint per noun. A handler reads the request, calls one service function, and answers."""

from __future__ import annotations

from chalicelib.accounts.handlers import (
    audit,
    clients,
    dids,
    imports,
    keys,
    ledgers,
    packages,
    resellers,
    signups,
    subaccounts,
)

BLUEPRINTS = (
    resellers.bp,
    keys.bp,
    packages.bp,
    clients.bp,
    signups.bp,
    ledgers.bp,
    subaccounts.bp,
    dids.bp,
    audit.bp,
    imports.bp,
)
