"""Whose each row is (``cdr.owning``): the rules are asked once per distinct combination of what rows say."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from chalicelib.calls.format import OUTBOUND
from chalicelib.rating.cdr.formats import Layout, Source, owning_of
from chalicelib.rating.cdr.owning import SOFIA, Found, Owning, Skipping
from chalicelib.rating.engine.columns import distinct
from chalicelib.rating.engine.vector import words
from chalicelib.rating.engine.vector.words import Bytes, Ints, Mask

Field = tuple[Ints, Ints]
_TAIL = 16
"""Bytes at the end of a channel's name in which the last hyphen is searched: eight digits and ``;2`` follow it."""
_KEPT = 1 << 13
"""Answers of each rule that are kept: about 4 MB when every text is as long as ``words.MOST_TEXT``."""
_SOFIA, _LOWER = words.word(SOFIA.encode()), words.word(b"     ")


class Rules:
    """The rules of ``Owning``. The last ``_KEPT`` answers of each are kept, because chunks of a file say the same."""

    def __init__(self, owning: Owning) -> None:
        self.found = lru_cache(maxsize=_KEPT)(owning.found)
        self.settled = lru_cache(maxsize=_KEPT)(owning.settled)


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


class _Pairs:
    """Directions and accounts, numbered from 1 on; 0: there is no owner."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str] | None, int] = {None: 0}

    def number(self, pair: tuple[str, str] | None) -> int:
        return self._numbers.setdefault(pair, len(self._numbers))

    def all(self) -> list[tuple[str, str]]:
        return [pair or (OUTBOUND, "") for pair in self._numbers]


def owners(
    buffer: Bytes, rules: Rules, said: tuple[Field, Field, Field, Field], caller: Field, called: Field
) -> Owners:
    """The owners of all rows; ``said``: the fields of direction, account, channel and context."""
    direction, account, channel, context = said
    stem, known = _stems(buffer, channel)
    cases, which, short = words.combinations(buffer, (direction, account, stem, context))
    numbers: dict[Found, int] = {}
    kind = np.array([numbers.setdefault(rules.found(*case), len(numbers)) for case in cases], np.int64)[which]
    kinds, pairs, good = list(numbers), _Pairs(), short & known
    pair = np.array([pairs.number(rules.settled(each, "", "")) for each in kinds], np.int64)[kind]
    # Callers and called numbers are many: they are looked at only where they decide.
    asks_caller = np.array([each.asks_caller for each in kinds], bool)[kind]
    asks_called = np.array([not each.direction for each in kinds], bool)[kind]
    for (begin, length), some in ((caller, np.flatnonzero(asks_caller)), (called, np.flatnonzero(asks_called))):
        if not len(some):
            continue
        texts, text, fit = words.combinations(buffer, ((begin[some], length[some]),))
        keys, at = distinct(kind[some] * len(texts) + text)
        asked = ((kinds[key // len(texts)], texts[key % len(texts)][0]) for key in keys.tolist())
        # A row asks for one of the two: the caller only of outbound calls, the number called only of others.
        pair[some] = np.array([pairs.number(rules.settled(each, number, number)) for each, number in asked])[at]
        good[some] &= fit
    return Owners(pair, pairs.all(), good & (pair > 0))


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
    hyphens = tail == ord("-")
    last = _TAIL - 1 - hyphens[:, ::-1].argmax(axis=1)
    has = hyphens.any(axis=1)
    is_sofia = (words.window(buffer, begin, 1)[:, 0] | _LOWER) & words.low_bytes(len(SOFIA)) == _SOFIA
    cut = np.where(has & ~is_sofia, length - inside + last, length)
    return (begin, np.where(cut > 0, cut, length)), has | is_sofia | (length <= _TAIL)
