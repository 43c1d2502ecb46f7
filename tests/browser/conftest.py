"""A stack of its own, and a browser to look at it with: Debian's Chromium, driven by Playwright.

Run by ``make test-browser``. ``make test`` does not need a browser and leaves these tests out.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from local.demo.http import Api
from local.stack import Stack

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("browser")) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser; a sentence says what to install where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="make test-browser installs Playwright")
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.fail("no Chromium found; on Debian and Ubuntu: apt install chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def reseller(stack: Stack) -> Api:
    """A fresh reseller that takes PayPal payments."""
    made = Api(stack.url, stack.operator_key).post("/v1/resellers", {"name": "Voix & Fils", "email": "a@voix.example"})
    api = Api(stack.url, made["api_key"])
    api.put("/v1/paypal", {"email": "shop@voix.example", "environment": "sandbox", "amounts": ["10", "25"]})
    return api
