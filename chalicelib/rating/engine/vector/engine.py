"""``rate``, a chunk at a time: plain lines as columns, all other lines through the reference engine."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalicelib.money import AMOUNT_PLACES
from chalicelib.rating.cdr.formats import Layout, Source, zone_of
from chalicelib.rating.cdr.records import Chunk
from chalicelib.rating.engine import reference
from chalicelib.rating.engine.columns import ROW, Columns, Texts, empty
from chalicelib.rating.engine.term_table import TermTable
from chalicelib.rating.engine.vector import dialled, fields, prices
from chalicelib.rating.engine.vector.compiled import Compiled, Priced
from chalicelib.rating.engine.vector.fields import Fields
from chalicelib.rating.engine.vector.layouts import FORMATS, MappedRows, mapped_rows
from chalicelib.rating.engine.vector.lines import lines_of
from chalicelib.rating.engine.vector.match import countries
from chalicelib.rating.engine.vector.prices import Pulse
from chalicelib.rating.engine.vector.texts import texts_of
from chalicelib.rating.engine.vector.words import Ints, Mask

_US, _CANADA, _ELSEWHERE = 0, 1, 2
_NANP = 10**14
_SPARE = 1 << 24
"""Bytes: more than the arrays of a chunk take, and less than 32 MB, the most that glibc keeps."""


def rate(chunk: Chunk, layout: Layout, source: Source, table: TermTable) -> Columns:
    """The same rows as ``reference.rate``, but ``terms`` may be other numbers of the same terms in ``table``."""
    lines = lines_of(chunk, layout) if layout.name in FORMATS else None
    if lines is None:
        return reference.rate(chunk, layout, source, table)
    compiled = table.compiled
    if not isinstance(compiled, Compiled):
        # glibc keeps as much freed memory as the largest block freed before, and gives more back to the system, which
        # for each chunk takes a tenth of the time that it is rated in. No byte of this block is touched.
        np.empty(_SPARE, np.uint8)
        table.compiled = compiled = Compiled(table.book)
    rows, plan = mapped_rows(lines, layout, source, compiled.kept_rules), source.plan
    if plan.declares:
        rows = dialled.as_read(rows, plan)
    read = fields.read(rows, zone_of(layout, source), source.declares, plan, table.book)
    priced = np.zeros(len(read.start), ROW)
    good = _owned_and_priced(rows, read, priced, compiled)
    priced["line"] = chunk.first_line + lines.line
    priced["start"], priced["month"], priced["seconds"], priced["code"] = (
        read.start,
        read.month,
        read.seconds,
        read.code,
    )
    chosen = np.flatnonzero(good)
    # ``take`` copies whole rows; an index copies field by field, which takes twelve times as long.
    mine = Columns(np.take(priced, chosen), partial(texts_of, rows, chosen, plan), [])
    together, numbers = lines.together(lines.line[~good])
    others = reference.rate(together, layout, source, table) if len(numbers) else empty()
    return _merged(mine, _numbered(others, chunk.first_line + numbers))


def _owned_and_priced(rows: MappedRows, read: Fields, priced: NDArray[Any], compiled: Compiled) -> Mask:
    """Fill in holder, terms and prices; returns which lines were understood and could be priced here."""
    begin, length = rows.fields["account"]
    account = compiled.owners.accounts(rows.buffer, begin, length)
    inbound = read.code & 1 > 0
    good: Mask = read.good & ((account >= 0) | (inbound & (length == 0)))
    # A product, because choosing by an irregular mask takes ten times as long.
    seconds = read.seconds * (read.code < 2)
    outbound = ~inbound
    if read.internal is not None:
        inside = np.flatnonzero(good & read.internal)
        outbound &= ~read.internal
        good[inside] = _internal(read, priced, inside, account[inside], compiled)
        # Neither a price nor a cost, also if the record states one.
        seconds[inside] = 0
    if compiled.book.record_costs:
        good &= (read.cost_e8 >= 0) | (seconds == 0)
    out = np.flatnonzero(good & outbound)
    good[out] = _outbound(read, priced, out, account[out], seconds[out], compiled)
    into = np.flatnonzero(good & inbound)
    good[into] = _inbound(read, priced, into, seconds[into], compiled)
    if compiled.book.record_costs:
        priced["cost_e8"] = np.where(seconds > 0, read.cost_e8, 0)
    return good


def _internal(read: Fields, rows: NDArray[Any], inside: Ints, account: Ints, compiled: Compiled) -> Mask:
    """The holders and terms of calls to internal numbers, whose amounts and costs stay 0; returns which have both."""
    owners = compiled.owners
    state = owners.account_states(account, read.start[inside])
    holder, package = owners.account_holder[state], owners.account_package[state]
    rows["holder"][inside] = holder
    good: Mask = (holder >= 0) & (package >= 0)
    if good.any():
        rows["terms"][inside] = compiled.internal_numbers[np.maximum(package, 0)]
    return good


def _outbound(read: Fields, rows: NDArray[Any], out: Ints, account: Ints, seconds: Ints, compiled: Compiled) -> Mask:
    owners, start = compiled.owners, read.start[out]
    state = owners.account_states(account, start)
    holder, package = owners.account_holder[state], owners.account_package[state]
    rows["holder"][out] = holder
    priced = np.zeros(len(out), bool)
    if not compiled.epoch_list or not len(out):
        return priced
    epoch = compiled.epochs.place(np.maximum(package, 0), start)
    for deck, some in _decks(_routes(read.called[out], epoch, compiled), start, compiled):
        priced[some] = _on_deck(read, rows, out[some], epoch[some], seconds[some], deck, compiled)
    return priced & (holder >= 0) & (package >= 0)


def _decks(route: Ints, start: Ints, compiled: Compiled) -> Iterator[tuple[Priced, Ints | slice]]:
    """The decks by which calls are bought, each with the indexes of its calls."""
    earliest, latest = start.min(), start.max()
    for number, (name, firsts) in enumerate(zip(compiled.routes, compiled.deck_firsts, strict=True)):
        first, last = np.searchsorted(firsts, (earliest, latest), "right") - 1
        if first == last >= 0 and len(compiled.routes) == 1:
            yield compiled.deck(name, int(first)), slice(None)
            return
        place = np.searchsorted(firsts, start, "right") - 1
        for each in range(max(first, 0), last + 1):
            some = np.flatnonzero((route == number) & (place == each))
            if len(some):
                yield compiled.deck(name, each), some


def _routes(called: Ints, epoch: Ints, compiled: Compiled) -> Ints:
    """The number of the route by which the package of each call buys it."""
    if len(compiled.routes) == 1:
        return np.zeros(len(called), np.int64)
    regions, names, of_region = countries()
    region = regions.at(called)
    country = np.where(region >= 0, np.append(of_region, 0)[region], 0)
    kinds = [_ELSEWHERE] + [{"US": _US, "CA": _CANADA}.get(name or "", _ELSEWHERE) for name in names[1:]]
    kind = np.where((country == 0) & (called // _NANP == 1), _US, np.array(kinds)[country])
    return compiled.route_numbers[epoch, kind]


def _on_deck(
    read: Fields, rows: NDArray[Any], which: Ints, epoch: Ints, seconds: Ints, deck: Priced, compiled: Compiled
) -> Mask:
    """Price the calls (``which`` rows) on one deck; returns which of them could be priced here."""
    slot, place = compiled.slots(deck, epoch), deck.matcher.find(read.called[which], read.called_digits[which])
    if not deck.slots:
        return np.zeros(len(slot), bool)
    good: Mask = deck.is_safe[slot] & (deck.matcher.least[place] <= read.called_digits[which])
    rows["terms"][which] = deck.code(slot, place)
    # A call that was not answered costs nothing: its amounts stay 0.
    paid = np.flatnonzero(good & (seconds > 0))
    _price(rows, which[paid], seconds[paid], slot[paid], place[paid], deck)
    return good


def _price(rows: NDArray[Any], which: Ints, seconds: Ints, slot: Ints, place: Ints, deck: Priced) -> None:
    """Fill in billed seconds, amounts and costs of answered calls of one second or longer."""
    rules, rule, cost = deck.rules, deck.rule_of(slot, place), np.take(deck.costs, place)
    by_deck, cost_pulse = rules.deck_pulse[rule], Pulse(*(cost[name] for name in Pulse._fields))
    own = (getattr(rules, name)[rule] for name in Pulse._fields)
    pulse = Pulse(*(mine + by_deck * theirs for mine, theirs in zip(own, cost_pulse, strict=True)))
    billed, rate = prices.billed(seconds, pulse), prices.rates(rules, rule, cost["rate_e10"])
    fee = prices.fees(rules, rule, cost["fee_e8"])
    amount = prices.amounts(rate, billed, fee, rules.minimum_e8[rule], rules.decimals[rule])
    rows["billed"][which] = billed
    rows["amount_e8"][which] = amount * ((seconds > rules.grace[rule]) & (billed > 0))
    rows["cost_e8"][which] = prices.costs(cost["rate_e10"], prices.billed(seconds, cost_pulse), cost["fee_e8"])


def _inbound(read: Fields, rows: NDArray[Any], into: Ints, seconds: Ints, compiled: Compiled) -> Mask:
    """Price calls to DIDs: by the rate and pulse of the DID, without a fee; returns which have a holder."""
    state = compiled.owners.did_states(read.called[into], read.called_digits[into], read.start[into])
    holder = compiled.owners.did_holder[state]
    rows["holder"][into], rows["terms"][into] = holder, compiled.did_numbers[state]
    paid = np.flatnonzero((holder >= 0) & (seconds > 0))
    which, seconds, state, terms = into[paid], seconds[paid], state[paid], compiled.did_terms
    billed, nothing = prices.billed(seconds, terms.pulse.at(state)), np.zeros(len(paid), np.int64)
    amount = prices.amounts(terms.rate_e10[state], billed, nothing, nothing, nothing + AMOUNT_PLACES)
    cost_seconds = prices.billed(seconds, terms.cost_pulse.at(state))
    rows["billed"][which], rows["amount_e8"][which] = billed, amount
    rows["cost_e8"][which] = prices.costs(terms.cost_rate_e10[state], cost_seconds, nothing)
    good: Mask = holder >= 0
    return good


def _numbered(columns: Columns, lines: Ints) -> Columns:
    """Rated lines of a chunk that ``Lines.together`` made; ``lines`` are the numbers of its lines in the file."""
    columns.rows["line"] = lines[columns.rows["line"]]
    rejected = [rejection._replace(line=int(lines[rejection.line])) for rejection in columns.rejected]
    return Columns(columns.rows, columns.texts, rejected, columns.skipped)


def _merged(mine: Columns, others: Columns) -> Columns:
    """All rows of a chunk in the order of its lines; only ``others`` can have refused lines."""
    if not len(others):
        return Columns(mine.rows, mine.texts, others.rejected, others.skipped)
    together = np.concatenate([mine.rows, others.rows])
    order = np.argsort(together["line"], kind="stable")
    return Columns(
        np.take(together, order),
        lambda: Texts.joined([mine.texts(), others.texts()]).at(order),
        others.rejected,
        others.skipped,
    )
