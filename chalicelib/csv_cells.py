"""Cells of CSV files for people: a spreadsheet that opens such a file must run nothing that is in it."""

from __future__ import annotations

import re

_SIGNS = "=+@＝＋－＠﹢﹣﹦﹫−-"
"""A text that begins with one of these may be run."""
_BEFORE = r"[ \"\xa0\u2000-\u200f\u2060\u3000\ufeff]*"
"""Blanks, quotes and invisible characters, which may be dropped before a cell is looked at."""
_NUMBER = r"[+-]?[0-9.]+"
_FORMULA = re.compile(
    rf"\A(?=[\t\r\n])|(?:\A(?!{_NUMBER}\Z)|(?<=[;\t\r\n])(?!{_NUMBER}[;\t\r\n]))(?={_BEFORE}[{_SIGNS}])"
)
"""Where a formula may begin: at the start of a cell, or behind a character at which some spreadsheets split it."""


def inert(cell: object) -> object:
    """A cell that a spreadsheet runs no part of as a formula: each part that begins like one gets an apostrophe first.

    Spreadsheets that expect ``;`` or tabs split a cell there, and take each part for a cell. Numbers such as ``-1.5``
    and ``+15145550100`` stay as they are, as a cell or as a part behind another.
    """
    if not isinstance(cell, str):
        return cell
    if ";" in cell or "\t" in cell or "\r" in cell or "\n" in cell:
        return _FORMULA.sub("'", cell)
    return "'" + cell if _FORMULA.match(cell) else cell
