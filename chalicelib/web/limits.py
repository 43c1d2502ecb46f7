"""The limit of requests per key and minute, counted across containers.

Each container counts the requests of a key. After every ``share`` of them it adds them to an item that all containers
share: one write per ``share`` requests, and none for a key that makes fewer. The write returns the sum of all
containers. So a key gets at most ``limit`` requests through in a minute, plus at most ``share`` for each container that
serves it at the same time (a container of Lambda answers one request at a time; the local stack is one container).
``docs/configuration.md`` says what that costs.

If the shared item cannot be written, a container uses its own count only.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib import periods
from chalicelib.aws.items import IntegerAttribute, KeyOf
from chalicelib.aws.transactions import Item
from chalicelib.errors import TooFast

log = logging.getLogger(__name__)

WINDOW_SECONDS = 60
SHARES = 20
"""A container adds its count to the shared item after a twentieth of the limit."""


class Counted(Item):
    """``RATE#<key_id>`` / ``<minute>``: requests of a key in a minute, as far as containers have added theirs"""

    requests = IntegerAttribute()

    key = KeyOf("RATE#<key_id>", "<minute>")


def add(key_id: str, minute: int, requests: int) -> int:
    """Add to the shared count of a key and minute; the count of all containers afterwards."""
    item = Counted(*Counted.key(key_id, minute))
    # A day is more than enough: nothing reads the item after its minute.
    ends = Counted.expires_at.set((minute + 1) * WINDOW_SECONDS + periods.DAY_SECONDS)
    item.update(actions=[Counted.requests.add(requests), ends])
    return item.requests


class Limiter:
    """Counts the requests of each key. ``limit``: requests per minute, 0 for no limit."""

    def __init__(self, limit: int, add: Callable[[str, int, int], int] = add) -> None:
        self.limit, self.share = limit, max(1, limit // SHARES)
        self._add = add
        self._lock = threading.Lock()
        self._minute = 0
        self._shared: dict[str, int] = {}
        self._own: dict[str, int] = {}

    def take(self, key_id: str, now: int, cost: int = 1) -> None:
        """Count a request of a key; ``TooFast`` above the limit. ``now``: seconds since 1970.

        ``cost``: as how many requests it counts; one that costs more than the limit takes a whole minute's.
        """
        if not self.limit or cost < 1:
            return
        minute, cost = now // WINDOW_SECONDS, min(cost, self.limit)
        with self._lock:
            if minute > self._minute:
                self._minute, self._shared, self._own = minute, {}, {}
            if self._shared.get(key_id, 0) + self._own.get(key_id, 0) + cost > self.limit:
                raise TooFast(
                    f"A key may make {self.limit} requests a minute, and this one counts as {cost}."
                    if cost > 1
                    else f"A key may make {self.limit} requests a minute.",
                    retry_after=WINDOW_SECONDS - now % WINDOW_SECONDS,
                )
            own = self._own[key_id] = self._own.get(key_id, 0) + cost
            if own < self.share:
                return
            # Moved before the write, so that requests during the write still see them counted.
            self._own[key_id] = 0
            self._shared[key_id] = self._shared.get(key_id, 0) + own
        self._share(key_id, minute, own)

    def _share(self, key_id: str, minute: int, requests: int) -> None:
        try:
            shared = self._add(key_id, minute, requests)
        except (PynamoDBException, BotoCoreError, ClientError):
            log.warning("the requests of a key could not be counted together", exc_info=True)
            return
        with self._lock:
            if minute == self._minute:
                self._shared[key_id] = max(shared, self._shared.get(key_id, 0))
