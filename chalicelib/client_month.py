"""The unit that a batch commits by: one client in one calendar month of the reseller's time zone."""

from __future__ import annotations

from typing import NamedTuple


class ClientMonth(NamedTuple):
    """``month`` is ``YYYY-MM`` in the reseller's time zone."""

    client_id: str
    month: str
