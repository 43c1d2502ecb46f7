"""Answers as ``name=value&...`` for dialplans that cannot read JSON: Asterisk's ``CURL`` reads them as a ``HASH``."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from chalicelib.framework import Response

MEDIA = "text/plain"
"""A route with this ``text`` answers ``name=value&...`` if its query says ``format=text``."""


def encode(body: dict[str, Any]) -> str:
    """A flat JSON object as text: true is 1, false 0, null empty. All but safe characters are percent-encoded."""
    words = {True: "1", False: "0", None: ""}
    plain = {name: words[value] if value is None or isinstance(value, bool) else value for name, value in body.items()}
    return urlencode(plain, quote_via=quote)


def in_requested_format(media: str, query: Any, response: Response) -> Response:
    """The answer of a route in the format that its query names; a problem stays JSON."""
    if media != MEDIA or (query or {}).get("format") != "text" or response.status_code >= 300:
        return response
    response.body = encode(json.loads(response.body))
    response.headers["Content-Type"] = MEDIA
    return response
