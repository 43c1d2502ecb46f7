"""The pay page and those that PayPal brings payers back to, as HTML; a browser looks at them in ``tests/browser``."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from paypal_shop import Shop, asked, open_shop

from chalicelib.payments import page, texts


class Parsed(HTMLParser):
    """Tags with their attributes, and the text of the body."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def look(shop: Shop, more: str = "") -> Any:
    return shop.api.with_key("").get(f"/pay/{shop.deposit['invoice']}{more}")


def test_the_page_has_the_amount_the_seller_and_the_stored_form(shop: Shop) -> None:
    reply = look(shop)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    told = Parsed(reply.text)
    assert "25.00\N{NO-BREAK SPACE}USD" in told.words and "to Voix" in told.words
    [form] = told.all("form")
    assert (form["action"], form["method"]) == (shop.deposit["action"], "post")
    assert {one["name"]: one["value"] for one in told.all("input")} == shop.deposit["fields"]
    assert told.all("html") == [{"lang": "en"}]


@pytest.mark.parametrize(
    ("language", "amount"), [("fr", "25,00\N{NO-BREAK SPACE}USD"), ("es", "25,00\N{NO-BREAK SPACE}USD")]
)
def test_the_page_speaks_the_clients_language(reseller: Any, paypal: Any, language: str, amount: str) -> None:
    shop = open_shop(reseller, paypal, language=language)
    told = Parsed(look(shop).text)
    assert amount in told.words and texts.WORDS[language]["pay"] in told.words
    assert told.all("html") == [{"lang": language}]


def test_every_language_has_every_text_with_the_same_places() -> None:
    for language in texts.LANGUAGES:
        words = texts.WORDS[language]
        assert words.keys() == texts.WORDS["en"].keys()
        for name, text in words.items():
            assert text and re.findall(r"{\w+}", text) == re.findall(r"{\w+}", texts.WORDS["en"][name]), (
                language,
                name,
            )


def test_only_the_pages_own_style_and_script_may_run(shop: Shop) -> None:
    reply = look(shop)
    policy = reply.headers["Content-Security-Policy"]
    for tag in ("style", "script"):
        [text] = re.findall(rf"<{tag}>(.*?)</{tag}>", reply.text, re.S)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert f"form-action 'self' {shop.standin.url};" in policy
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Cache-Control"] == "no-store"
    attributes = [name for _, found in Parsed(reply.text).tags for name in found]
    assert not [name for name in attributes if name == "style" or name.startswith("on")]


def test_elsewhere_the_form_may_lead_to_paypal_and_nowhere_else() -> None:
    policy = page.policy(("https://www.paypal.com", "https://www.sandbox.paypal.com"))
    assert "form-action 'self' https://www.paypal.com https://www.sandbox.paypal.com;" in policy


def test_what_a_seller_is_called_is_text_and_never_markup(operator: Any, paypal: Any) -> None:
    name = '<script>alert(1)</script>" onload="x\' $css ${js} {seller}'
    made = operator.made("/v1/resellers", {"name": name, "email": "x@x.example"})
    shop = open_shop(type(operator)(operator.gateway, made["api_key"], {"reseller": made["id"]}), paypal)
    for more in ("", "/return", "/cancel"):
        reply = look(shop, more)
        assert len(Parsed(reply.text).all("script")) == 1
        assert f"to {name}" in Parsed(reply.text).words
        assert not [found for _, found in Parsed(reply.text).tags if "onload" in found]
        assert "alert(1)</script>" not in reply.text and unescape(reply.text).count(name) >= 1


def test_the_way_back_is_inert_whatever_it_is_told(shop: Shop) -> None:
    lies = "?tx=1&st=Completed&amt=25.00&cc=USD&PayerID=X&token=Y&payment_status=Completed&auth=z"
    for more in (f"/return{lies}", f"/cancel{lies}", lies):
        assert look(shop, more).status == 200
    assert (shop.now(), shop.ledger()) == ("open", [])
    told = Parsed(look(shop, f"/return{lies}").text)
    [status] = [one for one in told.all("p") if one.get("id") == "status"]
    assert (status["role"], status["data-now"], status["data-state"]) == ("status", "open", "state")
    assert texts.WORDS["en"]["open"] in told.words


def test_the_state_follows_the_ledger_and_a_paid_page_has_no_button(shop: Shop) -> None:
    def state() -> str:
        reply = look(shop, "/state")
        assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
        return str(reply.json["status"])

    assert state() == "open"
    shop.send(shop.good | {"payment_status": "Pending"})
    assert state() == "pending"
    shop.send(shop.good)
    assert state() == "paid"
    told = Parsed(look(shop).text)
    assert told.all("form") == [] and texts.WORDS["en"]["paid"] in told.words


def test_the_page_of_a_payer_who_came_back_says_what_is_true_of_the_deposit(shop: Shop) -> None:
    def shown() -> tuple[str, bool]:
        page = Parsed(look(shop, "/cancel").text)
        [key] = [key for key, text in texts.WORDS["en"].items() if text.replace("{seller}", "Voix") in page.words
                 and key in ("cancelled", "pending", "paid", "failed", "review", "expired")]  # fmt: skip
        return key, bool(page.all("a"))

    assert shown() == ("cancelled", True)
    shop.send(shop.good | {"payment_status": "Denied"})
    assert shown() == ("failed", True)
    shop.send(shop.good | {"payment_status": "Pending", "txn_id": "TX2"})
    assert shown() == ("pending", False)
    shop.send(shop.good | {"txn_id": "TX2"})
    assert shown() == ("paid", False)


def test_a_page_asks_to_be_reloaded_only_while_something_can_change(shop: Shop) -> None:
    reload = texts.WORDS["en"]["reload"]
    assert reload in Parsed(look(shop, "/return").text).words
    shop.send(shop.good)
    assert reload not in Parsed(look(shop, "/return").text).words


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_paypal_shows_the_item_in_the_clients_language(reseller: Any, paypal: Any, language: str) -> None:
    shop = open_shop(reseller, paypal, language=language)
    assert shop.deposit["fields"]["item_name"] == texts.WORDS[language]["item"]


def test_a_failed_deposit_can_be_tried_again(shop: Shop) -> None:
    shop.send(shop.good | {"payment_status": "Denied"})
    told = Parsed(look(shop).text)
    assert texts.WORDS["en"]["failed"] in told.words and len(told.all("form")) == 1


def test_a_deposit_that_somebody_must_look_at_has_no_button(shop: Shop) -> None:
    shop.send(shop.good | {"mc_gross": "24.00"})
    told = Parsed(look(shop).text)
    assert told.all("form") == [] and "needs a look by Voix" in told.words


def test_an_old_link_has_no_button_but_a_late_payment_counts(shop: Shop) -> None:
    from chalicelib.payments import store
    from chalicelib.payments.store import Deposit

    item = store.deposit(shop.reseller_id, shop.client_id, shop.deposit["id"])
    assert item is not None
    item.update(actions=[Deposit.open_until.set(1)])
    told = Parsed(look(shop).text)
    assert told.all("form") == [] and "This link has expired" in told.words
    shop.send(shop.good)
    assert shop.ledger() == ["deposit 25.00"]


def test_a_closed_client_has_no_button(shop: Shop) -> None:
    assert shop.api.delete(f"/v1/clients/{shop.client_id}").status == 204
    assert Parsed(look(shop).text).all("form") == []


@pytest.mark.parametrize("intent", ["0" * 32, "x", "a" * 128, "%2e%2e", "a.b", "%00", "PAY"])
def test_a_link_that_nobody_has_is_a_page_that_says_so(shop: Shop, intent: str) -> None:
    for more in ("", "/return", "/cancel"):
        for language in ("en", "fr-CA,fr;q=0.9", "es", "de"):
            reply = shop.api.with_key("").get(f"/pay/{intent}{more}", headers={"accept-language": language})
            assert (reply.status, reply.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
            assert texts.words(language)["missing"] in unescape(reply.text)
    assert shop.api.with_key("").get(f"/pay/{intent}/state").status == 404


def test_the_sandbox_is_told_from_real_money(reseller: Any, paypal: Any) -> None:
    live = open_shop(reseller, paypal)
    assert texts.WORDS["en"]["test"] not in Parsed(look(live).text).words
    sandbox = open_shop(reseller, paypal, "sandbox")
    assert texts.WORDS["en"]["test"] in Parsed(look(asked(sandbox)).text).words
