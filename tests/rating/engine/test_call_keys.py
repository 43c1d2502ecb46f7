"""Copies are found whatever they are called, and nothing else is taken for one."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from chalicelib.calls.format import DIRECTIONS, DISPOSITIONS, RatedCall, decode_keys, encode_rows, quoted
from chalicelib.calls.identity import COMPARED, key, key_of, kind_of
from chalicelib.periods import format_instant
from chalicelib.rating.batches import duplicates
from chalicelib.rating.batches.column_file import ColumnFile
from chalicelib.rating.batches.duplicates import Lines
from chalicelib.rating.engine.call_keys import NOTHING, Billed, Keys, Said, hashes, kinds
from chalicelib.rating.engine.columns import CODES

Call = tuple[int, bytes]
"""Kind and id."""
BILLED_LINE = 1_000_000
"""Added to the numbers of lines of calls that are billed."""


def columns(
    calls: list[Call], seconds: Sequence[int] = (), lines: Sequence[int] = (), batch: bytes = b""
) -> tuple[np.ndarray, np.ndarray, Callable[[np.ndarray], Said]]:
    kind = np.array([kind for kind, _ in calls], np.int64)

    def said(some: np.ndarray) -> Said:
        zeros, called = np.zeros(len(some), np.int64), np.full(len(some), b"+12125550100")
        length = np.array(seconds, np.int64)[some] if len(seconds) else zeros
        line = np.array(lines, np.int64)[some] if len(lines) else zeros
        return Said(zeros, kind[some], called, length, line, np.full(len(some), batch))

    return kind, np.array([each for _, each in calls], np.bytes_), said


def known(calls: list[Call], at_once: int = 50, seconds: Sequence[int] = ()) -> Billed:
    def blocks() -> Iterator[Keys]:
        for at in range(0, len(calls), at_once):
            here, some = range(at, min(at + at_once, len(calls))), calls[at : at + at_once]
            lines = [BILLED_LINE + place for place in here]
            yield Keys(*columns(some, [seconds[place] for place in here] if seconds else (), lines, b"b1"))

    return Billed(lambda: (duplicates.hashes(some.kind, some.call_id) for some in blocks()), blocks)


def ignored(_: np.ndarray) -> None:
    """Takes conflicts and does nothing."""


def found(
    calls: list[Call],
    billed: Billed,
    at_once: int,
    dice: random.Random | None = None,
    seconds: Sequence[int] = (),
    conflicts: Callable[[np.ndarray], None] = ignored,
) -> list[int]:
    """Numbers of the lines that stand."""
    places: list[int] = []

    def blocks() -> Iterator[Lines]:
        places.clear()
        for at in range(0, len(calls), at_once):
            order = list(range(at, min(at + at_once, len(calls))))
            if dice:
                random.Random(at).shuffle(order)
            places.extend(order)
            length = [seconds[place] for place in order] if seconds else ()
            yield Lines(np.array(order), *columns([calls[place] for place in order], length, order))

    gone = duplicates.find(blocks, len(calls), billed, ColumnFile(io.BytesIO()), conflicts)
    places = list(places)
    if gone is None:
        return sorted(places)
    assert gone.any()
    return sorted(place for place, is_gone in zip(places, gone.tolist(), strict=True) if not is_gone)


def naively(calls: list[Call], billed: list[Call]) -> list[int]:
    seen, places = set(billed), []
    for place, call in enumerate(calls):
        if call not in seen:
            seen.add(call)
            places.append(place)
    return places


def some_calls(dice: random.Random) -> tuple[list[Call], list[Call]]:
    pool = [b"%x" % dice.getrandbits(dice.choice([4, 30, 200])) for _ in range(dice.choice([1, 20, 400]))]
    calls = [(dice.randrange(4), call_id) for call_id in dice.choices(pool, k=300)]
    return calls, [(dice.randrange(4), each) for each in dice.sample(pool, len(pool) // 4)]


@pytest.mark.parametrize("seed", range(30))
def test_of_copies_the_first_stands_and_what_is_billed_is_left_out(seed: int, monkeypatch):
    """In one block or many, in partitions of any size, in any order within a block."""
    dice = random.Random(seed)
    calls, billed = some_calls(dice)
    monkeypatch.setattr(duplicates, "PARTITION_KEYS", dice.choice([1, 7, 100_000]))
    at_once = dice.choice([1, 13, 100, 300])
    assert found(calls, known(billed, dice.choice([1, 50])), at_once, dice) == naively(calls, billed)
    assert found(calls, NOTHING, at_once, dice) == naively(calls, [])


@pytest.mark.parametrize("at_once", [1, 3, 10])
def test_equal_hashes_are_not_taken_for_equal_calls(monkeypatch, at_once: int):
    monkeypatch.setattr(duplicates, "hashes", lambda kind, ids: np.zeros(len(ids), np.uint64))
    calls = [(0, b"a"), (0, b"b"), (0, b"a"), (1, b"c"), (1, b"a")]
    assert found(calls, known([(0, b"b")]), at_once) == [0, 3, 4]


def test_the_temporary_file_is_left_as_it_was():
    file = io.BytesIO(b"what lies there")
    lines = Lines(np.arange(10_000), *columns([(0, b"same")] * 10_000))
    gone = duplicates.find(lambda: [lines], 10_000, NOTHING, ColumnFile(file), ignored)
    assert gone is not None and np.flatnonzero(~gone).tolist() == [0]
    assert file.getvalue() == b"what lies there"


@pytest.mark.parametrize("seed", range(30))
def test_a_copy_that_says_something_else_than_the_call_that_won_is_conflicting(seed: int, monkeypatch):
    """Against billed calls and earlier lines, in one block or many, in partitions of any size."""
    dice = random.Random(seed)
    calls, billed = some_calls(dice)
    seconds, before = dice.choices(range(3), k=len(calls)), dice.choices(range(3), k=len(billed))
    monkeypatch.setattr(duplicates, "PARTITION_KEYS", dice.choice([1, 7, 100_000]))
    conflicts = list[np.ndarray]()
    at_once = dice.choice([1, 13, 100, 300])
    found(calls, known(billed, dice.choice([1, 50]), before), at_once, dice, seconds, conflicts.append)
    winner = dict[Call, tuple[int, int, bytes]]()
    for place, call in enumerate(billed):
        winner.setdefault(call, (before[place], BILLED_LINE + place, b"b1"))
    expected = []
    for place, call in enumerate(calls):
        won = winner.setdefault(call, (seconds[place], place, b""))
        if won[0] != seconds[place]:
            expected.append((place, 8, 0, call[0], b"+12125550100", *won))
    assert sorted(each for some in conflicts for each in some.tolist()) == expected


def test_conflicting_says_in_what_a_copy_differs():
    facts = {"start": 1, "code": 4, "called": b"+12125550101", "seconds": 9}
    said = Said(*(np.array([value]) for value in (0, 2, b"+12125550100", 3, 5, b"")))
    rows = [said, *(said._replace(**{name: np.array([value])}) for name, value in facts.items())]
    together = Said(*(np.concatenate(column) for column in zip(*rows, strict=True)))
    together = together._replace(line=np.arange(5))
    lines = Lines(np.arange(5), np.full(5, 2), np.full(5, b"a"), lambda some: Said(*(each[some] for each in together)))
    found = list[np.ndarray]()
    duplicates.find(lambda: [lines], 5, NOTHING, ColumnFile(io.BytesIO()), found.append)
    assert found[0]["differs"].tolist() == [1, 2, 4, 8]
    assert COMPARED == ("start", "disposition", "to", "seconds")


def test_a_hash_does_not_depend_on_how_wide_the_other_ids_are():
    alone = hashes(np.array([1]), np.array([b"abc"]))
    beside = hashes(np.array([1, 1]), np.array([b"abc", b"x" * 500]))
    assert alone[0] == beside[0]
    assert len(set(hashes(np.arange(4), np.array([b"abc"] * 4)).tolist())) == 4


def test_a_million_different_ids_have_a_million_hashes():
    ids = np.array([b"call-%d" % n for n in range(1_000_000)])
    assert len(np.unique(hashes(np.zeros(len(ids), np.int64), ids))) == len(ids)


def test_a_hash_depends_on_kind_and_id_alone_and_is_the_same_in_every_process():
    assert hashes(np.arange(4), np.array([b"abc"] * 4)).tolist() == [
        4818400974285679794,
        16012042717779605211,
        1830565940125518472,
        7481508125668675457,
    ]


def test_direction_and_whether_a_call_was_answered_make_its_kind():
    both = [(direction, disposition) for direction in DIRECTIONS for disposition in DISPOSITIONS]
    expected = [(direction == "inbound") + 2 * (disposition != "ANSWERED") for direction, disposition in both]
    assert [kind_of(*each) for each in both] == expected
    assert kinds(np.array([CODES[each] for each in both])).tolist() == expected
    assert kinds(np.array([CODES[each] for each in both], np.uint8)).tolist() == expected


def test_a_stored_call_has_the_key_of_the_line_it_was_rated_from():
    for call_id in ("a1", 'a,"b"', "é", ""):
        call = RatedCall(0, "inbound", "BUSY", call_id, *[""] * 3, *[0] * 6, *[""] * 5, 0, "b1")
        row = ",".join((format_instant(0), "inbound", "BUSY", quoted(call_id), *[""] * 16))
        [(direction, disposition, field)] = decode_keys(encode_rows([row], [0])[0])
        assert key_of(call) == key(kind_of(direction, disposition), field.encode()) == b"3" + quoted(call_id).encode()
