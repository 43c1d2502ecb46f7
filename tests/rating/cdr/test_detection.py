"""The first fifty records of a file decide its layout together; each odd one harms only itself."""

import pytest
from test_formats import GOOD, HEADER, fates, parsed, voipms
from test_switch_formats import ASTERISK, FREESWITCH, UNIQUEID

from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr.declaration import Declaration
from chalicelib.rating.cdr.formats import Call, Source
from chalicelib.rating.cdr.mapping import ColumnMapping

CUSTOM = (
    '"""Reception"" <1001>","1001","14165550123","from-internal","PJSIP/1001-000001a2","PJSIP/carrier-000001a3","Dial",'
    '"x,60","2026-11-23 08:30:00","2026-11-23 08:30:07","2026-11-23 08:31:08","68","61","ANSWERED","DOCUMENTATION",'
    '"office","1795440600.418","",12'
)
SQL = f'INSERT INTO cdr VALUES ({FREESWITCH.rsplit(",", 1)[0]}, "office");'
LIKE_ASTERISK = (
    '"office","1001","14165550123","default","Reception <1001>","sofia/internal/1001","sofia/gateway/x","bridge","x",'
    '"2026-11-23 08:30:00","2026-11-23 08:30:07","2026-11-23 08:31:08","68","61","NORMAL_CLEARING","3",'
    '"7c2a8c5e-6f4d-4d1b-9a52-0d1f8f3f9c11",""'
)
FREEPBX = (
    "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,amaflags,"
    "accountcode,uniqueid,userfield\n"
    '2026-11-23 08:30:00,"User 10" <1001>,1001,14165550123,from-internal,PJSIP/1001-1,PJSIP/carrier-1,Dial,x,68,61,'
    "ANSWERED,3,office,1795440600.418,\n"
)
FUSIONPBX = (
    '"domain_uuid","extension","start_stamp","hangup_cause","duration","xml_cdr_uuid","direction","billsec",'
    '"caller_id_number","destination_number","answer_stamp"\n'
    '"x","office","2026-11-23 08:30:00","NORMAL_CLEARING","61","7c2a8c5e-6f4d-4d1b-9a52-0d1f8f3f9c11","outbound","61",'
    '"1001","14165550123","2026-11-23 08:30:07"\n'
)
PORTAL = (
    "Date,Caller ID,Destination,Description,Account,Disposition,Duration,Rate,Total,Unique ID\n"
    "2026-11-23 08:30:00,1001,14165550123,Canada,office,ANSWERED,00:01:01,0.01,0.01,4832494463\n"
)


@pytest.mark.parametrize(
    "text",
    [CUSTOM, SQL, LIKE_ASTERISK, FREEPBX, FUSIONPBX, PORTAL],
    ids=["custom", "sql", "fs", "freepbx", "fpbx", "ms"],
)
def test_layouts_of_real_systems_need_no_declaration(text: str):
    [call] = parsed(text.encode())
    assert isinstance(call, Call), call
    assert (call.account, call.direction, call.to_number, call.seconds) == ("office", "outbound", "+14165550123", 61)
    assert (call.disposition, call.from_number, call.start) == ("ANSWERED", "1001", 1795440600)


ODD = [
    "{}",
    "My calls of November",
    "# comment, with a comma",
    "sep=,",
    "\0" * 40,
    '"torn',
    "x," * 14 + "x",
    "x," * 21 + "x",
    "x," * 200,
    "\0" + ASTERISK,
    ASTERISK[:80],
]


@pytest.mark.parametrize(
    "odd", [*ODD, ASTERISK.replace("ANSWERED", ""), ASTERISK.replace("2026-11-23 08:30:00", "179544060x")]
)
@pytest.mark.parametrize("good", [ASTERISK + UNIQUEID, FREESWITCH, GOOD, CUSTOM])
@pytest.mark.parametrize("at", [0, 2, 5])
def test_an_odd_row_harms_only_itself_wherever_it_is(odd: str, good: str, at: int):
    rows = [good] * 5
    rows.insert(at, odd)
    found = fates("\n".join(rows).encode())
    assert [line for line, reason in found if not reason] == [line for line in range(1, 7) if line != at + 1]


@pytest.mark.parametrize("odd", ODD)
def test_a_header_below_other_rows_is_found(odd: str):
    assert [line for line, reason in fates(f"{odd}\n{HEADER}\n{GOOD}\n".encode()) if not reason] == [3]
    assert len([one for one in parsed(f"{odd}\n{voipms()}".encode()) if isinstance(one, Call)]) == 1


def test_the_layout_does_not_depend_on_the_sizes_of_blocks_and_chunks():
    data = "\n".join(["title", *[ASTERISK[:90]] * 20, *[ASTERISK] * 25]).encode()
    whole = parsed(data)
    assert sum(isinstance(one, Call) for one in whole) == 25
    assert all(parsed(data, block=size, size=size) == whole for size in (1, 100, 5000))


@pytest.mark.parametrize("cause", ["normal_clearing", "Normal_Clearing"])
def test_causes_in_small_letters_and_sip_call_ids_are_read(cause: str):
    row = FREESWITCH.replace("NORMAL_CLEARING", cause).replace("7c2a8c5e-6f4d-4d1b-9a52-0d1f8f3f9c11", "ab12@10.0.0.1")
    [call] = parsed(row.encode())
    assert isinstance(call, Call)
    assert call.call_id == "ab12@10.0.0.1"


def declared(text: str, header: str = "auto", skip_lines: int = 0, **columns: str | int) -> list[object]:
    mapping = ColumnMapping(
        {name.rstrip("_"): column for name, column in columns.items()}, {}, {"direction": "outbound"}
    )
    source = Source(DialPlan("US"), "UTC", True, mapping, Declaration(header, skip_lines, mapping))
    return list(parsed(text.encode(), source))


PLACES = {"start": 1, "from_": 2, "account": 2, "to": 3, "seconds": 4, "disposition": 5, "duration": 6}
PLACED = "2026-11-23 08:30:00,office,14165550123,61,ANSWERED,68"


@pytest.mark.parametrize("header", ["auto", "absent"])
def test_columns_by_position_need_no_header_and_two_may_be_one(header: str):
    [call] = declared(PLACED, header, **PLACES)
    assert isinstance(call, Call)
    assert (call.account, call.from_number, call.seconds, call.direction) == ("office", "office", 61, "outbound")


def test_a_header_over_columns_by_position_is_no_line():
    [call] = declared(f"a,b,c,d,e,f\n{PLACED}\na,b,c,d,e,f", "present", **PLACES)
    assert isinstance(call, Call)


def test_declared_lines_are_skipped_and_keep_their_numbers():
    [call] = declared(f"{PLACED}\n\n{PLACED}", "absent", 2, **PLACES)
    assert isinstance(call, Call)
    assert call.line == 3


def test_a_declared_duration_is_compared_with_the_billable_seconds():
    [refused] = declared(PLACED.replace(",68", ",60"), **PLACES)
    assert getattr(refused, "reason", "") == "bad_seconds"


@pytest.mark.parametrize(
    "row", [ASTERISK, FREESWITCH.replace("NORMAL_CLEARING", "LINE_OK").replace('"61"', '"0"'), CUSTOM]
)
def test_words_and_defaults_alone_hold_for_files_of_switches(row: str):
    words = {"disposition": {"fine": "BUSY", "LINE_OK": "BUSY"}}
    mapping = ColumnMapping({}, words, {"account": "desk"})
    changed = row.replace('"ANSWERED"', '"Fine"').replace('"office"', '""').replace('"2026-11-23 08:30:07"', '""')
    [call] = parsed(changed.encode(), Source(DialPlan("US"), "UTC", True, mapping, Declaration(mapping=mapping)))
    assert isinstance(call, Call), call
    assert (call.disposition, call.account, call.direction) == ("BUSY", "desk", "outbound")


@pytest.mark.parametrize(
    ("word", "disposition"),
    [("CANCEL", "NO ANSWER"), ("no-answer", "NO ANSWER"), ("completed", "ANSWERED"), ("CHANUNAVAIL", "FAILED")],
)
def test_words_of_other_systems_are_known(word: str, disposition: str):
    [call] = parsed(GOOD.replace("ANSWERED", word).encode())
    assert isinstance(call, Call)
    assert call.disposition == disposition


def test_an_unknown_end_is_a_failure_only_without_billable_seconds():
    row = GOOD.replace("ANSWERED", "UNKNOWN")
    assert [reason for _, reason in fates(f"{row}\n{row.replace(',61,', ',0,')}\n".encode())] == ["bad_disposition", ""]
