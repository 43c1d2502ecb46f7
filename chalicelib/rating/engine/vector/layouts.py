"""The lines of every format mapped onto the columns of Forfait's own CSV, as positions in the buffer of the chunk.

A text that the chunk does not contain in Forfait's words (a direction, a disposition, an id made of three fields) is
appended to the buffer. The rules for such texts are those of the formats' own modules, called once per distinct text.
Rows that are not certainly understood are left to the reference engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from chalicelib.calls.format import ANSWERED, DISPOSITIONS
from chalicelib.rating.cdr import asterisk, call, freeswitch, fusionpbx, voipms
from chalicelib.rating.cdr.call import COLUMNS, BadField
from chalicelib.rating.cdr.formats import Layout, Source, evidence_of, owning_of, skipping_of, words_of
from chalicelib.rating.cdr.mapping import DURATION, ColumnMapping
from chalicelib.rating.cdr.owning import Owning
from chalicelib.rating.cdr.row_formats import ROW_FORMATS
from chalicelib.rating.engine.vector import ids, owning
from chalicelib.rating.engine.vector import words as vector_words
from chalicelib.rating.engine.vector.lines import Lines
from chalicelib.rating.engine.vector.words import PAD, Bytes, Ints, Mask

Field = tuple[Ints, Ints]
"""Per row, the position of the field in the buffer, and its length in bytes."""
FORMATS = ("forfait", "aliased", "voipms", "asterisk", "fusionpbx", "freeswitch")
_HEADS = np.zeros(11, np.uint8)
_HEADS[[len(word) for word in DISPOSITIONS]] = [ord(word[0]) for word in DISPOSITIONS]
"""The first byte of a disposition in Forfait's words, by its length."""
_WORD_BYTES = 64
"""The longest text, in bytes, that the rules of a format are asked about."""


@dataclass
class MappedRows:
    """Rows in the columns of Forfait's own CSV.

    ``fields`` are positions in ``buffer`` by ``call.COLUMNS``, perhaps without ``cost``. ``good`` marks the rows whose
    fields are certain. ``is_plain``: no text has a comma or a quote.
    """

    buffer: Bytes
    fields: dict[str, Field]
    good: Mask
    is_plain: bool


def mapped_rows(lines: Lines, layout: Layout, source: Source) -> MappedRows:
    """The lines of a chunk; the name of ``layout`` is one of ``FORMATS``."""
    mapping = words_of(layout, source)
    page = _Page(lines, layout, mapping)
    fields = _READERS[layout.name](page)
    if "direction" in mapping.defaults and not page.states("direction"):
        fields["direction"] = page.everywhere(mapping.defaults["direction"])
    fields["disposition"] = page.known_words(fields["disposition"])
    if skipping := skipping_of(layout, source):
        # Skipped rows are few: the reference engine counts them.
        page.good &= ~owning.skipped(page.lines.buffer, skipping[0], *(page.column(name) for name in skipping[1]))
    if rules := owning_of(layout, source):
        fields |= _owned(page, fields, rules, evidence_of(layout, source))
    return MappedRows(page.buffer(), fields, page.good, lines.is_simple and layout.delimiter == ",")


class _Page:
    """The lines of a chunk, and the texts that are appended to its buffer."""

    def __init__(self, lines: Lines, layout: Layout, mapping: ColumnMapping) -> None:
        self.lines, self.columns = lines, layout.columns
        names = {} if layout.name == "aliased" else ROW_FORMATS[layout.name].names
        known = call.COLUMNS if layout.name == "aliased" else ROW_FORMATS[layout.name].columns
        ours = {names.get(column, column): column for column in (*mapping.words, *mapping.defaults)}
        self._mapping, self._ours = mapping, {theirs: column for theirs, column in ours.items() if theirs in known}
        self._read = dict[str, Field]()
        self.good = np.ones(len(lines.line), bool)
        self._appended: list[Bytes] = []
        self._size = len(lines.buffer)

    def buffer(self) -> Bytes:
        """The chunk with all appended texts."""
        if not self._appended:
            return self.lines.buffer
        return np.concatenate([self.lines.buffer, *self._appended, np.zeros(PAD, np.uint8)])

    def raw(self, name: str) -> tuple[Field, Mask | None]:
        """The field of a column, empty if the file has no such column; and in which rows its bytes are not its text."""
        place = self.columns.get(name)
        if place is None or place >= len(self.lines.table):
            nothing = np.zeros(len(self.good), np.int64)
            return (nothing, nothing), None
        return self.lines.field(place), None if self.lines.spotted is None else self.lines.spotted[place]

    def column(self, name: str) -> Field:
        """The field of a column, in Forfait's words where they are declared; rows where its bytes are not its text are
        not good.
        """
        if name not in self._read:
            field, spotted = self.raw(name)
            if spotted is not None:
                self.good &= ~spotted
            self._read[name] = self._declared(name, field) if name in self._ours else field
        return self._read[name]

    def _declared(self, name: str, field: Field) -> Field:
        """A field after the words and the default that the source declares for it."""
        column, mapping = self._ours[name], self._mapping
        if column in mapping.words or name not in self.columns:
            rule = mapping.rule(column)
            field, known = self.translated(_known(rule) if column == "disposition" else rule, field)
            self.good &= known
            return field
        begin, length = self.not_blank(field)
        other, size = self.words([mapping.defaults[column]])
        return np.where(length > 0, begin, other), np.where(length > 0, length, size)

    def states(self, column: str) -> bool:
        """Whether words and a default for one of Forfait's columns are about a column of the format."""
        return column in self._ours.values()

    def everywhere(self, text: str) -> Field:
        """One text for all rows."""
        begin, length = self.words([text])
        return np.repeat(begin, len(self.good)), np.repeat(length, len(self.good))

    def known_words(self, field: Field) -> Field:
        """Dispositions in Forfait's words; most files have no others, so only the others are translated."""
        begin, length = field
        inside = begin < len(self.lines.buffer)
        heads = self.lines.buffer[begin * inside]
        rest = np.flatnonzero(inside & (_HEADS[np.minimum(length, len(_HEADS) - 1)] != heads))
        if len(rest):
            some, known = self.translated(_disposition, (begin[rest], length[rest]))
            begin, length = begin.copy(), length.copy()
            begin[rest[known]], length[rest[known]] = some[0][known], some[1][known]
        return begin, length

    def not_blank(self, field: Field) -> Field:
        """For fields where blanks are meaningful: a row whose field begins or ends with a blank is not good."""
        begin, length = field
        self.good &= (length == 0) | ~(self._is_blank(begin) | self._is_blank(begin + np.maximum(length, 1) - 1))
        return field

    def append(self, text: Bytes) -> int:
        """Append a text; returns its position."""
        self._appended.append(text)
        self._size += len(text)
        return self._size - len(text)

    def words(self, texts: list[str]) -> Field:
        """Append texts; returns the position and length of each."""
        coded = [text.encode() for text in texts]
        lengths = np.array([len(each) for each in coded], np.int64)
        return self.append(np.frombuffer(b"".join(coded), np.uint8)) + np.cumsum(lengths) - lengths, lengths

    def translated(self, rule: Callable[..., str], *fields: Field) -> tuple[Field, Mask]:
        """The texts that a rule returns for the texts of some fields, and the rows for which it returns one.

        The rule is called once per distinct combination; it may raise ``BadField``.
        """
        # Rows with texts beyond ASCII are not good in any case.
        cases, which, short = vector_words.combinations(self.lines.buffer, fields)
        results = [_result(rule, *case) for case in cases]
        begin, length = self.words([text or "" for text in results])
        known = np.array([text is not None for text in results], bool)
        return (begin[which], length[which]), short & known[which]

    def inner(self, name: str, some: Ints, to_the_end: bool) -> Field:
        """A column of ``some`` rows: the text between ``<`` and ``>`` or, where there are neither, the whole field.

        ``to_the_end``: ``>`` must be the last character.
        """
        (begin, length), spotted = self.raw(name)
        begin, end = begin[some], (begin + length)[some]
        opens, first, count = self._found(b"<", begin, end)
        closes, last, closed = self._found(b">", begin, end)
        inner_begin, inner_end = opens[first] + 1, closes[last]
        one = (count == 1) & (closed == 1) & (inner_begin < inner_end)
        one[one] &= ~self._is_blank(inner_begin[one])
        if to_the_end:
            one &= inner_end == end - 1
        spots = self.lines.spots
        whole = ~spotted[some] if spotted is not None else np.ones(len(some), bool)
        clear = np.searchsorted(spots, inner_begin) == np.searchsorted(spots, inner_end)
        self.good[some] &= np.where(one, clear, (count + closed == 0) & whole)
        return np.where(one, inner_begin, begin), np.where(one, inner_end - inner_begin, end - begin)

    def _found(self, sign: bytes, begin: Ints, end: Ints) -> tuple[Ints, Ints, Ints]:
        """The positions of a sign in the chunk, the index of the first in each field, and how many each field has."""
        data = self.lines.buffer[:-PAD]
        places = np.append(np.flatnonzero(data == sign[0]), len(data))
        first = np.searchsorted(places, begin)
        return places, first, np.searchsorted(places, end) - first

    def joined(self, *fields: Field) -> Field:
        """Fields joined with a blank between them."""
        begins = np.stack([begin for begin, _ in fields], 1).ravel()
        # Each field is copied with the byte after it, which is then replaced by the blank.
        lengths = np.stack([length for _, length in fields], 1).ravel() + 1
        ends = np.cumsum(lengths)
        text = self.lines.buffer[np.repeat(begins - ends + lengths, lengths) + np.arange(int(lengths.sum()))]
        text[ends - 1] = ord(" ")
        ends = ends[len(fields) - 1 :: len(fields)]
        begins = np.concatenate([[0], ends[:-1]])[: len(ends)]
        return begins + self.append(text), ends - begins - 1

    def _is_blank(self, places: Ints) -> Mask:
        found = self.lines.buffer[places]
        blank: Mask = (found == ord(" ")) | (found == ord("\t"))
        return blank


def _disposition(text: str) -> str:
    """The disposition that a word means; raises ``BadField`` where the reference engine must decide."""
    word = call.disposition(text)
    if word is None or text.strip().upper() == call.UNKNOWN:
        raise BadField("bad_disposition")
    return word


def _known(rule: Callable[[str], str]) -> Callable[[str], str]:
    """A rule for dispositions, and after it the words that are known everywhere; other words stay as they are."""

    def translated(text: str) -> str:
        text = rule(text)
        return _result(_disposition, text) or text

    return translated


def _result(rule: Callable[..., str], *texts: str) -> str | None:
    try:
        return rule(*texts)
    except BadField:
        return None


def _owned(page: _Page, fields: dict[str, Field], rules: Owning, evidence: Mapping[str, str]) -> dict[str, Field]:
    """The direction and account that the rules find; rows for which they find none are not good."""
    nothing = np.zeros(len(page.good), np.int64)
    channel, context = (page.column(evidence.get(name, "")) for name in ("channel", "context"))
    said = fields.get("direction", (nothing, nothing)), fields["account"], page.not_blank(channel), context
    found = owning.owners(page.buffer(), rules, said, fields["from"], fields["to"])
    page.good &= found.good
    owned = {}
    for place, name in enumerate(("direction", "account")):
        begin, length = page.words([pair[place] for pair in found.pairs])
        owned[name] = begin[found.which], length[found.which]
    return owned


def _forfait(page: _Page) -> dict[str, Field]:
    return {name: page.column(name) for name in COLUMNS if name in page.columns or name != "cost"}


def _aliased(page: _Page) -> dict[str, Field]:
    fields = {name: page.column(name) for name in COLUMNS}
    if DURATION in page.columns:
        fields["seconds"] = _within(page, "seconds")
    return fields


def _voipms(page: _Page) -> dict[str, Field]:
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


def _voipms_seconds(page: _Page) -> Field:
    if "seconds" in page.columns:
        begin, length = _within(page, "seconds")
        page.good &= length > 0
        return begin, length
    seconds, known = page.translated(voipms.seconds_of, page.column("duration"))
    page.good &= known
    return seconds


def _within(page: _Page, name: str) -> Field:
    """The column of the billable seconds; rows where they may be more than the call's ``duration`` are not good."""
    seconds = page.column(name)
    page.good &= vector_words.are_within(page.lines.buffer, *seconds, *page.column("duration"))
    return seconds


def _asterisk(page: _Page) -> dict[str, Field]:
    account, start = page.column("accountcode"), page.column("start")
    begin, length = page.not_blank(page.column("src"))
    unnamed = np.flatnonzero(length == 0)
    if len(unnamed):
        begin, length = begin.copy(), length.copy()
        begin[unnamed], length[unnamed] = page.inner("clid", unnamed, to_the_end=True)
    return {
        "call_id": _asterisk_id(page, start),
        "start": start,
        "account": account,
        "from": (begin, length),
        "to": page.column("dst"),
        "disposition": page.column("disposition"),
        "seconds": _within(page, "billsec"),
    }


def _asterisk_id(page: _Page, start: Field) -> Field:
    """What ``asterisk`` makes of unique id, start, channel, number and sequence; rows without an id are not good."""
    unique, channel, called = page.column("uniqueid"), page.column("dstchannel"), page.not_blank(page.column("dst"))
    page.good &= ids.are_unique_ids(page.lines.buffer, *unique)
    parts = [unique, start, page.not_blank(channel), called]
    sequence = _asterisk_sequence(page)
    if sequence is None:
        return page.joined(*parts)
    begin, length = page.joined(*parts, sequence)
    # Without a sequence, the blank at the end is left out.
    return begin, length - (sequence[1] == 0)


def _asterisk_sequence(page: _Page) -> Field | None:
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


def _freeswitch(page: _Page) -> dict[str, Field]:
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


def _fusionpbx(page: _Page) -> dict[str, Field]:
    account, (other, size) = page.not_blank(page.column("accountcode")), page.column("extension")
    account = np.where(account[1] > 0, account[0], other), np.where(account[1] > 0, account[1], size)
    direction, known = page.translated(fusionpbx.direction, page.column("direction"), account)
    page.good &= known
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


def _ended(page: _Page, seconds: Field) -> Field:
    """The dispositions of FreeSWITCH: answered, or why not."""
    answer = page.not_blank(page.column("answer_stamp"))
    answered = (answer[1] > 0) | (vector_words.small_numbers(page.lines.buffer, *seconds, 5)[0] > 0)
    (begin, length), known = page.translated(freeswitch.disposition, page.column("hangup_cause"))
    page.good &= answered | known
    other, size = page.words([ANSWERED])
    return np.where(answered, other, begin), np.where(answered, size, length)


def _unquoted(page: _Page, field: Field) -> Field:
    """A field without the blank and quotes that some templates write around an account code."""
    begin, length = field
    buffer = page.lines.buffer
    around = (length >= 3) & (buffer[begin] == ord(" ")) & (buffer[begin + 1] == ord('"'))
    around &= buffer[begin + np.maximum(length, 1) - 1] == ord('"')
    return begin + 2 * around, length - 3 * around


_READERS: dict[str, Callable[[_Page], dict[str, Field]]] = {
    "forfait": _forfait,
    "aliased": _aliased,
    "fusionpbx": _fusionpbx,
    "voipms": _voipms,
    "asterisk": _asterisk,
    "freeswitch": _freeswitch,
}
