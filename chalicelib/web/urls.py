"""Where this deployment answers, for links that leave it."""

from __future__ import annotations

from typing import Any

from chalicelib.config import settings


def base_url(request: Any) -> str:
    """The public address, without a slash at the end.

    ``FORFAIT_PUBLIC_URL`` where it is set. Else what API Gateway says of itself: its name, and the stage in front of
    the path. The ``Host`` header is the caller's word, so only the local stack goes by it.
    """
    if settings.public_url:
        return settings.public_url
    if settings.is_local:
        return f"http://{request.headers.get('host', '127.0.0.1')}"
    context = request.context
    resource = context["resourcePath"].rstrip("/").split("/")[1:]
    whole = context["path"].rstrip("/").split("/")
    return f"https://{context['domainName']}{'/'.join(whole[: len(whole) - len(resource)])}"
