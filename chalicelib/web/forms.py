"""Answers as ``name=value&...``, for dialplans that cannot read JSON: Asterisk's ``CURL`` makes a ``HASH`` of them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote, urlencode

from chalicelib.framework import Response

MEDIA = "text/plain"
"""A route whose ``text`` is this answers in this form when its query says ``format=text``."""


def encode(body: dict[str, Any]) -> str:
    """A flat object: true is 1, false 0, null empty; percent-encoded, a blank too, so that no reading is in doubt."""
    words = {True: "1", False: "0", None: ""}
    plain = {name: words[value] if value is None or isinstance(value, bool) else value for name, value in body.items()}
    return urlencode(plain, quote_via=quote)


def as_asked(media: str, query: Any, response: Response) -> Response:
    """The answer of a route in the form that was asked for; a problem stays JSON."""
    if media != MEDIA or (query or {}).get("format") != "text" or response.status_code >= 300:
        return response
    response.body = encode(json.loads(response.body))
    response.headers["Content-Type"] = MEDIA
    return response
