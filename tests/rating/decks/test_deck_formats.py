"""Deck formats and previews over the API, and files dropped in carriers' shapes."""

from __future__ import annotations

import base64
import gzip
import io
import itertools
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from builders import NOW

FILES = Path(__file__).with_name("files")
_days = itertools.count(1)
NPANXX = {
    "id": "npanxx", "pattern": "*-npanxx.csv", "columns": {"prefix": "NPANXX", "rate_per_minute": "Inter"},
    "increments": "6/6", "prefix_add": "1",
}  # fmt: skip


def a_day() -> str:
    return f"2151-{next(_days):02}-01"


def drop(name: str, data: bytes) -> Any:
    from chalicelib.aws import objects
    from chalicelib.aws.transactions import Scope
    from chalicelib.config import settings
    from chalicelib.rating.decks import publish

    key = f"incoming/decks/premium/{name}"  # After the days of all other tests.
    version = objects.s3().put_object(Bucket=settings.bucket, Key=key, Body=data)["VersionId"]
    return publish.publish(Scope("operator", NOW), key, version)


def preview(operator: Any, data: bytes, **more: Any) -> Any:
    text = base64.b64encode(data if data.startswith(b"PK") else gzip.compress(data)).decode()
    body = {"text": text, "base64": True, "route": "value", "effective_from": "2081-01-01", **more}
    answer = operator.post("/v1/deck-preview", body)
    assert answer.status == 200, answer.json
    return answer.json


def codes(suspicions: Any) -> set[str]:
    return {each["code"] for each in suspicions}


def test_a_format_is_kept_listed_audited_and_removed(operator: Any) -> None:
    put = operator.put("/v1/deck-formats", NPANXX)
    assert put.status == 200
    assert {name: put.json[name] for name in NPANXX if name != "columns"} == {
        name: value for name, value in NPANXX.items() if name != "columns"
    }
    assert put.json in operator.get("/v1/deck-formats").json["items"]
    assert operator.put("/v1/deck-formats", put.json).json == put.json
    assert operator.delete("/v1/deck-formats/npanxx").status == 204
    assert operator.delete("/v1/deck-formats/npanxx").status == 404


@pytest.mark.parametrize(
    "change",
    [
        {"columns": {"prefix": 1}},
        {"columns": {"rate_per_minute": 1}},
        {"columns": {"country_code": 1, "rate_per_minute": 2}},
        {"columns": {"prefix": 0, "rate_per_minute": 2}},
        {"increments": ""},
        {"increments": "0/1"},
        {"decimal": None},
        {"price_unit": 7},
        {"date_format": "d/d/y"},
        {"prefix_add": "+1"},
    ],
)
def test_a_format_that_cannot_read_a_deck_is_refused(operator: Any, change: dict[str, Any]) -> None:
    assert operator.put("/v1/deck-formats", {**NPANXX, **change}).status == 422


@pytest.mark.parametrize("name", ["per-country.csv", "a-z.csv"])
def test_what_a_preview_suggests_is_a_format_that_reads_the_file_so(operator: Any, name: str) -> None:
    data = (FILES / name).read_bytes()
    shown = preview(operator, data, filename=name)
    assert (shown["read_by"], shown["questions"], shown["wrong"]) == ("guessed", [], 0)
    again = preview(operator, data, filename=name, format=shown["format"])
    assert (again["read_by"], again["items"], again["prefixes"]) == ("declared", shown["items"], shown["prefixes"])
    assert operator.put("/v1/deck-formats", shown["format"]).status == 200
    assert operator.delete(f"/v1/deck-formats/{shown['format']['id']}").status == 204


def test_questions_are_answered_by_their_choices(operator: Any) -> None:
    data = (FILES / "npanxx.csv").read_bytes()
    shown = preview(operator, data, filename="2081-01-01-npanxx.csv")
    assert [each["code"] for each in shown["questions"]] == ["which_rate_per_minute", "increments"]
    assert operator.put("/v1/deck-formats", shown["format"]).status == 422
    form = shown["format"]
    for question in shown["questions"]:
        choice = question["choices"][0]
        form = {**form, **choice, "columns": {**form["columns"], **choice.get("columns", {})}}
    answered = preview(operator, data, filename="2081-01-01-npanxx.csv", format=form)
    assert (answered["questions"], answered["items"]) == ([], shown["items"])
    assert form["pattern"] == "value/*-npanxx.csv"


def test_a_dropped_npanxx_deck_without_its_1_is_held_with_that_reason(operator: Any) -> None:
    data = (FILES / "npanxx.csv").read_bytes()
    assert drop(f"{a_day()}-x.csv", data).status == "refused"
    assert operator.put("/v1/deck-formats", {**NPANXX, "prefix_add": ""}).status == 200
    held = drop(f"{a_day()}-npanxx.csv", data)
    assert (held.status, "nanp_without_1" in codes(held.suspicions)) == ("held", True)
    assert operator.put("/v1/deck-formats", NPANXX).status == 200
    right = drop(f"{a_day()}-npanxx.csv", data)
    assert "nanp_without_1" not in codes(right.suspicions)
    assert operator.delete("/v1/deck-formats/npanxx").status == 204


def test_a_price_in_euros_is_held_until_it_is_converted(operator: Any) -> None:
    held = drop(f"{a_day()}-country.csv", (FILES / "per-country.csv").read_bytes())
    assert (held.status, held.cost_currency, "no_fx" in codes(held.suspicions)) == ("held", "EUR", True)


def workbook(*rows: tuple[Any, ...], sheets: int = 1) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        for _ in range(sheets):
            sheet = book.add_worksheet()
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return stream.getvalue()


def test_a_workbook_of_one_sheet_is_read_as_its_csv_would_be(operator: Any) -> None:
    rows = (
        ("Acme",),
        (),
        ("Code", "Rate", "Billing", "Note"),
        (44, 0.0123, "60/60", "a"),
        ("4479", 0.00001, "30/6", ""),
    )
    answer = preview(operator, workbook(*rows), filename="acme.xlsx")
    assert (answer["read_by"], answer["wrong"], answer["extra_columns"]) == ("guessed", 0, ["Note"])
    assert [(each["prefix"], each["rate_per_minute"], each["initial"]) for each in answer["items"]] == [
        ("44", "0.0123", 60), ("4479", "0.00001", 30),
    ]  # fmt: skip
    assert [each.errors[0]["field"] for each in [drop(f"{a_day()}-two.xlsx", workbook(*rows, sheets=2))]] == ["file"]


def test_the_own_csv_is_previewed_with_what_is_wrong_in_it(operator: Any) -> None:
    text = "prefix,destination,rate_per_minute,initial,increment\n44,UK,0.1,6,6\n44,UK,0.2,6,6\n"
    shown = preview(operator, text.encode())
    assert (shown["read_by"], shown["lines"], shown["wrong"]) == ("own", 2, 1)
