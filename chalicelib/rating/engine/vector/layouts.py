"""The lines of every format mapped onto the columns of Forfait's own CSV, as positions in the buffer of the chunk.

A text that the chunk does not contain in Forfait's words (a direction, a disposition, an id made of three fields) is
appended to the buffer. The rules for such texts are those of the formats' own modules, called once per distinct text.
Rows that are not certainly understood are left to the reference engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from chalicelib.calls.format import ANSWERED, OUTBOUND
from chalicelib.rating.cdr import asterisk, freeswitch, fusionpbx, voipms
from chalicelib.rating.cdr.call import COLUMNS
from chalicelib.rating.cdr.formats import Layout, Source, evidence_of, skipping_of, words_of
from chalicelib.rating.cdr.mapping import DURATION, TIME
from chalicelib.rating.engine.vector import ids, owning
from chalicelib.rating.engine.vector import words as vector_words
from chalicelib.rating.engine.vector.lines import Lines
from chalicelib.rating.engine.vector.owning import KeptRules, Rules
from chalicelib.rating.engine.vector.page import Field, Page
from chalicelib.rating.engine.vector.words import Bytes, Mask

FORMATS = ("forfait", "aliased", "voipms", "asterisk", "fusionpbx", "freeswitch")
_MOST_DATE = 40
"""Bytes of a date, or of a time, in a column of its own."""


@dataclass
class MappedRows:
    """Rows in the columns of Forfait's own CSV.

    ``fields`` are positions in ``buffer`` by ``call.COLUMNS``, perhaps without ``cost``, and without ``call_id`` where
    ``id_parts`` has the fields that ``ids.joined`` makes it of. ``good`` marks the rows whose fields are certain.
    ``is_plain``: no text has a comma or a quote.
    """

    buffer: Bytes
    fields: dict[str, Field]
    good: Mask
    is_plain: bool
    id_parts: tuple[Field, ...] = ()


def mapped_rows(lines: Lines, layout: Layout, source: Source, kept: KeptRules) -> MappedRows:
    """The lines of a chunk; the name of ``layout`` is one of ``FORMATS``.

    ``kept`` should be the same for all chunks of a file.
    """
    mapping = words_of(layout, source)
    page = Page(lines, layout, mapping, source.declares.seconds_format, source.known.accounts)
    fields = _READERS[layout.name](page)
    fields["disposition"] = page.known_words(fields["disposition"], fields["seconds"])
    if skipping := skipping_of(layout, source):
        # Skipped rows are few: the reference engine counts them.
        page.good &= ~owning.skipped(page.lines.buffer, skipping[0], *(page.column(name) for name in skipping[1]))
    if rules := kept.of(layout, source):
        fields |= _owned(page, fields, rules, evidence_of(layout, source))
    parts = _asterisk_id(page) if layout.name == "asterisk" else ()
    return MappedRows(page.buffer(), fields, page.good, lines.is_simple and layout.delimiter == ",", parts)


def _owned(page: Page, fields: dict[str, Field], rules: Rules, evidence: Mapping[str, str]) -> dict[str, Field]:
    """The direction and account that the rules find; rows for which they find none are not good."""
    nothing = np.zeros(len(page.good), np.int64)
    channel, context = (page.column(evidence.get(name, "")) for name in ("channel", "context"))
    did, said = (nothing, nothing), [fields.get("direction", (nothing, nothing)), fields["account"]]
    said += [page.not_blank(channel), context]
    if evidence.get("did") in page.columns:
        did = page.not_blank(page.column(evidence["did"]))
        # Whether it is empty is all that the rules ask of it here.
        said.append((did[0], np.minimum(did[1], 1)))
    called = _first_filled(did, fields["to"])
    asked = *said, fields["from"], called
    # The appended texts are copied only if one of these is among them.
    is_here = all(int(begin.max(initial=0)) < len(page.lines.buffer) for begin, _ in asked)
    found = owning.owners(page.lines.buffer if is_here else page.buffer(), rules, said, fields["from"], called)
    page.good &= found.good
    owned = {}
    if did[1].any():
        inbound = np.array([pair[0] != OUTBOUND for pair in found.pairs], bool)[found.which]
        begin, length = fields["to"]
        owned["to"] = np.where(inbound, called[0], begin), np.where(inbound, called[1], length)
    for place, name in enumerate(("direction", "account")):
        begin, length = page.words([pair[place] for pair in found.pairs])
        owned[name] = begin[found.which], length[found.which]
    return owned


def _forfait(page: Page) -> dict[str, Field]:
    return {name: page.column(name) for name in COLUMNS if name in page.columns or name != "cost"}


def _aliased(page: Page) -> dict[str, Field]:
    fields = {name: page.column(name) for name in COLUMNS}
    if TIME in page.columns:
        fields["start"] = _date_and_time(page)
    if DURATION in page.columns:
        fields["seconds"] = _within(page, "seconds")
    return fields


def _date_and_time(page: Page) -> Field:
    """Starts of which the date and the time are two fields; rows where one is longer than any date are not good."""
    parts = []
    for begin, length in (page.not_blank(page.column(name)) for name in ("start", TIME)):
        page.good &= (length > 0) & (length <= _MOST_DATE)
        parts.append((begin, np.minimum(length, _MOST_DATE)))
    texts = ids.joined(page.lines.buffer, parts)
    first = page.append(texts.view(np.uint8))
    return first + np.arange(len(texts)) * texts.itemsize, ids.joined_lengths(parts)


def _voipms(page: Page) -> dict[str, Field]:
    direction, known = page.translated(voipms.direction, page.column("description"), page.column("destination_type"))
    page.good &= known
    fields = {
        "call_id": page.column("uniqueid"),
        "start": page.column("date"),
        "direction": direction,
        "account": page.column("account"),
        "from": page.inner("callerid", np.arange(len(page.good)), to_the_end=False),
        "to": page.column("destination"),
        "disposition": page.column("disposition"),
        "seconds": _voipms_seconds(page),
    }
    return {**fields, "cost": page.column("total")} if "total" in page.columns else fields


def _voipms_seconds(page: Page) -> Field:
    if "seconds" in page.columns:
        begin, length = _within(page, "seconds")
        page.good &= length > 0
        return begin, length
    return page.column("duration")


def _within(page: Page, name: str) -> Field:
    """The column of the billable seconds; rows where they may be more than the call's ``duration`` are not good."""
    seconds = page.column(name)
    page.good &= vector_words.are_within(page.lines.buffer, *seconds, *page.column("duration"), page.seconds_format)
    return seconds


def _asterisk(page: Page) -> dict[str, Field]:
    begin, length = page.not_blank(page.column("src"))
    unnamed = np.flatnonzero(length == 0)
    if len(unnamed):
        begin, length = begin.copy(), length.copy()
        begin[unnamed], length[unnamed] = page.inner("clid", unnamed, to_the_end=True)
    return {
        "start": page.column("start"),
        "account": page.column("accountcode"),
        "from": (begin, length),
        "to": page.column("dst"),
        "disposition": page.column("disposition"),
        "seconds": _within(page, "billsec"),
    }


def _asterisk_id(page: Page) -> tuple[Field, ...]:
    """Unique id, start, channel, number and perhaps sequence, which ``asterisk`` joins; rows without are not good."""
    unique, channel, called = page.column("uniqueid"), page.column("dstchannel"), page.not_blank(page.column("dst"))
    page.good &= ids.are_unique_ids(page.lines.buffer, *unique)
    parts, sequence = (unique, page.column("start"), page.not_blank(channel), called), _asterisk_sequence(page)
    return parts if sequence is None else (*parts, sequence)


def _asterisk_sequence(page: Page) -> Field | None:
    """The sequence of each row, empty where it has none; ``None`` if no row has one."""
    # Not ``column``: of a column that a row does not have, the spots are those of its last field.
    (begin, length), _ = page.raw("sequence")
    if page.columns.get("sequence") == asterisk.SEQUENCE_AT:
        (other, size), _ = page.raw(asterisk.SEQUENCE_IN_20)
        begin, length = np.where(length > 0, begin, other), np.where(length > 0, length, size)
    if not length.any():
        return None
    page.good &= (length == 0) | vector_words.small_numbers(page.lines.buffer, begin, length, 8)[1]
    return begin, length


def _freeswitch(page: Page) -> dict[str, Field]:
    account, seconds = _unquoted(page, page.column("accountcode")), _within(page, "billsec")
    return {
        "call_id": page.column("uuid"),
        "start": page.column("start_stamp"),
        "account": account,
        "from": page.column("caller_id_number"),
        "to": page.column("destination_number"),
        "disposition": _ended(page, seconds),
        "seconds": seconds,
    }


def _fusionpbx(page: Page) -> dict[str, Field]:
    code, extension = page.not_blank(page.column("accountcode")), page.not_blank(page.column("extension"))
    account, known = page.translated(partial(fusionpbx.account, accounts=page.accounts), code, extension)
    direction, also = page.translated(fusionpbx.direction, page.column("direction"))
    page.good &= known & also
    return {
        "call_id": page.column("xml_cdr_uuid"),
        "start": page.column("start_stamp"),
        "direction": direction,
        "account": account,
        "from": page.column("caller_id_number"),
        "to": page.column("destination_number"),
        "disposition": _ended(page, page.column("billsec")),
        "seconds": page.column("billsec"),
    }


def _ended(page: Page, seconds: Field) -> Field:
    """The dispositions of FreeSWITCH: answered, or why not."""
    answer = page.not_blank(page.column("answer_stamp"))
    answered = (answer[1] > 0) | (vector_words.spans(page.lines.buffer, *seconds, 5, page.seconds_format)[0] > 0)
    (begin, length), known = page.translated(freeswitch.disposition, page.column("hangup_cause"))
    page.good &= answered | known
    other, size = page.words([ANSWERED])
    return np.where(answered, other, begin), np.where(answered, size, length)


def _first_filled(field: Field, other: Field) -> Field:
    """Per row the first of two fields that is not empty."""
    (begin, length), (at, size) = field, other
    if not length.any():
        return other
    return np.where(length > 0, begin, at), np.where(length > 0, length, size)


def _unquoted(page: Page, field: Field) -> Field:
    """A field without the blank and quotes that some templates write around an account code."""
    begin, length = field
    buffer = page.lines.buffer
    around = (length >= 3) & (buffer[begin] == ord(" ")) & (buffer[begin + 1] == ord('"'))
    around &= buffer[begin + np.maximum(length, 1) - 1] == ord('"')
    return begin + 2 * around, length - 3 * around


_READERS: dict[str, Callable[[Page], dict[str, Field]]] = {
    "forfait": _forfait,
    "aliased": _aliased,
    "fusionpbx": _fusionpbx,
    "voipms": _voipms,
    "asterisk": _asterisk,
    "freeswitch": _freeswitch,
}
