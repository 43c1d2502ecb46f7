"""Regular expressions for many prefixes at once."""

from __future__ import annotations

from collections.abc import Iterable


def alternatives(prefixes: Iterable[str]) -> str:
    """A pattern of prefixes, none of which begins with another, that compares each digit once."""
    rests: dict[str, list[str]] = {}
    for prefix in prefixes:
        rests.setdefault(prefix[0], []).append(prefix[1:])
    firsts: dict[str, str] = {}
    for digit, rest in rests.items():
        pattern = f"(?:{alternatives(rest)})" if rest[0] else ""
        firsts[pattern] = firsts.get(pattern, "") + digit
    return "|".join(f"[{digits}]{pattern}" for pattern, digits in firsts.items())
