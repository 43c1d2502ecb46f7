"""Whether a column of user names surely names who made a call: in an inbound row it may name who answered."""

from __future__ import annotations

from chalicelib.dialling import DialPlan, user_of
from chalicelib.rating.cdr.mapping import plain
from chalicelib.rating.cdr.owning import Known
from chalicelib.rating.cdr.suggest.found import Suggestion
from chalicelib.rating.cdr.suggest.grid import Grid
from chalicelib.rating.cdr.suggest.places import Places
from chalicelib.rating.cdr.suggest.titles import EXTENSION_TITLES, bare


def naming(grid: Grid, places: Places, known: Known, plan: DialPlan, found: Suggestion) -> None:
    """Take the declared column of the account back, and ask for it, unless the rows show that it names the caller.

    A row shows it if it states a direction, if its caller is that user name, or if the column has no sub-account. With
    the title of an account code a row may also show nothing, but none may be of a call to a held DID.
    """
    if grid.titles is None or "account" not in places.of or found.stated("columns.account"):
        return
    place = places.of["account"]
    is_extension = bare(grid.titles[place]) in EXTENSION_TITLES
    rows = zip(*(_column(grid, places, name) for name in ("account", "direction", "from", "to")), strict=True)
    open_lines = []
    for row, (account, direction, caller, called) in zip(grid.rows, rows, strict=True):
        if account not in known.accounts or direction or user_of(caller) == account:
            continue
        if is_extension or _is_held(called, known, plan):
            open_lines.append(row.line)
    if open_lines:
        del found.source["columns"]["account"]
        del places.of["account"]
        if plain(grid.titles[place]) == "account":
            # A column of this name is read also if no source names it, so the rule about it is what is asked for.
            del found.confidence["columns.account"]
            found.ask("names_account", "account", ["column"], open_lines)
        else:
            found.ask("names_account", "columns.account", [str(places.name(place))], open_lines)


def _column(grid: Grid, places: Places, name: str) -> list[str]:
    return grid.column(places.of[name]) if name in places.of else [""] * len(grid.rows)


def _is_held(called: str, known: Known, plan: DialPlan) -> bool:
    """Whether a number called is a DID that a client holds or held."""
    try:
        return plan.read(called) in known.dids
    except ValueError:
        return False
