"""Every home country and every spelling, with libphonenumber as the oracle: a number is read as itself or refused.

The numbers are libphonenumber's examples of every type and random valid ones. Bare numbers of few digits are left out:
they are internal, also if they could be something else.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from functools import cache

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat
from phonenumbers.phonemetadata import PhoneMetadata
from test_numbers import compiler, draw

from chalicelib.dialling import Ambiguous, DialPlan

HOMES = sorted(phonenumbers.SUPPORTED_REGIONS)
FOREIGN = 5
"""Numbers of other countries that are dialled in each home country."""
MOST_PREFIXES = 6
"""International prefixes of a home country that are tried, of China's 2,100 for example."""
CARRIERS = {
    "BR": ("015", "021", "031", "041"),
    "BO": ("010", "013", "019"),
    "CN": ("17911", "17951"),
    "CO": ("03", "05", "07", "09", "0456"),
    "KR": ("081", "082", "086", "08500"),
}
"""What is dialled before a national number to choose a carrier."""
LEAST_READ = {"trunk": 0.99, "national": 0.9, "bare": 0.6, "calling code": 0.99, "+": 1, "+(0)": 1, "abroad": 0.98}
"""The share of the spellings that are read. A national number without its trunk prefix may be a local one, so it is
refused in countries where those exist."""


def e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def numbers_of(region: str, chance: random.Random) -> list[PhoneNumber]:
    """Valid numbers of a region: of every type its example and a random one."""
    metadata = PhoneMetadata.metadata_for_region(region)
    found = {}
    for kind in compiler._KINDS:
        description = getattr(metadata, kind)
        if description and description.national_number_pattern:
            drawn = draw(compiler.language_of(description.national_number_pattern), chance)
            for national in filter(None, (description.example_number, drawn)):
                number = PhoneNumber(metadata.country_code, int(national))
                zeros = len(national) - len(national.lstrip("0"))
                if zeros:
                    number.italian_leading_zero, number.number_of_leading_zeros = True, zeros
                # Canada's 310 xxxx has no area code and cannot be dialled with +1.
                inside_canada_only = metadata.country_code == 1 and len(national) == 7
                if phonenumbers.is_valid_number(number) and 8 <= len(e164(number)) <= 16 and not inside_canada_only:
                    found[e164(number)] = number
    return list(found.values())


def at_home(number: PhoneNumber, home: str) -> Iterator[tuple[str, str]]:
    """Spellings of a number in its own country."""
    national, code = phonenumbers.national_significant_number(number), str(number.country_code)
    trunk = PhoneMetadata.metadata_for_region(home).national_prefix
    yield "bare", national
    yield "calling code", code + national
    yield "national", phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    yield "national", phonenumbers.format_number_for_mobile_dialing(number, home, True)
    if trunk:
        yield "trunk", trunk + national
        yield "calling code", code + trunk + national
    if len(national) > 9:
        for carrier in CARRIERS.get(home, ()):
            yield "trunk", carrier + national


def anywhere(number: PhoneNumber, home: str, internationals: list[str]) -> Iterator[tuple[str, str]]:
    """Spellings of a number that is dialled in ``home``."""
    national, code = phonenumbers.national_significant_number(number), str(number.country_code)
    main = PhoneMetadata.metadata_for_region(phonenumbers.region_code_for_country_code(number.country_code))
    trunk = main.national_prefix if main else None
    yield "+", "+" + code + national
    yield "+", f"+{code}-{national[:2]}.{national[2:]}"
    yield "+", phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    yield "+", phonenumbers.format_number(number, PhoneNumberFormat.RFC3966)
    if phonenumbers.region_code_for_number(number) != home:
        yield "abroad", phonenumbers.format_out_of_country_calling_number(number, home)
    for international in internationals:
        yield "abroad", international + code + national
    if trunk:
        yield "+(0)", f"+{code}({trunk}){national}"
        yield "+(0)", f"+{code}{trunk}{national}"
        for international in internationals:
            yield "abroad", f"{international}{code}({trunk}){national}"


@cache
def outcomes() -> list[tuple[str, str, str, str, str]]:
    """Home, kind of spelling, text, number meant, number read (or ``ambiguous``, ``refused``)."""
    chance = random.Random(20_261_130)
    numbers = {home: numbers_of(home, chance) for home in HOMES}
    world = [number for home in HOMES for number in numbers[home]]
    found = []
    for home in HOMES:
        prefix = PhoneMetadata.metadata_for_region(home).international_prefix
        own = list(compiler.strings(compiler.language_of(prefix)))
        internationals = [*(own if len(own) <= MOST_PREFIXES else chance.sample(own, MOST_PREFIXES)), "00"]
        plan = DialPlan(home)
        texts = [(number, *each) for number in numbers[home] for each in at_home(number, home)]
        dialled = chance.sample(numbers[home], min(3, len(numbers[home]))) + chance.sample(world, FOREIGN)
        texts += [(number, *each) for number in dialled for each in anywhere(number, home, internationals)]
        for number, kind, text in texts:
            if text and (text[0] == "+" or sum(map(str.isdigit, text)) > 6):
                found.append((home, kind, text, e164(number), read(plan, text)))
    return found


def read(plan: DialPlan, text: str) -> str:
    try:
        return plan.read(text)
    except Ambiguous:
        return "ambiguous"
    except ValueError:
        return "refused"


def test_no_spelling_in_any_home_country_is_read_as_another_number() -> None:
    found = outcomes()
    assert len(found) > 25_000
    assert {home for home, *_ in found} == set(HOMES)
    wrong = [each for each in found if each[4] not in (each[3], "ambiguous", "refused")]
    assert wrong == []


def test_a_valid_number_is_refused_only_because_its_spelling_is_ambiguous() -> None:
    assert [each for each in outcomes() if each[4] == "refused"] == []


def test_nearly_all_spellings_are_read() -> None:
    total, good = Counter(each[1] for each in outcomes()), Counter(each[1] for each in outcomes() if each[3] == each[4])
    assert set(total) == set(LEAST_READ)
    assert {kind: share for kind in total if (share := good[kind] / total[kind]) < LEAST_READ[kind]} == {}
