"""Where this deployment answers, for links that leave it."""

from __future__ import annotations

from typing import Any

from chalicelib.config import settings


def base_url(request: Any) -> str:
    """The public address, without a slash at the end.

    ``FORFAIT_PUBLIC_URL`` where it is set. Else what API Gateway says of itself: its name, and the stage in front of
    the path. The ``Host`` header comes second: it is the caller's word wherever no gateway has looked at it.
    """
    if settings.public_url:
        return settings.public_url
    host = request.headers.get("host") or "127.0.0.1"
    if settings.is_local:
        return f"http://{host}"
    context = request.context
    resource = context.get("resourcePath", "").rstrip("/").split("/")[1:]
    whole = context.get("path", "").rstrip("/").split("/")
    return f"https://{context.get('domainName') or host}{'/'.join(whole[: len(whole) - len(resource)])}"
