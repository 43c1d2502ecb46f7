"""JSON bodies of requests, read strictly."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.errors import Malformed


def json_object(raw: bytes) -> dict[str, Any]:
    """The object in a body, empty for an empty body.

    ``Malformed`` for anything but one JSON object: for ``NaN`` and ``Infinity`` too, and for a name that comes twice.
    """
    try:
        value = json.loads(raw or b"{}", parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError):
        raise Malformed("The body is not JSON.") from None
    if not isinstance(value, dict):
        raise Malformed("The body must be a JSON object.")
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; ``ValueError`` if a name comes twice, because it is unclear which value counts."""
    if len(values := dict(pairs)) < len(pairs):
        raise ValueError("a name comes twice in one object")
    return values
