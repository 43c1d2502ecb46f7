"""Lists in pages: items in order of their keys, and the place where the next page starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from chalicelib.aws.transactions import Item

T = TypeVar("T", bound=Item)
SCANNED = 100
"""Items read at a time where a filter leaves most of them out."""


@dataclass(frozen=True)
class Asked:
    """Which page: at most ``limit`` items behind ``place`` (the ``sk`` of the page before's last item)."""

    limit: int
    place: str | None = None


@dataclass(frozen=True)
class Rows(Generic[T]):
    """A page; ``place`` is where the next one starts, ``None`` after the last."""

    items: list[T]
    place: str | None


def page(
    model: type[T],
    pk: str,
    prefix: str,
    asked: Asked,
    *,
    keep: Callable[[T], bool] | None = None,
    newest_first: bool = False,
) -> Rows[T]:
    """One page of the items under a prefix that ``keep`` lets through, filled up whatever the filter leaves out."""
    # One item more than asked tells whether there is a next page.
    size = asked.limit + 1 if keep is None else max(asked.limit + 1, SCANNED)
    found: list[T] = []
    after = asked.place
    while len(found) <= asked.limit:
        rows = model.under(pk, prefix, after=after, limit=size, newest_first=newest_first)
        found += [row for row in rows if keep is None or keep(row)]
        if len(rows) < size:
            break
        after = rows[-1].sk
    more = len(found) > asked.limit
    return Rows(found[: asked.limit], found[asked.limit - 1].sk if more else None)
