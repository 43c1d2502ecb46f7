"""How a file would be read and priced, without posting anything."""

from __future__ import annotations

import base64
import gzip
from typing import Any

import pytest
from builders import HEADER, csv_file, line

PATH = "/v1/cdr-preview"


@pytest.fixture
def seller(reseller: Any, deck: str) -> Any:
    """A reseller whose client's sub-account ``alice`` may be called from; its package sells at cost plus 20 %."""
    client = reseller.made("/v1/clients", {"company": "Acme"})
    package = reseller.made("/v1/packages", {"name": "Gold", "markup_percent": "20", "free_minutes": 100})
    made = {"username": "alice", "client_id": client["id"], "package_id": package["id"]}
    reseller.made("/v1/subaccounts", made)
    reseller.ids.update(made)
    return reseller


def packed(body: bytes) -> dict[str, Any]:
    return {"text": base64.b64encode(body).decode(), "base64": True}


def preview(seller: Any, body: bytes | str, filename: str = "a.csv") -> Any:
    content = {"text": body} if isinstance(body, str) else packed(body)
    reply = seller.post(PATH, {"filename": filename, **content})
    assert reply.status == 200, reply.text
    return reply.json


def test_a_line_is_shown_as_it_would_be_rated(seller: Any) -> None:
    shown = preview(seller, csv_file(line("1")).decode())
    expected = ("forfait", "utf-8", ",", True, "America/Toronto", None)
    names = ("format", "encoding", "delimiter", "header", "time_zone", "source_id")
    assert tuple(shown[name] for name in names) == expected
    assert (shown["lines"], shown["rated"], shown["rejected"]) == (1, 1, 0)
    (row,) = shown["items"]
    assert row == {
        "line": 2,
        "skipped": None,
        "reason": None,
        "message": None,
        "original": None,
        "steps": [],
        "call": {
            "call_id": "1",
            "start": "2026-09-10T12:00:00Z",
            "direction": "outbound",
            "client_id": seller.ids["client_id"],
            "account": "alice",
            "from": "+14165550199",
            "to": "+12125550100",
            "destination": "New York",
            "country": "US",
            "disposition": "ANSWERED",
            "seconds": 60,
            "billed_seconds": 60,
            "rule": "markup",
            "rate_per_minute": "0.00624",
            "amount": "0.00624",
            "cost": "0.0052",
            "package_id": seller.ids["package_id"],
        },
    }


def test_refused_lines_are_shown_in_their_places_with_their_reasons(seller: Any) -> None:
    bad = line("2", "nobody")
    shown = preview(seller, csv_file(line("1"), bad, "x" * 1000, line("3")))
    assert [(row["line"], row["reason"]) for row in shown["items"]] == [
        (2, None),
        (3, "unknown_account"),
        (4, "bad_columns"),
        (5, None),
    ]
    assert (shown["items"][1]["original"], shown["items"][1]["call"]) == (bad, None)
    assert shown["items"][2]["original"] == "x" * 300
    assert (shown["rated"], shown["rejected"]) == (2, 2)


def test_nothing_is_posted(seller: Any) -> None:
    for _ in range(2):
        preview(seller, csv_file(line("1")))
    assert seller.get("/v1/batches").json["items"] == []
    assert seller.get(f"/v1/clients/{seller.ids['client_id']}/ledger").json["items"] == []
    assert seller.get("/v1/account/ledger").json["items"] == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("pack", [False, True])
def test_encoding_and_delimiter_are_told(seller: Any, delimiter: str, encoding: str, pack: bool) -> None:
    text = csv_file(line("é€")).decode().replace(",", delimiter)
    body = text.encode(encoding)
    shown = preview(seller, gzip.compress(body) if pack else body)
    expected = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "cp1252": "windows-1252"}.get(encoding, encoding)
    assert (shown["encoding"], shown["delimiter"], shown["rated"]) == (expected, delimiter, 1)
    assert shown["items"][0]["call"]["call_id"] == "é€"


def test_the_source_that_holds_for_the_name_is_used(seller: Any) -> None:
    names = {"to": "Number", "start": "When", "seconds": "Length", "account": "User"}
    defaults = {"direction": "outbound", "disposition": "ANSWERED"}
    body = {"id": "k", "pattern": "k/", "time_zone": "Asia/Kolkata", "columns": names, "defaults": defaults}
    assert seller.put("/v1/cdr-sources", body).status == 200
    text = "When;Number;Length;User\n2026-09-10 12:00:00;12125550100;60;alice\n2026-09-10 12:00:00;x;60;alice\n"
    shown = preview(seller, text, "k/a.csv")
    assert (shown["source_id"], shown["format"], shown["time_zone"]) == ("k", "aliased", "Asia/Kolkata")
    assert shown["items"][0]["call"]["start"] == "2026-09-10T06:30:00Z"
    assert shown["items"][1]["message"].startswith("Number: ")
    assert preview(seller, text, "j/a.csv")["format"] == "unknown"


def test_all_lines_are_counted_and_the_first_twenty_shown(seller: Any) -> None:
    shown = preview(seller, csv_file(*[line(str(n)) for n in range(500)]))
    assert (shown["lines"], shown["rated"]) == (500, 500)
    assert [row["line"] for row in shown["items"]] == list(range(2, 22))


def test_voipms_rows_say_that_they_are_in_eastern_time(seller: Any) -> None:
    header = "date,account,callerid,destination,disposition,seconds,description"
    shown = preview(seller, f"{header}\n2026-09-15 20:05:27,alice,,12125550100,ANSWERED,5,US\n")
    assert (shown["format"], shown["time_zone"], shown["rated"]) == ("voipms", "America/New_York", 1)


@pytest.mark.parametrize("body", ["", "\n\n", HEADER])
def test_a_file_without_lines_is_shown_as_such(seller: Any, body: str) -> None:
    shown = preview(seller, body)
    assert (shown["lines"], shown["items"]) == (0, [])


def test_a_file_that_is_no_cdr_file_is_shown_as_unknown(seller: Any) -> None:
    shown = preview(seller, bytes(range(256)) * 8)
    assert (shown["format"], shown["rated"]) == ("unknown", 0)
    assert shown["rejected"] == len(shown["items"]) > 0


def test_a_gzip_that_stops_is_shown_up_to_there(seller: Any) -> None:
    shown = preview(seller, gzip.compress(csv_file(line("1"), line("2")))[:-8])
    assert [row["reason"] for row in shown["items"]] == [None, None]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"filename": "a"}, "text", "required"),
        ({"text": "Y!Q=", "base64": True}, "body", "not base64"),
        ({"text": "é" * 32_769}, "body", "65536 bytes"),
        (packed(bytes(65_537)), "body", "65536 bytes"),
        ({"filename": "a", "text": 1}, "text", "string"),
        ({"filename": "a", "text": "\ud800"}, "body", "half a character"),
        ({"filename": "/a", "text": ""}, "filename", "must not start with /"),
    ],
)
def test_a_wrong_field_is_422_and_named(seller: Any, body: Any, field: str, message: str) -> None:
    reply = seller.post(PATH, body)
    assert reply.status == 422, reply.text
    (error,) = reply.json["errors"]
    assert error["field"] == field
    assert message in error["message"]


def test_a_bomb_is_refused_as_such(seller: Any) -> None:
    reply = seller.post(PATH, packed(gzip.compress(b"\n" * (20 << 20))))
    assert reply.status == 422
    assert "unpacked" in reply.json["detail"]


def test_the_largest_answer_can_be_kept_for_an_idempotency_key(seller: Any) -> None:
    bad = "\U0001f4de" * 5000
    body = {"filename": "a", "text": csv_file(*[bad] * 3).decode()}
    first = seller.post(PATH, body, headers={"idempotency-key": "k1"})
    assert first.status == 200
    assert seller.post(PATH, body, headers={"idempotency-key": "k1"}).json == first.json
    many = {"filename": "a", "text": csv_file(*["\U0001f4de" * 310] * 20).decode()}
    assert seller.post(PATH, many, headers={"idempotency-key": "k2"}).status == 200


def test_only_a_resellers_full_key_may_preview(seller: Any, operator: Any) -> None:
    reader = seller.with_key(seller.made("/v1/keys", {"role": "reseller_readonly"})["api_key"])
    body = {"filename": "a", "text": ""}
    assert [api.post(PATH, body).status for api in (reader, operator, seller.with_key(""))] == [403, 403, 401]


def test_a_skipped_line_is_listed_with_why_and_is_neither_rated_nor_refused(seller: Any) -> None:
    assert seller.put("/v1/cdr-sources", {"id": "s", "pattern": "a.csv", "skip": {"numbers": ["*97"]}}).status == 200
    shown = preview(seller, csv_file(line("1"), line("2").replace("+12125550100", "*97")).decode())
    assert (shown["lines"], shown["rated"], shown["rejected"], shown["skipped"]) == (2, 1, 0, 1)
    assert (shown["items"][1]["skipped"], shown["items"][1]["call"], shown["items"][1]["reason"]) == (
        "to *97",
        None,
        None,
    )


OF_A_CARRIER = """Date;Caller;Dialled;Username;Talk time;Result
1/9/2026 16:33:01;101;14165550123;alice;61;Answered
13/9/2026 16:33:01;101;14165550124;alice;0;Missed
14/9/2026 16:33:05;101;x;alice;5;Answered
"""


def test_the_suggestion_is_put_as_it_is_and_the_file_is_read_by_it(seller: Any) -> None:
    shown = preview(seller, OF_A_CARRIER, "carrier/sep.csv")
    assert (shown["format"], shown["rated"], shown["questions"]) == ("unknown", 0, [])
    suggested = shown["suggestion"]
    assert (suggested["id"], suggested["pattern"], suggested["date_format"]) == ("carrier", "carrier/", "d/M/y H:m:s")
    assert {each["code"]: each["lines"] for each in shown["advice"]} == {
        "declare_suggestion": 3,
        "write_number": 1,
        "only_format": 1,
    }
    assert seller.put("/v1/cdr-sources", suggested).status == 200
    after = preview(seller, OF_A_CARRIER, "carrier/sep.csv")
    assert (after["source_id"], after["format"], after["rated"]) == ("carrier", "aliased", 2)
    assert [row["call"] and row["call"]["start"] for row in after["items"]][:2] == [
        "2026-09-01T20:33:01Z",
        "2026-09-13T20:33:01Z",
    ]


def test_dates_that_can_be_read_in_two_ways_are_a_question_and_no_suggestion(seller: Any) -> None:
    shown = preview(seller, "".join(OF_A_CARRIER.splitlines(keepends=True)[:2]))
    (asked,) = shown["questions"]
    assert (asked["code"], asked["part"], asked["lines"]) == ("date_format", "date_format", [2])
    assert asked["candidates"] == ["d/M/y H:m:s", "M/d/y H:m:s"]
    assert "d/M/y H:m:s or M/d/y H:m:s" in asked["message"]
    assert "date_format" not in shown["suggestion"] and shown["confidence"]["date_format"] == "question"


def test_nothing_is_suggested_for_a_file_that_is_read_well(seller: Any) -> None:
    shown = preview(seller, csv_file(line("1")))
    assert (shown["suggestion"], shown["confidence"], shown["questions"], shown["advice"]) == (None, {}, [], [])


def declared(seller: Any) -> dict[str, Any]:
    """The only source of a reseller, as it stands."""
    (source,) = seller.get("/v1/cdr-sources").json["items"]
    parts = {name: _given(value) for name, value in source.items()}
    return {name: value for name, value in parts.items() if value not in (None, {})}


def _given(part: Any) -> Any:
    return {name: one for name, one in part.items() if one is not None} if isinstance(part, dict) else part


def test_a_suggestion_keeps_the_source_that_is_declared_and_adds_to_it(seller: Any) -> None:
    stands = {"id": "pbx", "pattern": "tokyo/*", "time_zone": "Asia/Tokyo", "strip": ["*67"]}
    assert seller.put("/v1/cdr-sources", stands).status == 200
    text = csv_file(line("1"), *[line(str(n)).replace("+1212", "9+1212") for n in (2, 3)]).decode()
    text = text.replace("9+12125550100", "9+12125550101", 1)
    suggested = preview(seller, text, "tokyo/a.csv")["suggestion"]
    assert suggested == {**stands, "strip": ["*67", "9"]}
    assert seller.put("/v1/cdr-sources", suggested).status == 200
    assert declared(seller) == suggested
    assert preview(seller, text, "tokyo/a.csv")["rated"] == 3


def test_nothing_is_suggested_that_is_declared_already(seller: Any) -> None:
    stands = {"id": "pbx", "pattern": "t/", "strip": ["9", "*67", "9*67", "0000#"]}
    assert seller.put("/v1/cdr-sources", stands).status == 200
    shown = preview(seller, csv_file(line("1").replace("+12125550100", "9502")).decode(), "t/a.csv")
    assert (shown["suggestion"], [each["reason"] for each in shown["items"]]) == (None, ["ambiguous_number"])


def test_a_suggestion_never_takes_the_id_of_another_source(seller: Any) -> None:
    assert seller.put("/v1/cdr-sources", {"id": "carrier", "pattern": "x/", "time_zone": "UTC"}).status == 200
    assert preview(seller, OF_A_CARRIER, "carrier/sep.csv")["suggestion"]["id"] == "carrier-2"


def test_a_part_that_changes_lines_read_already_is_a_question(seller: Any) -> None:
    # Behind a 9 of the national number both readings are numbers, so that 9055550100 would be refused with a strip.
    numbers = ("9055550100", "905550100", "9+12125550100", "9+12125550101")
    text = csv_file(*[line(str(n)).replace("+12125550100", number) for n, number in enumerate(numbers)]).decode()
    shown = preview(seller, text, "a.csv")
    read = [row["line"] for row in shown["items"] if row["call"]]
    if shown["suggestion"]:
        assert seller.put("/v1/cdr-sources", shown["suggestion"]).status == 200
    after = preview(seller, text, "a.csv")
    assert [row for row in after["items"] if row["line"] in read] == [r for r in shown["items"] if r["line"] in read]


def test_advice_says_to_put_the_suggestion_only_for_lines_that_it_cures(seller: Any) -> None:
    shown = preview(seller, OF_A_CARRIER, "carrier/sep.csv")
    (cures,) = [each for each in shown["advice"] if each["code"] == "declare_suggestion"]
    assert (cures["lines"], seller.put("/v1/cdr-sources", shown["suggestion"]).status) == (3, 200)
    assert preview(seller, OF_A_CARRIER, "carrier/sep.csv")["rated"] == 2


MASTER = (
    '"alice","101","14165550123","x","","SIP/1-1","","Dial","","2026-09-10 08:30:00","","2026-09-10 08:31:08",'
    '68,61,"{}","DOCUMENTATION","1795440600.{}",""\n'
)


@pytest.mark.parametrize("words", [("ANSWERED", "ANSWERED", "Gesprochen"), ("Gesprochen", "Verpasst")])
def test_unknown_words_of_a_known_format_are_a_question(seller: Any, words: tuple[str, ...]) -> None:
    shown = preview(seller, "".join(MASTER.format(word, n) for n, word in enumerate(words)))
    (asked,) = [each for each in shown["questions"] if each["code"] == "words"]
    assert (asked["part"], "Gesprochen".lower() in asked["candidates"]) == ("words.disposition", True)
    assert not (shown["suggestion"] or {}).get("defaults")
    assert "answer_questions" in {each["code"] for each in shown["advice"]}


def test_a_word_for_a_direction_in_forfaits_own_csv_is_suggested(seller: Any) -> None:
    text = csv_file(line("1"), line("2")).decode().replace("outbound", "Outgoing")
    shown = preview(seller, text)
    assert shown["suggestion"]["words"] == {"direction": {"outgoing": "outbound"}}
    assert seller.put("/v1/cdr-sources", shown["suggestion"]).status == 200
    assert preview(seller, text)["rated"] == 2
