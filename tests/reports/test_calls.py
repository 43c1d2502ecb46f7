"""The filters of the report of calls, and what a request of it costs."""

from __future__ import annotations

from typing import Any

import pytest
from faults import counted

from chalicelib.web import routes
from chalicelib.web.limits import Limiter

YEAR = "date_from=2025-11-01&date_to=2026-11-30"


@pytest.mark.parametrize("filters", ["number_prefix=%2B44", "number_prefix=+44", "number_prefix=44", "country=GB"])
def test_a_filter_is_taken_as_people_write_it(reseller: Any, filters: str) -> None:
    assert reseller.get(f"/v1/reports/calls?{filters}").json["items"] == []


@pytest.mark.parametrize(
    ("filters", "field", "message"),
    [
        ("country=UK", "country", "the United Kingdom is GB"),
        ("country=XX", "country", "must be an ISO 3166 alpha-2 code"),
        ("number_prefix=44x", "number_prefix", ""),
        ("number=44", "number", "is not a field of this request"),
    ],
)
def test_a_filter_that_can_find_nothing_is_refused(reseller: Any, filters: str, field: str, message: str) -> None:
    reply = reseller.get(f"/v1/reports/calls?{filters}")
    assert reply.status == 422
    [error] = reply.json["errors"]
    assert error["field"] == field and message in error["message"]


@pytest.mark.parametrize("filters", ["", "&country=GB&billing=billed", "&format=csv"])
def test_thirteen_months_of_a_client_are_read_by_one_query_for_the_page_and_one_for_the_totals(
    reseller: Any, filters: str
) -> None:
    client = reseller.made("/v1/clients", {})
    with counted() as calls:
        assert reseller.get(f"/v1/reports/calls?{YEAR}&client_id={client['id']}{filters}").status == 200
    assert calls.count("Query") <= 2
    assert len(calls) < 10


def test_thirteen_months_of_a_reseller_are_read_by_one_query_for_each_month(reseller: Any) -> None:
    with counted() as calls:
        assert reseller.get(f"/v1/reports/calls?{YEAR}").status == 200
    assert calls.count("Query") <= 2 * 14


@pytest.mark.parametrize(("filters", "counts"), [("", 14), ("&direction=inbound", 396)])
def test_a_report_counts_as_more_requests_the_more_it_reads(
    reseller: Any, monkeypatch: pytest.MonkeyPatch, filters: str, counts: int
) -> None:
    monkeypatch.setattr(routes, "limiter", Limiter(2 * counts, lambda *_: 0))
    path = f"/v1/reports/calls?{YEAR}{filters}"
    assert [reseller.get(path).status for _ in range(2)] == [200, 200]
    refused = reseller.get(path)
    assert (refused.status, "counts as" in refused.json["detail"]) == (429, False)
    monkeypatch.setattr(routes, "limiter", Limiter(2 * counts - 1, lambda *_: 0))
    assert reseller.get(path).status == 200
    assert f"this one counts as {counts - 1}" in reseller.get(path).json["detail"]
