"""A payer with a browser: the pay page, PayPal (its stand-in), and back to "waiting", then "paid"."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.payments import texts
from local.demo.http import Api, Json, send
from local.stack import Stack


def switch(stack: Stack, **habits: object) -> None:
    """How the stand-in delivers its messages from now on."""
    url, headers = f"{stack.paypal_url}/control/habits", {"Content-Type": "application/json"}
    send(urllib.request.Request(url, json.dumps(habits).encode(), headers))


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page that must not complain: errors, and what the policy blocks, are told on the console."""
    context = chromium.new_context(viewport={"width": 900, "height": 700})
    opened, told = context.new_page(), list[str]()
    opened.on("console", lambda message: told.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: told.append(str(error)))
    yield opened
    context.close()
    assert told == []


def deposit(api: Api, **client: str) -> tuple[Json, str]:
    made = api.post("/v1/clients", {"company": "Acme", "balance_mode": "strict", **client})
    path = f"/v1/clients/{made['id']}"
    return api.post(f"{path}/deposits", {"amount": "25"}), path


@pytest.mark.parametrize("app", [False, True], ids=["classic button", "REST app"])
def test_a_client_pays_25_sees_waiting_then_paid_and_is_credited_once(
    page: Any, stack: Stack, reseller: Api, app: bool
) -> None:
    if app:
        reseller.put("/v1/paypal/app", {"app_key": "App-browser", "app_secret": "s3cret"})
    # Late and three times, as PayPal may: time enough to see that the page waits.
    switch(stack, copies=3, delay_seconds=3, retry_seconds=0.3)
    made, path = deposit(reseller)
    page.goto(made["pay_url"])
    assert page.locator(".amount").inner_text() == "25.00\N{NO-BREAK SPACE}USD"
    page.get_by_role("button", name="Pay with PayPal").click()
    page.wait_for_url(f"{stack.paypal_url}/sandbox/**")
    page.get_by_role("button", name="Pay now").click()
    page.wait_for_url("**/return*")
    status = page.get_by_role("status")
    assert status.inner_text() == texts.WORDS["en"]["open"]
    assert not page.get_by_text(texts.WORDS["en"]["reload"]).is_visible()
    page.get_by_text(texts.WORDS["en"]["paid"]).wait_for(timeout=30_000)
    assert status.get_attribute("data-now") == "paid"
    after = reseller.get(path)
    assert (after["balance"], after["service"]) == ("25.00", "active")
    assert [entry["kind"] for entry in reseller.every(f"{path}/ledger")] == ["deposit"]
    page.goto(made["pay_url"])
    assert page.get_by_role("button").count() == 0
    assert page.get_by_text(texts.WORDS["en"]["paid"]).is_visible()


def test_a_payer_who_turns_back_at_paypal_finds_everything_as_it_was(page: Any, stack: Stack, reseller: Api) -> None:
    made, path = deposit(reseller, language="fr")
    page.goto(made["pay_url"])
    page.get_by_role("button", name="Payer avec PayPal").click()
    page.get_by_text("Cancel and return").click()
    page.get_by_text(texts.WORDS["fr"]["cancelled"]).wait_for()
    page.get_by_role("link", name=texts.WORDS["fr"]["again"]).click()
    assert page.get_by_role("button", name="Payer avec PayPal").is_visible()
    assert (reseller.get(path)["balance"], page.url) == ("0.00", made["pay_url"])


def test_the_keyboard_is_enough(page: Any, stack: Stack, reseller: Api) -> None:
    made, _ = deposit(reseller)
    page.goto(made["pay_url"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.tagName") == "BUTTON"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    page.wait_for_url(f"{stack.paypal_url}/sandbox/**")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("more", ["", "/return", "/cancel"])
def test_every_text_can_be_read_on_any_screen(
    chromium: Any, stack: Stack, reseller: Api, scheme: str, more: str
) -> None:
    """Contrast of at least 4.5 to 1, by the colours that the browser really uses, and nothing wider than the screen."""
    for language in texts.LANGUAGES:
        made, _ = deposit(reseller, language=language)
        context = chromium.new_context(viewport={"width": 320, "height": 640}, color_scheme=scheme)
        page = context.new_page()
        page.goto(made["pay_url"] + more)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate("document.documentElement.lang") == language
        for text, ratio in page.evaluate(CONTRASTS):
            assert ratio >= 4.5, (language, scheme, text, ratio)
        context.close()


def test_without_a_script_the_page_says_to_reload(chromium: Any, reseller: Api) -> None:
    made, _ = deposit(reseller)
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{made['pay_url']}/return")
    assert page.get_by_text(texts.WORDS["en"]["reload"]).is_visible()
    context.close()


CONTRASTS = """() => {
  const parts = colour => colour.match(/[0-9.]+/g).slice(0, 3).map(Number);
  const light = colour => parts(colour).map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4))
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const clear = colour => colour === "transparent" || /, 0\\)$/.test(colour);
  const behind = node => {
    while (node && clear(getComputedStyle(node).backgroundColor)) { node = node.parentElement; }
    return getComputedStyle(node || document.body).backgroundColor;
  };
  return [...document.querySelectorAll("main *")]
    .filter(node => node.childElementCount === 0 && node.textContent.trim())
    .map(node => {
      const [a, b] = [light(getComputedStyle(node).color), light(behind(node))];
      return [node.textContent, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
    });
}"""
