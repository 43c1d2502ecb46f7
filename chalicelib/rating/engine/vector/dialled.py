"""Dial prefixes and local numbers that a source declares: numbers called, brought to the form that has neither.

Only what is certain is decided here; rows in doubt are left to the reference engine. ``DialPlan`` has the rules.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from chalicelib import numbering
from chalicelib.dialling import EMERGENCIES, SHORT_MOST, DialPlan, usual_internal_digits
from chalicelib.rating.engine.vector import fields, words
from chalicelib.rating.engine.vector.internal import MOST_BYTES, internal
from chalicelib.rating.engine.vector.layouts import MappedRows
from chalicelib.rating.engine.vector.page import Field
from chalicelib.rating.engine.vector.words import PAD, Bytes, Ints, Mask

_NINE_DIGITS = 9
_TOO_LONG = 20
"""Digits that are no number even behind the longest international prefix."""


def as_read(rows: MappedRows, plan: DialPlan) -> MappedRows:
    """The rows with their numbers called as they are behind dial prefixes, and local ones as E.164.

    ``good`` marks no row whose number is in doubt.
    """
    buffer, (begin, length), good = rows.buffer, rows.fields["to"], rows.good
    if plan.strip:
        some = np.flatnonzero(_prefixed(buffer, begin, length, plan))
        cut, certain = _cut(buffer, begin[some], length[some], plan)
        begin, length, good = begin.copy(), length.copy(), good.copy()
        begin[some] += cut
        length[some] -= cut
        good[some] &= certain
    buffer, to = _completed(buffer, begin, length, plan)
    return replace(rows, buffer=buffer, fields={**rows.fields, "to": to}, good=good)


def _prefixed(buffer: Bytes, begin: Ints, length: Ints, plan: DialPlan) -> Ints:
    """The bytes of the longest prefix that each number begins with; 0: none."""
    first, second = words.words(buffer, begin, length, 2).T
    found = np.zeros(len(begin), np.int64)
    for prefix in sorted(plan.strip, key=len):
        size, text = len(prefix), prefix.encode()
        begins = first & words.low_bytes(min(size, 8)) == words.word(text[:8])
        if size > 8:
            begins &= second & words.low_bytes(size - 8) == words.word(text[8:])
        found[begins] = size
    return found


def _cut(buffer: Bytes, begin: Ints, length: Ints, plan: DialPlan) -> tuple[Ints, Mask]:
    """Of numbers with a prefix: the bytes to take off, and for which numbers that is certain."""
    size = _prefixed(buffer, begin, length, plan)
    behind = begin + size, length - size
    value, digits, known = fields.numbers(buffer, *behind, plan)
    local = _rules(buffer, *behind, plan) > 0
    known |= local
    alone = _is_no_number(buffer, begin, length, size, plan)
    take = known if plan.strip_always else known & alone
    cut, certain = np.where(take, size, 0), take.copy()
    rest = np.flatnonzero(~take)
    if not len(rest):
        return cut, certain
    whole_value, whole_digits, whole_known = fields.numbers(buffer, begin[rest], length[rest], plan)
    whole_known &= _rules(buffer, begin[rest], length[rest], plan) == 0
    same = known[rest] & ~local[rest] & (whole_value == value[rest]) & (whole_digits == digits[rest])
    certain[rest] = whole_known & (same | _nothing_behind(buffer, behind[0][rest], behind[1][rest], plan))
    # Short numbers are few: extensions, feature codes, local numbers.
    short = rest[~certain[rest] & (length[rest] <= MOST_BYTES)]
    some = short[known[short]]
    if len(some):
        texts, which = np.unique(words.words(buffer, begin[some], length[some], 1)[:, 0], return_inverse=True)
        taken = np.array([_is_stripped(text.tobytes().rstrip(b"\0"), plan) for text in texts])[which]
        certain[some], cut[some] = taken, np.where(taken, size[some], 0)
    inside = internal(buffer, begin, length, short[~certain[short]], plan)
    return cut, certain if inside is None else certain | inside


@lru_cache(maxsize=1 << 16)
def _is_stripped(text: bytes, plan: DialPlan) -> bool:
    """Whether a text with a prefix, behind which is a number, is read as that number."""
    digits = text.decode("latin-1")
    try:
        return plan.read(digits) == replace(plan, strip=()).read(digits.removeprefix(plan.prefix_of(digits)))
    except ValueError:
        return False


def _is_no_number(buffer: Bytes, begin: Ints, length: Ints, size: Ints, plan: DialPlan) -> Mask:
    """Which texts are certainly no number with their prefix, if there is a number behind it.

    ``size``: the bytes of the prefix. Texts with ``*`` or ``#`` are none, if they are longer than feature codes; nor
    are those with a ``+`` inside. Of digits only those of North America are decided here.
    """
    heads = words.words(buffer, begin, length, 2)[:, :1].view(np.uint8)
    first, second, third = (heads[:, place].copy() for place in range(3))
    sign = np.zeros(len(begin), bool)
    for prefix in plan.strip:
        if not prefix.isdigit():
            sign |= (size == len(prefix)) & _begins(buffer, begin, length, prefix)
    none = (sign & (length > MOST_BYTES)) | (buffer[begin + size] == ord("+"))
    if plan.home_country in fields.NANP:
        longest = plan.internal_digits or usual_internal_digits(numbering.home(plan.home_country))
        plain = (first > 49) & (length >= 7) & (length != 10)
        one = (first == 49) & (second != 49) & (length >= 12)
        zero = (first == 48) & (length >= 10)
        abroad = ((second == 48) & (third != 48)) | ((second == 49) & (third == 49))
        none |= (length > longest) & (plain | one | (zero & (~abroad | (length >= _TOO_LONG))))
        none &= sign | (_rules(buffer, begin, length, plan) == 0)
    names = sorted({len(name) for name in plan.accounts if name.startswith(plan.strip)})
    certain: Mask = none & ~np.isin(length, names)
    return certain


def _begins(buffer: Bytes, begin: Ints, length: Ints, prefix: str) -> Mask:
    found: Mask = words.strings(buffer, begin, np.minimum(length, len(prefix))) == prefix.encode()
    return found


def _nothing_behind(buffer: Bytes, begin: Ints, length: Ints, plan: DialPlan) -> Mask:
    """Which texts, behind the prefix of a number of 10 or 11 digits, are certainly no number; others may be none."""
    if plan.home_country not in fields.NANP:
        return np.zeros(len(begin), bool)
    longest = plan.internal_digits or usual_internal_digits(numbering.home(plan.home_country))
    sizes = {len(name) for name in plan.accounts if name.isdigit()} | {digits for digits, _ in plan.local_numbers}
    first, second = buffer[begin], buffer[begin + 1]
    abroad = (first == 48) & (second <= 49)
    none: Mask = np.isin(length, sorted({8, _NINE_DIGITS} - sizes - set(range(longest + 1)))) & ~abroad
    return none


def _rules(buffer: Bytes, begin: Ints, length: Ints, plan: DialPlan) -> Ints:
    """By which of ``local_numbers`` each text is one, counted from 1; 0: none."""
    found = np.zeros(len(begin), np.int64)
    for number, (size, _) in enumerate(plan.local_numbers, 1):
        some = np.flatnonzero(length == size)
        value, good = words.left_digits(buffer, begin[some], length[some])
        exceptions = _exceptions(size, plan)
        if len(exceptions):
            good &= ~np.isin(value, exceptions)
        found[some[good]] = number
    return found


@lru_cache(maxsize=64)
def _exceptions(size: int, plan: DialPlan) -> Ints:
    """Emergency numbers and short codes of so many digits, as ``words.left_digits`` reads them."""
    if size > SHORT_MOST:
        return np.zeros(0, np.int64)
    home = numbering.home(plan.home_country)
    starts = ("", "1", "00", "001", "011", "0111")
    texts = {start + short for start in starts for short in EMERGENCIES | home.emergencies}
    found = {text for text in texts if plan.is_emergency(text)} | plan.codes
    return np.array([int(text.ljust(words.DIGITS, "0")) for text in found if len(text) == size], np.int64)


def _completed(buffer: Bytes, begin: Ints, length: Ints, plan: DialPlan) -> tuple[Bytes, Field]:
    """The buffer with local numbers appended in their full form, and the numbers called in it."""
    rules = _rules(buffer, begin, length, plan)
    if not rules.any():
        return buffer, (begin, length)
    begin, length, parts, end = begin.copy(), length.copy(), [buffer], len(buffer)
    for number, (size, prefix) in enumerate(plan.local_numbers, 1):
        some = np.flatnonzero(rules == number)
        start = np.frombuffer(prefix.encode(), np.uint8)
        full = np.empty((len(some), len(start) + size), np.uint8)
        full[:, : len(start)] = start
        full[:, len(start) :] = buffer[begin[some, None] + np.arange(size)]
        parts.append(full.reshape(-1))
        begin[some], length[some] = end + np.arange(len(some)) * full.shape[1], full.shape[1]
        end += full.size
    return np.concatenate([*parts, np.zeros(PAD, np.uint8)]), (begin, length)
