"""``rate`` a chunk at a time: plain lines as columns, every other line through the reference engine."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chalicelib.rating import engine
from chalicelib.rating.columns import ROW, Columns, Texts, empty
from chalicelib.rating.fast import fields, prices
from chalicelib.rating.fast.compiled import Compiled, Priced
from chalicelib.rating.fast.fields import Fields
from chalicelib.rating.fast.lines import lines_of
from chalicelib.rating.fast.match import countries
from chalicelib.rating.fast.rows import FORMATS, Rows, rows_of
from chalicelib.rating.fast.split import Ints, Mask
from chalicelib.rating.fast.texts import texts_of
from chalicelib.rating.formats import Layout, Source, zone_of
from chalicelib.rating.pricing import PERCENT_ONE
from chalicelib.rating.records import Chunk
from chalicelib.rating.tables import Tables

_US, _CANADA, _ELSEWHERE = 0, 1, 2
_NANP = 10**14


def rate(chunk: Chunk, layout: Layout, source: Source, tables: Tables) -> Columns:
    """The same as ``engine.rate``, row for row; ``terms`` may be other numbers for the same terms."""
    lines = lines_of(chunk, layout) if layout.name in FORMATS else None
    if lines is None:
        return engine.rate(chunk, layout, source, tables)
    if tables.vectorised is None:
        tables.vectorised = Compiled(tables)
    rows, home = rows_of(lines, layout, source), source.home_country
    read = fields.read(rows, zone_of(layout, source), home, tables)
    priced = np.zeros(len(read.start), ROW)
    good = _owned_and_priced(rows, read, priced, tables.vectorised)
    priced["line"] = chunk.first_line + lines.line
    priced["start"], priced["month"], priced["seconds"], priced["code"] = (
        read.start,
        read.month,
        read.seconds,
        read.code,
    )
    chosen = np.flatnonzero(good)
    mine = Columns(priced if good.all() else priced[chosen], partial(texts_of, rows, chosen, home), [])
    together, numbers = lines.together(lines.line[~good])
    others = engine.rate(together, layout, source, tables) if len(numbers) else empty()
    return _merged(mine, _numbered(others, chunk.first_line + numbers))


def _owned_and_priced(rows: Rows, read: Fields, priced: NDArray[Any], compiled: Compiled) -> Mask:
    """Fill in holder, terms and prices; the lines that were understood and can be priced here."""
    begin, length = rows.fields["account"]
    account = compiled.owners.accounts(rows.buffer, begin, length)
    inbound = (read.code & 1).astype(bool)
    good: Mask = read.good & (~inbound | (account >= 0) | (length == 0)) & (inbound | (account >= 0))
    answered = read.code < 2
    seconds = np.where(answered, read.seconds, 0)
    if compiled.tables.record_costs:
        good &= (read.cost_e8 >= 0) | (seconds == 0)
    out = np.flatnonzero(good & ~inbound)
    good[out] = _outbound(read, priced, out, account[out], seconds[out], compiled)
    into = np.flatnonzero(good & inbound)
    good[into] = _inbound(read, priced, into, seconds[into], compiled)
    if compiled.tables.record_costs:
        priced["cost_e8"] = np.where(seconds > 0, read.cost_e8, 0)
    return good


def _outbound(read: Fields, rows: NDArray[Any], out: Ints, account: Ints, seconds: Ints, compiled: Compiled) -> Mask:
    owners, start = compiled.owners, read.start[out]
    state = owners.account_states(account, start)
    package = owners.account_package[state]
    rows["holder"][out] = owners.account_holder[state]
    good = (owners.account_holder[state] >= 0) & (package >= 0)
    if not compiled.epoch_list:
        return np.zeros(len(out), bool)
    epoch = compiled.epochs.place(np.maximum(package, 0), start)
    route = _routes(read.called[out], epoch, compiled)
    for number, name in enumerate(compiled.routes):
        firsts = np.array([first for first, _ in compiled.tables.decks.get(name, ())], np.int64)
        place = np.searchsorted(firsts, start, "right") - 1
        here = route == number
        good &= ~here | (place >= 0)
        for each in np.unique(place[here & good]):
            some = np.flatnonzero(here & good & (place == each))
            deck = compiled.deck(name, int(each))
            good[some] = _on_deck(read, rows, out[some], epoch[some], seconds[some], deck, compiled)
    return good


def _routes(called: Ints, epoch: Ints, compiled: Compiled) -> Ints:
    """Number of the route that each package buys each call by."""
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
    """Price calls on one deck."""
    slot = compiled.slots(deck, epoch)
    matcher = deck.matcher
    place = matcher.find(read.called[which])
    line = matcher.line[place]
    good = (slot >= 0) & (line >= 0) & (matcher.least[place] <= read.called_digits[which])
    if not deck.slots:
        return np.zeros(len(which), bool)
    slot = np.maximum(slot, 0)
    good &= deck.columns["safe"][slot] > 0
    rows["terms"][which] = deck.code(slot, place)
    # What was not answered costs nothing, and stays 0.
    paid = np.flatnonzero(good & (seconds > 0))
    _price(rows, which[paid], seconds[paid], slot[paid], place[paid], deck)
    return good


def _price(rows: NDArray[Any], which: Ints, seconds: Ints, slot: Ints, place: Ints, deck: Priced) -> None:
    """Amounts and costs of answered calls."""
    table, costs = deck.columns, deck.costs
    line = deck.matcher.line[place]
    flat = slot * len(deck.matcher.starts) + place
    rule = table["rule_base"][slot] + table["rule"][flat]
    increment = table["increment"][rule]
    own = increment > 0
    initial = np.where(own, table["initial"][rule], costs.initial[line])
    increment = np.where(own, increment, costs.increment[line])
    fee = table["fee"][rule]
    fee_e14 = np.where(fee < 0, costs.fee_e8[line] * (PERCENT_ONE + table["percent"][slot]), fee * PERCENT_ONE)
    billed = prices.billed(seconds, initial, increment)
    amount = prices.amounts(table["rate"][flat], billed, fee_e14, table["minimum"][rule], table["decimals"][slot])
    rows["billed"][which] = billed
    rows["amount_e8"][which] = np.where((seconds > table["grace"][rule]) & (billed > 0), amount, 0)
    cost_seconds = prices.billed(seconds, costs.initial[line], costs.increment[line])
    rows["cost_e8"][which] = prices.costs(costs.rate_e10[line], cost_seconds, costs.fee_e8[line])


def _inbound(read: Fields, rows: NDArray[Any], into: Ints, seconds: Ints, compiled: Compiled) -> Mask:
    """Price calls to DIDs: their own rate and pulse, no fee."""
    state = compiled.owners.did_states(read.called[into], read.called_digits[into], read.start[into])
    holder = compiled.owners.did_holder[state]
    table = {name: column[np.maximum(state, 0)] for name, column in compiled.did_columns.items()}
    nothing = np.zeros(len(into), np.int64)
    billed = prices.billed(seconds, table["initial"], table["increment"])
    amount = prices.amounts(table["rate_e10"], billed, nothing, nothing, nothing + 8)
    cost_seconds = prices.billed(seconds, table["cost_initial"], table["cost_increment"])
    rows["holder"][into], rows["billed"][into] = holder, billed
    rows["amount_e8"][into] = amount
    rows["cost_e8"][into] = prices.costs(table["cost_rate_e10"], cost_seconds, nothing)
    rows["terms"][into] = compiled.did_numbers[np.maximum(state, 0)]
    good: Mask = (state >= 0) & (holder >= 0)
    return good


def _numbered(columns: Columns, lines: Ints) -> Columns:
    """What the reference made of lines that were put together: ``lines`` tells where each of them stands."""
    columns.rows["line"] = lines[columns.rows["line"]]
    rejected = [rejection._replace(line=int(lines[rejection.line])) for rejection in columns.rejected]
    return Columns(columns.rows, columns.texts, rejected)


def _merged(mine: Columns, others: Columns) -> Columns:
    """All rows of a chunk in the order of its lines; only the ``others`` may be refused."""
    if not len(others):
        return Columns(mine.rows, mine.texts, others.rejected)
    together = np.concatenate([mine.rows, others.rows])
    order = np.argsort(together["line"], kind="stable")
    return Columns(together[order], lambda: Texts.joined([mine.texts(), others.texts()]).at(order), others.rejected)
