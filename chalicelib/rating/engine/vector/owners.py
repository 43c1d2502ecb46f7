"""Who pays for each line of a chunk: the holder of the sub-account or of the DID when the call started.

A *timeline* is the history of one sub-account or DID: the instants at which its holder changes, and between them
*states*, one more than changes. The states of all timelines are numbered in one sequence, and arrays hold their values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating.engine.hashing import hashes_of_words
from chalicelib.rating.engine.vector.prices import Pulse
from chalicelib.rating.engine.vector.words import DIGITS, words
from chalicelib.rating.pricing.ownership import Holding
from chalicelib.rating.pricing.price import CallTerms
from chalicelib.rating.pricing.rate_book import Holder, RateBook

Ints = NDArray[np.int64]
NAME_WORDS = 8
"""An account name has at most 64 bytes."""
_SPAN = 36
"""Bits of an instant, counted from ``_ORIGIN``: 1425 to 3600."""
_ORIGIN = 2**34


class Timelines:
    """Several timelines as one sorted array; ``changes`` are the instants of each."""

    def __init__(self, changes: Sequence[Sequence[int]]) -> None:
        keys = [which << _SPAN | _clipped(at) for which, own in enumerate(changes) for at in own]
        self._keys = np.array(keys, np.int64)
        self._instants = np.sort(self._keys & (1 << _SPAN) - 1)
        self._all = np.arange(len(changes))

    def place(self, which: Ints, at: Ints) -> Ints:
        """The number of the state of timeline ``which`` at the instant ``at``, for each pair."""
        if not len(self._keys) or not len(at):
            return which
        earliest, latest = at.min() + _ORIGIN, at.max() + _ORIGIN
        if len(which) > len(self._all) and not np.diff(np.searchsorted(self._instants, (earliest, latest), "right")):
            # Nothing changes between these instants, so all calls of a timeline have the same state.
            return self._search(self._all, earliest)[which]
        return self._search(which, at + _ORIGIN)

    def _search(self, which: Ints, at: Ints) -> Ints:
        place: Ints = np.searchsorted(self._keys, which << _SPAN | at, "right") + which
        return place


def _clipped(at: int) -> int:
    """An instant as ``_SPAN`` bits; earlier and later ones become the first and the last."""
    shifted: int = max(at + _ORIGIN, 0)
    return min(shifted, (1 << _SPAN) - 1)


class Owners:
    """All sub-accounts and DIDs of a rate book: finds them by name, and has their states as arrays.

    Per state, the number of the holder and of the package; -1 without a holder.
    """

    def __init__(self, book: RateBook, packages: Sequence[str]) -> None:
        self._package = {package_id: n for n, package_id in enumerate(packages)}
        self._book = book
        accounts = book.ownership.accounts()
        names = sorted(accounts)
        padded = b"".join(name.encode().ljust(8 * NAME_WORDS, b"\0") for name in names)
        rows = np.frombuffer(padded, np.uint64).reshape(len(names), NAME_WORDS)
        self._words = np.ascontiguousarray(rows.T)
        self._lengths = np.array([len(name) for name in names], np.int64)
        hashes = hashes_of_words(rows)
        order = np.argsort(hashes, kind="stable")
        self._hashes, self._by_hash = hashes[order], order
        self._shift = np.uint64(64 - (16 * len(names) | 15).bit_length())
        # Most names are found by the first bits of the hash; the few with equal first bits are searched.
        self._first_bits = np.zeros(1 << 64 - int(self._shift), np.int64)
        self._first_bits[hashes >> self._shift] = np.arange(len(names))
        self._accounts = Timelines([accounts[name][0] for name in names])
        self.account_holder, self.account_package = self._states("sub", names, accounts)
        self._find_dids(book)

    def _find_dids(self, book: RateBook) -> None:
        dids = book.ownership.dids()
        numbers = sorted(dids, key=_number_key)
        self._numbers = np.array([_number_key(number) for number in numbers], np.int64)
        self._dids = Timelines([dids[number][0] for number in numbers])
        self.did_holder, _ = self._states("did", numbers, dids)
        self.did_terms = [book.inbound(number, held) for number in numbers for held in dids[number][1]]

    def _states(
        self, kind: str, names: Sequence[str], timelines: dict[str, tuple[list[int], list[Holding]]]
    ) -> tuple[Ints, Ints]:
        holders, packages = [], []
        for name in names:
            for held in timelines[name][1]:
                holder = Holder(f"{kind}:{name}", held.client_id, held.package_id)
                holders.append(self._book.holders.number(holder) if held.client_id else -1)
                packages.append(self._package.get(held.package_id, -1))
        return np.array([*holders, -1], np.int64), np.array([*packages, -1], np.int64)

    def accounts(self, buffer: NDArray[np.uint8], starts: Ints, lengths: Ints) -> Ints:
        """Account fields -> number of the account, -1 unknown."""
        if not len(self._hashes) or not len(starts):
            return np.full(len(starts), -1)
        count = min(NAME_WORDS, max(1, -(-int(lengths.max(initial=1)) // 8)))
        got = words(buffer, starts, lengths, count)
        hashes = hashes_of_words(got)
        account = self._first_bits[hashes >> self._shift]
        same = self._is_named(account, got, lengths)
        missed = np.flatnonzero(~same)
        if len(missed):
            place = np.minimum(np.searchsorted(self._hashes, hashes[missed]), len(self._hashes) - 1)
            account[missed] = self._by_hash[place]
            same[missed] = self._is_named(account[missed], got[missed], lengths[missed])
        return np.where(same, account, -1)

    def _is_named(self, account: Ints, got: NDArray[np.uint64], lengths: Ints) -> NDArray[np.bool_]:
        """Whether these are the names of the accounts; different names may have equal hashes."""
        same: NDArray[np.bool_] = self._lengths[account] == lengths
        for place in range(got.shape[1]):
            same &= self._words[place][account] == got[:, place]
        return same

    def account_states(self, account: Ints, at: Ints) -> Ints:
        """Numbers of accounts and instants -> indexes into ``account_holder`` and ``account_package``."""
        return self._accounts.place(account, at)

    def did_states(self, left_digits: Ints, count: Ints, at: Ints) -> Ints:
        """Numbers called and instants -> indexes into ``did_holder`` and ``did_terms``; -1 when a number is not a DID.

        ``left_digits`` and ``count``: as ``Fields.called`` and ``Fields.called_digits``.
        """
        if not len(self._numbers):
            return np.full(len(at), -1)
        wanted = left_digits * 16 + count
        place = np.minimum(np.searchsorted(self._numbers, wanted), len(self._numbers) - 1)
        return np.where(self._numbers[place] == wanted, self._dids.place(place, at), -1)


def _number_key(number: str) -> int:
    """A number and its count of digits as one integer; DIDs are E.164, so they have at most 15 digits."""
    digits = number.lstrip("+")
    return int(digits.ljust(DIGITS, "0")) * 16 + len(digits)


class DidTerms(NamedTuple):
    """The terms of DIDs as arrays, with at least one item."""

    rate_e10: Ints
    pulse: Pulse
    cost_rate_e10: Ints
    cost_pulse: Pulse

    @classmethod
    def of(cls, terms: Sequence[CallTerms]) -> DidTerms:
        rates, initials, increments, cost_rates, cost_initials, cost_increments = np.array(
            [
                (
                    each.rate_e10,
                    each.initial,
                    each.increment,
                    each.cost_rate_e10,
                    each.cost_initial,
                    each.cost_increment,
                )
                for each in terms
            ]
            or [(0,) * 6],
            np.int64,
        ).T
        return cls(rates, Pulse.of(initials, increments), cost_rates, Pulse.of(cost_initials, cost_increments))
