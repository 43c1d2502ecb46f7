"""Cursors: where the next page of a list starts, signed, and valid for one tenant and one list only."""

from __future__ import annotations

from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer

from chalicelib.aws.secrets import deployment_secrets
from chalicelib.errors import Invalid


def write(place: Any, bound_to: str) -> str:
    """A place (any JSON value) -> opaque text. ``bound_to``: tenant and list."""
    return str(_serializer(bound_to).dumps(place))


def read(text: str | None, bound_to: str) -> Any:
    """The place; ``None`` without a cursor; ``Invalid`` if it was made for another list or changed."""
    if text is None:
        return None
    try:
        return _serializer(bound_to).loads(text)
    except BadSignature:
        raise Invalid.field("cursor", "is not a cursor of this list; start again without it") from None


def _serializer(bound_to: str) -> URLSafeSerializer:
    return URLSafeSerializer(deployment_secrets().signing_key, salt=f"cursor {bound_to}")
