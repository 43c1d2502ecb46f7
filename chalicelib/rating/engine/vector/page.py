"""The lines of a chunk as fields: their columns, and the texts that are appended to the buffer for them."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from chalicelib.calls.format import ANSWERED, DISPOSITIONS
from chalicelib.rating.cdr import call, dispositions
from chalicelib.rating.cdr.call import BadField
from chalicelib.rating.cdr.formats import Layout
from chalicelib.rating.cdr.mapping import ColumnMapping
from chalicelib.rating.cdr.row_formats import ROW_FORMATS
from chalicelib.rating.engine.vector import words as vector_words
from chalicelib.rating.engine.vector.lines import Lines
from chalicelib.rating.engine.vector.words import PAD, Bytes, Ints, Mask

Field = tuple[Ints, Ints]
"""Per row, the position of the field in the buffer, and its length in bytes."""
_HEADS = np.zeros(11, np.uint8)
_HEADS[[len(word) for word in DISPOSITIONS]] = [ord(word[0]) for word in DISPOSITIONS]
"""The first byte of a disposition in Forfait's words, by its length."""


class Page:
    """The lines of a chunk, and the texts that are appended to its buffer."""

    def __init__(
        self, lines: Lines, layout: Layout, mapping: ColumnMapping, seconds_format: str, accounts: Collection[str]
    ) -> None:
        self.lines, self.columns, self.seconds_format = lines, layout.columns, seconds_format
        self.accounts = accounts
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

    def known_words(self, field: Field, seconds: Field) -> Field:
        """Dispositions in Forfait's words; most files have no others, so only the others are translated.

        ``seconds``: the billable ones; of causes they alone say whether a call was answered.
        """
        begin, length = field
        inside = begin < len(self.lines.buffer)
        heads = self.lines.buffer[begin * inside]
        rest = np.flatnonzero(inside & (_HEADS[np.minimum(length, len(_HEADS) - 1)] != heads))
        if len(rest):
            some, known = self.translated(_disposition, (begin[rest], length[rest]))
            begin, length = begin.copy(), length.copy()
            begin[rest[known]], length[rest[known]] = some[0][known], some[1][known]
            left = rest[~known]
            if len(left):
                (at, size), known = self.translated(_cause, (begin[left], length[left]))
                spans = vector_words.spans(
                    self.lines.buffer, seconds[0][left], seconds[1][left], 5, self.seconds_format
                )
                answered, (other, wide) = spans[0] > 0, self.words([ANSWERED])
                begin[left[known]] = np.where(answered, other, at)[known]
                length[left[known]] = np.where(answered, wide, size)[known]
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
        is_here = all(int(begin.max(initial=0)) < len(self.lines.buffer) for begin, _ in fields)
        cases, which, short = vector_words.combinations(self.lines.buffer if is_here else self.buffer(), fields)
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

    def _is_blank(self, places: Ints) -> Mask:
        found = self.lines.buffer[places]
        blank: Mask = (found == ord(" ")) | (found == ord("\t"))
        return blank


def _disposition(text: str) -> str:
    """The disposition that a word means; raises ``BadField`` where the reference engine must decide."""
    word = dispositions.read(text)
    if word is None or text.strip().upper() == dispositions.UNKNOWN:
        raise BadField("bad_disposition")
    return word


def _cause(text: str) -> str:
    """The disposition of a call that was not answered, by its cause; raises ``BadField`` for other words."""
    word = dispositions.of_cause(text)
    if word is None:
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
