from dataclasses import dataclass

import pytest
from mapped_columns import TOKYO
from test_formats import CALL, GOOD, HEADER, VOIPMS_HEADER, voipms

from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr.formats import Call, Rejection, Source, detect, laid_out, parse
from chalicelib.rating.cdr.mapping import ColumnMapping, chosen
from chalicelib.rating.cdr.records import Chunk, Cut, chunks

NAMES = "Ref;Begin;Dialled;Caller;User;Fee;seconds;disposition;direction;notes"
ROW = "a1;2026-11-23T08:30:00Z;+442079460000;+15145550100;office;0.0125;61;OK;MO;x"


@dataclass
class Declared:
    source_id: str
    pattern: str


def parsed(text: str, mapping: ColumnMapping = TOKYO, zone: str = "America/Toronto") -> list[Call | Rejection]:
    source = Source(DialPlan("US"), zone, declared=True, mapping=mapping)
    found: list[Call | Rejection] = []
    for layout, chunk in laid_out(chunks([text.encode()]), source):
        assert not isinstance(chunk, Cut)
        found += parse(chunk, layout, source)
    return found


def test_a_file_with_the_declared_names_and_words_is_read_as_forfaits_own():
    assert parsed(f"{NAMES}\n{ROW}\n") == [CALL]


def test_names_and_words_match_in_any_case_and_with_blanks_around():
    assert parsed(f"{NAMES.upper().replace(';', ' ; ')}\n{ROW.replace('OK', ' oK ')}\n") == [CALL]


def test_forfaits_own_words_stay_known_and_other_words_are_refused():
    found = parsed(f"{NAMES}\n{ROW.replace('OK', 'busy').replace('MO', 'inbound')}\n{ROW.replace('OK', 'hm')}\n")
    assert found[0] == CALL._replace(disposition="BUSY", direction="inbound")
    assert found[1][1] == "bad_disposition"


def test_defaults_stand_where_a_field_is_empty_or_its_column_missing():
    empty = parsed(f"{NAMES}\n{ROW.replace('OK', ' ').replace('MO', '')}\n")
    assert empty == [CALL._replace(disposition="FAILED")]
    names, row = NAMES.replace(";disposition;direction", ""), ROW.replace(";OK;MO", "")
    assert parsed(f"{names}\n{row}\n") == [CALL._replace(disposition="FAILED")]


def test_an_account_and_a_caller_can_be_defaults_too():
    mapping = ColumnMapping(defaults={"account": "office", "from": "anonymous", "direction": "outbound"})
    found = parsed("start,to,seconds,disposition\n2026-11-23T08:30:00Z,+442079460000,61,ANSWERED\n", mapping)
    assert found == [CALL._replace(call_id=found[0][1], from_number="anonymous", cost_e8=-1)]
    assert str(found[0][1]).startswith("row:")


def test_messages_name_the_columns_of_the_file():
    found = parsed(f"{NAMES}\n{ROW.replace('+442079460000', 'x')}\n{ROW.replace('0.0125', 'x')}\n")
    assert [str(one[2]).split(":")[0] for one in found] == ["Dialled", "Fee"]


@pytest.mark.parametrize(
    "names",
    [
        NAMES.replace("Fee", "Price"),
        NAMES.replace("notes", "ref"),
        NAMES.replace("seconds", "length"),
        NAMES.replace("seconds", "notes"),
    ],
)
def test_a_header_without_the_declared_names_is_of_another_file(names: str):
    assert detect(Chunk(1, names.encode()), TOKYO).name == "unknown"


def test_files_of_other_formats_are_read_as_ever_but_in_the_declared_zone():
    assert parsed(f"{HEADER}\n{GOOD}\n") == [CALL]
    assert parsed(f"{GOOD}\n") == [CALL._replace(line=1)]
    assert detect(Chunk(1, VOIPMS_HEADER.encode()), TOKYO).name == "voipms"
    eastern, tokyo = (parsed(voipms(), zone=zone)[0] for zone in ("America/New_York", "Asia/Tokyo"))
    assert isinstance(eastern, Call)
    assert tokyo == eastern._replace(start=eastern.start - 13 * 3600)


def test_words_alone_translate_a_file_in_forfaits_own_columns():
    mapping = ColumnMapping(words={"disposition": {"success": "ANSWERED"}})
    assert parsed(f"{HEADER}\n{GOOD.replace('ANSWERED', 'Success')}\n", mapping) == [CALL]


def test_a_declared_header_in_the_middle_of_joined_files_is_no_line():
    assert parsed(f"{NAMES}\n{ROW}\n{NAMES}\n{ROW}\n") == [CALL, CALL._replace(line=4)]


def test_an_empty_declaration_changes_nothing():
    assert not ColumnMapping()
    assert detect(Chunk(1, HEADER.encode()), ColumnMapping()) == detect(Chunk(1, HEADER.encode()))


@pytest.mark.parametrize(
    ("path", "source_id"),
    [
        ("tokyo/a.csv", "folder"),
        ("tokyo/deep/a.csv", "folder"),
        ("tokyo", None),
        ("tokyo/a-Master.csv", "master"),
        ("01K9ZQ5Q2V3W4X5Y6Z7A8B9C0D-osaka.csv", "osaka"),
        ("01K9ZQ5Q2V3W4X5Y6Z7A8B9C0D-01K9ZQ5Q2V3W4X5Y6Z7A8B9C0D-osaka.csv", None),
        ("osaka.csv", "osaka"),
        ("Osaka.csv", None),
        ("old/osaka.csv", None),
        ("x", None),
        ("", None),
    ],
)
def test_the_longest_pattern_that_fits_a_file_wins(path: str, source_id: str | None):
    patterns = {"folder": "tokyo/", "master": "*-Master.csv*", "osaka": "osaka*.csv", "twin": "osaka*.cs?"}
    found = chosen([Declared(*pair) for pair in patterns.items()], path)
    assert (found and found.source_id) == source_id


def test_of_equally_long_patterns_the_first_by_id_wins():
    sources = [Declared("b", "a*"), Declared("a", "*a"), Declared("c", "?a")]
    assert [getattr(chosen(each, "aa"), "source_id", "") for each in (sources, sources[::-1])] == ["a", "a"]
