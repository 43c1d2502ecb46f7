"""The public HTTP server: the gateway behind a port."""

from __future__ import annotations

import socket
import threading
import time

from local.gateway import Gateway
from local.wire import Answer, Handler, Server


class HttpServer:
    """Serves a gateway on a listening socket until it is stopped."""

    def __init__(self, sock: socket.socket, gateway: Gateway) -> None:
        self._busy = 0
        self._count = threading.Lock()
        outer = self

        class AppHandler(Handler):
            def answer(self, body: bytes) -> Answer:
                with outer._count:
                    outer._busy += 1
                try:
                    return gateway.answer(self.command, self.path, self.headers, body)
                finally:
                    with outer._count:
                        outer._busy -= 1

        self._server = Server(sock, AppHandler)
        self.url = self._server.url
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="http", daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self, patience_seconds: float = 5.0) -> None:
        """Accept nothing more, and let running requests end."""
        self._server.shutdown()
        self._server.server_close()
        deadline = time.monotonic() + patience_seconds
        while self._busy and time.monotonic() < deadline:
            time.sleep(0.02)
