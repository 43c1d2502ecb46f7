"""A mapping of columns that several tests read files with."""

from __future__ import annotations

from chalicelib.rating.cdr.mapping import ColumnMapping

TOKYO = ColumnMapping(
    columns={"call_id": "Ref", "start": "Begin", "to": "Dialled", "from": "Caller", "account": "User", "cost": "Fee"},
    words={
        "disposition": {"ok": "ANSWERED", "No reply": "NO ANSWER"},
        "direction": {"mo": "outbound", "mt": "inbound"},
    },
    defaults={"disposition": "FAILED", "direction": "outbound"},
)
