"""Which client held a sub-account or a DID at an instant: the client that pays for its calls.

Assignments are dated. So a call is charged to the client that held the account when the call started, even if its CDR
comes late, and rating a file again finds the same client.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chalicelib import dated
from chalicelib.rating.cdr.owning import Known


@dataclass(frozen=True, slots=True)
class Holding:
    """One assignment: from ``effective_from`` on ``client_id`` holds a sub-account or DID; ``""``: no client does.

    That of a sub-account names the package that prices its calls. That of a DID has the price per minute, the pulse,
    and the cost per minute.
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
    """The holdings of a reseller's sub-accounts, by user name, and of its DIDs, by number (``+<digits>``)."""

    def __init__(self, accounts: Mapping[str, Iterable[Holding]], dids: Mapping[str, Iterable[Holding]]) -> None:
        self._accounts = {username: _timeline(holdings) for username, holdings in accounts.items()}
        self._dids = {number: _timeline(holdings) for number, holdings in dids.items()}

    def accounts(self) -> dict[str, tuple[list[int], list[Holding]]]:
        """Per user name the instants at which the holding changes, and the holdings: one before the first change, then
        one from each."""
        return dict(self._accounts)

    def dids(self) -> dict[str, tuple[list[int], list[Holding]]]:
        """The same by number."""
        return dict(self._dids)

    def account(self, username: str, at: int) -> Holding | None:
        """The holding of a sub-account at an instant; ``None``: it is unknown, or no client held it then."""
        return self.account_stretch(username, at)[0]

    def account_stretch(self, username: str, at: int) -> tuple[Holding | None, int, int]:
        """The same as ``account``, the first instant for which it is true, and the first at which it may change."""
        return _held(self._accounts.get(username), at)

    def did(self, number: str, at: int) -> Holding | None:
        """The same by number, for a DID."""
        return self.did_stretch(number, at)[0]

    def did_stretch(self, number: str, at: int) -> tuple[Holding | None, int, int]:
        """The same as ``account_stretch``, by number, for a DID."""
        return _held(self._dids.get(number), at)


def known_by(ownership: Ownership) -> Known:
    """The sub-accounts and DIDs of an ownership, by which the owners of rows are found.

    Who holds them when a call starts is looked up later. A DID stands for a sub-account as a caller only if it was
    never assigned to another one, and never to none.
    """
    accounts, dids = ownership.accounts(), ownership.dids()
    names = {holding.subaccount_id: name for name, (_, held) in accounts.items() for holding in held}
    names.pop("", None)
    callers = {}
    for number, (_, held) in dids.items():
        ids = {holding.subaccount_id for holding in held}
        if len(ids) == 1 and (name := names.get(min(ids))):
            callers[number] = name
    ever = frozenset(number for number, (_, held) in dids.items() if any(each.client_id for each in held))
    return Known(frozenset(accounts), ever, callers)


def _timeline(holdings: Iterable[Holding]) -> tuple[list[int], list[Holding]]:
    """Holdings -> the instants of change in order, and the holdings: one before the first change, then one from each.

    The first assignment to a client has no beginning: calls from before it was recorded are that client's too. Each
    later one replaces, from its ``effective_from`` on, all that were recorded before it.
    """
    recorded = sorted(holdings, key=lambda holding: holding.version)
    while len(recorded) > 1 and not recorded[0].client_id:
        del recorded[0]
    later = dated.standing(recorded[1:])
    return [holding.effective_from for holding in later], recorded[:1] + later


def _held(timeline: tuple[list[int], list[Holding]] | None, at: int) -> tuple[Holding | None, int, int]:
    changes, holdings = timeline or ([], [])
    number, first, until = dated.stretch(changes, at)
    holding = holdings[number] if holdings else None
    return holding if holding and holding.client_id else None, first, until
