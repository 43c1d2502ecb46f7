"""The loopback end of every event function.

ministack posts an event here and takes the answer for the function's. The address has a random token, so nothing that
reaches this machine's loopback by accident, such as a page in a browser, can invoke a function; the public port does
not serve it at all.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import logging
import secrets
import threading
from collections.abc import Callable
from typing import Any

from local.aws import listen
from local.pool import FunctionFailed, Pool
from local.wire import Answer, Handler, Server, problem

_log = logging.getLogger(__name__)


class InvokeServer:
    """Gives events to the pool. ``changed`` is called after each that ends; ``failed`` gets the event that failed."""

    def __init__(self, pool: Pool, changed: Callable[[], None], failed: Callable[[dict[str, Any]], None]) -> None:
        self._pool, self._changed, self._failed = pool, changed, failed
        token = secrets.token_urlsafe(32)
        outer = self

        class InvokeHandler(Handler):
            max_body_bytes = 64 << 20

            def answer(self, body: bytes) -> Answer:
                given, _, name = self.path.removeprefix("/").partition("/")
                if self.command != "POST" or not hmac.compare_digest(given.encode(), token.encode()):
                    return problem(404, "There is no such resource.")
                return outer._invoke(name, json.loads(body))

        self._server = Server(listen(0), InvokeHandler)
        self.url = f"{self._server.url}/{token}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="invoke", daemon=True)

    def start(self) -> None:
        """Take events from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more events; running ones are the pool's to end."""
        self._server.shutdown()
        self._server.server_close()

    def _invoke(self, name: str, event: dict[str, Any]) -> Answer:
        try:
            return Answer(200, json.dumps(self._pool.invoke(name, event)).encode())
        except KeyError:
            return problem(404, f"There is no function {name!r}.")
        except FunctionFailed as failure:
            _log.error("the function %s failed: %s", name, failure)
            with contextlib.suppress(Exception):
                self._failed(event)
            return Answer(500, json.dumps({"errorType": failure.kind, "errorMessage": failure.message}).encode())
        finally:
            # ministack takes the message off its queue, or counts the failure, outside of any request. A schedule
            # leaves no such trace, and one comes every minute.
            if event.get("source") != "aws.events":
                self._changed()
