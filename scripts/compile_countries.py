"""Compile libphonenumber's metadata into ``chalicelib/country_table.py``.

Run it after an upgrade of phonenumberslite: ``python scripts/compile_countries.py``. The same metadata
always gives the same file, byte for byte, and a test compares it with the committed one.

libphonenumber finds a number's region by trying every region of its calling code, in order: one with
"leading digits" claims what begins so, another what its number patterns accept. We ask the same question
of prefixes. The patterns are plain sets of digit strings, so each is held as a value (``Language``) that
tells what is left of it after one more digit (Brzozowski's derivative). Walking the digits with all
regions side by side, a prefix is settled as soon as one region is left over all its completions.

On purpose the table differs from libphonenumber for NANP toll-free and 900 numbers (no country), for
Western Sahara's landlines (EH, which libphonenumber cannot reach behind Morocco), and for Canada's 310 xxxx.
"""

from __future__ import annotations

import re
import textwrap
from collections import deque
from collections.abc import Iterable, Iterator
from functools import cache, reduce
from itertools import product
from pathlib import Path
from typing import Any, TypeAlias

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata

TARGET = Path(__file__).resolve().parent.parent / "chalicelib" / "country_table.py"

Sequence: TypeAlias = "tuple[str | Language, ...]"
Language: TypeAlias = "frozenset[Sequence]"
State: TypeAlias = "tuple[Language, ...]"
Node: TypeAlias = "int | tuple[Node, ...]"

DIGITS = "0123456789"
MAX_DEPTH = 8
"""National digits looked at: beyond it two regions differ only in the length of a number, and the first has it."""
NOBODY = -1
HEAD = 4
"""Digits by which an odd number is recognised."""
LINE_LENGTH = 118

_KINDS = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)
_TOKEN = re.compile(r"\(\?:|\\d|\[[0-9-]+\]|\{\d+(?:,\d+)?\}|[0-9|)?]")

_HEADER = '''"""Which country a number belongs to, and how each country dials. Generated; do not edit.

Written by ``scripts/compile_countries.py`` from phonenumberslite {version}; ``numbers`` reads it.

``COUNTRIES``: an ISO 3166 alpha-2 code (``-`` for no country), then its prefixes; the longest prefix of a
number decides. Words are packed into lines as they fit. ``HOMES``: a region per line, with the words of
``numbering.Home`` (``-`` for none). ``CODES``: a calling code per line, its main region, and the pattern of its valid
national numbers. ``ODD``: how E.164 numbers begin, in up to four digits, that may have a trunk prefix behind the
calling code.
"""

# ruff: noqa: E501
'''


def language_of(pattern: str) -> Language:
    """The digit strings a metadata pattern matches in full; ``ValueError`` on syntax it never used before."""
    tokens = deque(_TOKEN.findall(pattern))
    if "".join(tokens) != pattern:
        raise ValueError(f"unknown syntax in {pattern!r}")
    language = _alternatives(tokens)
    if tokens:
        raise ValueError(f"unbalanced parentheses in {pattern!r}")
    return language


def _alternatives(tokens: deque[str]) -> Language:
    branches = [_sequence(tokens)]
    while tokens and tokens[0] == "|":
        tokens.popleft()
        branches.append(_sequence(tokens))
    return frozenset(branches)


def _sequence(tokens: deque[str]) -> Sequence:
    atoms: Sequence = ()
    while tokens and tokens[0] not in ("|", ")"):
        atom = _atom(tokens)
        least, most = _repeat(tokens)
        atoms += (atom,) * least + _up_to(atom, most - least)
    return atoms


def _atom(tokens: deque[str]) -> str | Language:
    token = tokens.popleft()
    if token == "(?:":
        group = _alternatives(tokens)
        tokens.popleft()
        return group
    if token == "\\d":
        return DIGITS
    if token.startswith("["):
        return re.sub(r"(\d)-(\d)", lambda m: DIGITS[int(m[1]) : int(m[2]) + 1], token[1:-1])
    return token


def _repeat(tokens: deque[str]) -> tuple[int, int]:
    if tokens and tokens[0] == "?":
        tokens.popleft()
        return 0, 1
    if tokens and tokens[0].startswith("{"):
        bounds = [int(bound) for bound in tokens.popleft()[1:-1].split(",")]
        return bounds[0], bounds[-1]
    return 1, 1


def _up_to(atom: str | Language, times: int) -> Sequence:
    """``atom`` zero to ``times`` times."""
    rest: Sequence = ()
    for _ in range(times):
        rest = (frozenset({(), (atom, *rest)}),)
    return rest


@cache
def after(language: Language, digit: str) -> Language:
    """What may still follow once ``digit`` has been read."""
    return frozenset(rest for sequence in language for rest in _after_sequence(sequence, digit))


def _after_sequence(sequence: Sequence, digit: str) -> Iterator[Sequence]:
    if not sequence:
        return
    head, rest = sequence[0], sequence[1:]
    if isinstance(head, str):
        if digit in head:
            yield rest
        return
    for left in after(head, digit):
        yield left + rest
    if ends(head):
        yield from _after_sequence(rest, digit)


@cache
def ends(language: Language) -> bool:
    """Whether the language holds the empty string: what was read so far is a whole number."""
    return any(all(not isinstance(atom, str) and ends(atom) for atom in sequence) for sequence in language)


def strings(language: Language) -> Iterator[str]:
    """Every string of a small language."""
    for sequence in language:
        for parts in product(*(atom if isinstance(atom, str) else list(strings(atom)) for atom in sequence)):
            yield "".join(parts)


def _metadata(region: str) -> Any:
    # The stubs make every part optional; for a supported region those read here are there, or we want the error.
    return PhoneMetadata.metadata_for_region(region)


def region_language(region: str) -> Language:
    """The national numbers that libphonenumber gives to ``region``, had no region before it claimed them."""
    metadata = _metadata(region)
    if metadata.leading_digits is not None:
        leads = set(strings(language_of(metadata.leading_digits)))
        lengths = [length for length in metadata.general_desc.possible_length if length > 0]
        # Whatever begins with the leading digits is the region's, valid or not, so any digits may follow.
        return frozenset((*lead, *(DIGITS,) * (length - len(lead))) for lead in leads for length in lengths)
    descriptions = [found for kind in _KINDS if (found := getattr(metadata, kind))]
    if metadata.country_code == 1:
        # Canada's 310 xxxx is dialled inside Canada only; from anywhere else 310 is Los Angeles.
        descriptions = [found for found in descriptions if 10 in found.possible_length]
    patterns = [found.national_number_pattern for found in descriptions]
    return frozenset().union(*(language_of(pattern) for pattern in patterns if pattern))


def countryless_language() -> Language:
    """NANP toll-free and 900 area codes: libphonenumber calls them US, yet they ring anywhere in the plan."""
    metadata = _metadata("US")
    patterns = (metadata.toll_free.national_number_pattern, metadata.premium_rate.national_number_pattern)
    areas = {(a, b, c) for a, b, c in product(DIGITS, repeat=3) for p in patterns if _begins(language_of(p), a + b + c)}
    return frozenset((*area, *(DIGITS,) * 7) for area in areas)


def _begins(language: Language, prefix: str) -> bool:
    return bool(reduce(after, prefix, language))


@cache
def owners(state: State) -> frozenset[int]:
    """The regions (by place in ``state``) that own at least one completion; the first that accepts owns a number."""
    here = [place for place, language in enumerate(state) if ends(language)][:1]
    return frozenset(here).union(*(owners(_step(state, digit)) for digit in DIGITS if any(state)))


@cache
def settle(state: State, depth: int, least: int) -> Node:
    """The region that owns all completions, ``NOBODY``, or ten nodes where the next digit matters.

    Before ``least`` digits unassigned completions count too: +1 31 is all US, but 311 has no owner.
    """
    found = owners(state)
    if not found or (len(found) == 1 and depth >= least):
        return next(iter(found), NOBODY)
    if depth == MAX_DEPTH:
        return min(found)
    children = tuple(settle(_step(state, digit), depth + 1, least) for digit in DIGITS)
    return children[0] if len(set(children)) == 1 else children


@cache
def _step(state: State, digit: str) -> State:
    return tuple(after(language, digit) for language in state)


def shared_code_prefixes(calling_code: str, regions: tuple[str, ...]) -> Iterator[tuple[str, str | None]]:
    """Prefixes of a calling code of several regions; the code itself belongs to the main (first) one.

    Unassigned ranges stay with the main region, except in the NANP: a new area code can belong to any region, so it has
    no country until the metadata knows it.
    """
    nanp = calling_code == "1"
    asked: list[tuple[str | None, Language]] = [(region, region_language(region)) for region in regions]
    reached = owners(tuple(language for _, language in asked))
    # Morocco's leading digits hide Western Sahara altogether; a region that no number reaches gets its landlines.
    hidden = [region for place, region in enumerate(regions) if place not in reached]
    first = [(region, language_of(_metadata(region).fixed_line.national_number_pattern)) for region in hidden]
    asked = [*([(None, countryless_language())] if nanp else []), *first, *asked]
    yield calling_code, regions[0]
    tree = settle(tuple(language for _, language in asked), 0, least=3 if nanp else 0)
    for prefix, owner in _leaves(tree, calling_code):
        label = asked[owner][0] if owner != NOBODY else None if nanp else regions[0]
        if label != regions[0]:
            yield prefix, label


def _leaves(node: Node, prefix: str) -> Iterator[tuple[str, int]]:
    if isinstance(node, int):
        yield prefix, node
        return
    for digit, child in zip(DIGITS, node, strict=True):
        yield from _leaves(child, prefix + digit)


def prefixes() -> dict[str, str | None]:
    """Every prefix of the world; non-geographic calling codes (region 001) have no country."""
    table: dict[str, str | None] = {}
    for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items():
        if regions == ("001",):
            table[str(code)] = None
        else:
            table.update(shared_code_prefixes(str(code), regions) if len(regions) > 1 else {str(code): regions[0]})
    return table


def home(region: str) -> str:
    """The line of a region: its code, then the words of ``numbering.Home``."""
    metadata = _metadata(region)
    general = metadata.general_desc
    usual = {n for kind in (metadata.fixed_line, metadata.mobile) if kind for n in kind.possible_length if n > 0}
    return " ".join(
        (
            region,
            str(metadata.country_code),
            metadata.national_prefix or "-",
            metadata.international_prefix or "00",
            _counts(usual),
            _counts(general.possible_length),
            ",".join(emergencies(region)) or "-",
            metadata.national_prefix_for_parsing or "-",
            metadata.national_prefix_transform_rule or "-",
            general.national_number_pattern,
        )
    )


def _counts(lengths: Iterable[int]) -> str:
    return ",".join(map(str, sorted(lengths))) or "-"


def emergencies(region: str) -> list[str]:
    """The emergency numbers of a region, sorted."""
    metadata: Any = PhoneMetadata.short_metadata_for_region(region)
    pattern = metadata.emergency.national_number_pattern if metadata and metadata.emergency else None
    return sorted(strings(language_of(pattern))) if pattern else []


def valid(calling_code: int, regions: tuple[str, ...]) -> str:
    """The line of a calling code: the code, its main region, a pattern of the valid numbers of all its regions."""
    patterns = set()
    for region in regions:
        metadata: Any = PhoneMetadata.metadata_for_region_or_calling_code(calling_code, region)
        for kind in _KINDS:
            found = getattr(metadata, kind)
            if found and found.national_number_pattern:
                patterns.add(found.national_number_pattern)
    return f"{calling_code} {regions[0]} {'|'.join(sorted(patterns))}"


def odd(calling_code: int, regions: tuple[str, ...]) -> Iterator[str]:
    """First digits of a calling code's numbers that what is stripped before a national number can match."""
    metadata: Any = PhoneMetadata.metadata_for_region_or_calling_code(calling_code, regions[0])
    pattern = re.sub(r"\((?!\?)", "(?:", (metadata.national_prefix_for_parsing or "").replace("$", ""))
    yield from _heads(language_of(pattern), str(calling_code), "")


def _heads(language: Language, calling_code: str, read: str) -> Iterator[str]:
    if read and (ends(language) or len(calling_code + read) == HEAD):
        yield calling_code + read
        return
    for digit in DIGITS:
        rest = after(language, digit)
        if rest:
            yield from _heads(rest, calling_code, read + digit)


def render() -> str:
    """The whole text of ``country_table.py``."""
    by_country: dict[str, list[str]] = {}
    for prefix, country in prefixes().items():
        by_country.setdefault(country or "-", []).append(prefix)
    countries = " ".join(f"{country} {' '.join(sorted(by_country[country]))}" for country in sorted(by_country))
    homes = "\n".join(home(region) for region in sorted(phonenumbers.SUPPORTED_REGIONS))
    codes = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items())
    plans, heads = "\n".join(valid(*each) for each in codes), " ".join(head for each in codes for head in odd(*each))
    return (
        _HEADER.format(version=phonenumbers.__version__)
        + _block("COUNTRIES", textwrap.fill(countries, LINE_LENGTH, break_on_hyphens=False))
        + _block("HOMES", homes)
        + _block("CODES", plans)
        + _block("ODD", textwrap.fill(heads, LINE_LENGTH))
    )


def _block(name: str, lines: str) -> str:
    return f'{name} = r"""\n{lines}\n"""\n'


def main(target: Path = TARGET) -> None:
    """Write the table to ``target``."""
    target.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()
