"""Addresses: the public address of this deployment, and the parameters in a path."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from chalicelib.config import settings
from chalicelib.errors import NotFound
from chalicelib.fields import check_id


def base_url(request: Any) -> str:
    """The public address of this deployment, without a slash at the end.

    It is ``FORFAIT_PUBLIC_URL`` if that is set, else the domain name and stage that API Gateway puts into the request.
    The ``Host`` header is used only without a domain name, because the caller can write anything into it.
    """
    if settings.public_url:
        return settings.public_url
    host = request.headers.get("host") or "127.0.0.1"
    if settings.is_local:
        return f"http://{host}"
    context = request.context
    resource = context.get("resourcePath", "").rstrip("/").split("/")[1:]
    path = context.get("path", "").rstrip("/").split("/")
    return f"https://{context.get('domainName') or host}{'/'.join(path[: len(path) - len(resource)])}"


def path_parameters(values: dict[str, str]) -> dict[str, str]:
    """Decoded path parameters by name; ``NotFound`` if one cannot be part of a key."""
    decoded = {name: unquote(value) for name, value in values.items()}
    if not all(check_id(value) for value in decoded.values()):
        raise NotFound()
    return decoded
