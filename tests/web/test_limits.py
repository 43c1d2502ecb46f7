"""The rate limit of a key: exact for one container, bounded for several, and never in the way when it cannot count."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from faults import counted, refusing

from chalicelib.aws.transactions import new_id
from chalicelib.errors import TooFast
from chalicelib.web import routes
from chalicelib.web.limits import Counted, Limiter

NOON = 1_790_000_040
"""The first second of a minute."""


def through(limiter: Limiter, key: str, tries: int, now: int = NOON) -> int:
    """How many of so many requests were let through."""
    return sum(_takes(limiter, key, now) for _ in range(tries))


def _takes(limiter: Limiter, key: str, now: int) -> bool:
    try:
        limiter.take(key, now)
    except TooFast:
        return False
    return True


@pytest.mark.parametrize("limit", [1, 7, 20, 45, 400])
def test_one_container_lets_exactly_the_limit_through(aws: str, limit: int) -> None:
    assert through(Limiter(limit), new_id(), limit + 50) == limit


def test_a_new_minute_starts_at_nought_and_each_key_has_its_own(aws: str) -> None:
    limiter, one, two = Limiter(5), new_id(), new_id()
    assert [through(limiter, key, 9) for key in (one, two)] == [5, 5]
    assert [through(limiter, one, 9, NOON + more) for more in (59, 60, 119)] == [0, 5, 0]


def test_the_refusal_says_when_the_minute_ends(aws: str) -> None:
    limiter, key = Limiter(1), new_id()
    limiter.take(key, NOON + 18)
    with pytest.raises(TooFast) as refused:
        limiter.take(key, NOON + 18)
    assert refused.value.retry_after == 42


def test_no_limit_counts_nothing(aws: str) -> None:
    with counted() as calls:
        assert through(Limiter(0), new_id(), 500) == 500
    assert calls == []


def test_threads_of_one_container_share_one_limit(aws: str) -> None:
    limiter, key = Limiter(200), new_id()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: through(limiter, key, 60), range(8))) == 200


@pytest.mark.parametrize("containers", [2, 4, 8])
def test_containers_side_by_side_exceed_the_limit_by_a_share_each_at_most(aws: str, containers: int) -> None:
    """All at once on the emulated DynamoDB; as in Lambda, each answers one request at a time."""
    key, limit = new_id(), 200
    made = [Limiter(limit) for _ in range(containers)]
    with ThreadPoolExecutor(containers) as pool:
        passed = sum(pool.map(lambda each: through(each, key, 2 * limit), made))
    assert limit <= passed <= limit + containers * made[0].share
    told = int(Counted.get(*Counted.key(key, NOON // 60)).requests)
    assert passed - containers * made[0].share < told <= passed


def test_a_slow_key_writes_nothing_and_a_fast_one_once_in_a_share(aws: str) -> None:
    limiter, key = Limiter(200), new_id()
    with counted() as calls:
        through(limiter, key, limiter.share - 1)
    assert calls == []
    with counted() as calls:
        through(limiter, key, 1 + 4 * limiter.share)
    assert calls == ["UpdateItem"] * 5


def test_the_shared_count_is_left_to_the_clean_up(aws: str) -> None:
    limiter, key = Limiter(1), new_id()
    limiter.take(key, NOON)
    assert Counted.get(*Counted.key(key, NOON // 60)).expires_at > NOON


def test_a_count_that_cannot_be_shared_stops_nobody(aws: str) -> None:
    limiter = Limiter(40)
    with refusing("UpdateItem", ["AccessDeniedException"] * 20) as left:
        assert through(limiter, new_id(), 100) == 40
    assert left == []


# --- over the API -------------------------------------------------------------------------------------------------


@pytest.fixture
def narrow() -> Iterator[None]:
    before, routes.limiter = routes.limiter, Limiter(3)
    yield
    routes.limiter = before


def test_too_fast_is_429_with_retry_after(reseller: Any, operator: Any, narrow: None, shapes: Any) -> None:
    reader = reseller.with_key(reseller.made("/v1/keys", {"role": "reseller_readonly"})["api_key"])
    replies = [reader.get("/v1/account") for _ in range(5)]
    # A minute may have ended in between.
    (refused, *_) = [reply for reply in replies if reply.status == 429]
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json["title"] == "Too many requests" and "3 requests a minute" in refused.json["detail"]
    # Other keys go on, and what is no key is still 401.
    assert reseller.get("/v1/account").status == 200
    assert reader.with_key("nonsense").get("/v1/account").status == 401
