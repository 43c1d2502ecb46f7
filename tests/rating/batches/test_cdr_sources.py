"""What a reseller declares about its files: kept, listed, removed, and pinned into the batches that it holds for."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import faults
import pytest
from builders import World, csv_file, line

DOCUMENT = Path(__file__).parents[3] / "docs" / "cdr-formats.md"
TOKYO = {"id": "tokyo", "pattern": "tokyo/", "time_zone": "Asia/Tokyo"}


def _declared(part: Any) -> Any:
    """What an answer declares: without the parts that it shows as null."""
    if not isinstance(part, dict):
        return part
    kept = {name: _declared(value) for name, value in part.items()}
    return {name: value for name, value in kept.items() if value is not None and value != {}}


def test_a_source_answers_what_it_was_given(reseller: Any) -> None:
    put = reseller.put("/v1/cdr-sources", TOKYO)
    assert (put.status, _declared(put.json)) == (200, TOKYO)
    other = {"id": "a", "pattern": "*.txt", "words": {"direction": {"Out": "outbound"}}, "defaults": {"from": "x"}}
    shown = reseller.put("/v1/cdr-sources", other).json
    assert (shown["words"]["direction"], shown["defaults"]["from"], shown["time_zone"]) == (
        {"Out": "outbound"},
        "x",
        None,
    )
    assert reseller.get("/v1/cdr-sources").json == {"items": [shown, put.json], "next": None}
    assert reseller.put("/v1/cdr-sources", shown).json == shown


def test_the_same_id_again_replaces_the_source(reseller: Any) -> None:
    reseller.put("/v1/cdr-sources", TOKYO)
    changed = reseller.put("/v1/cdr-sources", {"id": "tokyo", "pattern": "t/", "columns": {"to": "B"}}).json
    assert reseller.get("/v1/cdr-sources").json["items"] == [changed]
    assert (changed["time_zone"], changed["columns"]["to"]) == (None, "B")


def test_a_source_is_removed_once(reseller: Any) -> None:
    reseller.put("/v1/cdr-sources", TOKYO)
    assert reseller.delete("/v1/cdr-sources/tokyo").status == 204
    assert reseller.delete("/v1/cdr-sources/tokyo").status == 404
    assert reseller.get("/v1/cdr-sources").json["items"] == []


def test_sources_are_the_resellers_own(operator: Any, reseller: Any) -> None:
    body = {"name": "O", "email": "o@o.example", "currency": "USD", "time_zone": "UTC", "home_country": "US"}
    stranger = reseller.with_key(operator.made("/v1/resellers", body)["api_key"])
    reader = reseller.with_key(reseller.made("/v1/keys", {"role": "reseller_readonly"})["api_key"])
    reseller.put("/v1/cdr-sources", TOKYO)
    assert stranger.get("/v1/cdr-sources").json["items"] == []
    assert stranger.delete("/v1/cdr-sources/tokyo").status == 404
    assert [item["id"] for item in reader.get("/v1/cdr-sources").json["items"]] == ["tokyo"]
    assert reader.put("/v1/cdr-sources", TOKYO).status == 403
    assert operator.get("/v1/cdr-sources").status == 403


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"time_zone": "Tokyo"}, "time_zone", "IANA"),
        ({"time_zone": None}, "body", "declares nothing"),
        ({"date_format": "d/M H:m"}, "date_format", "lacks the year"),
        ({"date_format": "epoch"}, "date_format", "lacks the year"),
        ({"pattern": "/tokyo/"}, "pattern", "must not start with /"),
        ({"pattern": ""}, "pattern", "at least 1"),
        ({"pattern": "a\nb"}, "pattern", "must be one line"),
        ({"id": "a b"}, "id", "pattern"),
        ({"id": None}, "id", "string"),
        ({"columns": {"tariff": "X"}}, "columns.tariff", "not a field"),
        ({"columns": {"to": ""}}, "columns.to", "at least 1"),
        ({"columns": {"to": 3.5}}, "columns.to", "string"),
        ({"columns": {"to": 0}}, "columns.to", "from 1 to 200"),
        ({"columns": {"to": "a\nb"}}, "columns.to", "must be one line"),
        ({"cost_currency": "EUR"}, "body", "give both"),
        ({"strip": ["+"]}, "strip.0", "pattern"),
        ({"strip": [""]}, "strip.0", "pattern"),
        ({"strip_always": True}, "body", "give strip, too"),
        ({"local_numbers": [{"digits": 6, "prefix": "73952"}]}, "local_numbers.0.prefix", "pattern"),
        ({"local_numbers": [{"digits": 4, "prefix": "+47"}]}, "local_numbers.0", "a number of 6 digits"),
        ({"local_numbers": [{"digits": 12, "prefix": "+7395"}]}, "local_numbers.0", "a number of 16 digits"),
        (
            {"local_numbers": [{"digits": 6, "prefix": "+73952"}, {"digits": 6, "prefix": "+7395"}]},
            "body",
            "two rules are for numbers of the same count",
        ),
        ({"words": {"disposition": {"ok": "DONE"}}}, "words.disposition.ok", "ANSWERED"),
        ({"words": {"disposition": {"ok": "BUSY", "OK": "FAILED"}}}, "words", "the word OK comes twice"),
        ({"words": {"account": {"a": "b"}}}, "words.account", "not a field"),
        ({"words": {"direction": {str(n): "inbound" for n in range(51)}}}, "words.direction", "50"),
        ({"defaults": {"direction": "out"}}, "defaults.direction", "outbound"),
        ({"defaults": {"account": "a b"}}, "defaults.account", "pattern"),
        ({"defaults": {"seconds": "60"}}, "defaults.seconds", "not a field"),
        ({"format": "asterisk"}, "format", "not a field"),
    ],
)
def test_a_wrong_field_is_422_and_named(reseller: Any, change: dict[str, Any], field: str, message: str) -> None:
    reply = reseller.put("/v1/cdr-sources", {**TOKYO, **change})
    assert reply.status == 422, reply.text
    (error,) = reply.json["errors"]
    assert error["field"] == field
    assert message in error["message"]
    assert reseller.get("/v1/cdr-sources").json["items"] == []


def test_there_are_at_most_fifty_sources(reseller: Any) -> None:
    for n in range(50):
        assert reseller.put("/v1/cdr-sources", {**TOKYO, "id": f"s{n}"}).status == 200
    assert reseller.put("/v1/cdr-sources", TOKYO).status == 409
    assert reseller.put("/v1/cdr-sources", {**TOKYO, "id": "s7", "pattern": "x"}).status == 200
    assert reseller.delete("/v1/cdr-sources/s0").status == 204
    assert reseller.put("/v1/cdr-sources", TOKYO).status == 200


def test_changes_of_sources_are_on_the_audit_trail(reseller: Any) -> None:
    from chalicelib.aws.transactions import Event

    reseller.put("/v1/cdr-sources", TOKYO)
    reseller.delete("/v1/cdr-sources/tokyo")
    trail = Event.under(*Event.of_owner(reseller.ids["reseller"]))
    events = [row for row in trail if row.kind.startswith("cdr_source.")]
    assert [(row.kind, row.subject) for row in events] == [
        ("cdr_source.changed", "tokyo"),
        ("cdr_source.deleted", "tokyo"),
    ]
    assert events[0].changes["time_zone"] == "Asia/Tokyo"


def test_the_example_in_the_document_is_taken(reseller: Any) -> None:
    block = re.search(r"^```http\nPUT (\S+)\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert block
    reply = reseller.put(block[1], json.loads(block[2]))
    assert reply.status == 200, reply.text


# --- batches ---


def declare(world: Any, **declared: Any) -> None:
    from chalicelib.rating.batches import sources

    named = {name: declared.pop(name, usual) for name, usual in (("source_id", "s"), ("pattern", "*"))}
    sources.put(world.scope, world.reseller_id, {**named, "declares": declared})


def start_of(world: Any) -> str:
    from chalicelib.periods import format_instant

    ((start, *_),) = world.books()["calls of alice"]
    return format_instant(start)


LOCAL = csv_file(line("1", start="2026-09-10 12:00:00"))


def test_a_file_is_read_in_the_zone_that_was_declared_for_it(world: Any) -> None:
    declare(world, pattern="tokyo/", time_zone="Asia/Tokyo")
    declare(world, source_id="t", pattern="*", time_zone="Asia/Kolkata")
    batch = world.rate(*world.drop(LOCAL, "tokyo/a.csv"))
    assert (batch.rated, batch.declared["source_id"]) == (1, "s")
    assert start_of(world) == "2026-09-10T03:00:00Z"


def test_a_file_is_read_by_the_names_that_were_declared_for_it(world: Any) -> None:
    declare(
        world,
        pattern="*.txt",
        columns={"to": "Number", "start": "When", "seconds": "Length"},
        words={"disposition": {"ok": "ANSWERED"}},
        defaults={"direction": "outbound", "account": "alice"},
    )
    body = b"When\tNumber\tLength\tdisposition\n2026-09-10T12:00:00Z\t+12125550100\t60\tok\n"
    assert world.rate(*world.drop(body, "a.csv")).rejected == 2
    batch = world.rate(*world.drop(body, "a.txt"))
    assert (batch.lines, batch.rated) == (1, 1)
    assert world.books()["alice"][0] == -624000


@pytest.mark.parametrize(
    ("date_format", "start"),
    [("d/M/y H:m:s", "10/9/2026 12:00:00"), ("M/d/yy h:m a", "9/10/26 12:00 PM"), ("epoch_s", "1789041600.5")],
)
def test_a_file_is_read_in_the_date_format_that_was_declared_for_it(world: Any, date_format: str, start: str) -> None:
    body = csv_file(line("1", start=start))
    # Without a declaration a date is never guessed.
    assert world.rate(*world.drop(body, "before.csv")).rejected == 1
    declare(world, date_format=date_format, time_zone="UTC")
    assert world.rate(*world.drop(body, "a.csv")).rated == 1
    assert start_of(world) == "2026-09-10T12:00:00Z"


def test_a_batch_answers_how_many_rows_were_skipped(reseller: Any, deck: str) -> None:
    client = reseller.made("/v1/clients", {"company": "Acme"})["id"]
    package = reseller.made("/v1/packages", {"name": "Gold", "markup_percent": "20"})["id"]
    reseller.made("/v1/subaccounts", {"username": "alice", "client_id": client, "package_id": package})
    assert reseller.put("/v1/cdr-sources", {"id": "s", "pattern": "*", "skip": {"numbers": ["*97"]}}).status == 200
    voicemail = [line(number).replace("+12125550100", "*97") for number in ("1", "2")]
    body = csv_file(line("3"), *voicemail, line("3"), line("4", start="never"))
    batch = World(reseller.ids["reseller"]).rate(body)
    counts = {"lines": 5, "rated": 1, "rejected": 1, "duplicates": 1, "skipped": 2}
    answers = [reseller.get(f"/v1/batches/{batch.batch_id}").json, *reseller.get("/v1/batches").json["items"]]
    assert [{name: answer[name] for name in counts} for answer in answers] == [counts, counts]


@pytest.mark.parametrize("call", [6, 9, 12])
def test_a_later_try_reads_the_file_as_the_first_one_did(world: Any, call: int) -> None:
    declare(world, time_zone="Asia/Tokyo")
    dropped = world.drop(LOCAL)
    with pytest.raises(faults.Killed), faults.killed_at(call, answered=True):
        world.rate(*dropped)
    declare(world, time_zone="Europe/London")
    world.rate(*dropped)
    assert start_of(world) in {"2026-09-10T03:00:00Z"}


def test_a_file_that_no_source_holds_for_is_read_as_ever(world: Any) -> None:
    declare(world, pattern="tokyo/", time_zone="Asia/Tokyo")
    batch = world.rate(*world.drop(LOCAL, "kyoto.csv"))
    assert (batch.rated, batch.declared) == (1, None)
