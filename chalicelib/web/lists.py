"""What every list has in common: limit and cursor in, items and the next cursor out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.aws.paging import Page, PageRequest
from chalicelib.fields import Paging
from chalicelib.web.routes import Call


def page_request(call: Call) -> PageRequest:
    """The page that a request asks for."""
    query = call.query(Paging)
    return PageRequest(query.limit, call.read_cursor(query.cursor))


def page(call: Call, found: Page[Any]) -> dict[str, Any]:
    """A page as the route's answer is read from."""
    return {"items": found.items, "next": call.write_cursor(found.place)}


def cut(call: Call, limit: int, found: list[Any], place: Callable[[Any], Any]) -> dict[str, Any]:
    """A page out of ``found``, which holds one item more than ``limit`` where there is a next page.

    ``place`` says what the cursor of the next page holds about the last item of this one.
    """
    more = call.write_cursor(place(found[limit - 1])) if len(found) > limit else None
    return {"items": found[:limit], "next": more}
