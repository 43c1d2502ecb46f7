"""Self-sign-up: a link nobody can guess, strangers that wait, and a reseller that lets them in."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

PERSON = {"first_name": "Ada", "last_name": "Byron", "email": "ada@acme.example", "country": "CA", "language": "fr"}


@pytest.fixture
def stranger(reseller: Any) -> Any:
    return reseller.with_key("")


@pytest.fixture
def link(reseller: Any) -> str:
    return str(reseller.made("/v1/signup", None)["path"])


def test_a_reseller_has_no_link_until_it_makes_one(reseller: Any) -> None:
    assert reseller.get("/v1/signup").json == {"token": None, "path": None}
    made = reseller.made("/v1/signup", None)
    assert len(made["token"]) >= 43
    assert made["path"] == f"/v1/signup/{made['token']}"
    assert reseller.get("/v1/signup").json == made


def test_who_signs_up_waits_until_the_reseller_lets_them_in(reseller: Any, stranger: Any, link: str) -> None:
    asked = stranger.made(link, PERSON)
    assert asked == {"id": asked["id"], "status": "waiting"}
    waiting = reseller.get("/v1/clients?status=waiting").json["items"]
    assert [(one["id"], one["status"], one["balance_mode"]) for one in waiting] == [(asked["id"], "waiting", "strict")]
    assert {name: waiting[0][name] for name in PERSON} == PERSON
    path = f"/v1/clients/{asked['id']}"
    assert reseller.patch(path, {"status": "active", "balance_mode": "permissive"}).json["status"] == "active"
    assert reseller.get("/v1/clients?status=waiting").json["items"] == []
    assert [one["id"] for one in reseller.get("/v1/clients?status=active").json["items"]] == [asked["id"]]


def test_a_waiting_client_can_have_nothing_and_can_be_turned_away(
    reseller: Any, stranger: Any, link: str, package: dict[str, Any], did: str
) -> None:
    asked = stranger.made(link, PERSON)["id"]
    tries = [
        reseller.post(f"/v1/clients/{asked}/packages", {"package_id": package["id"]}),
        reseller.post("/v1/subaccounts", {"username": "u", "client_id": asked, "package_id": package["id"]}),
        reseller.post(f"/v1/dids/{did}/assign", {"client_id": asked}),
    ]
    assert [(reply.status, "active" in reply.json["detail"]) for reply in tries] == [(409, True)] * 3
    assert reseller.delete(f"/v1/clients/{asked}").status == 204
    assert reseller.patch(f"/v1/clients/{asked}", {"status": "active"}).status == 409


def test_a_new_link_ends_the_old_one_and_a_link_can_end(reseller: Any, stranger: Any, link: str) -> None:
    newer = reseller.made("/v1/signup", None)["path"]
    assert [stranger.post(link, PERSON).status, stranger.post(newer, PERSON).status] == [404, 201]
    assert [reseller.delete("/v1/signup").status, reseller.delete("/v1/signup").status] == [204, 204]
    assert stranger.post(newer, PERSON).status == 404
    assert reseller.get("/v1/signup").json == {"token": None, "path": None}


def test_the_link_of_a_reseller_that_is_not_active_is_none(
    operator: Any, reseller: Any, stranger: Any, link: str
) -> None:
    operator.patch(f"/v1/resellers/{reseller.ids['reseller']}", {"status": "suspended"})
    unknown = stranger.post("/v1/signup/" + "x" * 43, PERSON)
    refused = stranger.post(link, PERSON)
    assert (refused.status, refused.json) == (unknown.status, unknown.json) == (404, refused.json)


def test_the_answer_does_not_tell_whether_an_address_is_known(reseller: Any, stranger: Any, link: str) -> None:
    reseller.made("/v1/clients", {"email": PERSON["email"]})
    first, second = stranger.post(link, PERSON), stranger.post(link, PERSON)
    fresh = stranger.post(link, {**PERSON, "email": "new@acme.example"})
    shapes = {(reply.status, tuple(reply.json), reply.json["status"]) for reply in (first, second, fresh)}
    assert shapes == {(201, ("id", "status"), "waiting")}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", ""),
        ("email", None),
        ("email", "nobody"),
        ("country", "XX"),
        ("time_zone", "Mars/Olympus"),
        ("language", "de"),
        ("company", "x" * 301),
        ("balance_mode", "permissive"),
        ("credit_limit", "1000"),
        ("status", "active"),
    ],
)
def test_a_stranger_says_who_it_is_and_nothing_else(
    reseller: Any, stranger: Any, link: str, field: str, value: Any
) -> None:
    reply = stranger.post(link, {**PERSON, field: value})
    assert (reply.status, [error["field"] for error in reply.json["errors"]]) == (422, [field])
    assert reseller.get("/v1/clients").json["items"] == []


def test_an_address_is_required_and_the_body_is_small(stranger: Any, link: str) -> None:
    assert stranger.post(link, {"first_name": "Ada"}).json["errors"][0]["field"] == "email"
    padded = json.dumps(PERSON).encode() + b" " * 16_384
    assert stranger.post(link, padded).status == 413


def test_a_repeat_with_the_same_key_asks_once(reseller: Any, stranger: Any, link: str) -> None:
    headers = {"idempotency-key": "once"}
    first, second = (stranger.post(link, PERSON, headers=headers) for _ in range(2))
    assert first.json == second.json
    assert len(reseller.get("/v1/clients").json["items"]) == 1


def test_a_link_takes_a_bounded_number_a_day_also_at_once(reseller: Any, stranger: Any, link: str) -> None:
    from chalicelib import periods
    from chalicelib.accounts.service.signups import MOST_A_DAY
    from chalicelib.accounts.store.intake import SignupDay

    stranger.made(link, PERSON)
    (today,) = SignupDay.under(*SignupDay.of_reseller(reseller.ids["reseller"]))
    today.update(actions=[SignupDay.asked.set(MOST_A_DAY - 3)])
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: stranger.post(link, PERSON).status, range(8)))
    assert sorted(replies) == [201] * 3 + [429] * 5
    assert len(reseller.get("/v1/clients").json["items"]) == 4
    # Tomorrow there is a new count.
    today.update(actions=[SignupDay.asked.set(0)])
    assert stranger.post(link, PERSON).status == 201
    assert today.expires_at > periods.calendar("UTC").day_start(periods.next_day(today.sk.split("#")[1]))


def test_only_the_reseller_itself_makes_links(reseller: Any) -> None:
    readonly = reseller.with_key(reseller.made("/v1/keys", {"role": "reseller_readonly"})["api_key"])
    assert readonly.get("/v1/signup").status == 200
    assert [readonly.post("/v1/signup").status, readonly.delete("/v1/signup").status] == [403, 403]
