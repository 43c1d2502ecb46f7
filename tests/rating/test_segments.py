import gzip
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.rating.segments import COLUMNS, RatedCall, decode, encode

CALL = RatedCall(
    1795422600, "a1", "outbound", "cl_1", "office", "+15145550100", "+442079460000", "United Kingdom, London", "GB",
    "ANSWERED", 61, 66, 6, "prefix:44", 120_000_000, 1_250_000, -7, "pk_1", 2,
)  # fmt: skip

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=12) | st.sampled_from(
    ['"', ",", "\r", "\n", "\r\n", 'a"b', " x ", "é", "\u2028", "\x85", "'", ""]
)
count = st.integers(0, 86_400)
amount = st.integers(-(10**17), 10**17)
rated = st.builds(
    RatedCall,
    st.integers(-(2**31), 4_133_980_799), text, text, text, text, text, text, text, text, text,
    count, count, count, text, amount, amount, amount, text, st.integers(1, 10**9),
)  # fmt: skip


def test_the_columns_are_named_as_the_fields_are_ordered():
    assert len(COLUMNS) == len(RatedCall._fields)
    for column, field in zip(COLUMNS, RatedCall._fields, strict=True):
        assert field.startswith(column.split("_")[0])


def test_a_row_reads_as_people_expect():
    data, _ = encode([CALL])
    assert gzip.decompress(data).decode() == (
        '2026-11-23T08:30:00Z,a1,outbound,cl_1,office,+15145550100,+442079460000,"United Kingdom, London",GB,ANSWERED,'
        "61,66,6,prefix:44,0.012,0.0125,-0.00000007,pk_1,2\r\n"
    )


def test_no_rows_are_no_bytes():
    assert encode([]) == (b"", [])
    assert list(decode(b"")) == []


@given(rows=st.lists(rated, max_size=12), per_member=st.integers(1, 5), offset=st.integers(0, 10**9))
@settings(max_examples=200, deadline=None)
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


def test_members_have_1024_rows():
    data, members = encode([CALL._replace(start=n, line=n + 1) for n in range(2500)])
    assert [(member.rows, member.first, member.last) for member in members] == [
        (1024, 0, 1023),
        (1024, 1024, 2047),
        (452, 2048, 2499),
    ]
    second = members[1]
    assert next(decode(data[second.offset : second.offset + second.length])).line == 1025


def test_the_same_rows_give_the_same_bytes_in_another_process():
    code = (
        "import sys; from chalicelib.rating.segments import *; "
        f"sys.stdout.buffer.write(encode([RatedCall(*{tuple(CALL)!r})])[0])"
    )
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=Path(__file__).parents[2])
    assert again.stdout == encode([CALL])[0]


def test_damaged_bytes_raise():
    data, _ = encode([CALL])
    for bad in (data[:-4], data[:-6] + b"\0\0\0\0\0\0", b"not gzip"):
        with pytest.raises((OSError, EOFError, zlib.error)):
            list(decode(bad))
