"""Who held a sub-account or a number at an instant: outbound calls are paid by the one, inbound by the other.

Assignments are dated, so that a call is charged to whoever had the account when the call started, also when its
record comes late, and rating a file again finds the same payer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chalicelib import dated


@dataclass(frozen=True, slots=True)
class Holding:
    """From ``effective_from`` on ``client_id`` held it; ``''`` is nobody (a number back in stock).

    A sub-account's holding names the package that prices its calls; a number's holding has its own rate per minute
    and pulse, and the inventory's cost per minute.
    """

    effective_from: int
    version: int
    client_id: str
    subaccount_id: str = ""
    package_id: str = ""
    rate_e10: int = 0
    initial: int = 0
    increment: int = 0
    cost_e10: int = 0


class Ownership:
    """Holdings by the sub-account's user name and by number (``+<digits>``), for one reseller."""

    def __init__(self, accounts: Mapping[str, Iterable[Holding]], dids: Mapping[str, Iterable[Holding]]) -> None:
        self._accounts = {username: _timeline(holdings) for username, holdings in accounts.items()}
        self._dids = {number: _timeline(holdings) for number, holdings in dids.items()}

    def accounts(self) -> dict[str, tuple[list[int], list[Holding]]]:
        """Per user name: the instants at which its holding changes, and the holdings (one more)."""
        return dict(self._accounts)

    def dids(self) -> dict[str, tuple[list[int], list[Holding]]]:
        """The same per number."""
        return dict(self._dids)

    def account(self, username: str, at: int) -> Holding | None:
        """Whose sub-account it was; None when it is unknown, or nobody's then."""
        return self.account_stretch(username, at)[0]

    def did(self, number: str, at: int) -> Holding | None:
        """Whose number it was; None when it is unknown, or was in stock then."""
        return self.did_stretch(number, at)[0]

    def account_stretch(self, username: str, at: int) -> tuple[Holding | None, int, int]:
        """The same as ``account``, the instant from which this is so, and the one from which it may be otherwise."""
        return _held(self._accounts.get(username), at)

    def did_stretch(self, number: str, at: int) -> tuple[Holding | None, int, int]:
        """The same as ``did``, likewise."""
        return _held(self._dids.get(number), at)


def _timeline(holdings: Iterable[Holding]) -> tuple[list[int], list[Holding]]:
    """Holdings -> the instants at which they change, oldest first, and one holding more: the first is before all.

    The first assignment to anybody reaches back without limit: calls made before it was entered are its client's.
    After it a holding overrules, from its start on, all that was recorded before it.
    """
    recorded = sorted(holdings, key=lambda each: each.version)
    while len(recorded) > 1 and not recorded[0].client_id:
        del recorded[0]
    later = dated.standing(recorded[1:])
    return [each.effective_from for each in later], recorded[:1] + later


def _held(timeline: tuple[list[int], list[Holding]] | None, at: int) -> tuple[Holding | None, int, int]:
    changes, holdings = timeline or ([], [])
    number, first, until = dated.stretch(changes, at)
    holding = holdings[number] if holdings else None
    return holding if holding and holding.client_id else None, first, until
