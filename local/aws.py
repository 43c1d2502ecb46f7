"""The emulated AWS in this process: ministack's ASGI application under hypercorn, in a thread.

ministack reads its settings when it is imported and keeps its state in modules, so there is one per process, and it is
imported only when the port is known: URLs of queues contain it. It uses ministack's internals in ``snapshot``, which is
why its version is pinned.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import socket
import threading
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from local import quick_dynamodb
from local.settings import HOST

_READS = ("Get", "Describe", "List", "Query", "Scan", "BatchGet", "TransactGet", "Head")


def listen(port: int, setting: str = "", fallback: bool = False) -> socket.socket:
    """A listening loopback socket; with ``fallback`` any free port when that one is taken, else ``SystemExit``.

    ``setting`` is the variable that chooses the port.
    """
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError as error:
        sock.close()
        if fallback and port:
            return listen(0)
        advice = f"set {setting} to another port, or to 0 for any free one"
        raise SystemExit(f"cannot listen on {HOST}:{port}: {error.strerror}; {advice}") from None
    sock.listen(512)
    return sock


class Answer(NamedTuple):
    """What the emulator answered to a request."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Aws:
    """ministack on ``sock``; objects are kept in ``objects`` when given, else everything lives in memory."""

    def __init__(self, sock: socket.socket, objects: Path | None = None) -> None:
        self._sock = sock
        self.port: int = sock.getsockname()[1]
        self.endpoint = f"http://{HOST}:{self.port}"
        self.changed: Callable[[], None] = lambda: None
        self.settled: Callable[[], Awaitable[None]] | None = None
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._serve, name="aws", daemon=True)
        os.environ.update(
            GATEWAY_PORT=str(self.port),
            PERSIST_STATE="0",
            S3_PERSIST="1" if objects else "0",
            LOG_LEVEL="ERROR",
            SFTP_ENABLED="0",
            IOT_MTLS_ENABLED="0",
        )
        if objects:
            os.environ["S3_DATA_DIR"] = str(objects)
        self._app: Callable[..., Awaitable[None]] = importlib.import_module("ministack.app").app
        quick_dynamodb.install()
        # AWS keeps a new function "Pending" for a while and ministack imitates that.
        lambda_service: Any = importlib.import_module("ministack.services.lambda_svc")
        lambda_service._LAMBDA_STATE_TRANSITION_DELAY = 0
        # It warns of every failed event; ``invoke`` has said so already, and shorter.
        logging.getLogger("lambda").setLevel(logging.ERROR)

    def start(self) -> None:
        """Serve, and return when requests are answered."""
        self._thread.start()
        for _ in range(1000):
            with contextlib.suppress(OSError):
                urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
                    f"{self.endpoint}/_ministack/health", timeout=5
                ).close()
                return
            time.sleep(0.01)
        raise SystemExit("the emulated AWS does not answer")

    def on_loop(self, work: Callable[[], Any]) -> Any:
        """Run ``work`` where requests run, between two of them, and return what it returns."""

        async def run() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(120)

    def answer(self, method: str, url: str, headers: Iterable[tuple[str, str | bytes]], body: bytes) -> Answer:
        """Answer one request of this process: what HTTP would bring, without HTTP."""
        parts = urlsplit(url)
        sent = [
            (name.lower().encode(), value if isinstance(value, bytes) else value.encode()) for name, value in headers
        ]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(parts.path) or "/",
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(b"host", parts.netloc.encode()), *sent],
            "client": (HOST, 0),
            "server": (HOST, self.port),
        }
        messages: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            messages.append(message)

        asyncio.run_coroutine_threadsafe(self._watch(scope, receive, send), self._loop).result()
        start, *rest = messages
        found = [(name.decode(), value.decode()) for name, value in start["headers"]]
        return Answer(start["status"], found, b"".join(message.get("body", b"") for message in rest))

    def stop(self) -> None:
        """Serve no more."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        # hypercorn made a socket of its own of the same descriptor, and has closed it.
        self._sock.detach()

    def _serve(self) -> None:
        from hypercorn.asyncio import serve
        from hypercorn.config import Config

        config = Config()
        config.bind = [f"fd://{self._sock.fileno()}"]
        config.loglevel = "ERROR"
        config.keep_alive_timeout = 75
        config.graceful_timeout = 0.2
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(
            serve(self._watch, config, shutdown_trigger=self._stop.wait)  # type: ignore[arg-type]
        )

    async def _watch(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """ministack's application, telling ``changed`` of every request that may have changed something.

        An answer leaves when ``settled`` has returned.
        """

        async def send_settled(message: dict[str, Any]) -> None:
            if self.settled and message["type"] == "http.response.start":
                await self.settled()
            await send(message)

        try:
            await self._app(scope, receive, send_settled)
        finally:
            if scope["type"] == "http" and not _only_reads(scope):
                self.changed()


def _only_reads(scope: dict[str, Any]) -> bool:
    if scope["method"] in ("GET", "HEAD"):
        return True
    target = next((value for name, value in scope["headers"] if name == b"x-amz-target"), b"")
    return bool(target) and target.decode("latin-1").rpartition(".")[2].startswith(_READS)
