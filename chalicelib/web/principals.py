"""Who calls, and the roles that routes name."""

from __future__ import annotations

from dataclasses import dataclass

OPERATOR = ("operator",)
STAFF = ("reseller", "reseller_readonly")
RESELLER = ("reseller",)
EVERYONE_OF_A_RESELLER = ("reseller", "reseller_readonly", "client")
READ_ONLY_KEYS = ("reseller_readonly", "client")


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
