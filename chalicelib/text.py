"""Text that people write: names, addresses, descriptions. It is one line of any Unicode characters but a few.

Refused are control characters, line and paragraph separators, halves of a surrogate pair, U+FFFE and U+FFFF (they are
no characters), and the bidirectional controls, which can make a name look like another one. No-break spaces, joiners,
soft hyphens and ideographic spaces are ordinary: French puts no-break spaces inside « », and Persian needs joiners to
spell words.
"""

from __future__ import annotations

import re
import unicodedata

_FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029"  # control characters and separators of lines
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls (Unicode's Bidi_Control)
    "\ud800-\udfff\ufffe\uffff]"
)
_INVISIBLE = frozenset(("Zs", "Cf", "Cc", "Cn"))


def checked(text: str) -> str:
    """The same text; ``ValueError`` (a sentence without the name of the field) if it has a refused character, or if it
    is not empty and has no visible one."""
    found = _FORBIDDEN.search(text)
    if found:
        place, sign = found.start() + 1, ord(found[0])
        raise ValueError(f"must be one line without control characters; character {place} is U+{sign:04X}")
    if text and all(unicodedata.category(sign) in _INVISIBLE for sign in text):
        raise ValueError("must have a visible character")
    return text


def one_line(text: str, most: int) -> str:
    """A text from outside as one line of at most ``most`` characters; a blank for each refused character."""
    return _FORBIDDEN.sub(" ", text)[:most]


def folded(name: str) -> str:
    """A name without accents, signs and capitals, its words one blank apart: names that people write differently."""
    bare = unicodedata.normalize("NFKD", name).casefold()
    return " ".join(
        "".join(sign if sign.isalnum() else " " for sign in bare if not unicodedata.combining(sign)).split()
    )
