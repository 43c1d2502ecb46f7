"""Texts, signatures, addresses and pauses: what needs no network."""

from __future__ import annotations

import hashlib
import hmac
import json
import string

import pytest

from chalicelib.notices import kinds, letters, signing, targets

WORDS = {
    "brand": "Voix",
    "name": "Acme",
    "client_id": "c1",
    "balance": "-1234567.5",
    "threshold": "5.00",
    "rejected": 3,
    "lines": 100,
    "file": "may.csv",
    "batch_id": "b1",
    "reason": "too large",
}

# --- letters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", letters.TEXTS)
def test_every_kind_is_written_in_every_language(language: str) -> None:
    own = {f"of.{kind}" for kind in kinds.CLIENT_KINDS}
    assert letters.TEXTS[language].keys() == {*kinds.KINDS, *own}
    for kind in letters.TEXTS[language]:
        subject, text = letters.write(kind, language, "USD", WORDS)
        assert subject and text.endswith("\n\nVoix\n")
        assert "{" not in subject + text
        for template in letters.TEXTS[language][kind]:
            named = {name for _, name, _, _ in string.Formatter().parse(template) if name}
            assert named <= WORDS.keys()


def test_the_languages_say_the_same_things() -> None:
    for kind, english in letters.TEXTS["en"].items():
        for other in letters.TEXTS.values():
            fields = [
                {n for _, n, _, _ in string.Formatter().parse("".join(one)) if n} for one in (english, other[kind])
            ]
            assert fields[0] == fields[1], kind
    assert len({json.dumps(texts) for texts in letters.TEXTS.values()}) == 3


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", {"10.00": "10.00 USD", "-1234567.5": "-1,234,567.5 USD"}),
        ("fr", {"1234.50": "1\u202f234,50 USD"}),
        ("es", {"-0.00000001": "-0,00000001 USD", "1234.50": "1.234,50 USD"}),
    ],
)
def test_amounts_are_exact_and_written_as_people_write_them(language: str, written: dict[str, str]) -> None:
    assert {amount: letters.amount(amount, "USD", language) for amount in written} == written


@pytest.mark.parametrize(
    ("tag", "language"),
    [("fr", "fr"), ("fr-CA", "fr"), ("ES", "es"), ("en-GB", "en"), ("de", "en"), (None, "en"), ("", "en")],
)
def test_a_language_that_nobody_wrote_texts_in_is_english(tag: str | None, language: str) -> None:
    assert letters.language_of(tag) == language


def test_a_subject_is_one_line_whatever_a_file_is_called() -> None:
    evil = {**WORDS, "file": "x\r\nBcc: everybody@example.com\u2028{brand}"}
    subject, text = letters.write("batch.rejects", "en", "USD", evil)
    assert len(subject.splitlines()) == 1
    assert "{brand}" in text
    assert len(letters.write("batch.rejects", "en", "USD", {**WORDS, "file": "x" * 1000})[0]) == 200


# --- signatures ---------------------------------------------------------------------------------------------------


def test_the_signature_is_hmac_sha256_over_timestamp_dot_body() -> None:
    body = signing.body_of("01E", "client.suspended", "2026-11-23T08:00:00Z", {"b": 1, "a": "é"})
    said = signing.signature(["whsec_one", "whsec_two"], 1_790_000_000, body)
    expected = [hmac.new(k, b"1790000000." + body, hashlib.sha256).hexdigest() for k in (b"whsec_one", b"whsec_two")]
    assert said == f"t=1790000000,v1={expected[0]},v1={expected[1]}"
    assert body == signing.body_of("01E", "client.suspended", "2026-11-23T08:00:00Z", {"a": "é", "b": 1})


def test_secrets_are_256_bits_and_never_twice_the_same() -> None:
    made = {signing.new_secret() for _ in range(100)}
    assert len(made) == 100 and all(len(one) == len("whsec_") + 43 for one in made)


# --- where webhooks may go ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [
        "8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "192.0.1.0", "191.255.255.255", "192.0.3.0",
        "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0", "198.17.255.255", "198.20.0.0",
        "223.255.255.255", "2001:200::1", "2a00:1450::1", "3ffe::1",
    ],
)  # fmt: skip
def test_public_addresses(address: str) -> None:
    assert targets.is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "198.18.0.1", "192.0.2.1", "240.0.0.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
        "2002:a9fe:a9fe::", "2001:db8::1", "::127.0.0.1", "::10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b:1::a00:1",
        "fec0::1", "4000::1", "5f00::1", "3fff::1", "192.0.0.7", "192.0.0.8", "192.0.0.9", "192.0.0.10", "192.0.0.15",
        "192.0.0.170", "192.0.0.255", "192.88.99.1", "192.31.196.1", "192.52.193.1", "192.175.48.1", "198.19.255.255",
        "198.51.100.1", "203.0.113.1", "0.255.255.255", "100.127.255.255", "172.31.255.255", "239.255.255.255",
        "2001::1", "2001:1::1", "2001:2::1", "2001:20::1", "2001:1ff::1", "2002:808:808::1", "2620:4f:8000::1",
        "2606:4700:4700::1111%eth0", "::ffff:192.0.0.8", "", "example.com", "8.8.8", "08.8.8.8",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not targets.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/hook",
        "https://hooks.example.com:8443/a/b?c=d",
        "https://8.8.8.8/",
        "https://a_b.example.com:65535/",
        "https://[2606:4700:4700::1111]:1/",
        "https://8ball.example/",
        "https://0x7f.example/",
        "https://xn--xample-9ua.com/",
        f"https://{'a' * 63}.example/",
    ],
)
def test_urls_that_are_taken(url: str) -> None:
    assert targets.check_url(url, loopback=False) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://", "https:///x", "example.com", "//example.com/x", "https://localhost/",
        "https://intranet/x", "https://127.0.0.1/", "https://127.1/", "https://0x7f000001/", "https://2130706433/",
        "https://10.0.0.8:443/x", "https://[::1]/", "https://169.254.169.254/latest/meta-data", "https://u:p@example.com/",
        "https://example.com/#x", "https://exa mple.com/", "https://example.com\\@10.0.0.1/", "https://éxample.com/",
        "https://example.com:99999/", "https://[::ffff:10.0.0.1]/", "https://example.com/\n", "http://127.0.0.1/x",
        "https://.", "https://..", "https://./x", "https://.com", "https://example.com.", "https://example..com/", "https://127.0.0.1./",
        "https://localhost./", "https://a.localhost/", "https://1.0x7f/", "https://0x7f.1/", "https://0x/", "https://a.0x/",
        "https://1.2.3.4.5/",
        "https://example.com:0/", "https://example.com:00/", "https://8.8.8.8:0/", "https://192.0.0.8/", "https://192.0.0.15/",
        "https://192.0.0.10:8443/x", "https://-a.com/", "https://a-.com/", "https://exa%6Dple.com/", "https://a*b.com/",
        "https://[2606:4700::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[v1.x]/", "https://[example.com]/", "https://010.8.8.8/",
        f"https://{'a' * 64}.com/", f"https://{'a.' * 127}com/", "https://a,b.com/", "https://a;b.com/",
    ],
)  # fmt: skip
def test_urls_that_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must"):
        targets.check_url(url, loopback=False)


def test_the_local_stage_may_use_plain_http_to_itself_and_to_nothing_else() -> None:
    assert targets.check_url("http://127.0.0.1:8123/x", loopback=True)
    for url in ("http://10.0.0.1/", "http://example.com/", "https://127.0.0.1/"):
        with pytest.raises(ValueError, match="must"):
            targets.check_url(url, loopback=True)


# --- pauses -------------------------------------------------------------------------------------------------------


def test_tries_go_on_for_a_day_with_growing_pauses() -> None:
    now, attempts, pauses = 1_000_000, 0, []
    while True:
        attempts += 1
        due = kinds.next_try(1_000_000, attempts, now)
        if due is None:
            break
        pauses.append(due - now)
        now = due
    assert pauses[:9] == [60, 120, 240, 480, 960, 1920, 3840, 7680, 14_400]
    assert pauses == sorted(pauses) and max(pauses) == 4 * 3600
    assert 20 * 3600 < now - 1_000_000 <= 86_400
