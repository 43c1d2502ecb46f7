"""Whose calls a suggestion finds: it asks who channels and contexts belong to, and guesses neither."""

from __future__ import annotations

import pytest
from test_owning import asterisk, freeswitch

from chalicelib.dialling import DialPlan
from chalicelib.rating.cdr import formats
from chalicelib.rating.cdr.call import Call
from chalicelib.rating.cdr.declaration import read
from chalicelib.rating.cdr.owning import Known
from chalicelib.rating.cdr.records import Chunk
from chalicelib.rating.cdr.suggest import suggest
from chalicelib.rating.cdr.suggest.found import Suggestion

KNOWN = Known(frozenset(("1001", "1002", "acme")), frozenset(("+15145550100",)))
PLAN = DialPlan("US", accounts=KNOWN.accounts)
VOIPMS = "date,callerid,destination,description,account,disposition,duration,seconds,total,uniqueid"
FUSIONPBX = (
    "xml_cdr_uuid,direction,extension,accountcode,caller_id_number,destination_number,start_stamp,answer_stamp,"
    "billsec,hangup_cause"
)


def suggested(*rows: str) -> tuple[Suggestion, list[Call]]:
    """The suggestion for a file, and its calls once that is declared as it is."""
    chunk = Chunk(1, "\n".join([*rows, ""]).encode())
    found = suggest(chunk, formats.detect(chunk).name != "unknown", KNOWN, PLAN)
    declares = read(found.source)
    source = formats.Source(PLAN, "UTC", True, declares.mapping, declares, KNOWN)
    layout = formats.detect(chunk, declares.mapping, declares)
    return found, [call for call in formats.parse(chunk, layout, source) if isinstance(call, Call)]


def asked(found: Suggestion) -> list[tuple[str, str, list[str]]]:
    return [(question.code, question.part, question.candidates) for question in found.questions]


@pytest.mark.parametrize("context", ["from-internal", "internal", "outbound", "from-internal-xfer", "x"])
@pytest.mark.parametrize("channel", ["SIP/carrier-9", "PJSIP/anonymous-9", "sofia/internal/1001@evil", "DAHDI/1001-1"])
@pytest.mark.parametrize("known", [False, True])
def test_no_context_is_declared_inside_while_a_channel_in_it_is_not_known(
    channel: str, context: str, known: bool
) -> None:
    rows = [asterisk("", channel, context, "1001", "12125550100")]
    rows += [asterisk("", "SIP/1002-9", context, "1002", "12125550100")] * known
    found, calls = suggested(*rows)
    assert "inside" not in found.source.get("direction", {})
    assert [call.account for call in calls] == ["1002"] * known
    stem = channel if channel.startswith("sofia") else channel.rpartition("-")[0]
    assert asked(found) == [("channel", "direction.trunks", [stem])]
    assert "direction.trunks.channels" in found.questions[0].message


def test_a_context_of_freeswitch_is_asked_for_by_its_name() -> None:
    found, calls = suggested(*(freeswitch("", "default", caller, "12125550100") for caller in ("1001", "1002")))
    assert (found.source, calls) == ({}, [])
    assert asked(found) == [("inside", "direction.inside", ["default"])]
    assert "direction.inside.contexts" in found.questions[0].message


def test_a_context_of_inside_without_channels_is_likely() -> None:
    found, calls = suggested(freeswitch("", "from-internal", "1001", "12125550100"))
    assert found.source == {"direction": {"inside": {"contexts": ["from-internal"]}}}
    assert found.confidence["direction.inside"] == "likely"
    assert [call.account for call in calls] == ["1001"]


def test_a_call_from_a_declared_trunk_to_an_unknown_number_asks_nothing() -> None:
    found, calls = suggested(asterisk("", "SIP/carrier-9", "from-trunk", "1001", "12125550100"))
    assert found.source == {"direction": {"trunks": {"contexts": ["from-trunk"]}}}
    assert (asked(found), [call.direction for call in calls]) == ([], ["inbound"])


@pytest.mark.parametrize(
    ("header", "row"),
    [
        (VOIPMS, "2026-09-04 08:30:00,5145550100,14165550123,Canada,100000,ANSWERED,00:01:01,61,0.01,1"),
        (
            "call_id,start,direction,account,from,to,disposition,seconds",
            "1,2026-09-04T08:30:00Z,outbound,nobody,x,14165550123,ANSWERED,61",
        ),
    ],
)
def test_rows_that_name_an_account_that_is_not_known_are_no_question(header: str, row: str) -> None:
    found, _ = suggested(header, row)
    assert (found.source, asked(found)) == ({}, [])


def test_known_callers_of_fusionpbx_are_asked_for_and_causes_are_not() -> None:
    row = "7c2a8c5e-6f4d-4d1b-9a52-0d1f8f3f9c12,outbound,2000,pbx.example.com,{},14165550123,2026-09-04 08:31:00,,0,{}"
    found, _ = suggested(
        FUSIONPBX, row.format("1002", "NORMAL_CLEARING"), row.replace(",2000,", ",1001,").format("5", "USER_BUSY")
    )
    assert asked(found) == [("caller", "account", ["1002"])]


def test_a_question_about_accounts_never_says_that_a_known_caller_is_unknown() -> None:
    found, _ = suggested(asterisk("ghost", "SIP/ghost-9", "x", "1001", "12125550100"))
    (question,) = found.questions
    assert question.code == "account"
    assert "a caller alone proves nothing" in question.message
