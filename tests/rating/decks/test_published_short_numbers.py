"""Short numbers of published decks: kept with the deck, and part of how a reseller's numbers are read."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.aws import objects
from chalicelib.dialling import DialPlan

HEADER = "prefix,destination,rate_per_minute,initial,increment,match,home\n"
COUNTRIES = [f"{prefix},,0.01,60,60,," for prefix in ("1", "44", "502")]


def published(day: str, *lines: str) -> Any:
    """A deck that is in force long after every other test."""
    from chalicelib.aws.transactions import Scope
    from chalicelib.config import settings
    from chalicelib.rating.decks import publish

    key = f"incoming/decks/premium/{day}.csv"
    # The countries of the deck that all tests share, so that none is missed.
    body = (HEADER + "\n".join((*lines, *COUNTRIES))).encode()
    version = objects.s3().put_object(Bucket=settings.bucket, Key=key, Body=body)["VersionId"]
    return publish.publish(Scope("system:test", 1), key, version)


def codes(home: str) -> set[str]:
    from chalicelib.rating.pricing import loading

    version = loading.deck_version()
    books = (
        loading.rate_book("nobody", "UTC", DialPlan(home), 0, version),
        loading.cached_rate_book("nobody", "UTC", DialPlan(home), 0, version),
    )
    first, second = (book.plan.codes for book in books)
    assert first == second
    return {code for code in first if code.startswith("1187")}  # type: ignore[union-attr]


def test_a_dialled_number_is_a_short_number_where_a_published_deck_prices_it(aws: str) -> None:
    line = "118712,Annuaire,0.5,60,60,number,FR|BE"
    assert published(
        "2098-01-01", line, "118713,Everywhere,0.5,60,60,number,", "1187,A prefix,1,1,1,,"
    ).prefixes == 3 + len(COUNTRIES)
    assert (codes("FR"), codes("GB")) == ({"118712", "118713"}, {"118713"})
    # Of two decks for one day, only the last one counts.
    assert published("2098-01-01", line).status == "published"
    assert (codes("BE"), codes("GB")) == ({"118712"}, set())


def test_a_deck_with_too_many_short_numbers_is_refused(aws: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.rating.decks import publish

    monkeypatch.setattr(publish, "MAX_SHORT_NUMBERS", 2)
    lines = [f"11871{n},Annuaire,0.5,60,60,number,FR" for n in range(3)]
    assert published("2098-02-01", *lines[:2], "18005550100,Bridge,0.5,60,60,number,").status == "published"
    refused = published("2098-02-01", *lines)
    assert refused.status == "refused"
    assert refused.errors == [
        {"line": 0, "field": "file", "message": "has 3 short numbers; the limit is 2", "code": "too_many", "value": ""},
    ]  # fmt: skip
