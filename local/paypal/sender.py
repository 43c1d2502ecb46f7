"""Delivery of messages as PayPal does it: at least once, again after any answer but 200, in no promised order."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field

IPN_HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded",
    "User-Agent": "PayPal IPN ( https://www.paypal.com/ipn )",
}
TRIES = 15
_PATIENCE_SECONDS = 30
# Everything is on loopback: a proxy of the environment must not see it.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Habits:
    """How messages are delivered from now on; ``retry_seconds`` doubles from try to try."""

    copies: int = 1
    delay_seconds: float = 0.0
    retry_seconds: float = 1.0
    deliver: bool = True


@dataclass
class Sender:
    """Sends in threads of its own; ``answers`` are the statuses that came back, in order."""

    habits: Habits = field(default_factory=Habits)
    answers: list[int] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def send(self, url: str, raw: bytes, headers: Mapping[str, str]) -> None:
        """Deliver a message some time soon, as often as the habits say."""
        if not self.habits.deliver:
            return
        for _ in range(self.habits.copies):
            work = threading.Thread(target=self._deliver, args=(url, raw, dict(headers)), daemon=True)
            self._threads.append(work)
            work.start()

    def settle(self) -> None:
        """Wait until every message was taken, or given up."""
        while self._threads:
            self._threads.pop().join()

    def stop(self) -> None:
        """Try no more."""
        self._ended.set()
        self.settle()

    def _deliver(self, url: str, raw: bytes, headers: dict[str, str]) -> None:
        pause = self.habits.retry_seconds
        time.sleep(self.habits.delay_seconds)
        for _ in range(TRIES):
            status = post(url, raw, headers)
            self.answers.append(status)
            if status == 200 or self._ended.wait(pause):
                return
            pause *= 2


def post(url: str, raw: bytes, headers: Mapping[str, str] = IPN_HEADERS) -> int:
    """Send once; returns the status, 0 when there is no answer."""
    request = urllib.request.Request(url, raw, dict(headers), method="POST")
    try:
        with _direct.open(request, timeout=_PATIENCE_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        refusal.close()
        return refusal.code
    except OSError:
        return 0
