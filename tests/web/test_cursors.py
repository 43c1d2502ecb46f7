"""Cursors: they lead through a whole list once, and only through the list they were made for."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest


@pytest.fixture
def paid(reseller: Any) -> tuple[str, str]:
    """Two clients with five payments each."""
    clients = [reseller.made("/v1/clients", {})["id"] for _ in range(2)]
    for client in clients:
        for n in range(5):
            reseller.made(f"/v1/clients/{client}/payments", {"amount": f"{n + 1}"})
    return clients[0], clients[1]


def _first(api: Any, path: str) -> str:
    """The cursor after the first page."""
    reply = api.get(path)
    assert reply.status == 200 and reply.json["next"], reply.text
    return str(reply.json["next"])


def _refused(reply: Any) -> bool:
    assert reply.status == 422, reply.text
    return [error["field"] for error in reply.json["errors"]] == ["cursor"]


def test_pages_hold_every_item_once_in_order(reseller: Any, paid: tuple[str, str]) -> None:
    path = f"/v1/clients/{paid[0]}/ledger"
    whole = reseller.get(path).json["items"]
    assert len(whole) == 5
    for limit in (1, 2, 4, 5, 200):
        seen, cursor = [], ""
        while cursor is not None:
            page = reseller.get(f"{path}?limit={limit}{cursor and '&cursor='}{cursor}").json
            assert 0 < len(page["items"]) <= limit
            seen, cursor = seen + page["items"], page["next"]
        assert seen == whole


def test_a_page_may_change_its_size_on_the_way(reseller: Any, paid: tuple[str, str]) -> None:
    path = f"/v1/clients/{paid[0]}/ledger"
    cursor = _first(reseller, f"{path}?limit=2")
    assert len(reseller.get(f"{path}?limit=200&cursor={cursor}").json["items"]) == 3


def test_every_change_of_a_cursor_is_refused(reseller: Any, paid: tuple[str, str]) -> None:
    path = f"/v1/clients/{paid[0]}/ledger?limit=1"
    cursor = _first(reseller, path)
    changed = [cursor[:n] + ("A" if cursor[n] != "A" else "B") + cursor[n + 1 :] for n in range(0, len(cursor) - 1, 3)]
    forged = base64.urlsafe_b64encode(json.dumps("ENTRY#000000000001").encode()).decode()
    for text in [*changed, cursor[:-5], cursor + "x", f".{cursor}", forged, f"{forged}.{cursor.rsplit('.')[1]}"]:
        assert _refused(reseller.get(f"{path}&cursor={text}")), text


@pytest.mark.parametrize(
    "text", ["", "x", ".", "..", "a.b", "null", "ENTRY#000000000001", "é", "\x00", "\ud800", "9" * 9]
)
def test_what_never_was_a_cursor_is_refused(reseller: Any, text: str) -> None:
    assert _refused(reseller.get(f"/v1/clients?cursor={quote(text, errors='surrogatepass')}"))


def test_a_cursor_longer_than_any_is_refused(reseller: Any) -> None:
    assert _refused(reseller.get(f"/v1/clients?cursor={'a' * 2001}"))


@pytest.mark.parametrize("limit", ["0", "-1", "201", "x", "", "1.5", "1e2", "9" * 30])
def test_a_page_holds_1_to_200_items(reseller: Any, limit: str) -> None:
    reply = reseller.get(f"/v1/clients?limit={limit}")
    assert reply.status == 422
    assert [error["field"] for error in reply.json["errors"]] == ["limit"]


def test_a_cursor_of_another_reseller_is_refused(reseller: Any, operator: Any, paid: tuple[str, str]) -> None:
    made = operator.made("/v1/resellers", {"name": "Other", "email": "b@other.example"})
    cursor = _first(reseller, "/v1/clients?limit=1")
    assert _refused(operator.with_key(made["api_key"]).get(f"/v1/clients?cursor={cursor}"))


def test_a_cursor_of_the_reseller_is_refused_to_its_client(reseller: Any, paid: tuple[str, str]) -> None:
    key = reseller.made("/v1/keys", {"role": "client", "client_id": paid[0]})["api_key"]
    path = f"/v1/clients/{paid[0]}/ledger?limit=1"
    cursor = _first(reseller, path)
    assert _refused(reseller.with_key(key).get(f"{path}&cursor={cursor}"))


def test_another_key_of_the_same_reseller_may_go_on(reseller: Any, paid: tuple[str, str]) -> None:
    key = reseller.made("/v1/keys", {"role": "reseller_readonly"})["api_key"]
    cursor = _first(reseller, "/v1/clients?limit=1")
    assert len(reseller.with_key(key).get(f"/v1/clients?cursor={cursor}").json["items"]) == 1


def test_a_cursor_of_another_list_is_refused(reseller: Any, paid: tuple[str, str]) -> None:
    cursor = _first(reseller, f"/v1/clients/{paid[0]}/ledger?limit=1")
    for path in ("/v1/clients", "/v1/keys", "/v1/batches", "/v1/reports/calls", "/v1/account/ledger"):
        assert _refused(reseller.get(f"{path}?cursor={cursor}")), path


def test_a_cursor_of_the_same_list_of_another_client_is_refused(reseller: Any, paid: tuple[str, str]) -> None:
    cursor = _first(reseller, f"/v1/clients/{paid[0]}/ledger?limit=1")
    assert _refused(reseller.get(f"/v1/clients/{paid[1]}/ledger?cursor={cursor}"))


def test_a_cursor_of_the_same_report_with_other_filters_is_refused(ours: Any) -> None:
    """It carries the totals of its selection, which would stand beside the calls of another."""
    dates = "date_from=2091-03-10&date_to=2091-03-11"
    cursor = _first(ours.api, f"/v1/reports/calls?{dates}&limit=1")
    assert ours.api.get(f"/v1/reports/calls?{dates}&limit=2&cursor={cursor}").status == 200
    assert _refused(ours.api.get(f"/v1/reports/calls?{dates}&direction=inbound&cursor={cursor}"))
    assert _refused(ours.api.get(f"/v1/reports/calls?date_from=2091-03-10&date_to=2091-03-10&cursor={cursor}"))
