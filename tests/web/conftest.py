"""Tenants to walk between: ``ours`` asks, ``theirs`` must not be seen or changed, ``walker`` uses up its own things."""

from __future__ import annotations

from typing import Any

import pytest
from tenants import Tenant, make_tenant, publish_deck
from walk import Shapes


@pytest.fixture(scope="session")
def document(operator: Any) -> dict[str, Any]:
    """The OpenAPI document as the API answers it."""
    return dict(operator.with_key("").get("/v1/openapi.json").json)


@pytest.fixture(scope="session")
def shapes(document: dict[str, Any]) -> Shapes:
    return Shapes(document)


@pytest.fixture(scope="session")
def deck_of_the_walk(aws: str) -> None:
    publish_deck()


@pytest.fixture(scope="session")
def ours(operator: Any, deck_of_the_walk: None) -> Tenant:
    return make_tenant(operator, "ourquagga")


@pytest.fixture(scope="session")
def theirs(operator: Any, deck_of_the_walk: None) -> Tenant:
    # More entries than the others have, so that the number of an entry can be a stranger's too.
    return make_tenant(operator, "theirtapir", payments=12)


@pytest.fixture(scope="session")
def walker(operator: Any, deck_of_the_walk: None) -> Tenant:
    return make_tenant(operator, "walkingokapi")


@pytest.fixture(scope="session")
def edge(gateway: Any) -> Any:
    """What API Gateway does before the application: parameters stay percent-encoded, unknown paths are 404."""
    from app import app
    from local.gateway import Gateway

    return Gateway(app)
