"""Which characters the names, addresses and descriptions of people may have."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from chalicelib import text

ORDINARY = (
    "Télécom «\N{NO-BREAK SPACE}Québec\N{NO-BREAK SPACE}»",
    "Société Bidule\N{NARROW NO-BREAK SPACE}: téléphonie",
    "می\N{ZERO WIDTH NON-JOINER}خواهم",
    "ක්\N{ZERO WIDTH JOINER}ෂ",
    "Donau\N{SOFT HYPHEN}dampf\N{SOFT HYPHEN}schiff",
    "山田\N{IDEOGRAPHIC SPACE}太郎",
    "שלום בע״מ",
    "شركة الاتصالات",
    "Café 👩\N{ZERO WIDTH JOINER}💻 ☎\N{VARIATION SELECTOR-16}",
    "A" * 300,
    "",
)
REFUSED = {
    "a\0b": "character 2 is U+0000",
    "a\nb": "character 2 is U+000A",
    "\x7f": "character 1 is U+007F",
    "ab\x85": "character 3 is U+0085",
    "a\u2028b": "character 2 is U+2028",
    "pay\u202elap": "character 4 is U+202E",
    "x\u2067y": "character 2 is U+2067",
    "x\ud800": "character 2 is U+D800",
}


@pytest.mark.parametrize("name", ORDINARY)
def test_names_of_every_script_are_kept_as_they_are_written(name: str) -> None:
    assert text.checked(name) == name
    assert text.one_line(name, 300) == name


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_character_is_named_with_its_place(name: str) -> None:
    with pytest.raises(ValueError, match=f"must be one line .* {REFUSED[name].replace('+', '[+]')}"):
        text.checked(name)
    assert text.checked(text.one_line(f"a{name}", 300))


@pytest.mark.parametrize("name", ["\N{SOFT HYPHEN}", "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH SPACE}"])
def test_a_name_that_shows_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must have a visible character"):
        text.checked(name)


def test_of_all_characters_only_controls_separators_surrogates_and_bidi_controls_are_refused() -> None:
    refused = set()
    for sign in map(chr, range(sys.maxunicode + 1)):
        try:
            text.checked(f"a{sign}")
        except ValueError:
            refused.add(sign)
    by_unicode = {
        sign
        for sign in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(sign) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    }
    assert refused == by_unicode | set("\u061c\u200e\u200f\ufffe\uffff")
