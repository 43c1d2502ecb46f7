import gzip
import random
import re
import zlib
from collections.abc import Iterable

import pytest
from examples import examples
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.errors import Refused
from chalicelib.rating.cdr.encoding import sniff
from chalicelib.rating.cdr.multiline import MAX_RECORD_BYTES, MAX_RECORD_LINES
from chalicelib.rating.cdr.records import Chunk, Cut, Record, Truncated, chunks, plain_blocks, records

LOTS = 1 << 30
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00H\x00H\x00\x00\xff\xdb\x00C\x00\x08\x06\n\x06\x07\x00\xff\xd9"


def blocks_of(data: bytes, size: int) -> list[bytes]:
    return [data[n : n + size] for n in range(0, len(data), size)]


def read(data: bytes, delimiter: str = ",", block: int = 1 << 16, size: int = 2 << 20) -> list[Record | Cut]:
    """What a file comes to: its records in order and, of a broken one, the ``Cut`` at the end."""
    found: list[Record | Cut] = []
    for chunk in chunks(plain_blocks(blocks_of(data, block), "calls.csv", LOTS), size):
        found += [chunk] if isinstance(chunk, Cut) else records(chunk, delimiter)
    return found


def unpacked(packed: bytes, block: int = 7) -> tuple[bytes, str]:
    """What was readable, and the message of ``Truncated`` (empty if the file was whole)."""
    out = b""
    try:
        for part in plain_blocks(blocks_of(packed, block), "calls.csv.gz", LOTS):
            out += part
    except Truncated as problem:
        return out, str(problem)
    return out, ""


def problems(data: bytes) -> list[tuple[int, str]]:
    return [(record.line, record.problem) for record in read(data) if isinstance(record, Record)]


def fields(data: bytes, delimiter: str = ",") -> list[list[str]]:
    return [record.fields for record in read(data, delimiter) if isinstance(record, Record)]


def test_an_empty_file_has_no_chunks():
    assert list(chunks([])) == []
    assert list(chunks([b"", b""])) == []


def test_a_file_of_blank_lines_has_no_records():
    assert read(b"\n\r\n  \n\t \r\n \t") == []


def test_blank_lines_are_no_records_but_count_as_lines():
    assert [(record.line, record.raw) for record in read(b"\n \na,b\n\r\n\nc,d")] == [(3, "a,b"), (6, "c,d")]


def test_the_first_chunk_starts_with_the_first_line_that_is_not_blank():
    assert list(chunks([b"\n \r\n\nab", b"\ncd\n"], size=1)) == [Chunk(4, b"ab\n"), Chunk(5, b"cd\n")]


def test_lines_end_with_lf_or_crlf_and_the_last_one_needs_neither():
    assert fields(b"a,b\r\nc,d\ne,f") == [["a", "b"], ["c", "d"], ["e", "f"]]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_semicolons_and_tabs_delimit_as_commas_do(delimiter: str):
    line = delimiter.join(["a", "", '"b ""c"" d"', f'"x{delimiter}y"']).encode()
    assert fields(line, delimiter) == [["a", "", 'b "c" d', f"x{delimiter}y"]]


@pytest.mark.parametrize("block", [1, 2, 100])
def test_byte_order_marks_are_left_out_at_the_start_of_a_line_only(block: int):
    found = read(b"\xef\xbb\xbfa,b\n\xef\xbb\xbf\xef\xbb\xbfc,\xef\xbb\xbfd\n", block=block)
    assert [record.raw for record in found] == ["a,b", "c,\ufeffd"]


def test_a_quoted_newline_does_not_end_a_record_and_later_lines_keep_their_numbers():
    found = read(b'1,"a\nb",x\n2,"c\r\nd",y\r\n3,e,z\n')
    assert [(record.line, record.fields) for record in found] == [
        (1, ["1", "a\nb", "x"]),
        (3, ["2", "c\r\nd", "y"]),
        (5, ["3", "e", "z"]),
    ]


def test_a_quote_within_a_plain_field_is_a_character():
    assert fields(b'1,6" pipe,x\n2,b,y\n3,8" pipe,z\n') == [
        ["1", '6" pipe', "x"],
        ["2", "b", "y"],
        ["3", '8" pipe', "z"],
    ]


@pytest.mark.parametrize("bad", [b'2,"open,x', b'2,x,"', b'"2","open""'])
def test_an_unclosed_quote_spoils_its_own_line_only(bad: bytes):
    found = problems(b"1,a,x\n" + bad + b'\n3,"b",x\n4,c,x\n')
    assert found == [(1, ""), (2, "unclosed_quote"), (3, ""), (4, "")]


def test_text_behind_a_closing_quote_belongs_to_the_field():
    assert fields(b'"User 10" <114>,114,"Bob "the" Boss"\n') == [["User 10 <114>", "114", 'Bob the" Boss"']]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_a_file_whose_lines_end_with_carriage_returns_alone_is_read_line_by_line(size: int):
    text = b'a,1\r\rb,"x\ry"\r\nc,3\rd,4'
    found = [
        record
        for chunk in chunks([text[n : n + size] for n in range(0, len(text), size)], 5)
        for record in records(chunk, ",")
    ]
    assert [(record.line, record.fields) for record in found] == [
        (1, ["a", "1"]),
        (3, ["b", "x\ny"]),
        (5, ["c", "3"]),
        (6, ["d", "4"]),
    ]


def test_two_unclosed_quotes_do_not_swallow_the_lines_between_them():
    assert problems(b'1,"a,x\n2,b,x\n3,"c,x\n4,d,x\n') == [
        (1, "unclosed_quote"),
        (2, ""),
        (3, "unclosed_quote"),
        (4, ""),
    ]


def test_a_record_quoted_by_another_delimiter_than_the_files_is_read_line_by_line():
    assert fields(b'1,x;"y\n2,z";w\n') == [["1", 'x;"y'], ["2", 'z";w']]
    assert problems(b'1,"y\n2";w\n') == [(1, "unclosed_quote"), (2, "")]


def test_a_record_may_have_fifty_lines_and_no_more():
    fits = b'1,"' + b"x\n" * (MAX_RECORD_LINES - 1) + b'",y\n2,z\n'
    over = b'1,"' + b"x\n" * MAX_RECORD_LINES + b'",y\n2,z\n'
    assert [(record.line, record.problem) for record in read(fits)] == [(1, ""), (51, "")]
    found = problems(over)
    assert found[0] == (1, "unclosed_quote")
    assert [problem for _, problem in found[1:50]] == [""] * 49
    assert found[-1] == (52, "")


def test_a_record_of_several_lines_over_the_limit_is_read_line_by_line():
    half = b"x" * (MAX_RECORD_BYTES // 2)
    assert problems(b'1,"' + half + b"\n" + half + b'"\n2,y\n') == [(1, "unclosed_quote"), (2, ""), (3, "")]


def test_a_line_of_a_megabyte_is_refused_and_shown_in_part():
    found = read(b"1,a\n2," + b"x" * (1 << 20) + b"\r\n3,b\n")
    assert [(record.line, record.problem) for record in found] == [(1, ""), (2, "line_too_long"), (3, "")]
    assert found[1].raw == "2," + "x" * 998


def test_a_line_may_have_exactly_the_limit():
    assert problems(b"x" * MAX_RECORD_BYTES + b"\n" + b"y" * (MAX_RECORD_BYTES + 1)) == [(1, ""), (2, "line_too_long")]


def test_a_line_without_an_end_does_not_fill_the_memory():
    def endless() -> Iterable[bytes]:
        for _ in range(64):
            yield b"x" * 65536
        yield b"\n2,b\n"

    sizes = [
        (chunk.first_line, len(chunk.data)) for chunk in chunks(endless(), size=1 << 16) if isinstance(chunk, Chunk)
    ]
    assert sizes[-1][1] < 3 << 16
    assert sum(length for _, length in sizes) < 4 << 16


@pytest.mark.parametrize("control", ["\x00", "\x07", "\x0b", "\x1c", "\x7f", "\x85", "\r"])
def test_a_control_character_spoils_its_own_line_only(control: str):
    found = problems(f"1,a\n2,b{control}c\n3,d\n".encode())
    assert found == [(1, ""), (2, "control_character"), (3, "")]


def test_a_control_character_is_found_among_quotes_too():
    assert problems(b'1,"a"\n2,"b\x00"\n3,"c\n\x01d"\n5,e\n') == [
        (1, ""),
        (2, "control_character"),
        (3, "control_character"),
        (5, ""),
    ]


def test_tabs_are_no_control_characters_and_odd_line_separators_do_not_end_a_line():
    assert fields("a\tb,c\u2028d\n".encode()) == [["a\tb", "c\u2028d"]]


def test_a_line_that_is_not_utf8_is_read_as_windows_1252_by_itself():
    found = read("1,José\n".encode() + "2,José €\n".encode("cp1252") + "3,Zoë\n".encode())
    assert [record.fields for record in found] == [["1", "José"], ["2", "José €"], ["3", "Zoë"]]


def test_bytes_that_are_text_in_no_encoding_spoil_their_own_line_only():
    found = read(b"1,x\n2,Jos\x81\n3,x\n")
    assert [(record.line, record.problem) for record in found] == [(1, ""), (2, "bad_encoding"), (3, "")]
    assert found[1].raw == "2,Jos\ufffd"


@pytest.mark.parametrize(
    "data", [JPEG, random.Random(5).randbytes(100_000), bytes(range(256)) * 8, "a,b\n".encode("utf-32")]
)
def test_binary_files_come_to_records_with_problems(data: bytes):
    found = read(data)
    assert found
    assert {record.problem for record in found} & {"control_character", "bad_encoding"}


def test_a_hundred_thousand_equal_lines_are_a_hundred_thousand_records():
    found = read(b"same,line\n" * 100_000)
    assert len(found) == 100_000
    assert found[-1].line == 100_000


def test_gzip_is_known_by_its_bytes_whatever_the_name():
    packed = gzip.compress(b"a,b\n")
    assert list(plain_blocks([packed[:1], packed[1:]], "calls.csv", LOTS)) == [b"a,b\n"]
    assert b"".join(plain_blocks([b"\x1f"], "calls.csv.gz", LOTS)) == b"\x1f"
    assert b"".join(plain_blocks([b"a,b\n"], "calls.csv.gz", LOTS)) == b"a,b\n"


def test_gzip_of_several_members_is_one_file():
    packed = gzip.compress(b"a,b\n1,") + gzip.compress(b"") + gzip.compress(b"2\n") + bytes(700)
    assert unpacked(packed) == (b"a,b\n1,2\n", "")


def test_a_truncated_gzip_rejects_its_last_line():
    lines = b"".join(b"%d,%d\n" % (n, n * n) for n in range(5000))
    found = read(gzip.compress(lines)[:9000])
    *whole, cut = found
    assert isinstance(cut, Cut)
    assert len(whole) > 100
    assert cut.line == len(whole) + 1
    assert "stops before its end" in cut.message
    text = "".join(record.raw + "\n" for record in whole) + cut.raw
    assert lines.decode().startswith(text)
    assert all(isinstance(record, Record) and not record.problem for record in whole)


def test_a_cut_quoted_record_is_not_parsed_either():
    packed = gzip.compress(b'1,a\n2,"b\n3,c')[:-8]
    assert read(packed) == [
        Record(1, "1,a", ["1", "a"], ""),
        Record(2, '2,"b', [], "unclosed_quote"),
        Cut(3, "3,c", "the gzip data stops before its end; send the whole file again"),
    ]


def test_a_gzip_cut_at_the_end_of_a_line_still_says_that_it_is_cut():
    found = read(gzip.compress(b"1,a\n")[:-3])
    assert [record.line for record in found] == [1, 2]
    assert isinstance(found[1], Cut)
    assert found[1].raw == ""


@pytest.mark.parametrize("block", [1, 100, 1 << 20])
def test_a_corrupt_gzip_gives_what_was_readable_whatever_the_blocks(block: int):
    rows = random.Random(3)
    data = b"".join(b"%d,%d\n" % (n, rows.getrandbits(60)) for n in range(4_000))
    packed = bytearray(gzip.compress(data))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = b"\xff" * 40
    out, message = unpacked(bytes(packed), block)
    assert "damaged" in message
    assert (len(out), zlib.crc32(out)) == (
        len(unpacked(bytes(packed), 1000)[0]),
        zlib.crc32(unpacked(bytes(packed))[0]),
    )
    assert data.startswith(out[: len(data) // 3])


def test_a_gzip_with_a_wrong_checksum_gives_its_lines_and_says_that_it_is_damaged():
    packed = gzip.compress(b"1,a\n2,b\n")
    assert unpacked(packed[:-8] + b"\0\0\0\0" + packed[-4:], 1 << 16)[0] == b"1,a\n2,b\n"
    assert "damaged" in unpacked(packed[:-8] + b"\0\0\0\0" + packed[-4:])[1]


def test_rubbish_after_a_gzip_is_said_to_be_damage():
    assert unpacked(gzip.compress(b"1,a\n") + b"rubbish")[0] == b"1,a\n"
    assert "damaged" in unpacked(gzip.compress(b"1,a\n") + b"rubbish")[1]


def test_a_gzip_bomb_is_refused_before_it_is_unpacked():
    bomb = gzip.compress(bytes(64 << 20))
    taken = 0
    with pytest.raises(Refused, match=r"bomb\.gz has more than 1048576 bytes"):
        for block in plain_blocks([bomb], "bomb.gz", 1 << 20):
            taken += len(block)
    assert taken <= 1 << 20


def test_a_file_may_unpack_to_so_many_times_its_size_and_no_more():
    line = b"c1,2026-09-10T12:00:00Z,outbound,alice,+14165550199,+12125550100,ANSWERED,60\n"
    packed = gzip.compress(bytes(64 << 20))
    with pytest.raises(Refused, match="unpacks to more than 250 times its size"):
        list(plain_blocks([packed], "bomb.gz", LOTS))
    few = gzip.compress(bytes(15 << 20))
    assert sum(map(len, plain_blocks([few], "few.gz", LOTS))) == 15 << 20
    numbered = b"".join(b"%d" % n + line for n in range(250_000))
    assert len(gzip.compress(numbered)) * 10 > len(numbered) / 10
    assert b"".join(plain_blocks([gzip.compress(numbered)], "calls.csv.gz", LOTS)) == numbered


@pytest.mark.parametrize("blank", [b"\n", b" \n", b"\t \n", b"\r\n", b" \r\n"])
@pytest.mark.parametrize("size", [1 << 20, 5_000])
def test_long_runs_of_blank_lines_are_left_out_and_counted(blank: bytes, size: int):
    data = (
        blank * 999
        + b"a,b\n"
        + blank * 20_000
        + b'"open,c\n'
        + blank * 70
        + b'd"\n'
        + blank * 49
        + b"e\n"
        + blank * 500
    )
    whole = list(chunks([data], size))
    assert sum(len(chunk.data) for chunk in whole if isinstance(chunk, Chunk)) < 60 * 3 * len(blank)
    found = [(r.line, r.raw, r.problem) for chunk in whole if isinstance(chunk, Chunk) for r in records(chunk, ",")]
    assert found == [
        (1000, "a,b", ""),
        (21_001, '"open,c', "unclosed_quote"),
        (21_072, 'd"', ""),
        (21_122, "e", ""),
    ]


def test_blank_lines_at_the_start_are_skipped_but_not_one_that_is_too_long():
    for blank in (b"\n", b" \t\r\n"):
        [chunk] = chunks([blank * 30_000 + b" \n  a,b\n"], 1 << 20)
        assert chunk == Chunk(30_002, b"  a,b\n")
    long = b" " * 70_000 + b"\n"
    [chunk] = chunks([b"\n \n" + long + b"a\n"], 1 << 20)
    assert (chunk.first_line, chunk.data) == (3, long + b"a\n")


def test_a_plain_file_over_the_limit_is_refused_too():
    with pytest.raises(Refused):
        list(plain_blocks([b"x" * 10] * 11, "big.csv", 100))


def test_an_error_of_the_source_is_not_taken_for_the_end_of_the_file():
    def broken() -> Iterable[bytes]:
        yield b"1,a\n"
        raise OSError("connection reset")

    with pytest.raises(OSError, match="connection reset"):
        list(chunks(plain_blocks(broken(), "calls.csv", LOTS)))


csv_like = st.lists(
    st.sampled_from(
        [b"a", b",", b";", b"\t", b'"', b'""', b"\n", b"\r\n", b"\r", b" ", b"\x00", b"\xc3\xa9", b"\xe9", b"\xc2\x85"]
    ),
    max_size=80,
).map(b"".join)
eight_bits = csv_like.filter(lambda data: sniff(data) == "utf-8")
"""What is not taken for UTF-16: its lines are those of its bytes."""
any_bytes = st.one_of(st.binary(max_size=300), csv_like, csv_like.map(lambda data: gzip.compress(data, mtime=0)))


@given(
    data=any_bytes,
    cut=st.integers(0, 400),
    block=st.integers(1, 40),
    size=st.integers(1, 60),
    delimiter=st.sampled_from(",;\t"),
)
@examples(400)
def test_records_do_not_depend_on_block_and_chunk_sizes(data: bytes, cut: int, block: int, size: int, delimiter: str):
    data = data[: max(cut, 1)]
    assert read(data, delimiter, block, size) == read(data, delimiter)


@given(data=eight_bits, size=st.integers(1, 60))
@examples(400)
def test_chunks_are_the_file_and_line_numbers_are_physical(data: bytes, size: int):
    assume(not re.match(rb"[^\r\n]*\r(?!\n)", data))
    lines = data.split(b"\n")
    found = [chunk for chunk in chunks(blocks_of(data, 5), size) if isinstance(chunk, Chunk)]
    offset = 0
    for chunk in found:
        # What is left out between two chunks is blank.
        blank = len(data[offset:]) - len(data[offset:].lstrip(b" \t\r\n\xef\xbb\xbf"))
        begin = data.index(chunk.data, offset)
        assert begin - offset <= blank
        assert chunk.first_line == data[:begin].count(b"\n") + 1
        offset = begin + len(chunk.data)
        for record in records(chunk, ","):
            shown = record.raw.split("\n")[0].rstrip("\r")
            line = lines[record.line - 1].rstrip(b"\r")
            assert shown in {line.decode(errors="replace"), line.decode("cp1252", errors="replace")}
    assert not data[offset:].strip(b" \t\r\n")


@given(data=eight_bits)
@examples(400)
def test_every_line_that_is_not_blank_stands_in_exactly_one_record(data: bytes):
    assume(not re.match(rb"[^\r\n]*\r(?!\n)", data))
    covered: list[int] = []
    for record in read(data):
        covered += range(record.line, record.line + record.raw.count("\n") + 1)
    written = [n for n, line in enumerate(data.split(b"\n"), 1) if line.strip(b" \t\r")]
    assert len(covered) == len(set(covered))
    assert set(written) <= set(covered)


def test_an_open_quote_in_a_line_with_even_quotes_takes_in_no_other_line():
    text = b'a,"b,c",d\n\na"b,"c\n"x","y"\n"e"f","g"\n  \n1,2\n'
    (chunk,) = chunks([text])
    found = [(record.line, record.fields, record.problem) for record in records(chunk, ",")]
    assert found == [
        (1, ["a", "b,c", "d"], ""),
        (3, [], "unclosed_quote"),
        (4, ["x", "y"], ""),
        (5, ['ef"', "g"], ""),
        (7, ["1", "2"], ""),
    ]
