"""The fields of rows as columns of numbers, and which rows were understood."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from chalicelib import numbering
from chalicelib.calls.format import DIRECTIONS, DISPOSITIONS
from chalicelib.dialling import DialPlan
from chalicelib.money import AMOUNT_PLACES
from chalicelib.rating.cdr import call
from chalicelib.rating.cdr.declaration import Declaration
from chalicelib.rating.engine.vector import dates, ids, prices, words
from chalicelib.rating.engine.vector.internal import internal
from chalicelib.rating.engine.vector.layouts import MappedRows
from chalicelib.rating.engine.vector.page import Field
from chalicelib.rating.engine.vector.words import Ints, Mask, word
from chalicelib.rating.pricing.rate_book import RateBook

NANP = frozenset(("US", "CA"))
"""Home countries whose national numbers (10 and 11 digits) are read here; those of others are left to the reference."""
_OUTBOUND, _INBOUND = (word(text.encode()) for text in DIRECTIONS)
_ANSWERED, _NO_ANSWER, _BUSY, _FAILED = (word(text.encode()[:8]) for text in DISPOSITIONS)


@dataclass
class Fields:
    """One item per row. ``good`` marks the rows whose fields were all understood; other rows have arbitrary values.

    ``start`` is an instant; ``month`` a number in ``RateBook.months``; ``code``: see ``columns.CODES``. ``called`` is
    the number called, padded with zeros to 15 digits; ``called_digits``: how many it really has. ``cost_e8`` is -1
    without a cost. ``internal`` marks outbound calls to internal numbers, which have no ``called``; None: there are
    none.
    """

    start: Ints
    month: Ints
    code: Ints
    called: Ints
    called_digits: Ints
    seconds: Ints
    cost_e8: Ints
    good: Mask
    internal: Mask | None


def read(rows: MappedRows, zone: str, declares: Declaration, plan: DialPlan, book: RateBook) -> Fields:
    """Read all fields but the account and the texts; ``zone``: see ``formats.zone_of``."""
    fx_e10 = declares.fx_e10
    buffer, field = rows.buffer, rows.fields
    start, month, good = dates.read(buffer, *field["start"], rows.good, zone, declares.date_format, book)
    code, known = _codes(buffer, field["direction"], field["disposition"])
    called, digits, plain = numbers(buffer, *field["to"], plan)
    inside = internal(buffer, *field["to"], np.flatnonzero(~plain & (code & 1 == 0)), plan)
    if inside is not None:
        plain = plain | inside
    seconds, whole = words.spans(buffer, *field["seconds"], 5, declares.seconds_format)
    good &= known & plain & whole & (seconds <= call.MAX_SECONDS)
    if rows.id_parts:
        # With a start and a number called, which are checked, it is no placeholder and no blank is at its ends.
        good &= ids.joined_lengths(rows.id_parts) <= call.MAX_CALL_ID
    else:
        good &= ids.are_known(buffer, *field["call_id"])
    good &= field["from"][1] <= call.MAX_TEXT
    cost = None
    if "cost" in field:
        good &= words.are_decimals(buffer, *field["cost"])
        # The value is read only when the reseller takes costs from the records.
        if book.record_costs or fx_e10:
            cost = words.decimals(buffer, *field["cost"], AMOUNT_PLACES)
        if cost is not None and fx_e10:
            cost, fits = prices.converted(cost, fx_e10)
            good &= fits
    cost = np.full(len(start), -1) if cost is None else cost
    return Fields(start, month, code, called, digits, seconds, cost, good, inside)


def _codes(buffer: NDArray[np.uint8], direction: Field, disposition: Field) -> tuple[Ints, Mask]:
    """The code (``columns.CODES``) of each row, and which rows have words of Forfait's own CSV."""
    # Fields shorter than eight bytes are filled up with zeros, which no field has, so equal words have equal lengths.
    way = words.words(buffer, *direction, 1)[:, 0]
    outbound, inbound = (way == _OUTBOUND) & (direction[1] == 8), way == _INBOUND
    begin, length = disposition
    end = words.words(buffer, begin, length, 1)[:, 0]
    answered = (end == _ANSWERED) & (length == 8)
    no_answer = (end == _NO_ANSWER) & (length == 9) & (buffer[begin + 8] == ord("R"))
    busy, failed = end == _BUSY, end == _FAILED
    ending = 1 * no_answer.view(np.int8) + 2 * busy.view(np.int8) + 3 * failed.view(np.int8)
    code = (inbound + 2 * ending).astype(np.int64)
    return code, (outbound | inbound) & (answered | no_answer | busy | failed)


class Spelling(NamedTuple):
    """How numbers are spelled, one item per number.

    ``skip``: bytes before the digits of the E.164 number; ``digits``: the count of these digits; ``ten``: the number is
    written without the calling code 1, which ``digits`` counts. ``known``: it is E.164 if the other bytes are digits.
    """

    skip: Ints
    digits: Ints
    ten: Mask
    known: Mask


def spelling(buffer: NDArray[np.uint8], begin: Ints, length: Ints, plan: DialPlan) -> Spelling:
    """The spelling of numbers, as ``DialPlan.read`` reads them."""
    begins = words.window(buffer, begin, 1)[:, 0]
    head = begins[:, np.newaxis].view(np.uint8)
    # Copied, because comparing contiguous bytes is faster.
    first, second, third = (head[:, place].copy() for place in range(3))
    plus = first == ord("+")
    skips, ten = plus.view(np.int8), np.zeros(len(begin), bool)
    known = plus
    if plan.home_country in NANP:
        zero = first == 48
        eleven = (first == 49) & (length == 11) & (second > 49)
        ten = (length == 10) & (first > 49)
        world, double = zero & (second == 49) & (third == 49), zero & (second == 48)
        skips = skips + 3 * world.view(np.int8) + 2 * double.view(np.int8)
        bare = eleven | ten
        names = _names(plan)
        if len(names):
            # A user name that is written like a number is an internal one.
            bare &= ~np.isin(words.left_digits(buffer, begin, length)[0], names)
        known = plus | bare | world | double
    skip = skips.astype(np.int64)
    digits = length - skip + ten
    # Most numbers are of North America: only the others are looked up.
    plain = ten | (plus & (second == 49) & (third > 49))
    rest = np.flatnonzero(~plain)
    plain[rest] = _plain()[words.four(begins[rest] >> (skip[rest] << 3).view(np.uint64))]
    # Few of these numbers really have a trunk prefix; the others must not send their rows to the reference.
    for row in rest[known[rest] & ~plain[rest]].tolist():
        plain[row] = _is_itself(buffer[begin[row] + skip[row] : begin[row] + length[row]].tobytes())
    return Spelling(skip, digits, ten, known & plain & (digits >= 7) & (digits <= words.DIGITS) & (skip + 6 < length))


@lru_cache(maxsize=64)
def _names(plan: DialPlan) -> Ints:
    """The user names of 10 and 11 digits, as ``words.left_digits`` reads them."""
    names = {name for name in plan.accounts if name.isdigit() and name.isascii() and 10 <= len(name) <= 11}
    return np.array(sorted(int(name.ljust(words.DIGITS, "0")) for name in names), np.int64)


@lru_cache(maxsize=1 << 14)
def _is_itself(digits: bytes) -> bool:
    """Whether digits with a calling code are an E.164 number as they are."""
    text = digits.decode("latin-1")
    try:
        return text.isascii() and text.isdigit() and numbering.e164(text) == "+" + text
    except ValueError:
        return False


@cache
def _plain() -> Mask:
    """Which first four digits, packed as ``words.four`` packs them, E.164 numbers have that are read as themselves."""
    plain = np.ones(1 << 16, bool)
    plain[: 1 << 12] = False
    plain[[int(head, 16) for head in numbering.odd_heads()]] = False
    return plain


def numbers(buffer: NDArray[np.uint8], begin: Ints, length: Ints, plan: DialPlan) -> tuple[Ints, Ints, Mask]:
    """Numbers filled up with zeros to 15 digits, how many digits are their own, and which numbers were understood."""
    skip, digits, ten, known = spelling(buffer, begin, length, plan)
    value, good = words.left_digits(buffer, begin + skip, length - skip)
    tens = np.flatnonzero(ten)
    value[tens] = 10**14 + value[tens] // 10
    return value, digits, good & known
