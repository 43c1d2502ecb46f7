import gzip
import io
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from rated_rows import row_of

from chalicelib.calls.format import (
    COLUMNS,
    ROWS_PER_MEMBER,
    Member,
    RatedCall,
    decode,
    decode_keys,
    encode_rows,
    first_field,
    quoted,
    rows_per_member,
)
from chalicelib.calls.merge import Packer

CALL = RatedCall(
    1795422600, "outbound", "ANSWERED", "a1", "office", "+15145550100", "+442079460000", 61, 66, 6, 1_250_000, -7, 2,
    "cl_1", "pk_1", "United Kingdom, London", "GB", "prefix:44", 120_000_000, "b1",
)  # fmt: skip


def encode(rows: list[RatedCall], per_member: int = ROWS_PER_MEMBER, offset: int = 0) -> tuple[bytes, list[Member]]:
    return encode_rows([row_of(row) for row in rows], [row.start for row in rows], offset, per_member)


text = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.sampled_from(
    ['"', ",", "\r", "\n", "\r\n", 'a"b', " x ", "é", "\u2028", "\x85", "'", ""]
)
count = st.integers(0, 86_400)
amount = st.integers(-(10**17), 10**17)
rated = st.builds(
    RatedCall,
    st.integers(-(2**31), 4_133_980_799), st.sampled_from(["outbound", "inbound"]),
    st.sampled_from(["ANSWERED", "NO ANSWER"]), text, text, text, text,
    count, count, count, amount, amount, st.integers(1, 10**9), text, text, text, text, text, amount, text,
)  # fmt: skip


def test_the_columns_are_named_as_the_fields_are_ordered():
    assert len(COLUMNS) == len(RatedCall._fields)
    for column, field in zip(COLUMNS, RatedCall._fields, strict=True):
        assert field.startswith(column.split("_")[0])


def test_a_row_reads_as_people_expect():
    data, _ = encode([CALL])
    assert gzip.decompress(data).decode() == (
        "2026-11-23T08:30:00Z,outbound,ANSWERED,a1,office,+15145550100,+442079460000,61,66,6,0.0125,-0.00000007,2,"
        'cl_1,pk_1,"United Kingdom, London",GB,prefix:44,0.012,b1\r\n'
    )


def test_no_rows_are_no_bytes():
    assert encode([]) == (b"", [])
    assert list(decode(b"")) == []


@given(rows=st.lists(rated, max_size=12), per_member=st.integers(1, 5), offset=st.integers(0, 10**9))
@examples(200)
def test_any_calls_come_back_whole_and_member_by_member(rows: list[RatedCall], per_member: int, offset: int):
    data, members = encode(rows, per_member, offset)
    assert list(decode(data)) == rows
    assert sum(member.length for member in members) == len(data)
    at = 0
    for member in members:
        assert member.offset == offset + sum(other.length for other in members[: members.index(member)])
        own = data[member.offset - offset :][: member.length]
        assert list(decode(own)) == rows[at : at + member.rows]
        assert (member.first, member.last) == (rows[at].start, rows[at + member.rows - 1].start)
        at += member.rows
    assert at == len(rows)


def test_members_have_2048_rows():
    data, members = encode([CALL._replace(start=n, line=n + 1) for n in range(5000)])
    assert [(member.rows, member.first, member.last) for member in members] == [
        (2048, 0, 2047),
        (2048, 2048, 4095),
        (904, 4096, 4999),
    ]
    second = members[1]
    assert next(decode(data[second.offset : second.offset + second.length])).line == 2049


def test_only_the_members_of_a_very_large_segment_are_larger(monkeypatch):
    assert [rows_per_member(rows) for rows in (1, 4_096_000, 50_000_000)] == [2048, 2048, 25_000]
    monkeypatch.setattr("chalicelib.calls.format.MOST_MEMBERS", 2)
    rows = [row_of(CALL._replace(start=n)) for n in range(5000)]
    file = io.BytesIO()
    packer = Packer(file, len(rows))
    for row in rows:
        packer.add(row)
    packer.flush()
    assert [(member.rows, member.first, member.last) for member in packer.members] == [
        (2500, 0, 2499),
        (2500, 2500, 4999),
    ]
    assert [call.start for call in decode(file.getvalue())] == list(range(5000))


@pytest.mark.system
def test_the_same_rows_give_the_same_bytes_in_another_process():
    code = (
        "import sys; from chalicelib.calls.format import *; "
        f"sys.stdout.buffer.write(encode_rows([{row_of(CALL)!r}], [0])[0])"
    )
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=Path(__file__).parents[2])
    assert again.stdout == encode([CALL])[0]


def test_what_zlib_packed_is_read_as_well():
    data, _ = encode([CALL])
    assert list(decode(gzip.compress(gzip.decompress(data)) + data)) == [CALL, CALL]


def test_damaged_bytes_raise():
    data, _ = encode([CALL])
    for bad in (data[:-4], data[:-6] + b"\0\0\0\0\0\0", b"not gzip"):
        with pytest.raises((OSError, EOFError, zlib.error)):
            list(decode(bad))


@given(call_id=text, rest=text)
def test_the_first_field_of_a_row_is_found_quoted_or_not(call_id: str, rest: str):
    assert first_field(f"{quoted(call_id)},{quoted(rest)}") == quoted(call_id)


@given(rows=st.lists(rated, max_size=8))
@examples(100)
def test_keys_are_read_without_the_rest(rows: list[RatedCall]):
    assert list(decode_keys(encode(rows)[0])) == [(row.direction, row.disposition, quoted(row.call_id)) for row in rows]
