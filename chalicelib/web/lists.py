"""What every list has in common: limit and cursor in, items and the next cursor out."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from chalicelib.aws.paging import Page, PageRequest
from chalicelib.fields import Page as Answer
from chalicelib.fields import Paging, Shape
from chalicelib.framework import Blueprint
from chalicelib.web.routes import Call, Handler, route

Listed = Callable[[Call], Page[Any]]


def list_route(
    bp: Blueprint, path: str, shape: type[Shape], *, roles: tuple[str, ...], query: type[Paging] = Paging
) -> Callable[[Listed], Handler]:
    """Declare the route of a list of ``shape``; its handler returns the page that ``page_request`` asks for."""

    def declare(listed: Listed) -> Handler:
        @wraps(listed)
        def handler(call: Call) -> dict[str, Any]:
            found = listed(call)
            return {"items": found.items, "next": call.write_cursor(found.place)}

        return route(bp, "GET", path, roles=roles, query=query, answer=Answer[shape])(handler)  # type: ignore[valid-type]

    return declare


def page_request(call: Call) -> PageRequest:
    """The page that a request asks for."""
    query = call.query(Paging)
    return PageRequest(query.limit, call.read_cursor(query.cursor))


def cut(call: Call, limit: int, found: list[Any], place: Callable[[Any], Any]) -> dict[str, Any]:
    """A page out of ``found``, which holds one item more than ``limit`` where there is a next page.

    ``place`` says what the cursor of the next page holds about the last item of this one.
    """
    more = call.write_cursor(place(found[limit - 1])) if len(found) > limit else None
    return {"items": found[:limit], "next": more}
