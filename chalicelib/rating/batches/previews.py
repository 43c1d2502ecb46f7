"""Previews: how a file would be read and priced; nothing is posted. For trying out exports and CDR sources."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, TypeGuard

from chalicelib import money, periods
from chalicelib.accounts.ledger import posting
from chalicelib.accounts.service import term_versions
from chalicelib.calls.format import RatedCall
from chalicelib.config import settings
from chalicelib.errors import Invalid, Refused
from chalicelib.rating.batches import sources
from chalicelib.rating.cdr import encoding as cdr_encoding
from chalicelib.rating.cdr import formats
from chalicelib.rating.cdr.call import Skipped
from chalicelib.rating.cdr.declaration import Declaration
from chalicelib.rating.cdr.formats import Call, Layout, Rejection, Source
from chalicelib.rating.cdr.records import Chunk, Cut, chunks, plain_blocks, records
from chalicelib.rating.cdr.suggest import suggest
from chalicelib.rating.cdr.suggest.advice import Advice, advise
from chalicelib.rating.cdr.suggest.found import Question, Suggestion
from chalicelib.rating.cdr.suggest.keeping import kept
from chalicelib.rating.engine.attribution import Refusal, attribute
from chalicelib.rating.pricing import loading
from chalicelib.rating.pricing.explain import converted_cost
from chalicelib.rating.pricing.ownership import known_by
from chalicelib.rating.pricing.price import CallTerms, Price
from chalicelib.rating.pricing.rate_book import Holder, RateBook

LINES = 20
SAMPLE_BYTES = 1 << 16
"""So much of an unpacked sample is read and counted."""
MAX_UNPACKED_BYTES = 4 << 20


@dataclass(frozen=True)
class Line:
    """A line of the file, its call as it would be rated, and how its cost was converted from another currency."""

    line: int
    call: RatedCall
    steps: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SkippedLine:
    """A line that is no call; ``skipped``: why."""

    line: int
    skipped: str
    raw: str


@dataclass
class Preview:
    """``rows``: the first lines in file order, priced as if no free minutes were left, or refused.

    ``lines``, ``rated`` and ``rejected`` count all lines of the sample. ``found``: the source that is suggested.
    """

    filename: str
    source_id: str | None
    time_zone: str = ""
    encoding: str = "utf-8"
    layout: Layout = formats.UNKNOWN
    rows: list[Line | Rejection | SkippedLine] = field(default_factory=list)
    lines: int = 0
    rejected: int = 0
    skipped: int = 0
    found: Suggestion = field(default_factory=Suggestion)
    advice: list[Advice] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)

    @property
    def rated(self) -> int:
        return self.lines - self.rejected - self.skipped

    @property
    def suggestion(self) -> dict[str, Any] | None:
        """The source as it is PUT: all that is declared already, under its id and pattern, and what is added.

        Without a source the id and the pattern are made of the file's name. None: nothing is to be declared.
        """
        return {**self.named, **self.found.source} if self.found.source else None

    @property
    def confidence(self) -> dict[str, str]:
        return self.found.confidence

    @property
    def questions(self) -> list[Question]:
        return self.found.questions


def proposed(filename: str, taken: Collection[str]) -> dict[str, str]:
    """The id and the pattern of a source for files like this one: its folder, or its name with ``*`` for digits.

    ``taken``: the ids of other sources; a PUT under one of them would replace that source.
    """
    folder, _, name = filename.rpartition("/")
    stem = name.split(".", 1)[0]
    words = re.findall(r"[a-z]+", (folder or stem).lower())
    pattern = f"{folder}/" if folder else re.sub(r"[0-9][0-9_.-]*", "*", stem).rstrip("*") + "*"
    name = "-".join(words)[:40].strip("-") or "files"
    free = (f"{name}-{n}" if n > 1 else name for n in count(1))
    return {"id": next(each for each in free if each not in taken), "pattern": pattern}


def _stands(
    filename: str, declared: dict[str, Any] | None, ids: Collection[str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The parts that are declared about a file already; and the id and the pattern of its suggestion."""
    if declared is None:
        return {}, proposed(filename, ids)
    parts = dict(declared)
    return parts, {"id": parts.pop("source_id"), "pattern": parts.pop("pattern")}


def preview(now: int, reseller_id: str, filename: str, data: bytes) -> Preview:
    """Read ``data``, the beginning of a file, as a file of that name would be read if it arrived at ``now``.

    ``Invalid`` when it unpacks to more than ``MAX_UNPACKED_BYTES``.
    """
    reseller = posting.get_reseller(reseller_id)
    listed = sources.listed(reseller_id)
    declared = sources.declared_in(listed, filename)
    book = loading.rate_book(
        reseller_id,
        reseller.zones,
        reseller.dial_plan,
        term_versions.head_of(reseller_id).version,
        loading.deck_version(),
        record_costs=reseller.cost_source == "record",
    )
    known = known_by(book.ownership)

    def reading(parts: Mapping[str, Any] | None) -> Source:
        return sources.reading(book.plan, reseller.zones, parts, known)

    source = reading(declared)
    found = Preview(filename, declared["source_id"] if declared else None)
    stands, found.named = _stands(filename, declared, [one.source_id for one in listed])
    head, first, size = bytearray(), None, 0
    try:
        read = chunks(_watched(plain_blocks([data], filename, MAX_UNPACKED_BYTES), head), 2 * SAMPLE_BYTES)
        for found.layout, chunk in formats.laid_out(read, source):
            if isinstance(chunk, Cut):
                # The beginning of a compressed file always ends too early: an error only if nothing could be read.
                found.rows += [] if found.rows else [formats.rejection_of(chunk)]
                break
            first = first or chunk
            found.rows += _rows(chunk, found.layout, source, book)
            found.encoding = _encoding(found.encoding, bytes(head), chunk)
            size += len(chunk.data)
            if size >= SAMPLE_BYTES:
                break
    except Refused as problem:
        raise Invalid.field("text", problem.detail) from None
    refused, then = [row for row in found.rows if isinstance(row, Rejection)], dict[int, str]()
    found.lines, found.rejected = len(found.rows), len(refused)
    found.skipped = sum(isinstance(row, SkippedLine) for row in found.rows)
    if first and refused:
        found.found = suggest(first, found.layout.name not in ("unknown", "aliased"), known, source.plan, stands)

        at = {row.line for row in refused}
        # A format may know words that no list has.
        known_words = [one for one in found.found.questions if one.code == "words" and not at & {*one.lines}]
        found.found.without(known_words)
        found.found, then = kept(found.found, lambda parts: _read(first, parts, reading, book))
    found.advice = advise(refused, found.found, then)
    del found.rows[LINES:]
    calendar = periods.calendar(formats.zone_of(found.layout, source))
    found.time_zone = calendar.zone_name(calendar.month_of(now))
    return found


def _read(
    first: Chunk, parts: Mapping[str, Any], reading: Callable[[Mapping[str, Any]], Source], book: RateBook
) -> Iterator[Line | Rejection | SkippedLine]:
    """The lines of a chunk as they are read when a source with these parts is declared."""
    source = reading(parts)
    for layout, chunk in formats.laid_out([first], source):
        if not isinstance(chunk, Cut):
            yield from _rows(chunk, layout, source, book)


def _rows(chunk: Chunk, layout: Layout, source: Source, book: RateBook) -> Iterator[Line | Rejection | SkippedLine]:
    costs = _costs_as_written(chunk, layout, source) if book.record_costs else {}
    raw = {record.line: record.raw for record in records(chunk, layout.delimiter)}
    for call in formats.parse(chunk, layout, source):
        if isinstance(call, Rejection):
            yield call
            continue
        if isinstance(call, Skipped):
            yield SkippedLine(call.line, call.why, call.raw)
            continue
        found = attribute(call, book)
        if isinstance(found, Refusal):
            yield Rejection(call.line, *found, raw[call.line])
        else:
            holder, terms = book.holders.values[found.holder], book.call_terms(found.terms)
            rated = _rated(call, holder, terms, found.price)
            yield Line(call.line, rated, [costs[call.line]] if rated.cost_e8 and call.line in costs else [])


def _costs_as_written(chunk: Chunk, layout: Layout, source: Source) -> dict[int, str]:
    """By line, how its cost is converted from the currency of the file; empty if that is the deployment's."""
    declares = source.declares
    if not declares.fx or not declares.cost_currency:
        return {}
    calls = formats.parse(chunk, layout, source._replace(declares=replace(declares, fx=None)))
    parts = declares.cost_currency, declares.fx, settings.currency
    return {call.line: converted_cost(call.cost_e8, *parts) for call in calls if _is_converted(call, declares)}


def _is_converted(call: Call | Rejection | Skipped, declares: Declaration) -> TypeGuard[Call]:
    """Whether a call has a cost, and one that can be converted."""
    if not isinstance(call, Call) or call.cost_e8 < 0:
        return False
    return bool(call.cost_e8 * declares.fx_e10 <= money.MAX_AMOUNT * 10**money.RATE_PLACES)


def _rated(call: Call, holder: Holder, terms: CallTerms, price: Price) -> RatedCall:
    return RatedCall(
        **{**call._asdict(), **price._asdict()},
        client_id=holder.client_id,
        package_id=holder.package_id,
        destination=terms.destination,
        country=terms.country or "",
        rule=terms.rule,
        rate_e10=terms.rate_e10,
        batch_id="",
    )


def _watched(blocks: Iterator[bytes], head: bytearray) -> Iterator[bytes]:
    """The same blocks; their first bytes are added to ``head``, because the encoding is found in them."""
    for block in blocks:
        head += block[: cdr_encoding.SNIFFED - len(head)]
        yield block


def _encoding(so_far: str, head: bytes, chunk: Chunk) -> str:
    """The encoding of all that was read so far: ``utf-8`` unless a byte is not valid in it."""
    sniffed = cdr_encoding.sniff(head)
    if sniffed != "utf-8" or so_far != "utf-8":
        return sniffed if sniffed != "utf-8" else so_far
    try:
        chunk.data.decode()
    except UnicodeDecodeError:
        return "windows-1252"
    return "utf-8"
