"""The container of flat arrays."""

from __future__ import annotations

import json
import struct
import sys
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rating.decks.container import pack, unpack

LONGS = st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20).map(lambda items: array("q", items))
INTS = st.lists(st.integers(-(2**31), 2**31 - 1), max_size=20).map(lambda items: array("i", items))
ARRAYS = st.dictionaries(st.text(max_size=8), st.one_of(LONGS, INTS, st.binary(max_size=30)), max_size=6)


@given(ARRAYS)
def test_what_was_packed_comes_back(arrays):
    views = unpack(pack(arrays))
    assert {name: view.tolist() for name, view in views.items()} == {name: list(each) for name, each in arrays.items()}


@given(ARRAYS)
def test_every_array_starts_at_a_multiple_of_eight(arrays):
    data = pack(arrays)
    head_length = struct.unpack_from("<I", data, 12)[0]
    directory = json.loads(data[16 : 16 + head_length])
    assert all((16 + head_length + offset) % 8 == 0 for _, offset, _ in directory.values())
    assert len(data) % 8 == 0


def test_the_layout_is_little_endian_and_can_be_read_from_its_directory_alone():
    data = pack({"a": array("q", [1, -2]), "b": b"xyz"})
    assert data.startswith(b"FORFAIT\0\x01\0\0\0")
    head_length = struct.unpack_from("<I", data, 12)[0]
    assert json.loads(data[16 : 16 + head_length]) == {"a": ["<i8", 0, 2], "b": ["|u1", 16, 3]}
    payload = data[16 + head_length :]
    assert struct.unpack_from("<2q", payload) == (1, -2)
    assert payload[16:19] == b"xyz"


@given(ARRAYS.filter(lambda arrays: any(len(each) for each in arrays.values())), st.data())
def test_a_container_cut_short_is_refused_or_loses_only_padding(arrays, data):
    packed = pack(arrays)
    cut = data.draw(st.integers(0, len(packed) - 1))
    try:
        views = unpack(packed[:cut])
    except ValueError:
        return
    assert {name: view.tolist() for name, view in views.items()} == {name: list(each) for name, each in arrays.items()}
    assert len(packed) - cut < 8


@pytest.mark.parametrize("data", [b"", b"FORFAIT", b"PK\3\4" + bytes(40), b"FORFAIT\0\x02\0\0\0\0\0\0\0"])
def test_something_else_is_refused(data):
    with pytest.raises(ValueError, match="table file"):
        unpack(data)


def test_a_big_endian_machine_is_refused_rather_than_misread(monkeypatch):
    monkeypatch.setattr(sys, "byteorder", "big")
    with pytest.raises(RuntimeError, match="little-endian"):
        pack({})
    with pytest.raises(RuntimeError, match="little-endian"):
        unpack(b"")
