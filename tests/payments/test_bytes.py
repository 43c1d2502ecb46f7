"""What is posted back to PayPal is what came in, byte for byte; reading it is another matter."""

from __future__ import annotations

import codecs
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paypal_shop import FORM, Shop

from chalicelib.payments import amounts, form, ipn
from local.paypal import messages

PREFIX = b"cmd=_notify-validate&"
TEXTS = {
    "windows-1252": "Zoé Müller – 25 €",
    "": "Zoé",
    "UTF-8": "Žofie Čapková 東京 🙂",
    "gb2312": "中文名字",
    "Shift_JIS": "東京タワー",
    "KOI8_R": "Привет",
    "Big5": "中文",
    "EUC_KR": "한국어",
    "ISO-8859-1": "Zoé",
    "windows-1251": "Привет",
    "windows-874": "ภาษาไทย",
}
BODIES = {
    "blank fields": b"memo=&option_name1=&=&",
    "a percent sign that escapes nothing": b"memo=%u010D&item_name=100%&x=%zz",
    "line breaks": b"address_street=1%0D%0AMain%0ASt",
    "lower-case escapes": b"memo=%3a%c3%a9&item_name=a+b%20c",
    "raw bytes": b"memo=Zo\xe9\x81\xff\x00caf\xc3\xa9",
    "an equals sign in a value": b"memo=a=b=c",
    "no value at all": b"memo&&item_name",
    "a line break at the end": b"memo=x\r\n",
}


@pytest.mark.parametrize("charset", TEXTS)
def test_every_charset_is_echoed_and_read(charset: str, shop: Shop) -> None:
    told = shop.good | {"charset": charset, "first_name": TEXTS[charset], "memo": ""}
    if not charset:
        del told["charset"]
        raw = messages.encode(told | {"first_name": ""}).replace(b"first_name=", b"first_name=Zo%E9")
    else:
        raw = messages.encode(told)
    assert shop.send(raw) == 200
    assert shop.standin.asked[-1] == PREFIX + raw
    assert form.parse(raw)["first_name"] == TEXTS[charset]
    assert shop.ledger() == ["deposit 25.00"]


@pytest.mark.parametrize("more", BODIES.values(), ids=BODIES.keys())
def test_whatever_stands_in_a_body_is_echoed_as_it_came(more: bytes, shop: Shop) -> None:
    raw = messages.encode(shop.good) + b"&" + more
    assert shop.send(raw, known=True) == 200
    assert shop.standin.asked[-1] == PREFIX + raw
    assert shop.ledger() == ["deposit 25.00"]


def test_bytes_come_through_the_local_gateway_as_they_were_sent(shop: Shop, edge: Any) -> None:
    """API Gateway hands forms over in base64, and so does the local one: nothing is read as text on the way."""
    from email.message import Message

    raw = messages.encode(shop.good) + b"&memo=\xff\xfe\x00%u010D+\r\n"
    shop.standin.books.know("live", raw)
    headers = Message()
    headers["Content-Type"] = "application/x-www-form-urlencoded; charset=windows-1252"
    answer = edge.answer("POST", shop.ipn_path, headers, raw)
    assert (answer.status, answer.body) == (200, b"")
    assert shop.standin.asked[-1] == PREFIX + raw
    assert shop.ledger() == ["deposit 25.00"]


@pytest.fixture(scope="module")
def edge(gateway: Any) -> Any:
    from app import app
    from local.gateway import Gateway

    return Gateway(app)


def test_the_post_back_says_who_asks_and_what_it_is(shop: Shop) -> None:
    seen: list[dict[str, str]] = []
    respond = shop.standin.respond

    def watch(method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        seen.append({"method": method, "path": target, **headers})
        return respond(method, target, headers, body)

    shop.standin.respond = watch  # type: ignore[method-assign]
    try:
        assert shop.send(shop.good) == 200
    finally:
        del shop.standin.respond  # type: ignore[method-assign]
    [asked] = seen
    assert (asked["method"], asked["path"]) == ("POST", "/live/cgi-bin/webscr")
    assert asked["content-type"] == "application/x-www-form-urlencoded"
    assert asked["user-agent"].startswith("Forfait")


@given(st.binary(max_size=300))
def test_no_body_makes_the_reader_fail_in_another_way_than_it_says(raw: bytes) -> None:
    try:
        fields = form.parse(raw)
    except form.BadForm as bad:
        assert bad.reason in ("empty", "cmd", "repeated_field", "too_many_fields")
        return
    assert all(isinstance(value, str) for value in fields.values())
    ipn.notice(fields)


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,12}", fullmatch=True).filter(lambda n: n not in ("cmd", "charset")),
                       st.text(st.characters(codec="utf-8"), max_size=40), min_size=1, max_size=8))  # fmt: skip
def test_what_is_written_is_read_again(fields: dict[str, str]) -> None:
    told = fields | {"charset": "UTF-8"}
    assert form.parse(messages.encode(told)) == told


def test_the_charsets_of_text_stand_under_the_names_that_python_answers_with() -> None:
    assert {name: codecs.lookup(name).name for name in form._CHARSETS} == {name: name for name in form._CHARSETS}


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "zlib",
                                     "base64", "rot13", "utf-16", "utf-32", "nobody", "../x", "\x00", "é"])  # fmt: skip
def test_a_charset_that_is_none_of_text_is_read_as_windows_1252(charset: str) -> None:
    raw = b"charset=" + messages.quote_plus(charset).encode() + b"&mc_gross=%2BADIANQAuADAAMA-&memo=%e9"
    assert form.parse(raw) | {"charset": ""} == {"charset": "", "mc_gross": "+ADIANQAuADAAMA-", "memo": "é"}


def test_a_hidden_name_is_found_under_its_escapes() -> None:
    for raw in (b"txn_id=1&%74xn_id=2", b"txn_id=1&txn%5Fid=2", b"a=1&c%6Dd=x", b"a=1&+CMD+=x"):
        with pytest.raises(form.BadForm):
            form.parse(raw)


GOOD = {"25.00": 25_00000000, "25": 25_00000000, "0.01": 1000000, "25.5": 25_50000000, "-3.10": -3_10000000, "0": 0}
BAD = ("", " 25", "25 ", "25.", ".5", "+25", "025", "25.001", "1e3", "2.5e1", "NaN", "Infinity", "-", "--1", "2_5.00",
       "٢٥", "٢٥.٠٠", "25.00\n", "25,00", "1,000.00", "0x19", "25.00 USD", "12345678901", "1/2",
       "２５", "²5")  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_an_amount_as_paypal_writes_it(text: str) -> None:
    assert amounts.parse(text, "USD") == GOOD[text]


@pytest.mark.parametrize("text", BAD)
def test_an_amount_that_paypal_does_not_write_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        amounts.parse(text, "USD")


@pytest.mark.parametrize("currency", sorted(amounts.WHOLE_CURRENCIES))
def test_currencies_without_decimals_have_none(currency: str) -> None:
    assert amounts.parse("1000", currency) == 1000 * 10**8
    assert amounts.write(1000 * 10**8, currency) == "1000"
    for text in ("1000.00", "1000.5"):
        with pytest.raises(ValueError):
            amounts.parse(text, currency)
    with pytest.raises(ValueError):
        amounts.write(10**8 // 2, currency)


@given(st.integers(1, 10**9 - 1))
def test_an_amount_that_is_written_is_read_again(cents: int) -> None:
    assert amounts.parse(amounts.write(cents * 10**6, "USD"), "USD") == cents * 10**6


def test_a_header_of_another_spelling_is_a_form_all_the_same(shop: Shop) -> None:
    raw = messages.encode(shop.good)
    shop.standin.books.know("live", raw)
    spelled = {"content-type": "Application/X-WWW-Form-Urlencoded;charset=UTF-8"}
    assert shop.api.with_key("").send("POST", shop.ipn_path, raw, headers=FORM | spelled).status == 200
    assert shop.ledger() == ["deposit 25.00"]
