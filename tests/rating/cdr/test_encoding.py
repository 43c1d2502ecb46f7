import re
from collections.abc import Iterator

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.rating.cdr.compression import Truncated
from chalicelib.rating.cdr.encoding import sniff, utf8_blocks

TEXT = "call_id,start\nä1,José €\n\U0001f4de,x\n"


def recoded(data: bytes, block: int = 1 << 16) -> bytes:
    return b"".join(utf8_blocks([data[n : n + block] for n in range(0, len(data), block)]))


def breaking(data: bytes, block: int) -> Iterator[bytes]:
    yield from (data[n : n + block] for n in range(0, len(data), block))
    raise Truncated("cut")


def before_the_break(data: bytes, block: int = 1 << 16) -> bytes:
    out = b""
    with pytest.raises(Truncated):
        for part in utf8_blocks(breaking(data, block)):
            out += part
    return out


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("block", [1, 2, 3, 1000])
def test_utf16_is_told_with_and_without_a_byte_order_mark(encoding: str, mark: str, block: int):
    assert recoded((mark + TEXT).encode(encoding), block) == TEXT.encode()
    assert sniff((mark + TEXT).encode(encoding)) == encoding


@pytest.mark.parametrize(
    "data",
    [b"", b"a", b"a,b\n", TEXT.encode(), TEXT.encode("cp1252", "replace"), b"\x00\x00" * 40, b"a\x00", b"\n\xef"],
)
def test_anything_else_passes_as_it_is(data: bytes):
    assert recoded(data) == recoded(data, 1) == data
    assert sniff(data) == "utf-8"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_byte_order_marks_of_joined_files_are_left_out(encoding: str):
    data = ("\ufeff" + TEXT).encode(encoding) * 3
    for block in (1, 2, 3, 4, 5, 1000):
        assert recoded(data, block) == TEXT.encode() * 3


@pytest.mark.parametrize(
    ("unit", "shown"),
    [(b"\x00\xd8", b"\x81"), (b"\x00\xdc", b"\x81"), (b"\x3d\xd8\xde\xdc", "\U0001f4de".encode()), (b"A", b"\x81")],
)
def test_what_is_no_utf16_becomes_a_byte_that_no_encoding_has(unit: bytes, shown: bytes):
    data = "\ufeffa,b\n".encode("utf-16-le") + unit
    assert recoded(data, 3) == recoded(data) == b"a,b\n" + shown


@given(
    data=st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=200).map(lambda data: b"\xff\xfe" + data),
        st.binary(max_size=200).map(lambda data: b"\xfe\xff" + data),
        st.text("\ufeff\na\U0001f4de\ud800", max_size=60).map(lambda text: text.encode("utf-16-le", "surrogatepass")),
        st.text("\ufeff\na", max_size=60).map(str.encode),
    ),
    block=st.integers(1, 70),
)
@examples(500)
def test_the_outcome_does_not_depend_on_the_sizes_of_blocks(data: bytes, block: int):
    assert recoded(data, block) == recoded(data)
    # Of a broken file all comes out but half a character at its end.
    assert recoded(data) in {before_the_break(data, block) + rest for rest in (b"", b"\x81")}


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\ufeff"), max_size=100), block=st.integers(1, 70))
@examples(300)
def test_utf16_with_a_mark_comes_out_as_the_same_text(text: str, block: int):
    first_end = re.search(r"\r?\n|\r", text)
    # A first line that ends with a lone carriage return says that all lines end so.
    ended = text.replace("\r\n", "\n").replace("\r", "\n") if first_end and first_end[0] == "\r" else text
    assert recoded(("\ufeff" + text).encode("utf-16-le"), block) == ended.encode()
    assert recoded(("\ufeff" + text).encode("utf-16-be"), block) == ended.encode()
