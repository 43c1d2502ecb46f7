"""``docs/notifications.md``: its table names every event, and its code checks a signature."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from chalicelib.notices import kinds, signing

DOCUMENT = (Path(__file__).parents[2] / "docs" / "notifications.md").read_text(encoding="utf-8")


def test_every_event_is_in_the_table() -> None:
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \|.*\| ([a-z, ]+) \|$", DOCUMENT, re.MULTILINE))
    assert rows.keys() == set(kinds.KINDS)
    assert {kind for kind, who in rows.items() if who == "client, reseller"} == set(kinds.CLIENT_KINDS)


def test_the_code_of_the_document_checks_signatures() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    told: dict[str, Any] = {}
    exec(code, told)
    now, body = int(time.time()), signing.body_of("01E", "client.resumed", "2026-09-21T14:13:20Z", {"balance": "1.00"})
    header = signing.signature(["new", "old"], now, body)
    assert told["is_genuine"]("new", header, body) and told["is_genuine"]("old", header, body)
    assert not told["is_genuine"]("other", header, body)
    assert not told["is_genuine"]("new", header, body + b" ")
    assert not told["is_genuine"]("new", signing.signature(["new"], now - 301, body), body)
