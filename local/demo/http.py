"""The API as the tour uses it: JSON over HTTP with one key, lists walked to their end, files put by presigned URL."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlencode

Json = dict[str, Any]
_T = TypeVar("_T")
_TIMEOUT_SECONDS = 60
_PATIENCE_SECONDS = 120
# Everything is on loopback: a proxy of the caller's environment must not see it.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Problem(Exception):
    """The API refused a request, or something that must come did not."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status


class Api:
    """The API at ``url`` for the holder of ``key``."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key

    def get(self, path: str, **query: object) -> Json:
        """The answer to a GET; what is ``None`` in ``query`` is left out."""
        text = urlencode({name: value for name, value in query.items() if value is not None})
        return self._send("GET", f"{path}?{text}" if text else path)

    def post(self, path: str, body: Json | None = None) -> Json:
        return self._send("POST", path, {} if body is None else body)

    def put(self, path: str, body: Json) -> Json:
        return self._send("PUT", path, body)

    def every(self, path: str, **query: object) -> Iterator[Json]:
        """All items of a list, page after page."""
        cursor: object = None
        while True:
            page = self.get(path, limit=200, cursor=cursor, **query)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def upload(self, data: bytes, **fields: str) -> str:
        """Ask for a presigned URL (``POST /v1/uploads``) and put a file there; its key in the bucket."""
        place = self.post("/v1/uploads", fields)
        send(urllib.request.Request(place["url"], data, place["headers"], method=place["method"]))
        return str(place["key"])

    def _send(self, method: str, path: str, body: Json | None = None) -> Json:
        headers = {"Authorization": f"Bearer {self.key}"}
        data = None
        if body is not None:
            headers["Content-Type"], data = "application/json", json.dumps(body).encode()
        answer: Json = json.loads(send(urllib.request.Request(self.url + path, data, headers, method=method)))
        return answer


def download(url: str) -> bytes:
    """A file by the link that the API gave."""
    return send(urllib.request.Request(url))


def wait_for(what: str, look: Callable[[], _T | None]) -> _T:
    """What ``look`` finds, as soon as it finds something; ``Problem`` when it never comes."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise Problem(f"waited {_PATIENCE_SECONDS} s for {what} in vain")
        time.sleep(0.05)
    return found


def send(request: urllib.request.Request) -> bytes:
    """The body of the answer to a request; ``Problem`` for any but 2xx."""
    try:
        with _direct.open(request, timeout=_TIMEOUT_SECONDS) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        path = request.full_url.partition("?")[0]
        raise Problem(f"{request.get_method()} {path} answered {error.code}: {text}", error.code) from None
    except OSError as error:
        raise Problem(f"{request.get_method()} {request.full_url.partition('?')[0]} failed: {error}") from None
