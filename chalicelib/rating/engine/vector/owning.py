"""Whose each row is (``cdr.owning``): the rules are asked once per distinct combination of what rows say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import numpy as np

from chalicelib.calls.format import OUTBOUND
from chalicelib.rating.cdr.formats import Layout, Source, owning_of
from chalicelib.rating.cdr.owning import SOFIA, Found, Owning, Skipping
from chalicelib.rating.engine.columns import Strings, distinct
from chalicelib.rating.engine.vector import words
from chalicelib.rating.engine.vector.words import Bytes, Ints, Mask, Words

Field = tuple[Ints, Ints]
_TAIL = 16
"""Bytes at the end of a channel's name in which the last hyphen is searched: eight digits and ``;2`` follow it."""
_KEPT = 1 << 13
"""Answers of each rule that are kept: about 4 MB when every text is as long as ``words.MOST_TEXT``."""
_CALLER, _CALLED, _BOTH = 1, 2, 3
_SOFIA, _LOWER = words.word(SOFIA.encode()), words.word(b"     ")


class _Pairs:
    """Directions and accounts, numbered from 1 on; 0: there is no owner."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str] | None, int] = {None: 0}

    def number(self, pair: tuple[str, str] | None) -> int:
        return self._numbers.setdefault(pair, len(self._numbers))

    @property
    def count(self) -> int:
        return len(self._numbers)

    def all(self) -> list[tuple[str, str]]:
        return [pair or (OUTBOUND, "") for pair in self._numbers]


class Rules:
    """The rules of ``Owning``, and what they answered, because chunks of a file say the same.

    The last ``_KEPT`` answers of each rule are kept. A *kind* is what rows say without their numbers; ``kinds`` are all
    that were found so far, ``pair`` has per kind the number in ``pairs`` of its direction and account, and ``asks`` per
    kind ``_CALLER``, ``_CALLED`` or ``_BOTH``: the numbers that are asked for; 0 if none is.
    """

    def __init__(self, owning: Owning) -> None:
        self.found = lru_cache(maxsize=_KEPT)(owning.found)
        self.settled = lru_cache(maxsize=_KEPT)(owning.settled)
        self._forget(0)

    def _forget(self, width: int) -> None:
        self.pairs, self.kinds = _Pairs(), list[Found]()
        self.pair = self.asks = np.zeros(0, np.int64)
        self._numbers: dict[Found, int] = {}
        # Rows that were seen and their kinds; ``_place`` has the index of a row at its head, -1 where there is none.
        self._rows, self._kind = np.zeros((1, width), np.uint64), np.zeros(1, np.int64)
        self._place = np.full(words.HEADS, -1)

    def kind(self, texts: list[Strings], rows: Words) -> Ints:
        """The number of the kind of each row; both arguments as ``words.beside`` returns them."""
        if rows.shape[1] != self._rows.shape[1] or max(len(self._rows), self.pairs.count) > _KEPT:
            self._forget(rows.shape[1])
        head = words.heads(rows)
        place = self._place[head]
        kind: Ints = self._kind[place]
        differ = self._rows.take(place, axis=0, mode="wrap") != rows
        if differ.any() or place.min(initial=0) < 0:
            new = np.flatnonzero(differ.any(axis=1) | (place < 0))
            cases, firsts, which = words.cases([text[new] for text in texts], rows[new])
            numbers = np.array([self._number(self.found(*case)) for case in cases], np.int64)
            kind[new] = numbers[which]
            self._place[head[new[firsts]]] = len(self._rows) + np.arange(len(firsts))
            self._rows = np.concatenate([self._rows, rows[new[firsts]]])
            self._kind = np.concatenate([self._kind, numbers])
            self._look_up()
        return kind

    def _number(self, found: Found) -> int:
        return self._numbers.setdefault(found, len(self._numbers))

    def _look_up(self) -> None:
        """Fill in what is kept about kinds, for those that are new."""
        new = list(islice(self._numbers, len(self.kinds), None))
        self.kinds += new
        pair = [self.pairs.number(self.settled(each, "", "")) for each in new]
        asks = [_CALLER * each.asks_caller + _CALLED * (not each.direction) for each in new]
        self.pair, self.asks = np.append(self.pair, pair).astype(np.int64), np.append(self.asks, asks).astype(np.int64)


class KeptRules:
    """Makes the rules of a file once, not for each of its chunks."""

    def __init__(self) -> None:
        self._file: tuple[Layout, Source] | None = None
        self._rules: Rules | None = None

    def of(self, layout: Layout, source: Source) -> Rules | None:
        """As ``formats.owning_of``."""
        if self._file != (layout, source):
            owning = owning_of(layout, source)
            self._file, self._rules = (layout, source), None if owning is None else Rules(owning)
        return self._rules


class Owners(NamedTuple):
    """``which``: per row, the index of its direction and account in ``pairs``. ``good``: the rows that have both."""

    which: Ints
    pairs: list[tuple[str, str]]
    good: Mask


def owners(buffer: Bytes, rules: Rules, said: Sequence[Field], caller: Field, called: Field) -> Owners:
    """The owners of all rows; ``said``: the fields of direction, account, channel, context and perhaps DID."""
    direction, account, channel, *others = said
    stem, known = _stems(buffer, channel)
    texts, rows, short = words.beside(buffer, (direction, account, stem, *others))
    kind = rules.kind(texts, rows)
    pair, asks, good = rules.pair[kind], rules.asks[kind], short & known
    # Callers and called numbers are many: they are looked at only where they decide.
    for asked_of, which in (((caller,), _CALLER), ((called,), _CALLED), ((caller, called), _BOTH)):
        some = np.flatnonzero(asks == which)
        if not len(some):
            continue
        numbers, number, fit = words.combinations(buffer, [(begin[some], length[some]) for begin, length in asked_of])
        keys, at = distinct(kind[some] * len(numbers) + number)
        asked = ((rules.kinds[key // len(numbers)], numbers[key % len(numbers)]) for key in keys.tolist())
        # Of a row that asks for one of the two, the other is not looked at.
        settled = [rules.pairs.number(rules.settled(each, texts[0], texts[-1])) for each, texts in asked]
        pair[some] = np.array(settled)[at]
        good[some] &= fit
    return Owners(pair, rules.pairs.all(), good & (pair > 0))


def skipped(buffer: Bytes, skipping: Skipping, context: Field, application: Field, called: Field) -> Mask:
    """Which rows may be no calls; of the others that is certain."""
    cases, which, short = words.combinations(buffer, (context, application))
    found: Mask = ~short | np.array([bool(skipping.why(case[0], case[1], "")) for case in cases], np.bool_)[which]
    begin, length = called
    if skipping.longest:
        # A number that is written longer than all skipped ones is none of them, but for a URI or blanks around it.
        first = buffer[begin]
        digits = (first - np.uint8(48) <= 9) | (first == ord("+"))
        last = buffer[begin + np.maximum(length, 1) - 1]
        some = np.flatnonzero((length <= skipping.longest) | ~digits | (last <= 32))
        if len(some):
            texts, text, fit = words.combinations(buffer, ((begin[some], length[some]),))
            found[some] |= ~fit | np.array([bool(skipping.why("", "", each[0])) for each in texts], np.bool_)[text]
    return found


def _stems(buffer: Bytes, channel: Field) -> tuple[Field, Mask]:
    """``owning.stem_of`` of each channel, and where it is certain; the channels have no blanks around them."""
    begin, length = channel
    if not length.any():
        return channel, np.ones(len(length), bool)
    inside = np.minimum(length, _TAIL)
    tail = words.words(buffer, begin + length - inside, inside, 2).view(np.uint8)
    first, second = (tail == ord("-")).view(np.uint64).T
    has = first | second > 0
    # The exponent of a number is the place of its highest bit: here, of the last hyphen in eight bytes.
    top = np.frexp(np.where(second > 0, second, first).astype(np.float64))[1]
    last = (top - 1 >> 3) + 8 * (second > 0)
    is_sofia = (words.window(buffer, begin, 1)[:, 0] | _LOWER) & words.low_bytes(len(SOFIA)) == _SOFIA
    cut = np.where(has & ~is_sofia, length - inside + last, length)
    return (begin, np.where(cut > 0, cut, length)), has | is_sofia | (length <= _TAIL)
