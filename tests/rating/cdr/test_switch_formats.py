"""Asterisk's Master.csv and FreeSWITCH's cdr-csv, in rows shaped as those programs write them."""

import re

import pytest
from documents import DOCS
from test_formats import KNOWN, SOURCE, parsed

from chalicelib import periods
from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import voipms
from chalicelib.rating.cdr.formats import Call, Rejection, Source, detect
from chalicelib.rating.cdr.records import Chunk

ASTERISK = (
    '"office","1001","14165550123","from-internal","""Reception"" <1001>","PJSIP/1001-000001a2",'
    '"PJSIP/carrier-000001a3","Dial","PJSIP/14165550123@carrier,60,tT","2026-11-23 08:30:00","2026-11-23 08:30:07",'
    '"2026-11-23 08:31:08",68,61,"ANSWERED","DOCUMENTATION"'
)
INBOUND = (
    '"","4165550123","15145550100","from-trunk","""TORONTO   ON"" <4165550123>","PJSIP/carrier-000001a4",'
    '"PJSIP/1001-000001a5","Dial","PJSIP/1001,20","2026-11-23 08:40:00",,"2026-11-23 08:40:20",20,0,'
    '"NO ANSWER","DOCUMENTATION"'
)
UNIQUEID, USERFIELD, NEW = ',"1795440600.418"', ',"campaign 7"', ',"","1795440600.418",12'
FREESWITCH = (
    '"Reception","1001","14165550123","default","2026-11-23 08:30:00","2026-11-23 08:30:07","2026-11-23 08:31:08","68",'
    '"61","NORMAL_CLEARING","7c2a8c5e-6f4d-4d1b-9a52-0d1f8f3f9c11","0b0f3f6e-93a5-4f8e-8f4e-52c6a1d7be02","office"'
)
CODECS = ',"PCMU","PCMU"'
START = periods.parse_instant("2026-11-23T13:30:00Z")


def one(line: str, source: Source = SOURCE) -> Call:
    found = parsed(line.encode(), source)
    assert len(found) == 1
    assert isinstance(found[0], Call), found[0]
    return found[0]


def refused(line: str) -> tuple[str, str]:
    found = (
        parsed(f"{ASTERISK}\n{line}\n".encode())[1] if "Dial" in line else parsed(f"{FREESWITCH}\n{line}".encode())[1]
    )
    assert isinstance(found, Rejection)
    return found.reason, found.message


# --- Asterisk ---


@pytest.mark.parametrize("tail", ["", UNIQUEID, USERFIELD, UNIQUEID + USERFIELD])
@pytest.mark.parametrize("new", ["", NEW])
def test_a_row_of_master_csv_is_a_call_whatever_its_width(tail: str, new: str):
    call = one(ASTERISK + tail + new)
    numbers = ("1001", "+14165550123")
    assert call == Call(1, call.call_id, START, "outbound", "office", *numbers, "ANSWERED", 61, -1)
    if UNIQUEID in tail:
        whole = "1795440600.418 2026-11-23 08:30:00 PJSIP/carrier-000001a3 14165550123"
        assert call.call_id == (f"{whole} 12" if new else whole)
    else:
        assert call.call_id.startswith("row:")


def test_one_file_may_hold_rows_of_every_width():
    rows = [ASTERISK, ASTERISK + UNIQUEID, ASTERISK + UNIQUEID + USERFIELD, INBOUND, ASTERISK + USERFIELD + NEW]
    for first in range(len(rows)):
        found = parsed("\n".join(rows[first:] + rows[:first]).encode())
        assert all(isinstance(call, Call) for call in found), found
        assert len({call[1] for call in found}) == 4


def test_a_row_without_an_account_code_is_inbound_for_the_number_dialled():
    call = one(INBOUND)
    assert (call.direction, call.account, call.to_number, call.from_number) == (
        "inbound",
        "",
        "+15145550100",
        "+14165550123",
    )
    assert (call.disposition, call.seconds) == ("NO ANSWER", 0)


def test_the_legs_of_a_call_that_rings_two_phones_are_two_calls():
    row = ASTERISK + UNIQUEID
    found = parsed(f"{row}\n{row.replace('1a3', '1a9')}\n{row}\n".encode())
    assert len({call[1] for call in found}) == 2


def test_rows_that_differ_only_in_sequence_or_in_the_number_called_are_not_copies():
    row = ASTERISK + UNIQUEID + NEW
    others = [row.replace(",12", ",13"), row.replace('"14165550123"', '"14165550124"')]
    found = parsed("\n".join([row, *others, row, ASTERISK + UNIQUEID + USERFIELD + NEW]).encode())
    ids = [call[1] for call in found]
    assert len(set(ids)) == 3
    assert ids[3] == ids[4] == ids[0]


@pytest.mark.parametrize("uniqueid", ["0.0", "00000.000", "1.79544E+09", "NULL", ""])
def test_a_row_without_a_unique_id_is_known_by_all_its_columns(uniqueid: str):
    row = f'{ASTERISK},"{uniqueid}"'
    found = parsed("\n".join([row, row.replace("1001", "1002"), row]).encode())
    assert all(call[1].startswith("row:") for call in found)
    assert len({call[1] for call in found}) == 2


@pytest.mark.parametrize("uniqueid", ["pbx1-1795440600.418", "north-pbx-1-1795440600.0"])
def test_a_unique_id_may_carry_the_name_of_its_system(uniqueid: str):
    assert one(f'{ASTERISK},"{uniqueid}"').call_id.startswith(uniqueid + " ")


def test_an_id_that_would_be_too_long_is_hashed_the_same_way_in_rows_of_every_width():
    row = ASTERISK.replace("PJSIP/carrier", "PJSIP/" + "carrier" * 12) + UNIQUEID
    call = one(row)
    assert call.call_id.startswith("row:")
    assert call.call_id == one(row + USERFIELD).call_id
    assert one(row + NEW).call_id == one(row + USERFIELD + NEW).call_id != call.call_id


@pytest.mark.parametrize(
    ("word", "disposition"),
    [
        ("ANSWERED", "ANSWERED"),
        ("NO ANSWER", "NO ANSWER"),
        ("BUSY", "BUSY"),
        ("FAILED", "FAILED"),
        ("CONGESTION", "NO ANSWER"),
    ],
)
def test_dispositions_of_asterisk(word: str, disposition: str):
    assert one(ASTERISK.replace("ANSWERED", word)).disposition == disposition


def test_starts_of_asterisk_are_in_the_zone_of_the_source():
    assert one(ASTERISK, Source(DialPlan("US"), "UTC", known=KNOWN)).start == START - 5 * 3600
    assert one(ASTERISK, Source(DialPlan("US"), "Asia/Tokyo", declared=True, known=KNOWN)).start == START - 14 * 3600


def test_without_a_source_number_the_caller_is_the_one_in_its_caller_id():
    assert one(INBOUND.replace('"4165550123",', '"",', 1)).from_number == "+14165550123"


def test_the_line_and_its_columns_are_named_when_a_row_of_asterisk_is_refused():
    assert refused(ASTERISK.replace('"14165550123"', '"x"'))[1].startswith("dst: ")
    assert refused(ASTERISK.replace(",61,", ",6.1,")) == (
        "bad_seconds",
        "billsec: `6.1` is neither a whole number from 0 to 86400 nor h:mm:ss",
    )
    assert refused(ASTERISK.replace("ANSWERED", "UNKNOWN")) == (
        "bad_disposition",
        "disposition: `UNKNOWN` is not ANSWERED, NO ANSWER, BUSY or FAILED; declare words for it",
    )
    assert refused(ASTERISK.replace('"office"', '"the office"')) == (
        "bad_account",
        "accountcode: `the office` is not 1 to 64 letters, digits or . _ @ + -",
    )
    assert refused(ASTERISK + ',"a"' * 6) == ("bad_columns", "the line has 22 columns, not 16 to 21")


def test_a_master_csv_may_be_given_a_header():
    names = "calldate;clid;src;dst;dcontext;channel;dstchannel;lastapp;lastdata;duration;billsec;disposition;amaflags"
    row = (
        '2026-11-23 08:30:00;"""Reception"" <1001>";1001;14165550123;from-internal;PJSIP/1001-1;PJSIP/carrier-1;Dial;x;'
        "68;61;ANSWERED;3;office;1795440600.418"
    )
    calls = parsed(f"{names};accountcode;uniqueid\n{row}\n".encode())
    assert [(call[1], call[2], call[4]) for call in calls] == [
        ("1795440600.418 2026-11-23 08:30:00 PJSIP/carrier-1 14165550123", START, "office")
    ]
    [call] = parsed(f"{names};accountcode;uniqueid;sequence\n{row};7\n".encode())
    assert call[1] == "1795440600.418 2026-11-23 08:30:00 PJSIP/carrier-1 14165550123 7"


@pytest.mark.parametrize("line", [ASTERISK, FREESWITCH])
def test_more_billable_seconds_than_the_call_lasted_are_refused(line: str):
    swap = '"61"' if line == FREESWITCH else ",61,"
    assert refused(line.replace(swap, swap.replace("61", "61400"))) == (
        "bad_seconds",
        "billsec: 61400 is more than 68, the duration of the whole call",
    )
    assert one(line.replace(swap, swap.replace("61", "68"))).seconds == 68


@pytest.mark.parametrize("duration", ["", "x", "1.5", "9" * 5000])
def test_a_duration_that_is_no_number_of_seconds_is_not_compared(duration: str):
    assert one(FREESWITCH.replace('"68"', f'"{duration}"')).seconds == 61
    assert one(ASTERISK.replace(",68,", f",{duration},")).seconds == 61


# --- FreeSWITCH ---


@pytest.mark.parametrize("tail", ["", CODECS, CODECS + ',"Yealink T54","stat=1"'])
def test_a_row_of_cdr_csv_is_a_call(tail: str):
    call_id, numbers = "7c2a8c5e-6f4d-4d1b-9a52-0d1f8f3f9c11", ("1001", "+14165550123")
    assert one(FREESWITCH + tail) == Call(1, call_id, START, "outbound", "office", *numbers, "ANSWERED", 61, -1)


def test_a_blank_before_the_account_code_does_no_harm():
    assert one(FREESWITCH.replace('"office"', ' "office"') + CODECS).account == "office"


def test_a_row_of_freeswitch_without_an_account_code_is_inbound():
    call = one(FREESWITCH.replace('"office"', '""').replace("14165550123", "+15145550100"))
    assert (call.direction, call.account, call.to_number) == ("inbound", "", "+15145550100")


@pytest.mark.parametrize(
    ("cause", "disposition"),
    [
        ("NORMAL_CLEARING", "NO ANSWER"),
        ("ORIGINATOR_CANCEL", "NO ANSWER"),
        ("NO_ANSWER", "NO ANSWER"),
        ("USER_BUSY", "BUSY"),
        ("UNALLOCATED_NUMBER", "FAILED"),
        ("NORMAL_TEMPORARY_FAILURE", "FAILED"),
        ("CALL_REJECTED", "FAILED"),
    ],
)
def test_why_a_call_of_freeswitch_ended_and_whether_it_was_answered_make_its_disposition(cause: str, disposition: str):
    answered = FREESWITCH.replace("NORMAL_CLEARING", cause)
    assert one(answered).disposition == "ANSWERED"
    assert one(answered.replace('"61"', '"0"')).disposition == "ANSWERED"
    unanswered = answered.replace('"61"', '"0"').replace('"2026-11-23 08:30:07"', '""')
    assert one(unanswered).disposition == disposition


def test_the_line_and_its_columns_are_named_when_a_row_of_freeswitch_is_refused():
    assert refused(FREESWITCH.replace('"61"', '"61.5"'))[1].startswith("billsec: ")
    assert refused(FREESWITCH.replace("14165550123", "conference"))[1].startswith("destination_number: ")
    assert refused(FREESWITCH.replace("2026-11-23 08:30:00", "2026-03-08 02:30:00")) == (
        "missing_hour",
        "start_stamp: falls in an hour that the clocks jumped over in the time zone of the file",
    )
    unanswered = FREESWITCH.replace('"61"', '"0"').replace('"2026-11-23 08:30:07"', '""')
    assert refused(unanswered.replace("NORMAL_CLEARING", "")) == (
        "bad_disposition",
        "hangup_cause: an empty field is no cause such as NORMAL_CLEARING; declare words for it",
    )
    assert refused(FREESWITCH + CODECS) == ("bad_columns", "the line has 15 columns, not 13")


def test_a_caller_name_with_bare_quotes_is_read_and_one_left_open_spoils_its_own_line_only():
    bare, open_one = (FREESWITCH.replace('"Reception"', name) for name in ('"Bob "the Boss""', '"Bob'))
    found = parsed("\n".join([FREESWITCH, bare, open_one, FREESWITCH]).encode())
    assert [getattr(row, "reason", "") for row in found] == ["", "", "bad_columns", ""]


# --- both ---


@pytest.mark.parametrize("row", [ASTERISK, ASTERISK + UNIQUEID, FREESWITCH, FREESWITCH + CODECS])
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_semicolons_and_tabs_are_understood(row: str, delimiter: str):
    # The commas within quotes go too; no column that counts has one.
    assert one(row.replace(",", delimiter).replace(f"carrier{delimiter}60", "carrier"))[2:] == one(row)[2:]


def test_the_formats_are_told_apart():
    rows = [ASTERISK, INBOUND + UNIQUEID + USERFIELD, FREESWITCH, FREESWITCH + CODECS]
    names = [detect(Chunk(1, row.encode())).name for row in rows]
    assert names == ["asterisk", "asterisk", "freeswitch", "freeswitch"]


@pytest.mark.parametrize(
    "row",
    [
        ASTERISK.rsplit(",", 1)[0],
        ASTERISK.replace("2026-11-23 08:30:00", "yesterday"),
        ASTERISK.replace("ANSWERED", "NORMAL_CLEARING"),
        FREESWITCH.rsplit(",", 1)[0],
        FREESWITCH.replace("NORMAL_CLEARING", "16"),
        FREESWITCH.replace("2026-11-23 08:30:00", "now"),
    ],
)
def test_rows_of_other_shapes_are_of_no_known_format(row: str):
    assert detect(Chunk(1, row.encode())).name == "unknown"


def test_documented_titles_of_voipms_are_those_that_are_read() -> None:
    text = (DOCS / "cdr-formats.md").read_text(encoding="utf-8")
    listed = text.split("count as well:", 1)[1].split("If your export", 1)[0]
    assert {title.lower() for title in re.findall(r"`([^`]+)`", listed)} == set(voipms.OTHER_NAMES)
