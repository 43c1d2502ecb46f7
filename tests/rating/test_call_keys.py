"""Copies are found whatever they are called, and nothing else is taken for one."""

from __future__ import annotations

import random

import numpy as np
import pytest

from chalicelib.rating import call_keys
from chalicelib.rating.call_keys import NOTHING, Billed, fresh, hashes, key_of, kind_of, kinds
from chalicelib.rating.columns import CODES, DIRECTIONS, DISPOSITIONS
from chalicelib.rating.segments import key_of as key_in_a_row


def known(calls: list[tuple[int, bytes]]) -> Billed:
    of, ids = np.array([kind for kind, _ in calls], np.int64), np.array([each for _, each in calls], np.bytes_)
    return Billed(hashes(of, ids), lambda: {key_of(*call) for call in calls})


def naively(codes: list[int], ids: list[bytes], billed: list[tuple[int, bytes]]) -> list[int]:
    seen, places = {key_of(*call) for call in billed}, []
    for place, (code, call_id) in enumerate(zip(codes, ids, strict=True)):
        key = key_of(int(kinds(np.array([code]))[0]), call_id)
        if key not in seen:
            seen.add(key)
            places.append(place)
    return places


@pytest.mark.parametrize("seed", range(30))
def test_of_copies_the_first_stands_and_what_is_billed_is_left_out(seed: int):
    dice = random.Random(seed)
    pool = [b"%x" % dice.getrandbits(dice.choice([4, 30, 200])) for _ in range(dice.choice([1, 20, 400]))]
    ids, codes = dice.choices(pool, k=300), [dice.randrange(8) for _ in range(300)]
    billed = [(dice.randrange(4), each) for each in dice.sample(pool, len(pool) // 4)]
    found = fresh(np.array(codes), np.array(ids, np.bytes_), known(billed) if billed else NOTHING)
    assert found.tolist() == naively(codes, ids, billed)


def test_equal_hashes_are_not_taken_for_equal_calls(monkeypatch):
    monkeypatch.setattr(call_keys, "hashes", lambda kind, ids: np.zeros(len(ids), np.uint64))
    ids, codes = [b"a", b"b", b"a", b"c"], [0, 0, 0, 1]
    found = fresh(np.array(codes), np.array(ids), Billed(np.zeros(1, np.uint64), lambda: {key_of(0, b"b")}))
    assert found.tolist() == [0, 3]


def test_a_hash_does_not_depend_on_how_wide_the_other_ids_are():
    alone = hashes(np.array([1]), np.array([b"abc"]))
    beside = hashes(np.array([1, 1]), np.array([b"abc", b"x" * 500]))
    assert alone[0] == beside[0]
    assert len(set(hashes(np.arange(4), np.array([b"abc"] * 4)).tolist())) == 4


def test_a_million_different_ids_have_a_million_hashes():
    ids = np.array([b"call-%d" % n for n in range(1_000_000)])
    assert len(np.unique(hashes(np.zeros(len(ids), np.int64), ids))) == len(ids)


def test_kinds_tell_apart_what_keys_of_rows_do():
    both = [(direction, disposition) for direction in DIRECTIONS for disposition in DISPOSITIONS]
    codes = kinds(np.array([CODES[each] for each in both])).tolist()
    assert codes == [kind_of(*each) for each in both]
    assert len(set(codes)) == len({key_in_a_row(*each, "x") for each in both}) == 4
