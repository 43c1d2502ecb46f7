"""Fields as words of eight bytes: what is understood of them, and the values, against Python's own reading."""

from __future__ import annotations

import random
import re

import numpy as np

from chalicelib.rating.engine.vector import words

AROUND = "0123456789./:-+ eE\x30\x39"


def laid_out(texts: list[str]) -> tuple[words.Bytes, words.Ints, words.Ints]:
    """Fields in one buffer, a comma behind each: the buffer, their starts and their lengths."""
    lengths = np.array([len(text) for text in texts])
    buffer = np.frombuffer(",".join(texts).encode() + bytes(words.PAD), np.uint8)
    return buffer, np.cumsum(lengths + 1) - lengths - 1, lengths


def some_texts(seed: int, most: int) -> list[str]:
    """Mostly digits, so that many of them are good, with every neighbour of digits and of the point in between."""
    dice = random.Random(seed)
    digits = ["".join(dice.choices("0189", k=dice.randrange(most))) for _ in range(3_000)]
    odd = [
        text[:place] + dice.choice(AROUND) + text[place + 1 :] for text in digits for place in [dice.randrange(most)]
    ]
    return digits + odd + ["", ".", "0", "9" * 15, "9" * 16]


def test_decimals_are_those_that_python_would_read_and_no_longer_ones():
    texts = [*some_texts(1, 13), ".1234567.1", "1.345678.0", "1234567.9.", "123456789.", "1.23456789", "12345678.9"]
    found = words.are_decimals(*laid_out(texts))
    for text, good in zip(texts, found.tolist(), strict=True):
        plain = re.fullmatch(r"([0-9]+(\.[0-9]+)?)?", text) is not None
        assert good == (plain and len(text) - text.count(".") < 10), text
    assert 1_000 < found.sum() < len(texts) - 1_000


def test_numbers_are_filled_up_to_fifteen_digits():
    texts = some_texts(2, 18)
    values, found = words.left_digits(*laid_out(texts))
    for text, value, good in zip(texts, values.tolist(), found.tolist(), strict=True):
        assert good == (re.fullmatch("[0-9]{1,15}", text) is not None), text
        assert not good or value == int(text.ljust(15, "0"))
    assert 1_000 < found.sum() < len(texts) - 1_000


def test_every_two_digits_of_a_word_are_read():
    word = int.from_bytes(bytes(range(8)), "little")
    pairs = int(words.pairs(np.array([word], np.uint64))[0]).to_bytes(8, "little")
    assert list(pairs) == [1, 12, 23, 34, 45, 56, 67, 70]


def test_line_feeds_are_counted_whatever_lies_around_them():
    for data in (b"", b"\n", bytes(range(256)) * 3, "\u010a\n\r\n".encode()):
        assert words.line_feeds(data) == data.count(b"\n")


def test_distinct_texts_are_found_also_where_all_have_one_hash():
    # Words whose products with the factors of the hash are equal: three times the first, and once the second.
    alike = [(3).to_bytes(8, "little"), bytes(8) + b"\1", (3).to_bytes(8, "little"), b""]
    dice = random.Random(3)
    for texts in (alike, [b"%d" % dice.randrange(30_000) for _ in range(20_000)], [b"a", b"b", b"a"], []):
        array = np.array(texts, "S20")
        firsts, which = words.distinct(array)
        assert sorted(array[firsts].tolist()) == sorted(set(array.tolist()))
        assert array[firsts][which].tolist() == array.tolist()
