"""How many requests a key may make in a minute, counted together by containers that do not know each other.

A container counts by itself, and adds what it has counted to the minute's shared item after every ``share`` requests of
a key: one write per ``share`` requests, none for a key that makes fewer. What comes back is what all have added, so in
one minute a key gets at most ``limit`` requests through, and, where several containers serve it at once, at most
``share`` more for each of them: a container of Lambda answers one request at a time, and the local stack is one
container. ``docs/configuration.md`` says what that costs.

Counting never stops a request: when the shared item cannot be written, the container goes by its own count.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException

from chalicelib.aws.items import IntegerAttribute, Key
from chalicelib.aws.transactions import Item
from chalicelib.errors import TooFast

log = logging.getLogger(__name__)

WINDOW_SECONDS = 60
SHARES = 20
"""A twentieth of the limit is counted alone before it is shared."""


class Counted(Item):
    """``RATE#<key_id>`` / ``<minute>``: requests of a key in a minute, as far as containers have added theirs"""

    requests = IntegerAttribute()

    @staticmethod
    def key(key_id: str, minute: int) -> Key:
        return Key(f"RATE#{key_id}", str(minute))


def add(key_id: str, minute: int, requests: int) -> int:
    """Tell of ``requests`` more; what all containers have told of this minute."""
    item = Counted(*Counted.key(key_id, minute))
    # A day, because the clean-up is not prompt and nobody reads it later.
    ends = Counted.expires_at.set((minute + 1) * WINDOW_SECONDS + 86_400)
    item.update(actions=[Counted.requests.add(requests), ends])
    return item.requests


class Limiter:
    """Counts the requests of every key; ``limit`` 0 lets all through."""

    def __init__(self, limit: int, add: Callable[[str, int, int], int] = add) -> None:
        self.limit, self.share = limit, max(1, limit // SHARES)
        self._add = add
        self._lock = threading.Lock()
        self._minute = 0
        self._told: dict[str, int] = {}
        self._mine: dict[str, int] = {}

    def take(self, key_id: str, now: int) -> None:
        """Count one request; ``TooFast`` when the key has had its share of this minute."""
        if not self.limit:
            return
        minute = now // WINDOW_SECONDS
        with self._lock:
            if minute > self._minute:
                self._minute, self._told, self._mine = minute, {}, {}
            if self._told.get(key_id, 0) + self._mine.get(key_id, 0) >= self.limit:
                raise TooFast(
                    f"A key may make {self.limit} requests a minute.",
                    retry_after=WINDOW_SECONDS - now % WINDOW_SECONDS,
                )
            mine = self._mine[key_id] = self._mine.get(key_id, 0) + 1
            if mine < self.share:
                return
            # Counted as told from here on: whoever asks meanwhile must not be let through on a count of 0.
            self._mine[key_id] = 0
            self._told[key_id] = self._told.get(key_id, 0) + mine
        self._share(key_id, minute, mine)

    def _share(self, key_id: str, minute: int, requests: int) -> None:
        try:
            told = self._add(key_id, minute, requests)
        except (PynamoDBException, BotoCoreError, ClientError):
            log.warning("the requests of a key could not be counted together", exc_info=True)
            return
        with self._lock:
            if minute == self._minute:
                self._told[key_id] = max(told, self._told.get(key_id, 0))
