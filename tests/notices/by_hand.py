"""The sender, run by hand with a clock of its own, and looks at what it left."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from chalicelib.aws.transactions import Scope
from chalicelib.notices.service import fanout, sending
from chalicelib.notices.service.sending import Gateways
from chalicelib.notices.store import Delivery, Due
from chalicelib.outbox import OutboxItem


@dataclass
class Sender:
    """The function that the clock calls, with a clock that is set by hand."""

    now: int = field(default_factory=lambda: int(time.time()) + 1)

    def run(self, gateways: Gateways | None = None, threads: int = 4) -> int:
        scope = Scope("system:notices", self.now)
        fanout.take_all(scope)
        return sending.send_due(scope, lambda: self.now, self.now + 60, gateways or Gateways(), threads)


def left() -> int:
    """What still waits to be handed on or sent."""
    return len(OutboxItem.under(*OutboxItem.waiting())) + len(Due.under(*Due.by_instant()))


def deliveries(reseller: Any, query: str = "") -> list[dict[str, Any]]:
    return list(reseller.get(f"/v1/deliveries{query}").json["items"])


def stored(reseller: Any) -> list[Delivery]:
    return Delivery.under(*Delivery.of_reseller(reseller.ids["reseller"]))
