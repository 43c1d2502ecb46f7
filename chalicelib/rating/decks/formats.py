"""Deck formats: which columns of a carrier's file hold prefix, price and increments, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

REFUSE, LEAVE_OUT, PRICE = "refuse", "leave_out", "price"
AUTO, PRESENT, ABSENT = "auto", "present", "absent"
COLUMNS = (
    "prefix", "country_code", "area_codes", "destination", "rate_per_minute", "increments", "initial", "increment",
    "connect_fee", "match", "home", "effective_from", "effective_to", "status",
)  # fmt: skip


@dataclass(frozen=True)
class DeckFormat:
    """How a file is read. ``columns``: our name of a column -> its title, or its position from 1 on.

    ``delimiter``: ``,``, ``;`` or a tab; empty: the one that the first line has most. ``skip_lines``: physical lines
    before the header. ``decimal``: ``.`` or ``,``; the other one may stand between groups of three digits.
    ``price_per``: ``minute``, ``second`` or ``hour``. ``price_unit``: 1 or a power of ten; prices are
    counted in its inverse.
    ``increments``: such as ``60/60``, for files without such a column. ``dash``: what ``44-79`` is: a ``range`` of
    prefixes, or one prefix whose parts are to ``join``. ``blank``: what ``44 20`` is: one prefix to ``join``, a
    ``list``, or an error (empty). ``prefix_cut``: digits that every prefix begins with, which are taken off;
    ``prefix_add``: digits put before every prefix after that. ``blocked``: whether lines that are not offered by the
    column ``status`` are errors (``refuse``), are left out (``leave_out``), or are priced (``price``).
    """

    columns: Mapping[str, str | int]
    header: str = AUTO
    skip_lines: int = 0
    delimiter: str = ""
    decimal: str = "."
    price_per: str = "minute"
    price_unit: int = 1
    increments: str = ""
    dash: str = "range"
    blank: str = ""
    prefix_cut: str = ""
    prefix_add: str = ""
    blocked: str = REFUSE
    date_format: str = "y-M-d"

    def has_header(self, fields: Sequence[str]) -> bool:
        """Whether the first row holds titles. ``auto``: columns are named by title, or prefix and price are texts.

        A text has no digit and is not blank.
        """
        if self.header != AUTO:
            return self.header == PRESENT
        places = [self.columns.get(column) for column in ("prefix", "country_code", "rate_per_minute")]
        given = [place for place in places if place is not None]
        return all(not isinstance(place, int) or _is_title(fields[place - 1 : place]) for place in given)


def _is_title(cell: Sequence[str]) -> bool:
    return bool(cell and cell[0].strip()) and not any(sign.isdigit() for sign in cell[0])
