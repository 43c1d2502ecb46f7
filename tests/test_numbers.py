"""Numbers against libphonenumber itself: the compiled table may differ only where these tests say so."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers.phonemetadata import PhoneMetadata

from chalicelib import country_table, numbering, numbers

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "compile_countries.py"
KINDS = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "uan", "pager")
TOLL_FREE = ("800", "833", "844", "855", "866", "877", "888")
SAMPLES_PER_PATTERN = 25
SHARED_CODES = (
    "US 12125550100, CA 14165550100, PR 17875550100, GU 16715550100, VI 13405550100, AS 16845550100, "
    "MP 16705550100, DO 18095550100, JM 18765550100, RU 74951234567, KZ 77011234567, GB 442079460000, "
    "GG 441481960194, IM 441624756789, JE 441534960000, VA 390669812345, IT 390612345678, SJ 4779123456, "
    "CC 61891621234, CX 61891641234, EH 212528812345, YT 262269601234, AX 35818345678, BL 590590271234, "
    "BQ 5997151234, CW 59994151234, TA 2908123"
)


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compile_countries", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


compiler = load_script()


def draw(language: frozenset[tuple[object, ...]], chance: random.Random) -> str:
    """One random digit string of a pattern; sorted first, because the order of sets differs from run to run."""
    parts = []
    for atom in chance.choice(sorted(language, key=repr_of)):
        parts.append(chance.choice(atom) if isinstance(atom, str) else draw(atom, chance))
    return "".join(parts)


def repr_of(value: object) -> str:
    if isinstance(value, str):
        return value
    inner = [repr_of(part) for part in value]
    return f"({','.join(sorted(inner) if isinstance(value, frozenset) else inner)})"


def expected_country(number: phonenumbers.PhoneNumber) -> str | None:
    """libphonenumber's region, but for two accepted differences.

    NANP toll-free and 900 numbers: libphonenumber calls them US (800 1.. DO), the first of those that accept
    them; they can be answered in any country of the plan, so they have none. Western Sahara: Morocco's
    "leading digits" claim all of +212 before EH is asked; its landlines, 5288 and 5289, are in the metadata.
    """
    national = str(number.national_number)
    if number.country_code == 1 and national[:3] in (*TOLL_FREE, "900"):
        return None
    if number.country_code == 212 and national[:4] in ("5288", "5289"):
        return "EH"
    region = phonenumbers.region_code_for_number(number)
    return None if region == "001" else region


def comparable(number: phonenumbers.PhoneNumber) -> bool:
    """Valid, and not Canada's 310 xxxx: without area code, uncallable from abroad; +1 310 reads as Los Angeles."""
    inside_canada_only = number.country_code == 1 and len(str(number.national_number)) == 7
    return phonenumbers.is_valid_number(number) and not inside_canada_only


def digits_of(number: phonenumbers.PhoneNumber) -> str:
    return f"{number.country_code}{phonenumbers.national_significant_number(number)}"


def disagreements(found: list[phonenumbers.PhoneNumber]) -> list[tuple[str, str | None, str | None]]:
    answers = [(digits_of(n), numbers.country_of(digits_of(n)), expected_country(n)) for n in found]
    return [answer for answer in answers if answer[1] != answer[2]]


def parsed(text: str) -> phonenumbers.PhoneNumber:
    return phonenumbers.parse(text)


# --- the table -----------------------------------------------------------------------------------------------------


def test_running_the_generator_again_writes_the_committed_file(tmp_path: Path) -> None:
    compiler.main(tmp_path / "country_table.py")
    assert (tmp_path / "country_table.py").read_text() == Path(country_table.__file__).read_text()


def test_the_generator_refuses_a_pattern_it_cannot_read() -> None:
    for pattern in ("1*", "(?=1)2", "(?:12", "12)"):
        with pytest.raises((ValueError, IndexError)):
            compiler.language_of(pattern)


def test_every_example_number_of_every_region_has_libphonenumbers_country() -> None:
    examples = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        metadata = PhoneMetadata.metadata_for_region(region)
        for kind in KINDS:
            description = getattr(metadata, kind)
            if description and description.example_number:
                examples.append(parsed(f"+{metadata.country_code}{description.example_number}"))
    assert len(examples) > 1000
    assert disagreements([n for n in examples if comparable(n)]) == []


def test_every_example_of_a_non_geographic_code_has_no_country() -> None:
    codes = [code for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items() if regions == ("001",)]
    assert {800, 808, 870, 878, 881, 882, 883, 888, 979} <= set(codes)
    assert {numbers.country_of(digits_of(phonenumbers.example_number_for_non_geo_entity(code))) for code in codes} == {
        None
    }


@pytest.mark.parametrize(
    "code", [code for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items() if len(regions) > 1]
)
def test_random_valid_numbers_of_a_shared_calling_code_have_libphonenumbers_country(code: int) -> None:
    chance = random.Random(code)
    found = []
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]:
        metadata = PhoneMetadata.metadata_for_region(region)
        for kind in KINDS:
            description = getattr(metadata, kind)
            if description and description.national_number_pattern:
                language = compiler.language_of(description.national_number_pattern)
                drawn = [parsed(f"+{code}{draw(language, chance)}") for _ in range(SAMPLES_PER_PATTERN)]
                found += [n for n in drawn if comparable(n)]
    assert len(found) >= SAMPLES_PER_PATTERN
    assert disagreements(found) == []


def test_random_valid_numbers_of_the_nanp_have_libphonenumbers_country() -> None:
    chance = random.Random(20_240_601)
    drawn = [parsed(f"+1{chance.randrange(2 * 10**9, 10**10)}") for _ in range(6000)]
    valid = [number for number in drawn if comparable(number)]
    assert len(valid) > 2000
    assert disagreements(valid) == []


@pytest.mark.parametrize(("country", "digits"), [pair.split() for pair in SHARED_CODES.split(", ")])
def test_countries_that_share_a_calling_code_are_told_apart(country: str, digits: str) -> None:
    assert numbers.country_of(digits) == country


@pytest.mark.parametrize("area", [*TOLL_FREE, "900"])
def test_nanp_toll_free_and_900_numbers_have_no_country(area: str) -> None:
    assert numbers.country_of(f"1{area}5550100") is None
    assert numbers.country_of(f"1{area}1550100") is None


@pytest.mark.parametrize("area", ["200", "211", "311", "411", "911", "555", "999", "011", "199"])
def test_a_nanp_area_code_that_nobody_has_yet_has_no_country(area: str) -> None:
    assert numbers.country_of(f"1{area}5550100") is None


def test_a_short_prefix_has_the_main_country_of_its_calling_code() -> None:
    assert [numbers.country_of(prefix) for prefix in ("1", "44", "7", "49", "")] == ["US", "GB", "RU", "DE", None]


@given(st.text(alphabet="0123456789", max_size=15))
def test_the_longest_prefix_of_the_table_is_the_answer(digits: str) -> None:
    table = numbers.country_prefixes()
    longest = max((p for p in table if digits.startswith(p)), key=len, default="")
    assert numbers.country_of(digits) == table.get(longest)


def test_the_table_handed_out_is_a_copy() -> None:
    numbers.country_prefixes().clear()
    assert numbers.country_of("12125550100") == "US"


# --- paths ---


@pytest.mark.parametrize("text", ["+12125550100", "12125550100", " 12125550100", "1-212-555-0100"])
def test_a_path_takes_a_number_with_or_without_its_plus(text: str) -> None:
    assert numbers.path_number(text) == "+12125550100"


@pytest.mark.parametrize("text", ["", "+", "411", "+0123456789", "1234567890123456", "12125550100/", "++331234567"])
def test_a_path_refuses_what_is_not_e164(text: str) -> None:
    with pytest.raises(ValueError, match="must be a phone number"):
        numbers.path_number(text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+44 (0)20 7946 0123", "+442079460123"),
        ("4402079460123", "+442079460123"),
        ("+33 (0)6 12 34 56 78", "+33612345678"),
        ("330612345678", "+33612345678"),
        ("+39 06 1234 5678", "+390612345678"),
        ("+7 8 (495) 123-45-67", "+74951234567"),
    ],
)
def test_a_path_leaves_out_the_trunk_prefix_behind_a_calling_code(text: str, number: str) -> None:
    assert numbers.path_number(text) == number


def test_a_path_refuses_a_trunk_prefix_that_it_does_not_understand() -> None:
    with pytest.raises(numbering.Ambiguous, match="trunk prefix"):
        numbers.path_number("+44 (0)1")


@given(st.sampled_from(sorted(numbers.country_prefixes())), st.text("0123456789", max_size=12))
def test_first_digits_decide_the_country_only_where_no_longer_prefix_goes_on(prefix: str, tail: str) -> None:
    digits = (prefix + tail).ljust(15, "5")
    for length in range(4, 12):
        country, decided = numbers.country_of_first(digits[:length])
        assert not decided or country == numbers.country_of(digits)
        goes_on = any(len(each) > length and each.startswith(digits[:length]) for each in numbers.country_prefixes())
        assert decided != goes_on
