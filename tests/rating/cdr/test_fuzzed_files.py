"""Every format in every encoding, whole and damaged: the same fates whatever the sizes of blocks and chunks."""

from __future__ import annotations

import gzip
import random

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from mapped_columns import TOKYO
from test_formats import GOOD, HEADER, KNOWN, VOIPMS_HEADER, parsed, voipms
from test_mapping import NAMES, ROW
from test_switch_formats import ASTERISK, FREESWITCH, INBOUND

from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr.formats import REASONS, Call, Rejection, Source

SOURCE = Source(DialPlan("US"), "America/Toronto", mapping=TOKYO, known=KNOWN)
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
VOIPMS = [line for line in voipms(callerid='"Zoë" <5145550100>').splitlines() if line]
PLACEHOLDER = FREESWITCH.replace("7c2a8c5e-6f4d-4d1b-9a52-0d1f8f3f9c11", "00000000-0000-0000-0000-000000000000")
FILES = {
    "forfait": [HEADER, GOOD.replace("+15145550100", "Zoë"), GOOD.replace("+15145550100", '"Zoë, ""Z"""')],
    "headerless": [GOOD, GOOD.replace("+15145550100", "Zoë")],
    "voipms": [VOIPMS_HEADER, VOIPMS[1], VOIPMS[1].replace("ANSWERED", "BUSY")],
    "asterisk": [
        ASTERISK.replace("Reception", "Zoë"),
        INBOUND + ',"1795440600.418"',
        ASTERISK + ',"1795440600.419","a\nb"',
        ASTERISK + ',"1795440600.419","","","1795440600.418",13',
        ASTERISK + ',"0.0"',
    ],
    "freeswitch": [FREESWITCH.replace("Reception", "Zoë"), FREESWITCH.replace("Reception", "one\r\ntwo"), PLACEHOLDER],
    "aliased": [NAMES.replace(";", ","), ROW.replace(";", ","), ROW.replace(";", ",").replace("+15145550100", "Zoë")],
}
EXPECTED = {"forfait": 2, "headerless": 2, "voipms": 2, "asterisk": 5, "freeswitch": 3, "aliased": 2}


def read(data: bytes, block: int = 1 << 16, size: int = 2 << 20) -> list[Call | Rejection]:
    return parsed(data, SOURCE, block, size)


def with_delimiter(lines: list[str], delimiter: str) -> list[str]:
    """Lines whose quoted fields lose their commas, then have another delimiter."""
    return [
        line.replace("carrier,60,tT", "carrier").replace("1001,20", "1001").replace(",", delimiter) for line in lines
    ]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_format_is_read_in_every_encoding_with_every_delimiter(
    name: str, encoding: str, delimiter: str, end: str
):
    text = end.join([*with_delimiter(FILES[name], delimiter), ""])
    found = read(text.encode(encoding))
    assert all(isinstance(one, Call) for one in found), found
    assert found == read(text.encode())
    assert len(found) == EXPECTED[name]
    for block, size in ((1, 1), (2, 7), (3, 50), (64, 200)):
        assert read(text.encode(encoding), block, size) == found
    assert read(gzip.compress(text.encode(encoding)), 5, 90) == found


def test_line_numbers_are_those_of_an_editor_in_every_encoding():
    text = "\n\n" + "\r\n".join(FILES["asterisk"] * 2)
    for encoding in ENCODINGS:
        assert [one.line for one in read(text.encode(encoding))] == [3, 4, 5, 7, 8, 9, 10, 11, 13, 14]


def test_a_utf16_file_in_a_gzip_that_stops_is_read_up_to_there():
    whole = "\n".join([HEADER, *[GOOD.replace("a1", f"a{n}") for n in range(3000)]]).encode("utf-16")
    packed = gzip.compress(whole)[: -len(gzip.compress(whole)) // 2]
    found = read(packed)
    assert found == read(packed, 7, 1000)
    assert 0 < len(found) < 3001
    assert [one.reason for one in found if isinstance(one, Rejection)] == ["truncated"]
    assert found[-1].line == len(found) + 1


pieces = st.one_of(
    st.sampled_from([line for lines in FILES.values() for line in lines]),
    st.sampled_from(
        ["NULL", r"\N", "0", "#REF!", "4.83249E+09", "'none'", "\ufeffa1", "61400", "00:00:07", "=1", "＝1"]
    ),
    st.sampled_from(
        ["", '"', '""', '"a\nb"', ",", ";", "\t", "Zoë", "\ufeff", "\x00", "\x85", "🕿", "a" * 70, "inbound"]
    ),
    st.text(max_size=5),
)
texts = st.lists(st.tuples(pieces, st.sampled_from(["\n", "\r\n", "", ",", "\n\n"])).map("".join), max_size=10).map(
    "".join
)
files = st.one_of(
    st.binary(max_size=200),
    st.tuples(texts, st.sampled_from(ENCODINGS)).map(lambda made: made[0].encode(made[1], "replace")),
    st.tuples(texts, st.binary(max_size=6), st.integers(0, 400)).map(
        lambda made: made[0].encode()[: made[2]] + made[1] + made[0].encode("cp1252", "replace")[made[2] :]
    ),
)


@given(data=files, block=st.integers(1, 300), size=st.integers(1, 400), cut=st.integers(0, 30))
@examples(500)
def test_fates_do_not_depend_on_the_sizes_of_blocks_and_chunks(data: bytes, block: int, size: int, cut: int):
    found = read(data)
    assert read(data, block, size) == found
    lines = [one.line for one in found]
    assert lines == sorted(set(lines))
    assert all(one.reason in REASONS and one.message for one in found if isinstance(one, Rejection))
    packed = gzip.compress(data, mtime=0)
    broken = packed[: len(packed) - cut]
    assert read(broken, block, size) == read(broken)


@pytest.mark.parametrize("seed", range(30))
def test_damage_anywhere_in_a_file_of_any_format_raises_nothing_and_loses_no_line(seed: int):
    dice = random.Random(seed)
    name = dice.choice(list(FILES))
    data = bytearray("\n".join([FILES[name][0], *dice.choices(FILES[name], k=40)]).encode(dice.choice(ENCODINGS)))
    for _ in range(dice.randrange(1, 30)):
        place = dice.randrange(len(data))
        data[place : place + dice.randrange(3)] = dice.randbytes(dice.randrange(4))
    found = read(bytes(data))
    assert found
    for _ in range(3):
        assert read(bytes(data), dice.randrange(1, 500), dice.randrange(1, 3000)) == found
