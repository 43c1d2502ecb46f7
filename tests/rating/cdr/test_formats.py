import csv
import gzip
import io
import random
import re
from pathlib import Path

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from chalicelib import periods
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr.call import Skipped
from chalicelib.rating.cdr.formats import REASONS, Call, Rejection, Source, detect, laid_out, parse, rejection_of
from chalicelib.rating.cdr.owning import Known
from chalicelib.rating.cdr.records import Chunk, Cut, chunks, plain_blocks

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "cdr-formats.md"
HEADER = "call_id,start,direction,account,from,to,disposition,seconds,cost"
GOOD = "a1,2026-11-23T08:30:00Z,outbound,office,+15145550100,+442079460000,ANSWERED,61,0.0125"
CALL = Call(2, "a1", 1795422600, "outbound", "office", "+15145550100", "+442079460000", "ANSWERED", 61, 1_250_000)
VOIPMS_HEADER = (
    "date,callerid,destination,description,account,disposition,duration,seconds,rate,total,uniqueid,destination_type"
)
KNOWN = Known(frozenset(("office",)), frozenset(("+15145550100",)))
SOURCE = Source(DialPlan("US"), "America/Toronto", known=KNOWN)
LOTS = 1 << 30


def parsed(
    data: bytes, source: Source = SOURCE, block: int = 1 << 16, size: int = 2 << 20
) -> list[Call | Rejection | Skipped]:
    """What a file comes to, read as the batch engine reads it."""
    found: list[Call | Rejection | Skipped] = []
    blocks = [data[n : n + block] for n in range(0, len(data), block)]
    for layout, chunk in laid_out(chunks(plain_blocks(blocks, "calls.csv", LOTS), size), source):
        if isinstance(chunk, Cut):
            found.append(rejection_of(chunk))
        else:
            found += parse(chunk, layout, source)
    return found


def calls(text: str, source: Source = SOURCE) -> list[Call]:
    found = parsed(text.encode(), source)
    assert all(isinstance(one, Call) for one in found), found
    return [one for one in found if isinstance(one, Call)]


def fates(data: bytes) -> list[tuple[int, str]]:
    """Line number and reason of every line, the reason empty for a call."""
    return [(one.line, one.reason if isinstance(one, Rejection) else "") for one in parsed(data)]


def changed(**fields: str) -> str:
    """The good line with some fields changed, quoted where that is needed."""
    row = dict(zip(HEADER.split(","), GOOD.split(","), strict=True)) | {
        name.rstrip("_"): text for name, text in fields.items()
    }
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(row.values())
    return line.getvalue()


def call_with(source: Source = SOURCE, **fields: str) -> Call:
    return calls(f"{HEADER}\n{changed(**fields)}", source)[0]


def refusal_of(**fields: str) -> tuple[str, str]:
    found = parsed(f"{HEADER}\n{changed(**fields)}\n{GOOD}\n".encode())
    assert isinstance(found[0], Rejection)
    assert isinstance(found[1], Call)
    return found[0].reason, found[0].message


def voipms(**fields: str) -> str:
    row = {
        "date": "2026-09-15 20:05:27",
        "callerid": '"John Doe" <5145550100>',
        "destination": "4165550123",
        "description": "Canada - 416 Toronto",
        "account": "100000_office",
        "disposition": "ANSWERED",
        "duration": "00:00:27",
        "seconds": "27",
        "rate": "0.00520000",
        "total": "0.00260000",
        "uniqueid": "4832494463",
        "destination_type": "OUT:CAN",
    } | fields
    text = io.StringIO()
    writer = csv.DictWriter(text, VOIPMS_HEADER.split(","), lineterminator="\n")
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue()


# --- Forfait's own CSV ---


def test_a_line_of_forfaits_csv_is_a_call():
    assert calls(f"{HEADER}\n{GOOD}\n") == [CALL]


def test_an_empty_file_and_a_header_alone_have_no_lines():
    assert parsed(b"") == []
    assert parsed(HEADER.encode()) == []
    assert parsed(f"\ufeff\n\n{HEADER}\r\n\r\n  \n".encode()) == []


def test_header_names_come_in_any_order_and_case_with_other_columns_between():
    names = ["Note", "SECONDS", "to", " From ", "account", "disposition", "direction", "Start", "Call_ID"]
    row = ["x", "61", "+442079460000", "+15145550100", "office", "ANSWERED", "outbound", "2026-11-23T08:30:00Z", "a1"]
    assert calls(f"{','.join(names)}\n{','.join(row)}\n") == [CALL._replace(cost_e8=-1)]


def test_the_header_may_be_left_out():
    assert calls(GOOD) == [CALL._replace(line=1)]
    assert calls(GOOD.rsplit(",", 1)[0]) == [CALL._replace(line=1, cost_e8=-1)]


def test_a_header_in_the_middle_of_joined_files_is_no_line():
    assert calls(f"{HEADER}\n{GOOD}\n{HEADER}\n{GOOD}\n") == [CALL, CALL._replace(line=4)]


def test_a_header_name_that_comes_twice_is_no_header():
    assert fates(f"{HEADER},to\n{GOOD},x\n".encode()) == [(1, "unknown_format"), (2, "unknown_format")]


@pytest.mark.parametrize("delimiter", [";", "\t"])
@pytest.mark.parametrize("header", [f"{HEADER}\r\n", "\r\n"])
def test_semicolons_tabs_and_crlf_are_understood(delimiter: str, header: str):
    assert calls((header + GOOD + "\r\n").replace(",", delimiter)) == [CALL]


def test_a_headerless_file_whose_first_line_is_bad_loses_only_that_line():
    bad = GOOD.replace("office", '"office').encode()
    good = GOOD.encode()
    assert fates(bad + b"\n" + good) == [(1, "unclosed_quote"), (2, "")]
    assert fates(good.replace(b"office", b"off\x81ce") + b"\n" + good) == [(1, "bad_encoding"), (2, "")]


def test_direction_and_disposition_may_be_spelled_in_any_case():
    call = call_with(direction=" Outbound", disposition="no answer ")
    assert (call.direction, call.disposition) == ("outbound", "NO ANSWER")


def test_a_wrong_count_of_columns_is_refused_with_both_counts():
    found = parsed(f"{HEADER}\n{GOOD},\n{GOOD[:-7]}\n{GOOD}\n".encode())
    assert [(one.line, one[1]) for one in found] == [(2, "bad_columns"), (3, "bad_columns"), (4, "a1")]
    assert found[0][2] == "the line has 10 columns, not 9"


def test_a_record_without_an_id_has_one_made_of_its_row():
    plain, again, other = calls(
        f"{HEADER}\n{changed(call_id='')}{changed(call_id=' ')}{changed(call_id='', seconds='62')}"
    )
    semicolons = calls(f"{HEADER}\n{changed(call_id='')}".replace(",", ";"))[0]
    assert re.fullmatch("row:[0-9a-f]{32}", plain.call_id)
    assert plain.call_id == again.call_id == semicolons.call_id != other.call_id


def test_ids_are_at_most_128_characters():
    assert call_with(call_id="x" * 128).call_id == "x" * 128
    assert refusal_of(call_id="x" * 129)[0] == "bad_call_id"


# --- starts ---


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-23T08:30:00Z", "2026-11-23T08:30:00Z"),
        ("2026-11-23 08:30:59.999Z", "2026-11-23T08:30:59Z"),
        ("2026-11-23T08:30:00+05:30", "2026-11-23T03:00:00Z"),
        (" 2026-11-23T08:30:00-0500 ", "2026-11-23T13:30:00Z"),
        ("2026-11-23 08:30:00", "2026-11-23T13:30:00Z"),
        ("2026-07-01 08:30:00", "2026-07-01T12:30:00Z"),
        ("2026-11-01 01:30:00", "2026-11-01T05:30:00Z"),  # comes twice: the first
        ("2026-11-01 02:00:00", "2026-11-01T07:00:00Z"),
    ],
)
def test_a_start_is_read_with_its_offset_or_in_the_zone_of_the_source(text: str, utc: str):
    assert call_with(start=text).start == periods.parse_instant(utc)


def test_a_start_in_an_hour_that_the_clocks_jumped_over_is_refused():
    assert refusal_of(start="2026-03-08 02:30:00")[0] == "missing_hour"
    assert call_with(start="2026-03-08 03:00:00").start == periods.parse_instant("2026-03-08T07:00:00Z")
    assert call_with(start="2026-03-08 01:59:59").start == periods.parse_instant("2026-03-08T06:59:59Z")


def test_a_gap_of_half_an_hour_is_told_from_the_rest_of_its_hour():
    starts = ["2026-10-04 02:45:00", "2026-10-04 02:15:00", "2026-10-04 02:30:00"]
    found = parsed(
        "".join([f"{HEADER}\n", *(changed(start=start) for start in starts)]).encode(),
        Source(DialPlan("AU"), "Australia/Lord_Howe"),
    )
    assert [getattr(one, "reason", "") for one in found] == ["", "missing_hour", ""]
    assert found[0][2] == periods.parse_instant("2026-10-03T15:45:00Z")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-11-23",
        "2026-13-01T00:00:00Z",
        "2026-11-23T24:00:00Z",
        "2026-11-23T08:60:00Z",
        "2026-11-23T08:30:00+99:00",
        "11/23/2026 08:30",
        "1795422600",
        "0001-01-01 00:00:00",
        "1970-01-01T00:00:12Z",
        "1989-12-31T23:59:59Z",
        "2101-01-01T00:00:00Z",
        "9999-12-31 23:59:59",
    ],
)
def test_a_start_that_is_no_instant_from_1990_to_2100_is_refused(text: str):
    reason, message = refusal_of(start=text)
    assert reason == "bad_start"
    assert message.startswith("start: ")


def test_the_last_second_of_2100_is_taken():
    assert call_with(start="2100-12-31T23:59:59Z").start == periods.parse_instant("2100-12-31T23:59:59Z")


@given(
    instant=st.integers(640_000_000, 4_000_000_000),
    zone=st.sampled_from(["UTC", "America/St_Johns", "Australia/Lord_Howe", "Africa/Monrovia", "Pacific/Apia"]),
)
@examples(300)
def test_remembered_hours_give_the_same_instants_as_reading_each_start(instant: int, zone: str):
    local = periods.calendar(zone)
    text = periods.dt.datetime.fromtimestamp(instant, periods.zone(zone)).strftime("%Y-%m-%d %H:%M:%S")
    for start in (text, text[:14] + "00:00", text[:14] + "59:59", text):
        try:
            expected: int | str = periods.parse_instant(start, local)
        except periods.MissingHour:
            expected = "missing_hour"
        found = parsed(changed(start=start).encode(), Source(DialPlan("US"), zone))[0]
        assert (found.start if isinstance(found, Call) else found.reason) == expected


# --- the other fields ---


@pytest.mark.parametrize(
    "text", ["", "-1", "+5", "1.0", "1e3", "86401", "99999999999999999999", "٣", "60s", "0x10", "nan"]
)
def test_seconds_are_whole_and_within_a_day(text: str):
    assert refusal_of(seconds=text)[0] == "bad_seconds"


@pytest.mark.parametrize(("text", "seconds"), [("0", 0), ("86400", 86400), ("007", 7), (" 5 ", 5)])
def test_seconds_from_0_to_86400_are_taken(text: str, seconds: int):
    assert call_with(seconds=text).seconds == seconds


@pytest.mark.parametrize("text", ["-0.01", "0,0125", "1e-3", "free", "0.123456789", "$1", "NaN", "9999999999"])
def test_a_cost_is_a_decimal_number_from_0_on(text: str):
    assert refusal_of(cost=text)[0] == "bad_cost"


def test_an_empty_cost_is_none_and_a_cost_of_0_is_one():
    assert (call_with(cost=" ").cost_e8, call_with(cost="0").cost_e8, call_with(cost="-0").cost_e8) == (-1, 0, 0)


@pytest.mark.parametrize("text", ["", "sideways", "out bound"])
def test_a_direction_is_one_of_two(text: str):
    assert refusal_of(direction=text)[0] == "bad_direction"


@pytest.mark.parametrize("text", ["", "RINGING", "ANSWERD"])
def test_a_disposition_is_one_of_four(text: str):
    assert refusal_of(disposition=text)[0] == "bad_disposition"


@pytest.mark.parametrize("text", ["a b", "x" * 65, "café", "a,b", "a\nb"])
def test_an_account_is_a_username(text: str):
    assert refusal_of(account=text)[0] == "bad_account"
    assert refusal_of(account=text, direction="inbound")[0] == "bad_account"


def test_only_an_inbound_call_may_leave_out_its_account():
    assert refusal_of(account=" ")[0] == "missing_account"
    assert call_with(account="", direction="inbound").account == ""
    assert call_with(account="A-1_b.c@d+e").account == "A-1_b.c@d+e"


@pytest.mark.parametrize("text", ["", "anonymous", "+", "1234567", "+1 514 555 0100" + " " * 250])
def test_a_called_number_that_is_none_is_refused_both_ways(text: str):
    assert refusal_of(to=text)[0] == "bad_number"
    assert refusal_of(to=text, direction="inbound")[0] == "bad_number"


def test_numbers_are_read_as_dialled_in_the_home_country_of_the_source():
    assert call_with(to="011 44 20 7946 0000").to_number == "+442079460000"
    assert call_with(to="(416) 555-0123").to_number == "+14165550123"
    assert call_with(to="101").to_number == "101"
    assert call_with(Source(DialPlan("GB"), "Europe/London"), to="020 7946 0000").to_number == "+442079460000"


def test_a_number_keeps_no_trunk_prefix_behind_its_calling_code():
    for text in ("+44 (0)20 7946 0123", "+4402079460123", "011 44 (0)20 7946 0123"):
        call = call_with(to=text, direction="inbound", from_=text)
        assert (call.to_number, call.from_number) == ("+442079460123", "+442079460123")


def test_a_number_that_fits_two_readings_is_refused_with_its_own_reason():
    source = Source(DialPlan("DE"), "Europe/Berlin")
    (found,) = parsed(changed(to="30123456", from_="30123456").encode(), source)
    assert (found.reason, found.message[:17]) == ("ambiguous_number", "to: may be a loca")
    assert call_with(source, to="+4930123456", from_="30123456").from_number == "30123456"


def test_a_caller_that_is_no_number_stays_as_it_is():
    assert call_with(from_="514-555-0100").from_number == "+15145550100"
    assert call_with(from_=" anonymous ").from_number == "anonymous"
    assert call_with(from_="é" * 100).from_number == "é" * 64
    assert call_with(from_="").from_number == ""


# --- VoIP.ms rows ---


def test_a_row_of_voipms_is_a_call_in_eastern_time():
    start = periods.parse_instant("2026-09-16T00:05:27Z")
    numbers = ("+15145550100", "+14165550123")
    expected = Call(2, "4832494463", start, "outbound", "100000_office", *numbers, "ANSWERED", 27, 260_000)
    assert calls(voipms(), Source(DialPlan("US"), "Asia/Tokyo")) == [expected]


@pytest.mark.parametrize(
    ("row", "direction"),
    [
        (voipms(description="Inbound DID", destination_type="IN:CAN"), "inbound"),
        (voipms(description="Inbound DID", destination_type=""), "inbound"),
        (voipms(description="", destination_type="IN:USA"), "inbound"),
        (voipms(description="Outbound - Customer", destination_type="IN:USA"), "outbound"),
        (voipms(description="Canada - 514 Quebec", destination_type=""), "outbound"),
    ],
)
def test_the_direction_of_a_voipms_row_is_its_description_then_its_type(row: str, direction: str):
    assert calls(row)[0].direction == direction


def test_a_recording_of_voipms_is_not_a_call():
    found = parsed(voipms(description="Call Recording", seconds="").encode())
    assert [(one.line, one[1]) for one in found] == [(2, "not_a_call")]


@pytest.mark.parametrize(
    ("callerid", "number"),
    [
        ('"Doe, John" <5145550100>', "+15145550100"),
        ("JOHN <+33 1 42 68 53 00>", "+33142685300"),
        ("5145550100", "+15145550100"),
        ("anonymous", "anonymous"),
        ('"Anonymous" <>', '"Anonymous" <>'),
        ("", ""),
    ],
)
def test_the_caller_of_a_voipms_row_is_the_number_between_angle_brackets(callerid: str, number: str):
    assert calls(voipms(callerid=callerid))[0].from_number == number


def test_messages_about_a_voipms_row_name_its_own_columns():
    found = [parsed(voipms(**{field: "?"}).encode())[0] for field in ("date", "destination", "total", "seconds")]
    assert [one[1] for one in found] == ["bad_start", "bad_number", "bad_cost", "bad_seconds"]
    assert [str(one[2]).split(":")[0] for one in found] == ["date", "destination", "total", "seconds"]


def test_a_voipms_row_in_the_missing_hour_is_refused():
    found = parsed(voipms(date="2026-03-08 02:30:00").encode(), Source(DialPlan("US"), "UTC"))
    assert [one[1] for one in found] == ["missing_hour"]


def test_voipms_rows_may_leave_out_what_is_not_needed():
    header = "date;account;callerid;destination;disposition;seconds;description"
    call = calls(f"{header}\n2026-09-15 20:05:27;a;;911;ANSWERED;5;Emergency\n")[0]
    assert (call.to_number, call.cost_e8, call.call_id[:4]) == ("911", -1, "row:")


# --- files that are something else, and broken files ---


@pytest.mark.parametrize(
    "text",
    [
        "hello\nworld\n",
        "a,b,c\n1,2,3\n",
        "{}",
        'Name;"Call id"\n"a;b";"1"\nx;"2"\n',
        HEADER.replace("seconds", "duration") + "\n" + GOOD,
    ],
)
def test_every_line_of_a_file_of_no_known_format_is_refused(text: str):
    found = fates(text.encode())
    assert found == [(n, "unknown_format") for n in range(1, len(text.splitlines()) + 1)]


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\n\x00\xff\xd9",
        random.Random(1).randbytes(50_000),
        f"{HEADER}\n{GOOD}".encode("utf-32"),
    ],
)
def test_no_line_of_a_binary_file_is_a_call(data: bytes):
    found = parsed(data)
    assert found
    assert all(isinstance(one, Rejection) for one in found)


def test_only_the_bad_lines_of_a_file_suffer():
    lines = [
        HEADER.encode(),
        GOOD.encode(),
        GOOD.encode().replace(b"a1", b"a\x001"),
        b"",
        GOOD.encode().replace(b"a1", b'"a1'),
        GOOD.encode().replace(b"a1", b"\x81"),
        GOOD.encode().replace(b"a1", b"x" * (1 << 20)),
        GOOD.encode().replace(b"a1", b'"a\n1"'),
        GOOD.encode(),
    ]
    assert fates(b"\r\n".join(lines)) == [
        (2, ""),
        (3, "control_character"),
        (5, "unclosed_quote"),
        (6, "bad_encoding"),
        (7, "line_too_long"),
        (8, ""),
        (10, ""),
    ]


def test_the_line_in_which_a_gzip_stops_is_refused_even_if_it_looks_whole():
    found = parsed(gzip.compress(f"{HEADER}\n{GOOD}\n{GOOD}".encode())[:-8])
    assert found[0] == CALL
    assert found[1:] == [
        Rejection(3, "truncated", "the gzip data stops before its end; send the whole file again", GOOD)
    ]


def test_equal_lines_are_all_reported():
    found = parsed(f"{HEADER}\n".encode() + f"{GOOD}\n".encode() * 100_000)
    assert len(found) == 100_000
    assert {one[1] for one in found} == {"a1"}
    assert found[-1].line == 100_001


messy_field = st.one_of(
    st.sampled_from(GOOD.split(",")),
    st.sampled_from(
        [
            "",
            '"',
            '""',
            '"a\nb"',
            '"a',
            'b"',
            "inbound",
            "a;b",
            "\t",
            " ",
            "NO ANSWER",
            "\x00",
            "é",
            "+1",
            "Call Recording",
        ]
    ),
)
messy_line = st.one_of(
    st.just(GOOD),
    st.just(HEADER),
    st.lists(messy_field, min_size=8, max_size=10).map(",".join),
    st.lists(messy_field, max_size=4).map(";".join),
)
messy_file = st.tuples(
    st.sampled_from(["", HEADER + "\n", VOIPMS_HEADER + "\n", HEADER.replace(",", ";") + "\r\n"]),
    st.lists(st.tuples(messy_line, st.sampled_from(["\n", "\r\n", "\n\n"])).map("".join), max_size=12).map("".join),
).map(lambda parts: "".join(parts).encode())
any_file = st.one_of(
    messy_file, st.binary(max_size=300), messy_file.map(lambda data: gzip.compress(data, mtime=0)[:-9])
)


@given(data=any_file, block=st.integers(1, 200), size=st.integers(1, 300))
@examples(400)
def test_calls_and_rejections_do_not_depend_on_block_and_chunk_sizes(data: bytes, block: int, size: int):
    assert parsed(data, block=block, size=size) == parsed(data)


@given(data=any_file)
@examples(400)
def test_every_record_is_one_call_or_one_rejection_with_its_physical_line(data: bytes):
    found = parsed(data)
    lines = [one.line for one in found]
    assert lines == sorted(set(lines))
    assert all(one.reason in REASONS and one.message for one in found if isinstance(one, Rejection))
    if not data.startswith(b"\x1f\x8b"):
        # Lines end with CR alone where the first one does.
        last = max(data.count(b"\n"), data.count(b"\r")) + 1
        assert all(1 <= line <= last for line in lines)


unquoted_line = messy_line.map(lambda line: re.sub('["\\r\\n]', "", line)).filter(
    lambda line: line.strip() and line != HEADER
)


@given(lines=st.lists(unquoted_line, max_size=12))
@examples(200)
def test_without_quotes_every_line_that_is_not_blank_has_one_fate(lines: list[str]):
    found = parsed("\n".join([HEADER, *lines]).encode())
    assert [one.line for one in found] == list(range(2, len(lines) + 2))


# --- the document ---


def test_every_reason_code_is_documented_and_every_documented_one_exists():
    section = DOCUMENT.read_text(encoding="utf-8").split("## Reason codes")[1].split("\n## ")[0]
    documented = re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)
    # The reasons that only the rater can find out stand in its own source.
    rater = (ROOT / "chalicelib" / "rating" / "engine" / "attribution.py").read_text(encoding="utf-8")
    assert sorted(documented) == sorted({*REASONS, *re.findall(r'Refusal\("([a-z_]+)", ', rater)})


def test_the_examples_in_the_document_are_calls():
    blocks = re.findall(r"^```csv\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 2
    for block in blocks:
        assert calls(block)


def test_a_chunk_can_be_parsed_apart_from_the_others():
    layout = detect(Chunk(1, f"{HEADER}\n".encode()))
    assert list(parse(Chunk(700, f"{GOOD}\n".encode()), layout, SOURCE)) == [CALL._replace(line=700)]
