"""Lists in pages: items in the order of their keys, and the ``sk`` behind which the next page starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from chalicelib.aws.items import Key
from chalicelib.aws.transactions import Item

T = TypeVar("T", bound=Item)
SCANNED = 100
"""Items that one query reads if there is a filter, which may leave most of them out."""


@dataclass(frozen=True)
class PageRequest:
    """At most ``limit`` items behind ``place``: the ``sk`` of the last item of the page before, ``None`` at first."""

    limit: int
    place: str | None = None


@dataclass(frozen=True)
class Page(Generic[T]):
    """The items of a page; ``place`` is where the next page starts, ``None`` if this is the last one."""

    items: list[T]
    place: str | None


def page(
    model: type[T],
    key: Key,
    request: PageRequest,
    *,
    keep: Callable[[T], bool] | None = None,
    newest_first: bool = False,
) -> Page[T]:
    """One page of the items that ``key`` selects, in order of ``sk``.

    With ``keep``, only items for which it is true; it reads on until the page is full or there are no more items.
    """
    # One item more than asked tells whether there is a next page.
    size = request.limit + 1 if keep is None else max(request.limit + 1, SCANNED)
    kept: list[T] = []
    after = request.place
    while len(kept) <= request.limit:
        rows = model.under(*key, after=after, limit=size, newest_first=newest_first)
        kept += [row for row in rows if keep is None or keep(row)]
        if len(rows) < size:
            break
        after = rows[-1].sk
    more = len(kept) > request.limit
    return Page(kept[: request.limit], kept[request.limit - 1].sk if more else None)
